"""Whether providers can be used: checked against real servers on loopback that are down, slow, wrong or flapping."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from parlons.agents.models import Agent
from parlons.conversation.providers import probing
from parlons.conversation.providers.kinds import Probe
from parlons.conversation.providers.probing import USABLE, Prober, Target, Verdict
from parlons.conversation.providers.readiness import Pace, ProviderState, Readiness
from tests.support.providers.base import Reply
from tests.support.virtual_time import run

from .drive import agent
from .listings import ListingServer, deaf, free_port

QUICK = Pace(usual=0.1, down=0.05, again=0.05)
IMPATIENT = Pace(usual=0.1, down=0.05, again=0.05, answer=0.3)
SECRET = "sk-very-secret"
EMBEDDED = Agent(name="Embedded")


def talker(*urls: str, name: str = "Test", key: str | None = SECRET) -> Agent:
    """An agent whose language models are OpenAI's at these servers, in this order."""
    entries = [{"type": "openai", "base_url": f"{url}/v1", "api_key": key} for url in urls]
    return agent(llm=entries).model_copy(update={"name": name})


@asynccontextmanager
async def checking(*agents: Agent, pace: Pace = QUICK, **environ: str) -> AsyncIterator[Readiness]:
    """Readiness at work; no task of it may be left afterwards."""
    tasks = asyncio.all_tasks()
    readiness = Readiness(environ, pace=pace)
    readiness.watch(agents)
    job = asyncio.ensure_future(readiness.run())
    try:
        yield readiness
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        left = {task for task in asyncio.all_tasks() - tasks if "parlons" in repr(task.get_coro())}
        assert not left


