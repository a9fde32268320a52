"""A process killed in the middle of calls: what it had written is there, and its calls are closed at the next start."""

from __future__ import annotations

import subprocess
import sys

from parlons.calls.timeline import CallStatus
from parlons.store import SecretKey, Store

from .conftest import KEY

VICTIM = f"""
import asyncio, sys
from datetime import UTC, datetime
from parlons.calls.record import CallRecord
from parlons.calls.timeline import Event, Kind
from parlons.store import CallWriter, SecretKey, Store

async def main():
    store = await Store.open(sys.argv[1], SecretKey({KEY!r}))
    writer = CallWriter(store.calls)
    writer.start()
    writer.record(CallRecord(id="c", direction="inbound", started_at=datetime(2026, 11, 20, tzinfo=UTC)))
    for number in range(100):
        writer.event("c", Event(number, "system", Kind.RINGING))
    await writer.drain()
    print("stored", flush=True)
    number = 100
    while True:
        writer.event("c", Event(number, "system", Kind.RINGING))
        number += 1
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


async def test_kill_nine_during_a_call_loses_nothing_that_was_stored(url: str) -> None:
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, url], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    try:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "stored\n"
    finally:
        victim.kill()
        victim.communicate()
    store = await Store.open(url, SecretKey(KEY))
    assert await store.calls.close_unfinished("the process was killed") == 1
    times = [event.at_ms for event in await store.calls.events("c")]
    assert times == list(range(len(times)))
    assert len(times) >= 100
    record = await store.calls.get("c")
    assert record.status == CallStatus.FAILED
    assert record.ended_at is not None
    assert record.ended_at.microsecond == times[-1] * 1000
    await store.close()
