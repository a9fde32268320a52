"""Call transfer against real peers: SIPp, baresip and our telephone are rung, a telephone asks for it, a model decides.

All cases are played at once when the first is asked for; each test judges one. See ``transfer_stage``.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

pytest.register_assert_rewrite(
    *(f"tests.sip.transfer_{part}" for part in ("stage", "ringing", "bridged", "briefed", "decided", "shown"))
)

from tests.sip import transfer_bridged, transfer_briefed, transfer_decided, transfer_ringing, transfer_shown  # noqa: E402
from tests.sip.transfer_peers import BARESIP, CALLER, EXCHANGE, SIPP  # noqa: E402
from tests.sip.transfer_stage import CASES, Played, new_server, play  # noqa: E402
from tests.support.phone import Phone  # noqa: E402
from tests.support.server import ParlonsServer  # noqa: E402

PARTS = (transfer_ringing, transfer_bridged, transfer_briefed, transfer_decided, transfer_shown)
"""They have registered their cases."""

pytestmark = [pytest.mark.peer, pytest.mark.timeout(150)]

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
"""Given back with the call; what belongs to a transaction lingers up to 64 s (RFC 3261 table 4): a late 200 is BYEd."""


@dataclass(frozen=True, slots=True)
class Evening:
    """The server after all cases."""

    server: ParlonsServer
    played: Played


@pytest.fixture(scope="session")
def evening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Play the cases whose tests were asked for."""
    wanted = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    cases = [one for one in CASES.values() if one.name in wanted] or list(CASES.values())
    folder = tmp_path_factory.mktemp("transfers")
    server, port = new_server(folder, CASES.values(), transfer_decided.COLLEAGUES, range(37000, 37500))
    with server:
        yield Evening(server, asyncio.run(play(server, port, cases, folder)))
        server.assert_no_bug()


@pytest.mark.parametrize("name", sorted(CASES))
def test_transfer(evening: Evening, name: str) -> None:
    evening.played.judge(name)


def test_sipp_saw_its_scenarios_through(evening: Evening) -> None:
    """The ACK of every failure, the CANCEL of the stalled one, the BYE."""
    wanted = {key for key in SIPP if any(key in str(CASES[name].actions) for name in evening.played.seconds)}
    unseen = {key for key in wanted if not evening.played.sipp[key]}
    assert not unseen, evening.played.sipp


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
    hosts = [CALLER, EXCHANGE, BARESIP, *((host, 5060) for host, _, _ in SIPP.values())]
    assert not await asyncio.to_thread(_left_over, server, AT_ONCE, 5.0)
    async with contextlib.AsyncExitStack() as stack:
        for host, port in hosts:
            await stack.enter_async_context(Phone(host=host, port=port))
        assert not await asyncio.to_thread(_left_over, server, MUST_BE_ZERO, 70.0)
    unfinished = [c for c in server.calls() if c["status"] == "in_progress" or not c["ended_at"]]
    assert not unfinished