async def until(so: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not so():  # noqa: ASYNC110  (looks from outside)
            await asyncio.sleep(0.01)


def only(readiness: Readiness) -> ProviderState:
    (state,) = readiness.states()
    return state


async def becomes(readiness: Readiness, state: str) -> ProviderState:
    await until(lambda: only(readiness).state == state)
    return only(readiness)


# -- what an answer means ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 302, 400, 402, 404, 405, 429, 501])
async def test_up_even_when_it_has_no_such_listing(status: int) -> None:
    async with ListingServer({"listing": [Reply(status=status)]}) as server, checking(talker(server.url)) as readiness:
        state = await becomes(readiness, "usable")
        assert (state.last_error, state.hint, readiness.problem(talker(server.url))) == ("", "", "")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
async def test_down_when_it_answers_that_it_fails(status: int) -> None:
    async with ListingServer({"listing": [Reply(status=status)]}) as server, checking(talker(server.url)) as readiness:
        state = await becomes(readiness, "down")
        assert state.last_error == f"it answered {status}"
        problem = readiness.problem(talker(server.url))
        assert problem.startswith("No llm provider can be used: openai (http://127.0.0.1:")
        assert f"it answered {status}" in problem


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_names_where_it_came_from(status: int) -> None:
    async with ListingServer({"listing": [Reply(status=status)]}) as server:
        cases: list[tuple[str | None, dict[str, Any], str]] = [
            ("${MY_KEY}", {"MY_KEY": SECRET}, "Check the environment variable MY_KEY."),
            (SECRET, {"OPENAI_API_KEY": "other"}, "Check the environment variable OPENAI_API_KEY."),
            (SECRET, {}, "Check the api_key of this provider, or set the environment variable OPENAI_API_KEY."),
            (None, {}, "Set the api_key of this provider, or set the environment variable OPENAI_API_KEY."),
        ]
        for key, environ, hint in cases:
            of = talker(server.url, key=key)
            async with checking(of, **environ) as readiness:
                state = await becomes(readiness, "refused")
                assert state.hint == hint
                assert f"({status})" in state.last_error
                assert hint in readiness.problem(of)


@pytest.mark.parametrize(
    ("kind", "service", "body"),
    [
        ("openai", "llm", '{"error": {"message": "…. Missing scopes: api.model.read. …", "type": "x"}}'),
        ("openai", "stt", "x" * 4000 + "Missing scopes: api.model.read" + "x" * 100_000),
        ("elevenlabs", "tts", '{"detail": {"status": "missing_permissions", "message": "…"}}'),
    ],
)
async def test_a_key_that_may_only_talk_is_a_good_key(kind: str, service: str, body: str) -> None:
    """Keys restricted to what a call needs may not list the models: no reason to lose calls."""
    async with ListingServer({"listing": [Reply(status=401)]}) as server:
        server.body = body
        of = agent(**{service: {"type": kind, "base_url": server.url, "api_key": SECRET}})
        async with checking(of) as readiness:
            await becomes(readiness, "usable")
            server.body = '{"error": {"message": "Incorrect API key provided"}}'
            await becomes(readiness, "refused")


async def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with checking(talker(url)) as readiness:
        assert (await becomes(readiness, "down")).last_error == "no connection"


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async with deaf() as url, checking(talker(url), pace=IMPATIENT) as readiness:
        assert (await becomes(readiness, "down")).last_error == "no answer within 0.3 s"


async def test_a_server_that_never_answers_is_given_up() -> None:
    script = {"listing": [Reply(hang=True)]}
    async with ListingServer(script) as server, checking(talker(server.url), pace=IMPATIENT) as readiness:
        assert (await becomes(readiness, "down")).last_error == "no answer within 0.3 s"


async def test_a_connection_that_is_dropped() -> None:
    async with ListingServer({"listing": [Reply(cut_after=0)]}) as server, checking(talker(server.url)) as readiness:
        assert (await becomes(readiness, "down")).last_error == "it closed the connection without an answer"


async def test_https_asked_of_a_server_without_it() -> None:
    async with ListingServer() as server:
        url = server.url.replace("http:", "https:")
        async with checking(talker(url)) as readiness:
            assert (await becomes(readiness, "down")).last_error == "no secure connection"


async def test_a_name_that_does_not_exist() -> None:
    async with checking(talker("http://a..b")) as readiness:
        assert (await becomes(readiness, "down")).last_error == "its name was not found"


@pytest.mark.parametrize("key", ["sk-secret\n", "sk-sécret", "sk\x00"])
async def test_a_key_that_cannot_be_sent(key: str) -> None:
    """Read from a file with its line end: every request with it would fail too."""
    async with ListingServer() as server, checking(talker(server.url), OPENAI_API_KEY=key) as readiness:
        state = await becomes(readiness, "refused")
        assert state.hint == "Check the environment variable OPENAI_API_KEY."
        assert "secret" not in f"{readiness.states()}{readiness.problem(talker(server.url))}"
        assert server.count == 0


async def test_a_base_url_of_websockets_is_asked_over_http() -> None:
    async with ListingServer() as server:
        entry = talker(server.url).providers.llm[0].model_copy(update={"base_url": server.url.replace("http", "ws")})
        of = talker(server.url)
        of = of.model_copy(update={"providers": of.providers.model_copy(update={"llm": [entry]})})
        async with checking(of) as readiness:
            await becomes(readiness, "usable")
            assert server.requests[0].path == "/models"


async def test_trouble_of_our_own_says_nothing_about_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file left to open a socket with: the provider is not down for that."""
    asked = 0

    async def no_files(_prober: Prober, _url: object) -> None:
        nonlocal asked
        asked += 1
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Prober, "_look_up", no_files)
    async with ListingServer() as server, checking(talker(server.url)) as readiness:
        await until(lambda: asked >= 3)
        assert only(readiness).state == "unknown"
        assert readiness.problem(talker(server.url)) == ""


@pytest.mark.parametrize(
    ("kind", "service", "base", "path", "header", "value"),
    [
        ("openai", "llm", "/v1", "/v1/models", "Authorization", f"Bearer {SECRET}"),
        ("openai", "tts", "/v1/", "/v1/models", "Authorization", f"Bearer {SECRET}"),
        ("mistral", "llm", "", "/v1/models", "Authorization", f"Bearer {SECRET}"),
        ("deepgram", "stt", "", "/v1/auth/token", "Authorization", f"Token {SECRET}"),
        ("elevenlabs", "tts", "/", "/v1/models", "xi-api-key", SECRET),
    ],
)
async def test_each_kind_is_asked_its_way(
    kind: str, service: str, base: str, path: str, header: str, value: str
) -> None:
    async with ListingServer() as server:
        of = agent(**{service: {"type": kind, "base_url": server.url + base, "api_key": SECRET}})
        async with checking(of) as readiness:
            assert (await becomes(readiness, "usable")).services == (service,)
        asked = server.requests[0]
        assert (asked.path, {k.lower(): v for k, v in asked.headers.items()}[header.lower()]) == (path, value)


# -- which agent can run -----------------------------------------------------------------------------------


async def test_an_agent_runs_while_one_provider_of_each_service_can() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with ListingServer() as server:
        both, one = talker(nobody, server.url), talker(nobody)
        backed = one.model_copy(deep=True)
        backed.providers.llm.append(EMBEDDED.providers.llm[0])
        async with checking(both, one, backed, EMBEDDED) as readiness:
            await until(lambda: {s.state for s in readiness.states()} == {"down", "usable"})
            assert readiness.problem(both) == ""
            assert readiness.problem(backed) == ""
            assert readiness.problem(EMBEDDED) == ""
            assert "openai" in readiness.problem(one)
            server.now(Reply(status=503))
            await until(lambda: readiness.problem(both) != "")
            assert readiness.problem(both).count("openai (") == 2


async def test_the_environment_decides_who_is_asked() -> None:
    async with ListingServer({"listing": [Reply(status=401)]}) as server:
        of = talker(server.url, key="${MINE}")
        async with checking(of, MINE="first") as readiness:
            await becomes(readiness, "refused")
            assert server.requests[0].headers["Authorization"] == "Bearer first"


async def test_what_cannot_be_built_is_left_to_the_registry() -> None:
    of = agent(llm={"type": "acme"}, stt={"type": "openai"}, tts={"type": "deepgram", "api_key": "${UNSET}"})
    async with checking(of) as readiness:
        assert readiness.states() == []
        assert readiness.problem(of) == ""


async def test_no_request_on_the_call_path() -> None:
    slow = Pace(usual=60)
    async with ListingServer() as server, checking(talker(server.url), pace=slow) as readiness:
        await becomes(readiness, "usable")
        for _ in range(100):
            assert readiness.problem(talker(server.url)) == ""
            assert readiness.problem(talker(f"http://127.0.0.1:{free_port()}")) == ""  # never watched: unknown
        await asyncio.sleep(0.05)
        assert server.count == 1


# -- once, not at first sight, and again -------------------------------------------------------------------


async def test_many_agents_share_one_check() -> None:
    slow = Pace(usual=60)
    async with ListingServer() as server:
        many = [talker(server.url, name=f"A{n:02}") for n in range(50)]
        many.append(agent(stt={"type": "openai", "base_url": f"{server.url}/v1", "api_key": SECRET}))
        async with checking(*many, pace=slow) as readiness:
            state = await becomes(readiness, "usable")
            assert state.services == ("stt", "llm")
            assert len(state.agents) == 51
            readiness.watch(many)  # a reload without change asks nothing
            await asyncio.sleep(0.05)
            assert server.count == 1


async def test_another_key_is_another_check() -> None:
    slow = Pace(usual=60)
    async with ListingServer() as server:
        agents = [talker(server.url, key="k1"), talker(server.url, key="k2"), talker(server.url, key="k1")]
        async with checking(*agents, pace=slow) as readiness:
            await until(lambda: [s.state for s in readiness.states()] == ["usable", "usable"])
            assert {r.headers["Authorization"] for r in server.requests} == {"Bearer k1", "Bearer k2"}
            assert server.count == 2


async def test_one_failure_alone_is_not_believed() -> None:
    """Each second answer is a failure; asked again at once, it is up each time."""
    script = [Reply(status=status) for status in (500, 200) * 5] + [Reply()]
    async with ListingServer({"listing": script}) as server, checking(talker(server.url)) as readiness:
        while server.count < 10:
            assert only(readiness).state in ("unknown", "usable")
            assert readiness.problem(talker(server.url)) == ""
            await asyncio.sleep(0.005)


async def test_down_then_recovered_is_logged_once_each() -> None:
    with structlog.testing.capture_logs() as logged:
        async with ListingServer() as server, checking(talker(server.url)) as readiness:
            up = await becomes(readiness, "usable")
            server.now(Reply(status=500))
            down = await becomes(readiness, "down")
            seen = server.count
            await until(lambda: server.count > seen + 3)
            server.now(Reply())
            again = await becomes(readiness, "usable")
            assert again.last_error == "it answered 500"
            assert again.hint == ""
            assert up.since is not None
            assert down.since is not None
            assert again.since is not None
            assert up.since < down.since < again.since
    events = [(entry["event"], entry["log_level"]) for entry in logged]
    assert events == [("provider_usable", "info"), ("provider_unusable", "warning"), ("provider_usable", "info")]
    assert logged[1]["error"] == "it answered 500"
    assert logged[1]["fix"]


async def test_a_provider_that_is_down_is_asked_more_often() -> None:
    pace = Pace(usual=60, down=0.02, again=0.02)
    script = {"listing": [Reply(status=500)]}
    async with ListingServer(script) as server, checking(talker(server.url), pace=pace) as readiness:
        await becomes(readiness, "down")
        await until(lambda: server.count >= 5)
        server.now(Reply())
        await becomes(readiness, "usable")
        seen = server.count
        await asyncio.sleep(0.1)
        assert server.count == seen
        assert readiness.problem(talker(server.url)) == ""


async def test_a_refused_key_is_not_hammered() -> None:
    """Servers lock out who keeps trying."""
    pace = Pace(usual=60, down=0.02, again=0.02)
    script = {"listing": [Reply(status=401)]}
    async with ListingServer(script) as server, checking(talker(server.url), pace=pace) as readiness:
        await becomes(readiness, "refused")
        await asyncio.sleep(0.1)
        assert server.count == 2


# -- when checking is stuck --------------------------------------------------------------------------------


async def test_a_verdict_too_old_counts_no_more() -> None:
    now = [1000.0]
    readiness = Readiness({}, clock=lambda: now[0], pace=Pace(usual=60, down=60, again=0.02))
    async with ListingServer({"listing": [Reply(status=500)]}) as server:
        of = talker(server.url)
        readiness.watch([of])
        assert readiness.problem(of) == ""  # not checked yet
        job = asyncio.ensure_future(readiness.run())
        await becomes(readiness, "down")
        now[0] += 30
        assert readiness.problem(of) != ""
        assert readiness.gauges()["oldest_check_seconds"] == 30
        now[0] += 0.1
        assert readiness.problem(of) == ""
        assert only(readiness).state == "unknown"
        assert only(readiness).last_error == "it answered 500"
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_a_bug_in_a_check_stops_neither_it_nor_others(monkeypatch: pytest.MonkeyPatch) -> None:
    real = probing._meaning
    broken = [True]

    async def sometimes(target: Target, response: Any) -> Any:
        if broken[0] and target.key == "broken":
            raise RuntimeError(f"Bearer {target.key}")
        return await real(target, response)

    monkeypatch.setattr(probing, "_meaning", sometimes)
    with structlog.testing.capture_logs() as logged:
        async with ListingServer() as server:
            other = talker(server.url, name="Other")
            async with checking(talker(server.url, key="broken"), other) as readiness:
                await until(lambda: {s.state for s in readiness.states()} == {"unknown", "usable"})
                await until(lambda: any(e["event"] == "provider_check_failed" for e in logged))
                broken[0] = False
                await until(lambda: {s.state for s in readiness.states()} == {"usable"})
    assert not any("broken" in str(entry) for entry in logged)


async def test_name_service_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    released, looked_up = threading.Event(), []
    real = probing._addresses

    def hanging(host: str, port: int) -> object:
        looked_up.append(host)
        if host == "hangs.test":
            released.wait(10)
        return real(host, port)

    monkeypatch.setattr(probing, "_addresses", hanging)
    async with ListingServer() as server:
        stuck = [talker("http://hangs.test", key=f"k{n}") for n in range(20)]
        async with checking(*stuck, talker(server.url), pace=IMPATIENT) as readiness:
            states = readiness.states
            await until(lambda: all(s.state == ("down" if "hangs" in s.server else "usable") for s in states()))
            assert looked_up.count("hangs.test") == 1
            assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 1) == 1
            released.set()


async def test_not_more_than_so_many_at_once() -> None:
    pace = Pace(usual=60, again=0.02, at_once=3)
    async with ListingServer({"listing": [Reply(delay=0.05)]}) as server:
        agents = [talker(server.url, key=f"k{n}") for n in range(9)]
        async with checking(*agents, pace=pace) as readiness:
            await until(lambda: all(s.state == "usable" for s in readiness.states()))
            assert 1 < server.peak <= 3


@pytest.mark.parametrize("answers", [[USABLE], [Verdict("down"), USABLE], [Verdict("down")], [Verdict("refused")]])
def test_no_verdict_grows_older_than_half_a_minute(monkeypatch: pytest.MonkeyPatch, answers: list[Verdict]) -> None:
    """With the real figures, and each request taking as long as it may."""
    ages: list[float] = []

    async def slow(prober: Prober, _target: Target) -> Verdict:
        await asyncio.sleep(Pace().answer)
        answers.append(answers.pop(0))
        return answers[-1]

    async def scenario() -> None:
        of = talker("http://127.0.0.1:9")
        readiness = Readiness({}, clock=asyncio.get_running_loop().time)
        readiness.watch([of])
        job = asyncio.ensure_future(readiness.run())
        for _ in range(6000):
            await asyncio.sleep(0.1)
            if (age := only(readiness).age_seconds) is not None:
                ages.append(age)
                assert only(readiness).state != "unknown"
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)

    monkeypatch.setattr(Prober, "ask", slow)
    run(scenario())
    assert len(ages) > 5000
    assert max(ages) <= (10.2 if answers == [Verdict("down")] else 28)


def test_servers_are_shown_without_secrets() -> None:
    probe = Probe("https://api.example", "/models")
    shown = {
        "": "https://api.example",
        "http://[::1]:8000/v1/": "http://[::1]:8000/v1",
        "https://user:password@host.example/v1?key=secret#x": "https://host.example/v1",
        "http://[::1": "(unreadable base_url)",
    }
    for base_url, expected in shown.items():
        assert Target("x", base_url, "k", probe).server == expected


# -- what is watched ---------------------------------------------------------------------------------------


async def test_providers_come_and_go_with_the_configuration() -> None:
    async with ListingServer() as first, ListingServer({"listing": [Reply(hang=True)]}) as second:
        one, two = talker(first.url, name="One"), talker(second.url, name="Two")
        async with checking(one) as readiness:
            await becomes(readiness, "usable")
            readiness.watch([one, two])
            await until(lambda: second.count > 0)
            assert len(readiness.states()) == 2
            readiness.watch([two])  # while the second is being asked
            assert only(readiness).agents == ("Two",)
            seen = first.count
            await asyncio.sleep(0.25)
            assert first.count == seen
            readiness.watch([one])
            assert only(readiness).state == "unknown"  # what was known of it went with it
            await becomes(readiness, "usable")
            readiness.watch([])
            assert readiness.states() == []
            assert readiness.gauges()["watched"] == 0


async def test_watched_before_and_after_and_run_again() -> None:
    slow = Pace(usual=60)
    async with ListingServer() as server:
        readiness = Readiness({}, pace=slow)
        for expected in (1, 2):
            readiness.watch([talker(server.url)])
            job = asyncio.ensure_future(readiness.run())
            await until(lambda expected=expected: server.count == expected)  # type: ignore[misc]
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
        readiness.watch([])
        assert readiness.states() == []


# -- nothing leaks -----------------------------------------------------------------------------------------


async def test_no_secret_is_shown_or_logged() -> None:
    nobody = f"http://someone:hunter2@127.0.0.1:{free_port()}"
    with structlog.testing.capture_logs() as logged:
        async with ListingServer({"listing": [Reply(status=401)]}) as server:
            server.body = f"no such key: {SECRET}"
            agents = [talker(server.url), talker(nobody)]
            async with checking(*agents) as readiness:
                await until(lambda: {s.state for s in readiness.states()} == {"refused", "down"})
                shown = f"{readiness.states()}{readiness.gauges()}{[readiness.problem(a) for a in agents]}"
                shown += repr(list(readiness._watched))
    for secret in (SECRET, "hunter2", "someone"):
        assert secret not in shown
        assert not any(secret in str(entry) for entry in logged)
    assert len(logged) == 2


async def test_no_socket_is_left() -> None:
    before = sockets()
    async with ListingServer() as server, deaf() as silent:
        agents = [talker(server.url), talker(silent), talker(f"http://127.0.0.1:{free_port()}")]
        async with checking(*agents, pace=IMPATIENT) as readiness:
            await until(lambda: all(s.state != "unknown" for s in readiness.states()))
            readiness.watch([talker(silent)])
    await until(lambda: sockets() <= before)


def sockets() -> set[str]:
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(fd))
    return {link for link in found if link.startswith("socket:")}


async def test_gauges_count_each_state() -> None:
    async with ListingServer() as up, ListingServer({"listing": [Reply(status=401)]}) as refusing:
        down = f"http://127.0.0.1:{free_port()}"
        async with checking(talker(up.url), talker(refusing.url), talker(down)) as readiness:
            await until(lambda: readiness.gauges()["unknown"] == 0)
            gauges = readiness.gauges()
            assert 0 <= gauges.pop("oldest_check_seconds") < 5
            assert gauges == {"watched": 3, "usable": 1, "down": 1, "refused": 1, "unknown": 0}
