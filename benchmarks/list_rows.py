"""The row about the list of calls: how long a page of it takes among 100 000. Parlons alone: the peer keeps none.

A real server, over HTTP, SQLite; one request at a time. One line took every call, which is the worst case of a search
by number. The figure of a run is the slowest filter's p95.
"""

from __future__ import annotations

import asyncio
import http.client
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.server import ParlonsServer

from benchmarks import engine
from benchmarks.bench import Bench, say
from benchmarks.load.measure import percentile
from benchmarks.report import Row, shown
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus
from parlons.store import Store
from parlons.store.crypto import SecretKey

CALLS = 100_000
AGENTS = 5
ASKED = 40
"""Requests for each filter."""
LINE = "+33123456789"
KEY = "benchmark-administrator-key-0123456789"
NEWEST = datetime(2026, 6, 1, tzinfo=UTC)

FILTERS = {
    "none": "",
    "agent": "&agent_id=agent1",
    "status": "&status=failover",
    "direction": "&direction=inbound",
    "number, which took every call": "&number=%2B33123456789",
    "number, one caller": "&number=%2B33600000007",
    "trigger": "&trigger=agent_unavailable",
    "since and until": "&since=2026-05-01T00:00:00Z&until=2026-05-02T00:00:00Z",
    "number and status": "&number=%2B33123456789&status=busy",
}


def calls_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """A page of 50 calls, for each filter."""
    row = Row(
        f"page of calls among {CALLS:,}, slowest filter, p95", "ms", 200.0, "low", notes=["Parlons alone, SQLite"]
    )
    folder = bench.folder / "calls"
    (folder / "data").mkdir(parents=True)
    say(f"calls: {CALLS:,} are stored")
    asyncio.run(_fill(folder / "data"))
    with ParlonsServer(folder, {"agents": {}}, environment={"PARLONS_ADMIN_KEY": KEY}) as server:
        for _ in range(bench.size.transfer_runs):
            figures = {name: _ask(server.http_port, query) for name, query in FILTERS.items()}
            row.measured.append(max(figures.values()))
            row.notes.append("; ".join(f"{name} {shown(figure, 'ms')}" for name, figure in figures.items()))
    return row


async def _fill(folder: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'parlons.db'}", SecretKey.load(folder, None))
    chance = random.Random(7)
    endings = [status for status in CallStatus if status not in (CallStatus.IN_PROGRESS, CallStatus.BUSY)]
    try:
        for begun in range(0, CALLS, 1000):
            batch = [_call(number, chance, endings) for number in range(begun, begun + 1000)]
            await store.calls.write_batch(batch, ())
    finally:
        await store.close()


def _call(number: int, chance: random.Random, endings: Sequence[CallStatus]) -> CallRecord:
    started = NEWEST - timedelta(minutes=number)
    status = chance.choice(endings)
    record = CallRecord(
        f"call{number}",
        "inbound",
        started,
        agent_id=f"agent{chance.randrange(AGENTS)}",
        agent_version=1,
        status=status,
        caller=f"+336{chance.randrange(3000):08}",
        called=LINE,
    )
    record.answered_at, record.ended_at, record.ended_by = started, started + timedelta(seconds=40), "caller"
    if status is CallStatus.FAILOVER:
        record.trigger = "agent_unavailable"
    return record


def _ask(port: int, query: str) -> float:
    """The p95 in milliseconds, from the request's first byte to the answer's last."""
    times: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(ASKED):
        began = time.perf_counter()
        connection.request("GET", f"/v1/calls?limit=50{query}", headers={"Authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise engine.EngineFailed(f"{query}: {answer.status} {body[:200]!r}")
    connection.close()
    figure = percentile(times, 95)
    assert figure is not None
    return figure
