"""Nothing is left of the calls, once the longest transaction timer (64 s) and the rest of the ports are over."""

from __future__ import annotations

import asyncio

import pytest

from tests.sip.conftest import Burst
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer

KEPT = 30e6
"""Bytes. The benchmark's memory row looks closer."""


@pytest.mark.timeout(150)
async def test_gauges_and_memory_come_back_after_the_burst(burst: Burst) -> None:
    server = burst.server
    await asyncio.to_thread(server.gauges_idle, 75.0)
    records = [c for c in server.calls() if c["status"] == "in_progress" or not c["ended_at"]]
    assert not records, records[:3]
    assert len([c for c in server.calls() if c["answered_at"]]) >= 700
    grown = await _grown(server, burst.memory_before)
    assert grown < KEPT, f"{grown / 1e6:.0f} MB more than before the burst"


async def _grown(server: ParlonsServer, before: int) -> int:
    """What is left of the burst, once the server has given back what it has (it looks every second)."""
    for _ in range(30):
        if server.memory() - before < KEPT:
            break
        await asyncio.sleep(1)
    return server.memory() - before
