"""What of the configuration folder was applied: which content, and which revision it made. No rule about files here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from .database import Database
from .tables import applied_files


@dataclass(frozen=True, slots=True)
class Applied:
    """The hash of what a file held when it was applied, and the revision of the document that it made."""

    hash: str
    revision: int


class AppliedStore:
    """Files applied, by path inside the folder without its ending (``agents/accueil``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, Applied]:
        """Everything applied so far."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(applied_files))).all()
        return {row.path: Applied(row.hash, row.revision) for row in rows}

    async def put(self, path: str, applied: Applied) -> None:
        """Note that a file was applied."""
        row = {"hash": applied.hash, "revision": applied.revision, "applied_at": datetime.now(UTC)}
        async with self._database.write() as connection:
            await self._database.lock(connection, applied_files)
            changed = await connection.execute(applied_files.update().where(applied_files.c.path == path).values(row))
            if not changed.rowcount:
                await connection.execute(applied_files.insert().values(path=path, **row))

    async def forget(self, path: str) -> None:
        """Forget a file that is gone."""
        async with self._database.write() as connection:
            await connection.execute(applied_files.delete().where(applied_files.c.path == path))
