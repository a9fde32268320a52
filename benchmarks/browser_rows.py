"""The row about browser calls: what one costs the server. Parlons alone: the peer is called by telephone.

The browsers are aiortc's, in this process and on the other core; all five begin within the same second, and talk.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
from tests.sip import agents
from tests.support.server import ParlonsServer
from tests.webrtc.browser import Browser

from benchmarks import engine, procstat
from benchmarks.bench import Bench, say
from benchmarks.report import Row

CALLS = 5
CYCLE_SECONDS = 10.0
KEY = "benchmark-administrator-key-0123456789"


def browser_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """CPU for one call from a browser, nothing taken off for the idle process."""
    row = Row(f"CPU for one browser call, of {CALLS}", "% of a core", 15.0, "low", notes=["Parlons alone"])
    for run in range(bench.size.transfer_runs):
        say(f"browser: {CALLS} calls")
        percent, turns = _measured(bench, bench.folder / f"browser{run}")
        row.measured.append(percent / CALLS)
        row.notes.append(f"{percent:.0f} % of the core in all, {turns} answers heard")
        if turns < CALLS * int(bench.size.measure_seconds / CYCLE_SECONDS):
            row.failed.append(f"only {turns} answers were heard")
    return row


def _measured(bench: Bench, folder: Path) -> tuple[float, int]:
    """As ``_talk``; the server on its core, the browsers on theirs."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {bench.server_core})  # what it starts stays there
    try:
        with ParlonsServer(folder, agents.LAB, environment={"PARLONS_ADMIN_KEY": KEY}) as server:
            os.sched_setaffinity(0, {bench.generator_core})
            return asyncio.run(_talk(server, bench.size.measure_seconds))
    finally:
        os.sched_setaffinity(0, usable)


async def _talk(server: ParlonsServer, seconds: float) -> tuple[float, int]:
    """(the server's CPU in percent of a core, answers heard) while every browser asks once every ten seconds."""
    meter = procstat.CpuMeter(server.process.pid)
    address, bearer = f"http://127.0.0.1:{server.http_port}", {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=address, headers=bearer, timeout=30) as http:
        pages = [Browser(http) for _ in range(CALLS)]
        try:
            await asyncio.gather(*(page.call("lab") for page in pages))
            await asyncio.gather(*(page.listen(within=20) for page in pages))
            meter.start()
            turns = await asyncio.gather(*(_ask_on(page, seconds) for page in pages))
            return meter.percent(), sum(turns)
        finally:
            await asyncio.gather(*(page.close() for page in pages))


async def _ask_on(page: Browser, seconds: float) -> int:
    loop = asyncio.get_running_loop()
    end, turns = loop.time() + seconds, 0
    while loop.time() < end:
        next_at = loop.time() + CYCLE_SECONDS
        turns += bool(len(await page.ask("quels sont vos horaires")))
        await asyncio.sleep(min(next_at, end) - loop.time())
    return turns
