"""The registrar client against registrars made of functions, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiosipua.message import SipRequest, SipResponse

from parlons.errors import SipError
from parlons.telephony.sip.digest import DigestServer, Verdict
from parlons.telephony.sip.registrar import Registrar, RegistrarConfig, RegistrationState
from parlons.telephony.types import Credentials
from tests.support.virtual_time import run

CONFIG = RegistrarConfig("trunk.test", None, Credentials("alice", "secret"), ("198.51.100.1", 5060))
OURS = "sip:alice@198.51.100.1:5060"
ADDRESS = ("192.0.2.1", 5060)

Answer = Callable[[SipRequest], SipResponse]


def reply(code: int, *headers: tuple[str, str], reason: str = "") -> SipResponse:
    response = SipResponse(status_code=code, reason_phrase=reason)
    for name, value in headers:
        response.headers.append(name, value)
    return response


def granted(seconds: int) -> Answer:
    return lambda request: reply(200, ("Contact", f"<{OURS}>;expires={seconds}"))


class Peer:
    """A registrar that answers as ``answer`` says; records (loop time, request, state)."""

    def __init__(self, answer: Answer, config: RegistrarConfig = CONFIG) -> None:
        self.answer = answer
        self.seen: list[tuple[float, SipRequest]] = []
        self.states: list[tuple[RegistrationState, str]] = []
        self.registrar = Registrar(config, self.send, self.resolve, self.changed)

    async def resolve(self, host: str, port: int | None) -> tuple[str, int]:
        assert (host, port) == ("trunk.test", None)
        return ADDRESS

    async def send(self, request: SipRequest, address: tuple[str, int]) -> SipResponse:
        assert address == ADDRESS
        assert "via" not in request.headers
        loop = asyncio.get_running_loop()
        self.seen.append((loop.time(), request))
        await asyncio.sleep(0.02)
        response = self.answer(request)
        request.headers.set_single("Via", "SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKused")
        return response

    def changed(self, registrar: Registrar) -> None:
        self.states.append((registrar.state, registrar.last_error))

    @property
    def times(self) -> list[float]:
        start = self.seen[0][0]
        return [round(at - start, 2) for at, _ in self.seen]

    def sent(self, name: str) -> list[str | None]:
        return [request.headers.get_first(name) for _, request in self.seen]


def test_registers_and_renews_at_four_fifths() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        peer.registrar.start()
        peer.registrar.start()
        await asyncio.sleep(170)
        assert peer.times == [0, 80.02, 160.04]
        assert peer.states == [(RegistrationState.REGISTERING, ""), (RegistrationState.REGISTERED, "")]
        assert peer.sent("CSeq") == ["1 REGISTER", "2 REGISTER", "3 REGISTER"]
        assert len(set(peer.sent("Call-ID"))) == 1
        request = peer.seen[0][1]
        assert request.uri == "sip:trunk.test"
        assert request.headers.get_first("to") == "<sip:alice@trunk.test>"
        assert request.headers.get_first("contact") == f"<{OURS}>"
        assert request.headers.get_first("expires") == "300"
        await peer.registrar.stop()

    run(scenario())


@pytest.mark.parametrize(
    ("headers", "renewed_at"),
    [
        ([("Contact", f"<sip:alice@203.0.113.9>;expires=10, <{OURS}>;expires=200"), ("Expires", "20")], 160),
        (
            [("Contact", "<sip:alice@203.0.113.9>;expires=10"), ("Contact", "<SIP:alice@198.51.100.1;ob>;expires=50")],
            40,
        ),
        ([("Contact", f"<{OURS}>"), ("Expires", "150")], 120),
        ([("Contact", f"<{OURS}>")], 240),
        ([("Expires", "150")], 120),
        ([("Contact", "<sip:alice@203.0.113.9>;expires=10"), ("Expires", "100")], 80),
        ([("Contact", f'"x, y" <{OURS}>;q=0.1;expires="90"')], 72),
        ([], 240),
    ],
)
def test_the_time_granted_is_that_of_our_own_contact(headers: list[tuple[str, str]], renewed_at: float) -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(200, *headers))
        peer.registrar.start()
        await asyncio.sleep(renewed_at + 5)
        assert peer.times == [0, renewed_at + 0.02]
        await peer.registrar.stop()

    run(scenario())


def test_a_grant_of_no_time_is_a_failure() -> None:
    async def scenario() -> None:
        peer = Peer(granted(0))
        peer.registrar.start()
        await asyncio.sleep(1)
        assert peer.registrar.state is RegistrationState.FAILED
        assert peer.registrar.last_error == "the registrar granted no time"
        await peer.registrar.stop()

    run(scenario())


def test_digest() -> None:
    async def scenario() -> None:
        server = DigestServer("trunk.test", nonce_seconds=30)

        def answer(request: SipRequest) -> SipResponse:
            verdict = server.verify(request, lambda user: "secret" if user == "alice" else None)
            if verdict is Verdict.OK:
                return granted(100)(request)
            return reply(401, ("WWW-Authenticate", server.challenge(stale=verdict is Verdict.STALE)))

        peer = Peer(answer)
        peer.registrar.start()
        await asyncio.sleep(90)
        assert peer.sent("CSeq") == ["1 REGISTER", "2 REGISTER", "3 REGISTER", "4 REGISTER"]
        assert peer.registrar.state is RegistrationState.REGISTERED
        await peer.registrar.stop()
        assert "authorization" not in peer.seen[0][1].headers, "a request that was sent is not written to again"
        assert peer.sent("Expires")[-2:] == ["0", "0"]
        assert len(peer.states) == 3

    run(scenario())


def test_a_wrong_password_is_not_hammered() -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(401, ("WWW-Authenticate", 'Digest realm="r", nonce="n"'), reason="Unauthorized"))
        peer.registrar.start()
        await asyncio.sleep(220)
        assert len(peer.seen) == 2
        assert (peer.registrar.state, peer.registrar.last_error) == (RegistrationState.FAILED, "401 Unauthorized")
        await peer.registrar.stop()

    run(scenario())


def test_a_registrar_that_always_says_stale_does_not_spin() -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(401, ("WWW-Authenticate", 'Digest realm="r", nonce="n", stale=true')))
        peer.registrar.start()
        await asyncio.sleep(200)
        assert len(peer.seen) == 4
        await peer.registrar.stop()

    run(scenario())


def test_interval_too_brief() -> None:
    async def scenario() -> None:
        def answer(request: SipRequest) -> SipResponse:
            asked = int(request.headers.get_first("expires") or 0)
            return reply(423, ("Min-Expires", "600")) if 0 < asked < 600 else granted(asked)(request)

        peer = Peer(answer)
        peer.registrar.start()
        await asyncio.sleep(500)
        assert peer.sent("Expires") == ["300", "600", "600"], "the longer time is kept for the renewals"
        await peer.registrar.stop()

    run(scenario())


@pytest.mark.parametrize("shortest", ["300", "0", "rubbish", "99999999999"])
def test_a_423_that_makes_no_sense_is_a_failure(shortest: str) -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(423, ("Min-Expires", shortest), reason="Interval Too Brief"))
        peer.registrar.start()
        await asyncio.sleep(1)
        assert peer.registrar.last_error == "423 Interval Too Brief"
        await peer.registrar.stop()

    run(scenario())


def test_backs_off_to_five_minutes_with_jitter_and_recovers() -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(500, reason="Broken"))
        peer.registrar.start()
        await asyncio.sleep(3000)
        gaps = [b - a for a, b in zip(peer.times, peer.times[1:], strict=False)]
        assert 1.5 <= gaps[0] <= 2.1
        assert 3 <= gaps[1] <= 4.1
        assert all(gap <= 300.1 for gap in gaps)
        assert gaps[-1] >= 225
        assert len({round(gap, 1) for gap in gaps}) > len(gaps) - 3, "jitter"
        peer.answer = granted(1000)
        await asyncio.sleep(301)
        assert (peer.registrar.state, peer.registrar.last_error) == (RegistrationState.REGISTERED, "")
        await peer.registrar.stop()

    run(scenario(), limit=10_000)


def test_retry_after_is_respected() -> None:
    async def scenario() -> None:
        peer = Peer(lambda _: reply(503, ("Retry-After", "120 (maintenance);duration=3")))
        peer.registrar.start()
        await asyncio.sleep(130)
        assert peer.times == [0, 120.02]
        await peer.registrar.stop()

    run(scenario())


def test_no_answer_and_errors_of_the_transport() -> None:
    async def scenario() -> None:
        def silence(_: SipRequest) -> SipResponse:
            raise TimeoutError

        def broken(_: SipRequest) -> SipResponse:
            raise SipError(500, "No socket")

        peer = Peer(silence)
        peer.registrar.start()
        await asyncio.sleep(1)
        assert peer.registrar.last_error == "the registrar does not answer"
        peer.answer = broken
        await asyncio.sleep(4)
        assert peer.registrar.last_error == "500 No socket"
        await peer.registrar.stop()

    run(scenario())


def test_a_binding_that_cannot_be_renewed_counts_until_it_expires() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        peer.registrar.start()
        await asyncio.sleep(1)
        peer.answer = lambda _: reply(500, reason="Broken")
        await asyncio.sleep(84)
        assert (peer.registrar.state, peer.registrar.last_error) == (RegistrationState.REGISTERED, "500 Broken")
        await asyncio.sleep(20)
        assert peer.registrar.state is not RegistrationState.REGISTERED
        assert peer.registrar.last_error == "500 Broken"
        peer.answer = granted(100)
        await asyncio.sleep(60)
        assert (peer.registrar.state, peer.registrar.last_error) == (RegistrationState.REGISTERED, "")
        await peer.registrar.stop()

    run(scenario())


def test_a_failed_renewal_that_is_made_good_clears_the_error() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        peer.registrar.start()
        await asyncio.sleep(1)
        peer.answer = lambda _: reply(500, reason="Broken")
        await asyncio.sleep(80)
        peer.answer = granted(100)
        await asyncio.sleep(15)
        assert [state for state, _ in peer.states] == [
            RegistrationState.REGISTERING,
            RegistrationState.REGISTERED,
            RegistrationState.REGISTERED,
            RegistrationState.REGISTERED,
        ]
        assert peer.registrar.last_error == ""
        await peer.registrar.stop()

    run(scenario())


def test_stop_removes_our_binding_only() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        peer.registrar.start()
        await asyncio.sleep(1)
        await peer.registrar.stop()
        await peer.registrar.stop()
        assert peer.sent("Expires") == ["300", "0"]
        assert peer.sent("Contact")[-1] == f"<{OURS}>", "never *: other people's bindings are not ours to remove"
        assert peer.registrar.state is RegistrationState.UNREGISTERED
        await asyncio.sleep(500)
        assert len(peer.seen) == 2

    run(scenario())


def test_stop_in_the_middle_of_a_register_still_unregisters() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        peer.registrar.start()
        await asyncio.sleep(0.01)
        await peer.registrar.stop()
        assert peer.sent("Expires") == ["300", "0"]

    run(scenario())


def test_stop_does_not_wait_for_a_dead_registrar() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        peer = Peer(granted(100))
        peer.registrar.start()
        await asyncio.sleep(1)

        async def never(_request: SipRequest, _address: tuple[str, int]) -> SipResponse:
            return await loop.create_future()  # type: ignore[no-any-return]

        peer.registrar._send = never
        before = loop.time()
        await peer.registrar.stop()
        assert loop.time() - before == pytest.approx(4)
        assert peer.registrar.state is RegistrationState.UNREGISTERED

    run(scenario())


def test_stop_before_start_sends_nothing() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        await peer.registrar.stop()
        assert not peer.seen
        assert not peer.states

    run(scenario())


def test_can_start_again_after_stop() -> None:
    async def scenario() -> None:
        peer = Peer(granted(100))
        for _ in range(2):
            peer.registrar.start()
            await asyncio.sleep(1)
            assert peer.registrar.state is RegistrationState.REGISTERED
            await peer.registrar.stop()

    run(scenario())
