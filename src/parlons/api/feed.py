"""Tells those who watch a call that something happened in it. Stands before the call writer and never blocks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from parlons.calls.equipment import Writer
from parlons.calls.record import CallRecord
from parlons.calls.timeline import Event

MAX_WATCHERS = 200
"""Streams at a time in one process: each holds a connection."""


class CallFeed:
    """Passes records and events on, and wakes the watchers of that call. It holds no event: the call does."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self.watching = 0

    def record(self, record: CallRecord) -> None:
        """A call stands so now."""
        self._writer.record(record)
        self._wake(record.id)

    def event(self, call_id: str, event: Event) -> None:
        """Something happened in a call."""
        self._writer.event(call_id, event)
        self._wake(call_id)

    def _wake(self, call_id: str) -> None:
        for watcher in self._watchers.get(call_id, ()):
            watcher.set()

    @contextlib.contextmanager
    def watch(self, call_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happens in a call; whoever waits for it clears it."""
        watcher = asyncio.Event()
        self._watchers.setdefault(call_id, set()).add(watcher)
        self.watching += 1
        try:
            yield watcher
        finally:
            self.watching -= 1
            self._watchers[call_id].discard(watcher)
            if not self._watchers[call_id]:
                del self._watchers[call_id]
