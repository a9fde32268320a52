"""Runs of workflows in the database. Those of calls are written through ``writer.CallWriter``, with their call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..errors import NotFound
from ..workflows.runs import Run, Status
from .database import Database
from .paging import after, bounded, make_cursor
from .tables import workflow_runs

MAX_DOCUMENT = 400_000
"""Characters of one run's JSON; a result, context or step that would take it over is cut."""
MAX_CUT = 4_000
"""Characters kept of what is cut."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run without its steps. ``call_id`` is None for a run that was tried."""

    id: str
    workflow_id: str
    call_id: str | None
    trigger: str
    status: Status
    started_at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True)
class StoredRun(RunSummary):
    """One run with everything kept of it: ``runs.Run.as_json()``."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first, and the cursor of the next page (None on the last)."""

    runs: list[RunSummary]
    cursor: str | None


class RunStore:
    """One row a run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, workflow_id: str, call_id: str | None, run: Run) -> None:
        """Store a run at once, as trying a workflow does. Raises sqlalchemy.exc.IntegrityError: no such call."""
        rows = await asyncio.to_thread(run_rows, [(workflow_id, call_id, run)])
        async with self._database.write() as connection:
            await connection.execute(workflow_runs.insert(), rows)

    async def get(self, run_id: str) -> StoredRun:
        """One run with its steps. Raises NotFound."""
        async with self._database.read() as connection:
            query = sa.select(workflow_runs).where(workflow_runs.c.id == run_id)
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no run {run_id!r}.", hint="See `parlons workflow runs`.")
        document = await asyncio.to_thread(json.loads, row.document)
        summary = {column.name: getattr(row, column.name) for column in _SUMMARY}
        return StoredRun(**summary, document=document)

    async def list(
        self,
        *,
        workflow_id: str | None = None,
        call_id: str | None = None,
        trigger: str | None = None,
        status: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """Runs, newest first.

        Args:
            limit: 1 to 500 runs.
            cursor: of the page before.

        Raises:
            ConfigurationError: the cursor is not one of ours.
        """
        limit = bounded(limit)
        table = workflow_runs.c
        query = sa.select(*_SUMMARY).order_by(table.started_at.desc(), table.id.desc()).limit(limit + 1)
        wanted = {table.workflow_id: workflow_id, table.call_id: call_id, table.trigger: trigger, table.status: status}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(column == value)
        if cursor is not None:
            query = query.where(after(cursor, table.started_at, table.id))
        async with self._database.read() as connection:
            found = [RunSummary(*row) for row in (await connection.execute(query)).all()]
        more = len(found) > limit
        return RunPage(found[:limit], make_cursor(found[limit - 1].started_at, found[limit - 1].id) if more else None)

    async def purge(self, before: datetime) -> int:
        """Forget runs without a call that began before then; the others go with their call. Returns how many."""
        old = sa.and_(workflow_runs.c.call_id.is_(None), workflow_runs.c.started_at < before)
        async with self._database.write() as connection:
            gone = await connection.execute(workflow_runs.delete().where(old))
        return int(gone.rowcount)


_SUMMARY = tuple(workflow_runs.c[name] for name in RunSummary.__slots__)


def run_rows(runs: Sequence[tuple[str, str | None, Run]]) -> list[dict[str, Any]]:
    """Rows of runs; takes some milliseconds for a big one, so not on the loop."""
    return [
        {
            "id": run.id,
            "workflow_id": workflow_id,
            "call_id": call_id,
            "trigger": run.trigger,
            "status": run.status,
            "started_at": datetime.fromtimestamp(run.started_at, UTC),
            "duration_ms": run.duration_ms,
            "document": _document(run),
        }
        for workflow_id, call_id, run in runs
    ]


def _document(run: Run) -> str:
    """The run as JSON text of a bounded size: of what is too big, result first, only the beginning is kept."""
    document = run.as_json()
    parts: list[tuple[dict[str, Any], str]] = [(document, "result"), (document, "context")]
    parts += [(step, name) for step in reversed(document["steps"]) for name in ("reply", "request")]
    text = _text(document)
    for holder, name in parts:
        if len(text) <= MAX_DOCUMENT:
            break
        part = _text(holder[name])
        if len(part) > MAX_CUT:
            holder[name] = {"cut": part[:MAX_CUT]}
            text = _text(document)
    return text


def _text(value: Any) -> str:
    """JSON that every database takes: escaped, so neither NUL nor a lone surrogate is in it as such."""
    return json.dumps(value, default=str)
