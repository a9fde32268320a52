"""Takes what happens in calls at once and stores it in batches, so that no database ever stalls audio.

Knows no database: it hands batches to a sink and is told, by an exception, when one was not stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

import structlog

from ..calls.record import CallRecord
from ..calls.timeline import Event
from ..errors import StoreError
from ..workflows.runs import Run

log = structlog.get_logger()

BATCH_WINDOW_SECONDS = 0.1
"""How long what happens is gathered before it is written."""
BATCH_EVENTS = 1000
MAX_PENDING_EVENTS = 50_000
"""Events held while the database is down; beyond, the oldest are dropped and counted."""
BATCH_RUNS = 20
MAX_PENDING_RUNS = 500
"""Workflow runs held while the database is down (each may be half a megabyte); beyond, the oldest are dropped."""
FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 5.0


PendingRun: TypeAlias = tuple[str, str | None, Run]
"""A workflow's id, the call's (None: it was tried), and its run."""


class CallSink(Protocol):
    """Where batches go; ``store.calls`` is one."""

    async def write_batch(
        self,
        records: Iterable[CallRecord],
        events: Sequence[tuple[str, Event]],
        runs: Sequence[PendingRun] = (),
    ) -> None:
        """Store all of it or nothing. Raises StoreError to be tried again; anything else refuses it for good."""
        ...


class CallWriter:
    """A queue and one task. ``record``, ``event`` and ``run`` never block and never raise.

    A call's record must be given once before its events and runs. Events keep their order; of a record only the
    newest state is written.

    Attributes:
        dropped: events, records and runs lost, because the database was away too long or refused them for good.
    """

    def __init__(self, sink: CallSink, *, max_pending_events: int = MAX_PENDING_EVENTS) -> None:
        self._sink = sink
        self._max_pending = max_pending_events
        self._records: dict[str, CallRecord] = {}
        self._events: deque[tuple[str, Event]] = deque()
        self._runs: deque[PendingRun] = deque()
        self._writing: set[str] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    @property
    def pending(self) -> int:
        """Records, events and runs that are not stored yet."""
        return len(self._records) + len(self._events) + len(self._runs)

    def holds(self, call_id: str) -> bool:
        """Whether something of a call is not stored yet."""
        return (
            call_id in self._records
            or call_id in self._writing
            or any(waiting == call_id for waiting, _ in self._events)
        )

    def start(self) -> None:
        """Start the task, on the running loop."""
        self._task = asyncio.create_task(self._run(), name="call-writer")

    def record(self, record: CallRecord) -> None:
        """Store how a call stands now; the record may go on changing."""
        self._records[record.id] = dataclasses.replace(record, context=copy.deepcopy(record.context))
        self._note()

    def event(self, call_id: str, event: Event) -> None:
        """Store that something happened in a call."""
        if len(self._events) >= self._max_pending:
            self._events.popleft()
            self.dropped += 1
        self._events.append((call_id, event))
        self._note()

    def run(self, workflow_id: str, call_id: str | None, run: Run) -> None:
        """Store a run that ended; it must not change any more. ``call_id`` is None for one that was tried."""
        if len(self._runs) >= MAX_PENDING_RUNS:
            self._runs.popleft()
            self.dropped += 1
        self._runs.append((workflow_id, call_id, run))
        self._note()

    def _note(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def drain(self, timeout: float | None = None) -> bool:
        """Wait until all is stored, at most ``timeout`` seconds; whether it is."""
        self._hurry.set()
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            self._hurry.clear()
        return True

    async def close(self, timeout: float = 10.0) -> bool:
        """Drain, then stop; whether all was stored."""
        done = await self.drain(timeout)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        return done

    async def _run(self) -> None:
        retry = FIRST_RETRY_SECONDS
        while True:
            await self._wake.wait()
            await self._gather()
            self._wake.clear()
            while self.pending:
                try:
                    await self._flush()
                    retry = FIRST_RETRY_SECONDS
                except _Away as away:
                    log.warning("calls_not_stored", cause=type(away.__cause__).__name__, pending=self.pending)
                    await asyncio.sleep(retry)
                    retry = min(retry * 2, LAST_RETRY_SECONDS)
            self._idle.set()

    async def _gather(self) -> None:
        """Let a batch build up, unless somebody waits for it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BATCH_WINDOW_SECONDS):
                await self._hurry.wait()

    async def _flush(self) -> None:
        records, self._records = self._records, {}
        events = [self._events.popleft() for _ in range(min(BATCH_EVENTS, len(self._events)))]
        runs = [self._runs.popleft() for _ in range(min(BATCH_RUNS, len(self._runs)))]
        self._writing = {*records, *(call_id for call_id, _ in events)}
        try:
            try:
                await self._write(list(records.values()), events, runs)
            except _Refused:
                await self._one_by_one(records, events, runs)
        except BaseException:
            self._take_back(records, events, runs)
            raise
        finally:
            self._writing = set()

    async def _one_by_one(
        self, records: dict[str, CallRecord], events: list[tuple[str, Event]], runs: list[PendingRun]
    ) -> None:
        """A batch was refused for what it holds: find the culprit, so that it does not hold up the others."""
        for call_id in list(records):
            await self._write_or_drop([records[call_id]], [], [])
            del records[call_id]
        while events:
            await self._write_or_drop([], [events[0]], [])
            del events[0]
        while runs:
            await self._write_or_drop([], [], [runs[0]])
            del runs[0]

    async def _write_or_drop(
        self, records: list[CallRecord], events: list[tuple[str, Event]], runs: list[PendingRun]
    ) -> None:
        try:
            await self._write(records, events, runs)
        except _Refused as refused:
            self.dropped += 1
            log.error("call_data_refused", cause=type(refused.__cause__).__name__)

    async def _write(self, records: list[CallRecord], events: list[tuple[str, Event]], runs: list[PendingRun]) -> None:
        try:
            await self._sink.write_batch(records, events, runs)
        except StoreError as error:
            raise _Away from error
        except Exception as error:  # a value the database or its driver cannot take: it must not stop the others
            raise _Refused from error

    def _take_back(
        self, records: dict[str, CallRecord], events: list[tuple[str, Event]], runs: list[PendingRun]
    ) -> None:
        """Put back what was not stored, before what came meanwhile; newer states of a record win."""
        self._records = records | self._records
        self._events.extendleft(reversed(events))
        while len(self._events) > self._max_pending:
            self._events.popleft()
            self.dropped += 1
        self._runs.extendleft(reversed(runs))
        while len(self._runs) > MAX_PENDING_RUNS:
            self._runs.popleft()
            self.dropped += 1


class _Away(Exception):
    """The database cannot be reached now: try again."""


class _Refused(Exception):
    """The database will never take this."""
