"""The documents of data sources in the database: which version was given, which one searches find, how far reading is.

The files themselves and their passages are the knowledge room's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from ..errors import NotFound
from .database import Database
from .tables import data_sources, documents

if TYPE_CHECKING:
    from .store import Store

DocumentState = Literal["waiting", "reading", "ready", "refused"]
SourceState = Literal["empty", "indexing", "ready", "error"]
MAX_ERROR = 1_000


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One document of a data source.

    Args:
        name: unique in its source; the URL of a web page, a file's name otherwise.
        size: bytes as given; 0 for a page not fetched yet.
        version: what was given last, from 1.
        readable: the version that searches find; 0 when none.
        progress: percent of the reading of ``version``.
        passages: of the version that searches find.
        made_with: language and embedding model of the passages that searches find.
        error: why ``version`` was refused, for a person.
    """

    id: str
    source_id: str
    name: str
    url: str | None
    size: int
    sha256: str
    version: int
    readable: int
    state: DocumentState
    progress: int
    passages: int
    made_with: str
    error: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A data source as a whole. ``pending``: documents given and not read yet; ``refused``: that could not be read."""

    state: SourceState
    documents: int
    passages: int
    pending: int
    refused: int


class KnowledgeStore:
    """One row a document."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def of(cls, store: Store) -> KnowledgeStore:
        """The documents of an opened store."""
        return cls(store._database)

    async def give(
        self, source_id: str, name: str, *, size: int, sha256: str, url: str | None = None
    ) -> StoredDocument:
        """A document was given, new or in place of the one of its name: its next version waits to be read.

        What was given before with the same content, and is read or waits to be, stays as it is; a web page is always
        read anew.

        Raises:
            NotFound: no such data source.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, documents)
            found = sa.select(data_sources.c.id).where(data_sources.c.id == source_id)
            if (await connection.execute(found)).one_or_none() is None:
                raise NotFound(f"there is no data source {source_id!r}.")
            query = sa.select(documents).where(documents.c.source_id == source_id, documents.c.name == name)
            row = (await connection.execute(query)).one_or_none()
            now = datetime.now(UTC)
            if row is None:
                values: dict[str, Any] = {
                    "id": secrets.token_hex(8),
                    "source_id": source_id,
                    "name": name,
                    "url": url,
                    "size": size,
                    "sha256": sha256,
                    "version": 1,
                    "readable": 0,
                    "state": "waiting",
                    "progress": 0,
                    "passages": 0,
                    "made_with": "",
                    "error": "",
                    "created_at": now,
                    "updated_at": now,
                }
                await connection.execute(documents.insert().values(values))
                return StoredDocument(**values)
            known = _stored(row)
            if url is None and known.sha256 == sha256 and known.state != "refused":
                return known
            changed = {"url": url, "size": size, "sha256": sha256, "version": known.version + 1, **_AGAIN}
            return await self._change(connection, known, changed, now)

    async def again(self, document_id: str) -> StoredDocument:
        """Have a document read once more, as a new version of the same content. Raises NotFound."""
        async with self._database.write() as connection:
            await self._database.lock(connection, documents)
            known = await self._one(connection, document_id)
            changed = {"version": known.version + 1, **_AGAIN}
            return await self._change(connection, known, changed, datetime.now(UTC))

    async def progress(self, document_id: str, version: int, percent: int) -> bool:
        """A version is being read. Returns whether it is still the one to read."""
        return await self._update(document_id, version, {"state": "reading", "progress": percent})

    async def read(self, document_id: str, version: int, *, passages: int, made_with: str) -> bool:
        """Searches find this version from now on."""
        values = {"state": "ready", "progress": 100, "passages": passages, "made_with": made_with, "error": ""}
        return await self._update(document_id, version, {**values, "readable": version})

    async def refuse(self, document_id: str, version: int, error: str) -> bool:
        """This version cannot be read; searches find the one before it, if any."""
        return await self._update(document_id, version, {"state": "refused", "error": error[:MAX_ERROR]})

    async def get(self, document_id: str) -> StoredDocument:
        """One document. Raises NotFound."""
        async with self._database.read() as connection:
            return await self._one(connection, document_id)

    async def find(self, document_id: str) -> StoredDocument | None:
        """One document, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(documents).where(documents.c.id == document_id))).one_or_none()
        return None if row is None else _stored(row)

    async def list(self, source_id: str | None = None) -> Sequence[StoredDocument]:
        """Documents by source and name, of one source or all."""
        query = sa.select(documents).order_by(documents.c.source_id, documents.c.name)
        if source_id is not None:
            query = query.where(documents.c.source_id == source_id)
        async with self._database.read() as connection:
            return [_stored(row) for row in (await connection.execute(query)).all()]

    async def delete(self, document_id: str) -> None:
        """Forget a document. Raises NotFound."""
        async with self._database.write() as connection:
            gone = await connection.execute(documents.delete().where(documents.c.id == document_id))
        if not gone.rowcount:
            raise _missing(document_id)

    async def statuses(self) -> dict[str, SourceStatus]:
        """Every data source's state, by id.

        A source is ``ready`` as soon as one document can be searched, also while others are read anew: calls go on
        with what there is.
        """
        async with self._database.read() as connection:
            sources = (await connection.execute(sa.select(data_sources.c.id))).scalars().all()
            rows = (
                await connection.execute(
                    sa.select(documents.c.source_id, documents.c.state, documents.c.readable, documents.c.passages)
                )
            ).all()
        by_source: dict[str, list[Any]] = {source: [] for source in sources}
        for row in rows:
            by_source.setdefault(row.source_id, []).append(row)
        return {source: _status(found) for source, found in by_source.items()}

    # -- inside ------------------------------------------------------------------------------------------------

    async def _update(self, document_id: str, version: int, values: dict[str, Any]) -> bool:
        """Change a row if its version is still this one: what was given meanwhile is not marked by an older reading."""
        query = documents.update().where(documents.c.id == document_id, documents.c.version == version)
        async with self._database.write() as connection:
            changed = await connection.execute(query.values(**values, updated_at=datetime.now(UTC)))
        return bool(changed.rowcount)

    @staticmethod
    async def _change(connection: Any, known: StoredDocument, values: dict[str, Any], now: datetime) -> StoredDocument:
        values = {**values, "updated_at": now}
        await connection.execute(documents.update().where(documents.c.id == known.id).values(**values))
        return StoredDocument(**{**{f.name: getattr(known, f.name) for f in fields(known)}, **values})

    @staticmethod
    async def _one(connection: Any, document_id: str) -> StoredDocument:
        row = (await connection.execute(sa.select(documents).where(documents.c.id == document_id))).one_or_none()
        if row is None:
            raise _missing(document_id)
        return _stored(row)


_AGAIN: dict[str, Any] = {"state": "waiting", "progress": 0, "error": ""}


def _status(rows: Sequence[Any]) -> SourceStatus:
    searched = [row for row in rows if row.readable]
    pending = sum(row.state in ("waiting", "reading") for row in rows)
    state: SourceState
    if searched:
        state = "ready"
    elif pending:
        state = "indexing"
    else:
        state = "error" if rows else "empty"
    refused = sum(row.state == "refused" for row in rows)
    return SourceStatus(state, len(rows), sum(row.passages for row in searched), pending, refused)


def _stored(row: Any) -> StoredDocument:
    return StoredDocument(**{field.name: getattr(row, field.name) for field in fields(StoredDocument)})


def _missing(document_id: str) -> NotFound:
    return NotFound(f"there is no document {document_id!r}.", hint="See `parlons knowledge list`.")
