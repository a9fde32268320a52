"""Which calls a list shows, newest first, as queries that an index answers among a hundred thousand calls. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from ..calls.timeline import CallStatus
from .paging import after
from .tables import calls


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What is asked of the calls of a list; None asks nothing.

    Args:
        since, until: bounds of ``started_at``, the second one excluded.
        number: caller or called, exactly.
        trigger: what made the agent not speak, or do without something; see ``calls.failover_table``.
    """

    agent_id: str | None = None
    status: CallStatus | None = None
    direction: Literal["inbound", "outbound"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    number: str | None = None
    trigger: str | None = None


ALL = CallFilter()


def page_query(columns: Sequence[sa.Column[Any]], wanted: CallFilter, limit: int, cursor: str | None) -> sa.Select[Any]:
    """The first ``limit`` calls after the cursor. Raises ConfigurationError when the cursor is not one of ours."""
    conditions = _conditions(wanted)
    if cursor is not None:
        conditions.append(after(cursor, calls.c.started_at, calls.c.id))
    if wanted.number is None:
        return _newest(sa.select(*columns).where(*conditions), calls, limit)
    # One condition with OR would read and sort every call of a line that took all of them. Each side has its index in
    # the list's own order instead, and gives no more than a page; a call between a number and itself is the caller's.
    sides = (
        sa.and_(calls.c.caller == wanted.number),
        sa.and_(calls.c.called == wanted.number, calls.c.caller != wanted.number),
    )
    pages = [_newest(sa.select(*columns).where(side, *conditions), calls, limit).subquery() for side in sides]
    both = sa.union_all(*(sa.select(page) for page in pages)).subquery()
    return _newest(sa.select(both), both, limit)


def _conditions(wanted: CallFilter) -> list[sa.ColumnElement[bool]]:
    made: list[sa.ColumnElement[bool]] = []
    for name in ("agent_id", "status", "direction", "trigger"):
        value = getattr(wanted, name)
        if value is not None:
            made.append(calls.c[name] == str(value))
    if wanted.since is not None:
        made.append(calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        made.append(calls.c.started_at < wanted.until)
    return made


def _newest(query: sa.Select[Any], of: sa.FromClause, limit: int) -> sa.Select[Any]:
    return query.order_by(of.c.started_at.desc(), of.c.id.desc()).limit(limit)
