"""Who changed what, and when. Entries are added and read; nothing changes or removes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from .database import Database
from .tables import audit_log


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change.

    Args:
        actor_kind: ``user``, ``key`` or ``admin_key``; actor_id and actor_name say which, as they were then.
        action: ``agent.publish``, for example.
        changes: ``{path, before, after}`` of each value that changed, without secrets.
    """

    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    target_kind: str
    target_id: str
    changes: list[dict[str, Any]]
    id: int = 0


class AuditStore:
    """The audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        """Add an entry; in the transaction of the change it tells of, when there is one."""
        values = {name: getattr(entry, name) for name in AuditEntry.__slots__ if name != "id"}
        async with self._database.write() as connection:
            await connection.execute(audit_log.insert().values(values))

    async def list(
        self,
        *,
        actor_id: str | None = None,
        target_kind: str | None = None,
        target_id: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[AuditEntry]:
        """Entries, newest first.

        Args:
            before: only entries with a smaller id.
        """
        query = sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
        wanted = {"actor_id": actor_id, "target_kind": target_kind, "target_id": target_id}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(audit_log.c[name] == value)
        if before is not None:
            query = query.where(audit_log.c.id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [AuditEntry(*(getattr(row, name) for name in AuditEntry.__slots__)) for row in rows]
