"""A call whose every word was chosen to break a page, in the data directory of a server that runs."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.store import Store
from parlons.store.crypto import SecretKey


async def main(folder: Path, texts: list[str]) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'parlons.db'}", SecretKey.load(folder, None))
    said = iter(texts * 8)
    now = datetime.now(UTC) - timedelta(minutes=30)
    record = CallRecord("hostile", "inbound", now, status=CallStatus.COMPLETED, caller=next(said), called=next(said))
    record.agent_id, record.answered_at, record.ended_at = "cabinet", now, now + timedelta(seconds=40)
    record.ended_by, record.end_reason, record.context = "caller", next(said), {next(said): next(said)}
    events = [
        Event(10, "system", Kind.PRE_CALL, {"outcome": next(said), "detail": next(said), "duration_ms": 5}),
        Event(20, "agent", Kind.STEP_ENTERED, {"step": next(said), "name": next(said)}),
        Event(30, "agent", Kind.TRANSCRIPT, {"text": next(said)}),
        Event(40, "caller", Kind.TRANSCRIPT, {"text": next(said)}),
        Event(
            50,
            "agent",
            Kind.ACTION_STARTED,
            {"action": next(said), "type": "workflow", "arguments": {next(said): next(said)}},
        ),
        Event(
            60,
            "agent",
            Kind.ACTION_FINISHED,
            {"action": next(said), "type": "workflow", "outcome": next(said), "duration_ms": 3},
        ),
        Event(70, "system", Kind.LEG, {"leg": "destination", "event": "dialled", "description": next(said)}),
        Event(80, "system", Kind.FAILOVER, {"event": "begun", "trigger": next(said), "action": next(said)}),
        Event(90, "system", Kind.HANG_UP, {"who": "caller", "why": next(said)}),
    ]
    await store.calls.create(record)
    await store.calls.append_events(record.id, events)
    await store.close()


asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
