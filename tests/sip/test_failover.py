"""Failover against real peers: whatever breaks, the caller gets what somebody decided, and hears all of it.

The cases are played together when the first is asked for; each test judges one. See ``failover_stage``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    *(f"tests.sip.failover_{part}" for part in ("stage", "cells", "pre_call", "texts", "ringing"))
)

from tests.sip import agents, failover_cells, failover_changes, failover_pre_call, failover_ringing, failover_texts  # noqa: E402
from tests.sip.failover_changes import AFTERWARDS  # noqa: E402
from tests.sip.failover_crowd import Crowd, crowd, one_of_many_in_degraded_mode, one_of_many_that_fail_over  # noqa: E402
from tests.sip.failover_service import Service, running  # noqa: E402
from tests.sip.failover_stage import Played, play, staged  # noqa: E402
from tests.sip.failover_world import CASES, MESSAGE, NOBODY, configuration, failing_over, new_server  # noqa: E402
from tests.sip.transfer_peers import CALLER, EXCHANGE  # noqa: E402
from tests.support.phone import Phone  # noqa: E402
from tests.support.server import ParlonsServer  # noqa: E402

PARTS = (failover_cells, failover_changes, failover_pre_call, failover_ringing, failover_texts)
"""They have registered their cases."""

pytestmark = [pytest.mark.peer, pytest.mark.timeout(200)]


MUST_BE_ZERO = (
    "parlons_calls_active",
    "parlons_media_legs",
    "parlons_media_ports_in_use",
    "parlons_sip_client_transactions",
    "parlons_sip_dialogs",
    "parlons_sip_legs",
    "parlons_sip_server_transactions",
    "parlons_sip_tasks",
)
AT_ONCE = ("parlons_calls_active", "parlons_calls_outbound_legs", "parlons_media_legs", "parlons_media_ports_in_use")
"""Given back with the call; what belongs to a transaction lingers up to 64 s (RFC 3261 table 4)."""
CROWDS = (one_of_many_that_fail_over.__name__, one_of_many_in_degraded_mode.__name__)


@dataclass(frozen=True, slots=True)
class Evening:
    """The server after all cases."""

    server: ParlonsServer
    service: Service
    played: Played
    crowds: dict[str, Crowd]


@pytest.fixture(scope="session")
def evening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Play the cases whose tests were asked for, then the crowds."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    folder = tmp_path_factory.mktemp("failovers")
    with running() as service:
        server = new_server(folder, configuration(CASES.values(), service), range(38000, 38900))
        with server:

            async def all_of_it() -> Evening:
                async with staged(server, service) as stage:
                    played = await play(stage, [one for one in CASES.values() if one.name in asked and not one.alone])
                    crowds = {name: await crowd(stage, name) for name in CROWDS if name in asked}
                    after = [one for one in CASES.values() if one.name in asked & AFTERWARDS]
                    played.add(await play(stage, after))
                    return Evening(server, service, played, crowds)

            yield asyncio.run(all_of_it())
            server.assert_no_bug()


@pytest.mark.parametrize("name", sorted(name for name, one in CASES.items() if not one.alone or name in AFTERWARDS))
def test_failover(evening: Evening, name: str) -> None:
    evening.played.judge(name)


@pytest.mark.parametrize("name", CROWDS)
def test_thirty_at_once(evening: Evening, name: str) -> None:
    """Each gets theirs in time, and a call that goes on beside them is heard without a gap."""
    evening.crowds[name].judge()
    evening.crowds[name].judge_the_other()


def test_a_template_that_does_not_parse_is_refused(evening: Evening, tmp_path: Path) -> None:
    """Before anybody could hear it: the field and the line are named."""
    for fields in ({"greeting": "Bonjour {{ name"}, failing_over(MESSAGE | {"text": "Bonjour {{ name }}."})):
        file = tmp_path / "agent.json"
        file.write_text(json.dumps(agents.agent(**fields)), "utf-8")
        checked = evening.server.cli("agent", "check", str(file))
        assert checked.returncode == 1, checked.stdout
        assert next(iter(fields)) in checked.stdout + checked.stderr


def test_whoever_was_asked_in_vain_was_let_go(evening: Evening) -> None:
    """A service that says nothing has no connection left open by a call that did not wait for it."""
    service = evening.service
    evening.server.until(lambda: service.given_up == service.asked["hang"], 5, f"{service.given_up} were let go")


def test_a_damaged_message_is_made_again(tmp_path: Path) -> None:
    """Its file is spoilt while the process is not there."""
    with running() as service:
        cases = [CASES[name] for name in ("agent_unavailable-message", "degraded-refused")]
        documents = configuration(cases, service)
        server = new_server(tmp_path, documents, range(38900, 38960))
        with server:
            files = sorted((server.data / "messages").iterdir())
            assert len(files) == 2
        for file in files:
            file.write_bytes(b"\0" * 20_000)
        with server:
            assert all(len(file.read_bytes()) != 20_000 for file in files)

            async def call() -> Played:
                async with staged(server, service) as stage:
                    return await play(stage, cases)

            played = asyncio.run(call())
            for one in cases:
                played.judge(one.name)
            server.assert_no_bug()


def _left_over(server: ParlonsServer, names: tuple[str, ...], seconds: float) -> dict[str, float]:
    end = time.monotonic() + seconds
    while True:
        gauges = server.gauges()
        left = {name: gauges[name] for name in names if gauges[name]}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)


async def test_nothing_is_left(evening: Evening) -> None:
    """No leg, no port, no task, no transaction. Every connection has somebody who answers OPTIONS meanwhile."""
    server = evening.server
    assert not await asyncio.to_thread(_left_over, server, AT_ONCE, 5.0)
    async with contextlib.AsyncExitStack() as stack:
        for host in (CALLER[0], EXCHANGE[0], NOBODY):
            await stack.enter_async_context(Phone(host=host, port=5060))
        assert not await asyncio.to_thread(_left_over, server, MUST_BE_ZERO, 70.0)
    unfinished = [c for c in server.calls() if c["status"] == "in_progress" or not c["ended_at"]]
    assert not unfinished
