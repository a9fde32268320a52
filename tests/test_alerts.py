"""Alerts: when they ring on virtual time, and how they are delivered to a real receiver on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from aiohttp import web

from parlons.agents.connections import InstallationSettings
from parlons.alerts import Alerts, Policy
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus
from parlons.workflows.http_client import HttpClient, Reply, Request
from tests.support.virtual_time import run

A, B = "http://alerts.test/services/T00/secret-a", "http://other.test/secret-b"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def record(
    status: CallStatus = CallStatus.FAILOVER, trigger: str | None = "agent_unavailable", agent: str | None = "standard"
) -> CallRecord:
    return CallRecord(
        id="c1",
        direction="inbound",
        started_at=NOON,
        agent_id=agent,
        status=status,
        caller="+33612345678",
        called="+33123456789",
        trigger=trigger,
        end_reason="the caller said their name",
    )


# -- when: virtual time ------------------------------------------------------------------------------------


@dataclass
class Bell(HttpClient):
    """What was sent, and when."""

    posts: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    async def send(self, request: Request, *_: Any, **__: Any) -> Reply:
        assert request.body is not None
        self.posts.append((asyncio.get_running_loop().time(), request.url, json.loads(request.body)))
        return Reply(204)


@dataclass
class World:
    """Alerts on virtual time, with the trunks and settings as a test turns them."""

    bell: Bell = field(default_factory=Bell)
    url: str | None = A
    trunks: dict[str, bool | None] = field(default_factory=dict)
    alerts: Alerts = field(init=False)
    start: float = 0.0

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.start = loop.time()
        self.alerts = Alerts(
            lambda: InstallationSettings(alert_url=self.url),
            self.bell,
            lambda: self.trunks,
            clock=loop.time,
            now=lambda: NOON + timedelta(seconds=loop.time() - self.start),
        )

    def fail(self, count: int = 1, **how: Any) -> None:
        for _ in range(count):
            self.alerts.call_ended(record(**how))

    def heard(self) -> list[tuple[str, str]]:
        return [(post["kind"], post["state"]) for _, _, post in self.bell.posts]

    @property
    def last(self) -> dict[str, Any]:
        return self.bell.posts[-1][2]


def scenario(body: Callable[[World], Awaitable[None]]) -> None:
    async def wrapped() -> None:
        world, before = World(), asyncio.all_tasks()
        job = asyncio.ensure_future(world.alerts.run())
        await asyncio.sleep(1)
        await body(world)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        assert asyncio.all_tasks() == before

    run(wrapped(), limit=20_000)


FIRING, RECOVERED = ("calls_failing", "firing"), ("calls_failing", "recovered")
DOWN, UP = ("trunk_down", "firing"), ("trunk_down", "recovered")


def test_three_calls_that_fail_ring_once_and_the_recovery_once() -> None:
    async def body(world: World) -> None:
        world.fail(2)
        await asyncio.sleep(100)
        assert world.heard() == []
        world.fail(status=CallStatus.FAILED, trigger=None, agent="sales")
        await asyncio.sleep(3)
        assert world.heard() == [FIRING]
        for _ in range(10):
            world.fail()
            await asyncio.sleep(200)
        assert world.heard() == [FIRING]
        await asyncio.sleep(95)
        assert world.heard() == [FIRING]
        await asyncio.sleep(10)
        assert world.heard() == [FIRING, RECOVERED]
        await asyncio.sleep(1000)
        world.fail(2)
        await asyncio.sleep(10)
        assert world.heard() == [FIRING, RECOVERED]
        world.fail()
        await asyncio.sleep(10)
        assert world.heard() == [FIRING, RECOVERED, FIRING]

    scenario(body)


def test_only_calls_that_fail_count() -> None:
    async def body(world: World) -> None:
        for status in CallStatus:
            if status not in (CallStatus.FAILED, CallStatus.FAILOVER):
                world.fail(5, status=status)
        world.fail(2)
        for _ in range(5):  # somebody tries a draft from the browser
            world.alerts.call_ended(dataclasses.replace(record(), from_browser=True))
        await asyncio.sleep(10)
        assert world.heard() == []
        world.alerts.call_ended(dataclasses.replace(record(), from_browser=True, agent_version=1))  # what is live fails
        await asyncio.sleep(10)
        assert len(world.heard()) == 1

    scenario(body)


@pytest.mark.parametrize(("gap", "rings"), [(149.0, True), (151.0, False)])
def test_three_within_five_minutes_wherever_they_begin(gap: float, rings: bool) -> None:
    async def body(world: World) -> None:
        for _ in range(3):
            world.fail()
            await asyncio.sleep(gap)
        assert world.heard() == ([FIRING] if rings else [])
        await asyncio.sleep(1000)
        assert world.heard() == ([FIRING, RECOVERED] if rings else [])

    scenario(body)


def test_what_is_said_of_calls() -> None:
    async def body(world: World) -> None:
        world.fail(2, trigger="pre_call_timeout")
        await asyncio.sleep(59)
        world.fail(status=CallStatus.FAILED, trigger=None, agent=None)
        await asyncio.sleep(3)
        first = world.last
        assert first["since"] == "2026-11-21T12:00:01+00:00"
        assert first["details"]["calls"] == 3
        assert first["details"]["triggers"] == {"pre_call_timeout": 2, "failed": 1}
        assert first["details"]["agents"] == {"standard": 2, "": 1}
        assert first["text"] == (
            "Parlons: 3 calls failed or failed over within 5 minutes. Causes: pre_call_timeout 2, failed 1."
            " Agents: standard 2, (none) 1."
        )
        world.fail(4, trigger="operator_forced")
        await asyncio.sleep(303)
        assert world.last["details"]["calls"] == 7
        assert world.last["details"]["triggers"]["operator_forced"] == 4
        assert world.last["details"]["began"] == first["since"]
        assert world.last["since"] > first["since"]
        assert "no call failed for 5 minutes" in world.last["text"]
        assert world.last["id"] != first["id"]
        whole = json.dumps([post for _, _, post in world.bell.posts])
        for secret in ("612345678", "123456789", "their name"):
            assert secret not in whole

    scenario(body)


def test_a_mass_of_failures_is_one_post_of_bounded_size() -> None:
    async def body(world: World) -> None:
        for number in range(5000):
            world.fail(agent=f"agent-{number}")
        await asyncio.sleep(400)
        assert world.heard() == [FIRING, RECOVERED]
        assert world.last["details"]["calls"] == 5000
        assert len(world.last["details"]["agents"]) == 20
        assert "and others" in world.last["text"]
        assert len(world.last["text"]) < 1000

    scenario(body)


def test_a_trunk_down_for_a_minute_rings_and_its_return_too() -> None:
    async def body(world: World) -> None:
        world.trunks = {"main": True, "spare": True}
        await asyncio.sleep(100)
        world.trunks["main"] = False
        await asyncio.sleep(57)
        assert world.heard() == []
        await asyncio.sleep(6)
        assert world.heard() == [DOWN]
        assert world.last["details"]["connection"] == "main"
        assert world.last["text"].startswith("Parlons: the SIP connection main has been down for 6")
        await asyncio.sleep(600)
        assert world.heard() == [DOWN]
        world.trunks["main"] = True
        await asyncio.sleep(3)
        assert world.heard() == [DOWN, UP]
        assert world.last["text"] == "Parlons: the SIP connection main is up again, after 11 min."
        assert not world.last["details"]["removed"]

    scenario(body)


def test_a_trunk_that_flaps_does_not_ring() -> None:
    async def body(world: World) -> None:
        for _ in range(20):
            world.trunks["main"] = False
            await asyncio.sleep(50)
            world.trunks["main"] = True
            await asyncio.sleep(10)
        assert world.heard() == []

    scenario(body)


def test_a_trunk_never_checked_is_not_down_and_one_set_anew_is_not_up() -> None:
    async def body(world: World) -> None:
        world.trunks["main"] = None
        await asyncio.sleep(300)
        assert world.heard() == []
        world.trunks["main"] = False
        await asyncio.sleep(70)
        world.trunks["main"] = None  # its configuration was changed: it begins again
        await asyncio.sleep(10)
        assert world.heard() == [DOWN]
        world.trunks["main"] = False
        await asyncio.sleep(100)
        assert world.heard() == [DOWN]
        world.trunks["main"] = True
        await asyncio.sleep(3)
        assert world.heard() == [DOWN, UP]

    scenario(body)


def test_each_trunk_is_a_condition_of_its_own_and_may_be_removed() -> None:
    async def body(world: World) -> None:
        world.trunks = {"one": False, "two": False, "three": False}
        await asyncio.sleep(70)
        assert world.heard() == [DOWN] * 3
        world.trunks = {"one": True, "two": False}
        await asyncio.sleep(3)
        assert world.heard() == [DOWN] * 3 + [UP] * 2
        removed = [p["details"] for _, _, p in world.bell.posts[3:]]
        assert {d["connection"]: d["removed"] for d in removed} == {"one": False, "three": True}
        assert "no longer configured" in world.last["text"]
        assert world.alerts.gauges() == {"firing": 1, "waiting": 0, "lost_total": 0}

    scenario(body)


def test_a_removed_trunk_that_had_not_rung_is_forgotten() -> None:
    async def body(world: World) -> None:
        world.trunks = {"one": False}
        await asyncio.sleep(50)
        world.trunks = {}
        await asyncio.sleep(10)
        world.trunks = {"one": False}
        await asyncio.sleep(50)
        assert world.heard() == []

    scenario(body)


def test_nothing_without_an_address_and_what_is_wrong_when_there_is_one() -> None:
    async def body(world: World) -> None:
        world.url = None
        world.trunks["main"] = False
        world.fail(3)
        await asyncio.sleep(100)
        assert world.heard() == []
        world.url = A
        await asyncio.sleep(3)
        assert sorted(world.heard()) == [FIRING, DOWN]
        world.url = None
        world.trunks["main"] = True
        await asyncio.sleep(400)
        world.url = A
        await asyncio.sleep(400)
        assert sorted(world.heard()) == [FIRING, DOWN]  # nobody was to hear of the recovery when it came

    scenario(body)


def test_a_new_address_hears_what_is_wrong_and_its_recovery() -> None:
    async def body(world: World) -> None:
        world.trunks["main"] = False
        await asyncio.sleep(70)
        world.url = B
        await asyncio.sleep(3)
        world.url = None
        await asyncio.sleep(3)
        world.url = B
        await asyncio.sleep(3)
        world.trunks["main"] = True
        await asyncio.sleep(3)
        heard = [(url, post["state"]) for _, url, post in world.bell.posts]
        assert heard == [(A, "firing"), (B, "firing"), (B, "recovered")]
        assert world.bell.posts[0][2]["since"] == world.bell.posts[1][2]["since"]

    scenario(body)


def test_an_address_that_never_heard_of_it_gets_no_recovery() -> None:
    async def body(world: World) -> None:
        world.trunks["main"] = False
        await asyncio.sleep(70)
        world.url, world.trunks["main"] = B, True  # both before the next look
        await asyncio.sleep(10)
        assert world.heard() == [DOWN]

    scenario(body)


def test_a_restart_sends_no_recovery() -> None:
    async def body(world: World) -> None:
        world.trunks["main"] = False
        world.fail(3)
        await asyncio.sleep(70)
        assert len(world.heard()) == 2
        world.trunks["main"] = True
        again = World(trunks=world.trunks)
        job = asyncio.ensure_future(again.alerts.run())
        await asyncio.sleep(1000)
        assert again.heard() == []
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)

    scenario(body)


def test_a_bug_in_what_is_watched_does_not_silence_the_bell() -> None:
    async def body(world: World) -> None:
        broken = world.trunks
        world.trunks = None  # type: ignore[assignment]
        await asyncio.sleep(10)
        world.trunks = broken
        world.fail(3)
        await asyncio.sleep(3)
        assert world.heard() == [FIRING]

    with structlog.testing.capture_logs() as logged:
        scenario(body)
    assert {entry["event"] for entry in logged} == {"alerts_check_failed"}


# -- delivery: a real receiver -----------------------------------------------------------------------------

QUICK = Policy(check=0.02, trunk_down=0.0, answer=0.5, retries=(0.05, 0.05, 0.05))


class Receiver:
    """An HTTP server that keeps what is posted; ``script`` is the statuses it answers, the last stays."""

    def __init__(self) -> None:
        self.script: list[int | None] = [200]
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.attempts = 0
        self.url = ""
        self._stopping = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        self.attempts += 1
        status = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if status is None:  # never answered
            await self._stopping.wait()
            return web.Response()
        if status < 300:
            self.posts.append(await request.json())
            self.headers.append(dict(request.headers))
        return web.Response(status=status, text="<html>")

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[Receiver]:
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", self.take)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/secret-path"
            yield self
        finally:
            self._stopping.set()
            await runner.cleanup()

    def states(self) -> list[str]:
        return [f"{post['details']['connection']} {post['state']}" for post in self.posts]


@dataclass
class Line:
    """Alerts at work over a real client, with one trunk."""

    url: str | None = None
    trunks: dict[str, bool | None] = field(default_factory=dict)
    allowed: bool = True

    def settings(self) -> InstallationSettings:
        return InstallationSettings(alert_url=self.url, allow_private_addresses=self.allowed)

    def states(self) -> Mapping[str, bool | None]:
        return self.trunks


@asynccontextmanager
async def working(line: Line, policy: Policy = QUICK) -> AsyncIterator[Alerts]:
    http = HttpClient(allow_private=lambda: line.settings().allow_private_addresses)
    alerts = Alerts(line.settings, http, line.states, policy=policy)
    job = asyncio.ensure_future(alerts.run())
    try:
        yield alerts
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await http.aclose()


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110  (looks from outside)
            await asyncio.sleep(0.01)


def nobody() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_a_post_is_json_with_a_text_for_people() -> None:
    async with Receiver().open() as receiver:
        line = Line(receiver.url, {"main": False})
        async with working(line):
            await until(lambda: len(receiver.posts) == 1)
            line.trunks["main"] = True
            await until(lambda: len(receiver.posts) == 2)
    assert receiver.states() == ["main firing", "main recovered"]
    assert receiver.attempts == 2
    for post, headers in zip(receiver.posts, receiver.headers, strict=True):
        assert set(post) == {"id", "kind", "state", "since", "details", "text"}
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Parlons-Delivery"] == post["id"]
        assert datetime.fromisoformat(post["since"]).tzinfo is not None


@pytest.mark.parametrize("status", [500, 503, 429, 408, None])
async def test_tried_again_until_it_is_taken(status: int | None) -> None:
    receiver = Receiver()
    receiver.script = [status, status, 204]
    policy = Policy(check=0.02, trunk_down=0.0, answer=0.2, retries=QUICK.retries)
    with structlog.testing.capture_logs() as logged:
        async with receiver.open(), working(Line(receiver.url, {"main": False}), policy) as alerts:
            await until(lambda: len(receiver.posts) == 1)
            await asyncio.sleep(0.1)
            assert alerts.gauges()["lost_total"] == 0
    assert receiver.attempts == 3
    assert [entry["event"] for entry in logged] == ["alert_delayed", "alert_delayed"]
    assert not any("secret-path" in str(entry) for entry in logged)


@pytest.mark.parametrize(("status", "attempts"), [(500, 4), (404, 1), (410, 1), (403, 1)])
async def test_given_up_with_the_reason(status: int, attempts: int) -> None:
    receiver = Receiver()
    receiver.script = [status]
    with structlog.testing.capture_logs() as logged:
        async with receiver.open(), working(Line(receiver.url, {"main": False})) as alerts:
            await until(lambda: alerts.gauges()["lost_total"] == 1)
            receiver.script = [200]
            await asyncio.sleep(0.1)
    assert receiver.attempts == attempts
    (lost,) = [entry for entry in logged if entry["event"] == "alert_lost"]
    assert (lost["log_level"], lost["host"], lost["kind"], lost["state"]) == (
        "error",
        "127.0.0.1",
        "trunk_down",
        "firing",
    )
    assert str(status) in lost["error"]
    assert "alert_url" in lost["fix"]
    assert not any("secret-path" in str(entry) for entry in logged)


async def test_a_receiver_that_comes_back_hears_all_in_order() -> None:
    port = nobody()
    receiver = Receiver()
    line = Line(f"http://127.0.0.1:{port}/hooks/x", {"main": False, "spare": True})
    policy = Policy(check=0.02, trunk_down=0.0, answer=0.5, retries=(0.05,) * 100)
    async with working(line, policy) as alerts:
        await until(lambda: alerts.gauges()["firing"] == 1)
        line.trunks["main"] = True
        await until(lambda: alerts.gauges()["firing"] == 0)
        line.trunks["spare"] = False
        await until(lambda: alerts.gauges()["waiting"] == 2)
        async with receiver.open(port):
            await until(lambda: len(receiver.posts) == 3)
    assert receiver.states() == ["main firing", "main recovered", "spare firing"]


async def test_what_is_too_old_is_not_tried_again() -> None:
    line = Line(f"http://127.0.0.1:{nobody()}/x", {"main": False})
    policy = Policy(check=0.02, trunk_down=0.0, retries=(0.05,) * 1000, give_up=0.2)
    async with working(line, policy) as alerts:
        await until(lambda: alerts.gauges()["lost_total"] == 1)


async def test_a_private_address_needs_the_setting_and_the_log_says_so() -> None:
    async with Receiver().open() as receiver:
        line = Line(receiver.url, {"main": False}, allowed=False)
        with structlog.testing.capture_logs() as logged:
            async with working(line) as alerts:
                await until(lambda: alerts.gauges()["lost_total"] == 1)
                line.allowed = True
                line.trunks["main"] = True
                await until(lambda: len(receiver.posts) == 1)
    assert receiver.states() == ["main recovered"]
    (lost,) = logged
    assert "allow_private_addresses" in lost["fix"]
    assert "alert_url" in lost["fix"]


async def test_an_address_changed_while_the_old_one_fails() -> None:
    old, new = Receiver(), Receiver()
    old.script = [500]
    policy = Policy(check=0.02, trunk_down=0.0, retries=(60.0,))
    async with old.open(), new.open():
        line = Line(old.url, {"main": False})
        async with working(line, policy) as alerts:
            await until(lambda: old.attempts == 1)
            line.url = new.url
            await until(lambda: len(new.posts) == 1)
            line.trunks["main"] = True
            await until(lambda: len(new.posts) == 2)
            assert alerts.gauges() == {"firing": 0, "waiting": 0, "lost_total": 0}
    assert new.states() == ["main firing", "main recovered"]
    assert old.attempts == 1


async def test_calls_never_wait_for_the_receiver() -> None:
    receiver = Receiver()
    receiver.script = [None]
    line = Line()
    async with receiver.open():
        line.url = receiver.url
        async with working(line, Policy(check=0.02, answer=60)) as alerts:
            for _ in range(3):
                alerts.call_ended(record())
            await until(lambda: receiver.attempts == 1)
            for _ in range(1000):
                alerts.call_ended(record())
            await asyncio.sleep(0.1)
            assert (receiver.attempts, alerts.gauges()["firing"]) == (1, 1)


async def test_more_than_can_wait_is_lost_and_said() -> None:
    receiver = Receiver()
    receiver.script = [None]
    with structlog.testing.capture_logs() as logged:
        async with receiver.open():
            line = Line(receiver.url, {f"t{n}": False for n in range(300)})
            async with working(line, Policy(check=0.02, trunk_down=0.0, answer=60)) as alerts:
                await until(lambda: alerts.gauges()["lost_total"] >= 99)
                assert alerts.gauges()["waiting"] <= 200
    assert {entry["event"] for entry in logged} == {"alert_lost"}
