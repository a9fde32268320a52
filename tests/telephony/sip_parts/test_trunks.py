"""The trunk monitor, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiosipua.message import SipRequest, SipResponse

from parlons.errors import SipError
from parlons.telephony.sip.resolver import UnresolvableName
from parlons.telephony.sip.trunks import TrunkConfig, TrunkMonitor, TrunkStatus
from parlons.telephony.types import Credentials
from tests.support.virtual_time import run

CONTACT = ("198.51.100.1", 5060)
PLAIN = TrunkConfig("plain", "192.0.2.1", 5060, CONTACT)
REGISTERING = TrunkConfig("reg", "192.0.2.2", 5060, CONTACT, Credentials("alice", "secret"), register=True)


class Network:
    """Answers requests by method; an exception is raised, None means silence."""

    def __init__(self) -> None:
        self.answers: dict[str, int | Exception | None] = {"OPTIONS": 200, "REGISTER": 200}
        self.seen: list[tuple[float, str, str]] = []
        self.changes: list[TrunkStatus] = []
        self.monitor = TrunkMonitor(self.send, self.resolve, self.changes.append)

    async def resolve(self, host: str, port: int | None) -> tuple[str, int]:
        if host == "nowhere.test":
            raise UnresolvableName("The host nowhere.test cannot be resolved.")
        return host, port or 5060

    async def send(self, request: SipRequest, address: tuple[str, int]) -> SipResponse:
        loop = asyncio.get_running_loop()
        self.seen.append((loop.time(), request.method, address[0]))
        await asyncio.sleep(0.01)
        answer = self.answers[request.method]
        if answer is None:
            return await loop.create_future()  # type: ignore[no-any-return]
        if isinstance(answer, Exception):
            raise answer
        return SipResponse(status_code=answer, reason_phrase="Reason")

    def count(self, method: str) -> int:
        return sum(m == method for _, m, _ in self.seen)


def scenario(body: Callable[[Network], object]) -> None:
    async def wrapped() -> None:
        network, before = Network(), asyncio.all_tasks()
        await body(network)  # type: ignore[misc]
        await network.monitor.stop()
        assert asyncio.all_tasks() == before, "nothing may run on after stop"

    run(wrapped())


def test_options_every_thirty_seconds() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([PLAIN])
        assert network.monitor.status("plain").reachable is None
        assert network.monitor.status("plain").up
        await asyncio.sleep(95)
        assert network.count("OPTIONS") == 4
        assert network.count("REGISTER") == 0
        status = network.monitor.status("plain")
        assert (status.registered, status.reachable, status.last_error) == (None, True, "")
        assert len(network.changes) == 1

    scenario(body)


@pytest.mark.parametrize(
    ("answer", "reachable"),
    [
        (200, True), (401, True), (403, True), (404, True), (405, True), (483, True), (486, True), (500, True),
        (603, True),
        (408, False), (503, False), (None, False), (TimeoutError(), False), (SipError(500, "No socket"), False),
        (OSError("network is unreachable"), False),
    ],
)  # fmt: skip
def test_what_counts_as_reachable(answer: int | Exception | None, reachable: bool) -> None:
    async def body(network: Network) -> None:
        network.answers["OPTIONS"] = answer
        await network.monitor.apply([PLAIN])
        await asyncio.sleep(11)
        status = network.monitor.status("plain")
        assert status.reachable is reachable
        assert status.up is reachable
        assert bool(status.last_error) is not reachable

    scenario(body)


def test_a_name_that_does_not_resolve() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([replace(PLAIN, host="nowhere.test")])
        await asyncio.sleep(1)
        assert "nowhere.test" in network.monitor.status("plain").last_error

    scenario(body)


def test_going_down_and_coming_back_is_told_once_each() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([PLAIN])
        await asyncio.sleep(45)
        network.answers["OPTIONS"] = 503
        await asyncio.sleep(90)
        network.answers["OPTIONS"] = 200
        await asyncio.sleep(30)
        assert [c.reachable for c in network.changes] == [True, False, True]
        assert network.changes[1].last_error == "OPTIONS: 503 Reason"
        assert network.changes[2].last_error == ""
        down = network.changes[2].since - network.changes[1].since
        assert down == pytest.approx(90, abs=1)

    scenario(body)


def test_registration_shows() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([REGISTERING])
        assert network.monitor.status("reg").registered is False
        await asyncio.sleep(1)
        assert network.monitor.status("reg").registered is True
        network.answers["REGISTER"] = 500
        await asyncio.sleep(245)
        status = network.monitor.status("reg")
        assert (status.registered, status.last_error) == (True, "500 Reason")
        await asyncio.sleep(60)
        status = network.monitor.status("reg")
        assert (status.registered, status.reachable, status.up) == (False, True, False)

    scenario(body)


def test_a_registrar_that_never_answers_options_is_up() -> None:
    async def body(network: Network) -> None:
        network.answers["OPTIONS"] = None
        await network.monitor.apply([REGISTERING])
        await asyncio.sleep(60)
        status = network.monitor.status("reg")
        assert (status.registered, status.reachable, status.known, status.up) == (True, False, True, True)
        network.answers["REGISTER"] = TimeoutError()
        await asyncio.sleep(300)
        status = network.monitor.status("reg")
        assert (status.registered, status.up) == (False, False)

    scenario(body)


def test_a_registrar_that_stops_answering_options_is_down_before_its_binding_ends() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([REGISTERING])
        await asyncio.sleep(10)
        network.answers.update(OPTIONS=None, REGISTER=TimeoutError())
        await asyncio.sleep(60)
        status = network.monitor.status("reg")
        assert (status.registered, status.reachable, status.up) == (True, False, False)
        network.answers.update(OPTIONS=200, REGISTER=200)
        await asyncio.sleep(60)
        assert network.monitor.status("reg").up

    scenario(body)


@pytest.mark.parametrize("config", [PLAIN, REGISTERING])
def test_nothing_is_known_until_something_was_asked(config: TrunkConfig) -> None:
    async def body(network: Network) -> None:
        network.answers.update(OPTIONS=None, REGISTER=TimeoutError())
        await network.monitor.apply([config])
        await asyncio.sleep(5)
        assert not network.monitor.status(config.id).known
        await asyncio.sleep(6)
        assert network.monitor.status(config.id).known
        assert not network.monitor.status(config.id).up
        await network.monitor.apply([replace(config, expires_seconds=120)])
        assert not network.monitor.status(config.id).known, "changed: begun again"

    scenario(body)


def test_apply_touches_only_what_changed() -> None:
    async def body(network: Network) -> None:
        await network.monitor.apply([PLAIN, REGISTERING])
        await asyncio.sleep(1)
        network.seen.clear()
        await network.monitor.apply([PLAIN, REGISTERING])
        await asyncio.sleep(1)
        assert network.seen == []
        await network.monitor.apply([replace(PLAIN, host="192.0.2.7"), REGISTERING])
        await asyncio.sleep(1)
        assert [(m, h) for _, m, h in network.seen] == [("OPTIONS", "192.0.2.7")]
        await network.monitor.apply([])
        assert [(m, h) for _, m, h in network.seen][1:] == [("REGISTER", "192.0.2.2")], "un-registered on removal"
        assert network.monitor.statuses() == []
        network.changes.clear()
        await asyncio.sleep(100)
        assert network.changes == []
        with pytest.raises(KeyError):
            network.monitor.status("reg")

    scenario(body)


def test_the_options_request_is_one_we_would_accept() -> None:
    async def body(network: Network) -> None:
        from parlons.telephony.sip.checks import check

        sent: list[SipRequest] = []
        real = network.send

        async def spy(request: SipRequest, address: tuple[str, int]) -> SipResponse:
            sent.append(request)
            return await real(request, address)

        monitor = TrunkMonitor(spy, network.resolve)
        await monitor.apply([replace(REGISTERING, host="[2001:db8::1]")])
        await asyncio.sleep(1)
        await monitor.stop()
        assert {r.method for r in sent} == {"OPTIONS", "REGISTER"}
        for request in sent:
            request.headers.set_single("Via", "SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1")
            checked = check(bytes(request))
            assert (checked.reject, checked.drop) == (None, "")
            assert request.uri == "sip:[2001:db8::1]"

    scenario(body)
