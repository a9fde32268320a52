"""Deliveries of post-call workflows: which workflow is still to be run for which call.

They are made in the transaction that stores a call's end, so there is no moment in which the call is over and its
deliveries are not known. An id is made from the call's and the workflow's: the same however often it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import Conflict, NotFound
from .database import Database
from .paging import after, bounded, make_cursor
from .tables import deliveries, workflows

DeliveryStatus = Literal["due", "delivered", "failed"]

MAX_ERROR = 1_000
_INSERT_ROWS = 50


@dataclass(frozen=True, slots=True)
class Delivery:
    """One post-call workflow for one call.

    Args:
        round: how many times a person had it sent again.
        attempts: made in this round.
        queued: the jobs have it.
        began_at: when this round began; the time it may take counts from here.
        next_at: when it is tried next; None when it is delivered or failed.
        error: why the last attempt failed.
    """

    id: str
    call_id: str
    workflow_id: str
    status: DeliveryStatus
    round: int
    attempts: int
    queued: bool
    created_at: datetime
    began_at: datetime
    updated_at: datetime
    next_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries, newest first, and the cursor of the next page (None on the last)."""

    deliveries: list[Delivery]
    cursor: str | None


_COLUMNS = tuple(deliveries.c[name] for name in Delivery.__slots__)


class DeliveryStore:
    """One row a delivery; it goes when its call goes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, delivery_id: str) -> Delivery:
        """One delivery. Raises NotFound."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(*_COLUMNS).where(deliveries.c.id == delivery_id))).one_or_none()
        if row is None:
            raise NotFound(f"there is no delivery {delivery_id!r}.", hint="See `parlons workflow deliveries`.")
        return Delivery(*row)

    async def list(
        self,
        *,
        status: DeliveryStatus | None = None,
        workflow_id: str | None = None,
        call_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DeliveryPage:
        """Deliveries, newest first; ``limit`` is 1 to 500. Raises ConfigurationError: the cursor is not one of ours."""
        limit = bounded(limit)
        table = deliveries.c
        query = sa.select(*_COLUMNS).order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
        for column, value in {table.status: status, table.workflow_id: workflow_id, table.call_id: call_id}.items():
            if value is not None:
                query = query.where(column == value)
        if cursor is not None:
            query = query.where(after(cursor, table.created_at, table.id))
        async with self._database.read() as connection:
            found = [Delivery(*row) for row in (await connection.execute(query)).all()]
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return DeliveryPage(found[:limit], make_cursor(last.created_at, last.id) if last else None)

    async def unqueued(self, limit: int, lost_before: datetime | None = None) -> Sequence[Delivery]:
        """Deliveries that the jobs do not have, and those they must have lost because their time came before
        ``lost_before``; the earliest first."""
        wanted: sa.ColumnElement[bool] = deliveries.c.queued.is_(False)
        if lost_before is not None:
            wanted = sa.or_(wanted, deliveries.c.next_at < lost_before)
        query = sa.select(*_COLUMNS).where(deliveries.c.status == "due", wanted)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(deliveries.c.next_at).limit(limit))).all()
        return [Delivery(*row) for row in rows]

    async def mark_queued(self, delivery: Delivery, now: datetime) -> None:
        """The jobs have it from now on."""
        await self._change(delivery, queued=True, next_at=max(now, delivery.next_at or now))

    async def succeeded(self, delivery: Delivery, now: datetime) -> None:
        """It is delivered; never sent again."""
        values = {"status": "delivered", "next_at": None, "error": ""}
        await self._change(delivery, attempts=deliveries.c.attempts + 1, updated_at=now, **values)

    async def failed(self, delivery: Delivery, now: datetime, error: str, next_at: datetime | None) -> None:
        """An attempt failed. It is tried again at ``next_at``, or kept as failed when that is None."""
        values: dict[str, Any] = {"error": error.replace("\0", "")[:MAX_ERROR], "next_at": next_at, "updated_at": now}
        if next_at is None:
            values["status"] = "failed"
        await self._change(delivery, attempts=deliveries.c.attempts + 1, **values)

    async def resend(self, delivery_id: str, now: datetime) -> Delivery:
        """Have a delivery that failed, or that waits for its next attempt, sent now, as if it was new; same id.

        Raises:
            NotFound: there is none.
            Conflict: it is delivered.
        """
        async with self._database.write() as connection:
            found = await self.get(delivery_id)
            if found.status == "delivered":
                raise Conflict("the delivery was confirmed by its receiver: it is not sent again.")
            values = {"status": "due", "attempts": 0, "queued": False, "began_at": now, "next_at": now}
            made = deliveries.update().where(deliveries.c.id == delivery_id)
            await connection.execute(made.values(round=found.round + 1, updated_at=now, **values))
            return await self.get(delivery_id)

    async def _change(self, delivery: Delivery, **values: Any) -> None:
        """Change it, unless an attempt was made, or a person has begun another round, since it was read."""
        table = deliveries.c
        same = (
            table.id == delivery.id,
            table.status == "due",
            table.round == delivery.round,
            table.attempts == delivery.attempts,
        )
        async with self._database.write() as connection:
            await connection.execute(deliveries.update().where(*same).values(values))


def delivery_id(call_id: str, workflow_id: str) -> str:
    """The id of a delivery, the same whenever it is made."""
    return hashlib.sha256(f"{call_id}/{workflow_id}".encode()).hexdigest()[:32]


async def make_due(connection: AsyncConnection, call_ids: Sequence[str], now: datetime) -> int:
    """Make every published post-call workflow due for calls that ended, in the transaction that stores their end.

    A delivery that exists is left as it is. Returns how many are new.
    """
    document = workflows.c.document
    query = sa.select(workflows.c.id).where(
        document["trigger"].as_string() == "post_call", document["status"].as_string() == "published"
    )
    published = (await connection.execute(query)).scalars().all()
    rows = [_row(call_id, workflow_id, now) for call_id in call_ids for workflow_id in published]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = 0
    for first in range(0, len(rows), _INSERT_ROWS):
        new = insert(deliveries).values(rows[first : first + _INSERT_ROWS]).on_conflict_do_nothing()
        made += cast("sa.CursorResult[Any]", await connection.execute(new)).rowcount
    return made


def _row(call_id: str, workflow_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": delivery_id(call_id, workflow_id),
        "call_id": call_id,
        "workflow_id": workflow_id,
        "status": "due",
        "round": 0,
        "attempts": 0,
        "queued": False,
        "created_at": now,
        "began_at": now,
        "updated_at": now,
        "next_at": now,
        "error": "",
    }
