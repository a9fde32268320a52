"""Calls and their timelines in the database. Written through ``writer.CallWriter``, never from the audio path."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ..calls.record import CallRecord
from ..calls.timeline import CallStatus, EndCode, Event, Kind
from ..errors import NotFound
from ..workflows.runs import Run
from .call_pages import ALL, CallFilter, page_query
from .database import Database
from .deliveries import make_due
from .paging import bounded, make_cursor
from .runs import run_rows
from .tables import agents, call_events, calls, workflow_runs

EVENTS_AT_ONCE = 200
MAX_TEXT = 1000
"""Characters kept of a text that a peer sent (numbers, Call-ID)."""

_COLUMNS = tuple(field.name for field in dataclasses.fields(CallRecord))


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, newest first, and the cursor of the next page (None on the last)."""

    calls: list[CallRecord]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many calls were removed, and the recordings (file names) whose files are to be removed with them."""

    calls: int
    recordings: list[str]


class CallStore:
    """One row a call, one row an event.

    Attributes:
        on_due: called when a call's end was stored and deliveries became due with it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_due: Callable[[], None] | None = None

    # -- writing ---------------------------------------------------------------------------------------------

    async def create(self, record: CallRecord) -> None:
        """Store a new call. Raises sqlalchemy.exc.IntegrityError when it exists."""
        async with self._database.write() as connection:
            await connection.execute(calls.insert().values(_row_of(record)))

    async def update(self, record: CallRecord) -> None:
        """Store how a call stands now, as ``write_batch`` does. Raises NotFound."""
        async with self._database.write():
            await self.get(record.id)
            await self.write_batch([record], ())

    async def append_events(self, call_id: str, events: Sequence[Event]) -> None:
        """Add events to the end of a call's timeline. Raises sqlalchemy.exc.IntegrityError: no such call."""
        await self.write_batch((), [(call_id, event) for event in events])

    async def write_batch(
        self,
        records: Iterable[CallRecord],
        events: Sequence[tuple[str, Event]],
        runs: Sequence[tuple[str, str | None, Run]] = (),
    ) -> None:
        """Store how several calls stand (new ones too), what happened in them and what ran for them, in one
        transaction; in it the deliveries of calls that ended become due."""
        rows_of_runs = await asyncio.to_thread(run_rows, runs) if runs else []
        due = 0
        async with self._database.write() as connection:
            ended = []
            for record in records:
                if not await _update(connection, record):
                    await connection.execute(calls.insert().values(_row_of(record)))
                if record.ended_at is not None:
                    ended.append(record.id)
            if ended:
                due = await make_due(connection, ended, datetime.now(UTC))
            if rows_of_runs:
                await connection.execute(workflow_runs.insert(), rows_of_runs)
            if events:
                rows = [
                    {
                        "call_id": call_id,
                        "at_ms": event.at_ms,
                        "actor": event.actor,
                        "kind": str(event.kind),
                        "payload": event.payload,
                    }
                    for call_id, event in events
                ]
                await connection.execute(call_events.insert(), rows)
        if due and self.on_due is not None:
            self.on_due()

    async def close_unfinished(self, reason: str) -> int:
        """Close the calls that a process left open when it died, at the time of their last event; returns how many.
        Their deliveries become due with it.

        To be called at start, before any call is taken.
        """
        last = sa.select(sa.func.max(call_events.c.at_ms)).where(call_events.c.call_id == calls.c.id).scalar_subquery()
        query = sa.select(calls.c.id, calls.c.started_at, last).where(calls.c.status == CallStatus.IN_PROGRESS.value)
        async with self._database.write() as connection:
            rows = (await connection.execute(query)).all()
            for call_id, started_at, at_ms in rows:
                closed = {
                    "status": CallStatus.FAILED.value,
                    "ended_at": started_at + timedelta(milliseconds=at_ms or 0),
                    "ended_by": "system",
                    "end_reason": reason,
                    "end_code": EndCode.INTERRUPTED.value,
                }
                await connection.execute(calls.update().where(calls.c.id == call_id).values(closed))
            if rows:
                await make_due(connection, [row.id for row in rows], datetime.now(UTC))
        return len(rows)

    # -- reading ---------------------------------------------------------------------------------------------

    async def get(self, call_id: str) -> CallRecord:
        """One call. Raises NotFound."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(calls).where(calls.c.id == call_id))).one_or_none()
        if row is None:
            raise _missing(call_id)
        return _record_of(row)

    async def events(self, call_id: str) -> list[Event]:
        """A call's timeline, in the order it was written; empty when there is no such call."""
        found: list[Event] = []
        last = 0
        while True:
            query = sa.select(call_events).where(call_events.c.call_id == call_id, call_events.c.id > last)
            async with self._database.read() as connection:
                rows = (await connection.execute(query.order_by(call_events.c.id).limit(EVENTS_AT_ONCE))).all()
            found += [Event(row.at_ms, row.actor, Kind(row.kind), row.payload) for row in rows]
            if len(rows) < EVENTS_AT_ONCE:
                return found
            last = rows[-1].id
            await asyncio.sleep(0)  # a call of hours has thousands: others have their turn between two pages

    async def list(
        self, wanted: CallFilter = ALL, *, limit: int = 50, cursor: str | None = None, context: bool = True
    ) -> CallPage:
        """Calls, newest first.

        Args:
            limit: 1 to 500 calls.
            cursor: of the page before.
            context: read their contexts too, which may be big; without, they are empty.

        Raises:
            ConfigurationError: the cursor is not one of ours.
        """
        limit = bounded(limit)
        columns = [calls.c[name] for name in _COLUMNS if context or name != "context"]
        query = page_query(columns, wanted, limit + 1, cursor)
        async with self._database.read() as connection:
            found = [_record_of(row) for row in (await connection.execute(query)).all()]
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return CallPage(found[:limit], make_cursor(last.started_at, last.id) if last else None)

    async def last_of_agents(self) -> Mapping[str, datetime]:
        """When the newest call of each agent began, from the index alone: no call is read."""
        newest = sa.select(sa.func.max(calls.c.started_at)).where(calls.c.agent_id == agents.c.id).scalar_subquery()
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(agents.c.id, newest))).all()
        return {agent_id: at for agent_id, at in rows if at is not None}

    # -- removing --------------------------------------------------------------------------------------------

    async def delete(self, call_id: str) -> Erased:
        """Remove a call with its timeline. Raises NotFound."""
        erased = await self._erase(calls.c.id == call_id)
        if not erased.calls:
            raise _missing(call_id)
        return erased

    async def erase_number(self, number: str) -> Erased:
        """Remove every call from or to a person's number (E.164): callers of inbound, called of outbound calls."""
        inbound = sa.and_(calls.c.direction == "inbound", calls.c.caller == number)
        outbound = sa.and_(calls.c.direction == "outbound", calls.c.called == number)
        return await self._erase(sa.or_(inbound, outbound))

    async def purge(self, before_recordings: datetime, before_calls: datetime) -> Erased:
        """Forget calls started before ``before_calls``, and recordings of those before ``before_recordings``.

        Calls under way stay, however old.
        """
        over = calls.c.status != CallStatus.IN_PROGRESS.value
        old = sa.and_(over, calls.c.recording.is_not(None), calls.c.started_at < before_recordings)
        async with self._database.write() as connection:
            recordings = list((await connection.execute(sa.select(calls.c.recording).where(old))).scalars())
            await connection.execute(calls.update().where(old).values(recording=None))
            erased = await self._erase(sa.and_(over, calls.c.started_at < before_calls))
        return Erased(erased.calls, recordings + erased.recordings)

    async def _erase(self, which: sa.ColumnElement[bool]) -> Erased:
        async with self._database.write() as connection:
            found = (await connection.execute(sa.select(calls.c.recording).where(which))).scalars().all()
            gone = await connection.execute(calls.delete().where(which))
        return Erased(gone.rowcount, [name for name in found if name])


def _missing(call_id: str) -> NotFound:
    return NotFound(f"there is no call {call_id!r}.")


async def _update(connection: AsyncConnection, record: CallRecord) -> bool:
    row = _row_of(record)
    changed = await connection.execute(calls.update().where(calls.c.id == row.pop("id")).values(row))
    return bool(changed.rowcount)


def _row_of(record: CallRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in _COLUMNS}
    row["status"] = str(record.status)
    for name, value in row.items():
        if isinstance(value, str):
            row[name] = _storable(value)
    return row


def _storable(text: str) -> str:
    """What every database takes: no NUL and no lone surrogates, which peers can send; and no novel."""
    return text[:MAX_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def _record_of(row: Any) -> CallRecord:
    values: dict[str, Any] = dict(row._mapping)
    values["status"] = CallStatus(values["status"])
    if values["end_code"] is not None:
        values["end_code"] = EndCode(values["end_code"])
    return CallRecord(**values)
