"""Writing the index: a document's passages replaced, or removed, in one commit. Run by ``worker``, never by the server.

Writers of one data source take turns (a lock on a file beside the table), across processes too.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import IndexFailed
from .index import VECTOR, WORDS, connect, fold, table_name, text_index
from .passages import Passage

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from lancedb import AsyncConnection, AsyncTable

KEPT_FOR = timedelta(seconds=30)
"""Versions of before are removed once they are this old: no search takes as long."""


async def replace(
    folder: Path,
    source_id: str,
    language: str,
    document_id: str,
    version: int,
    passages: Sequence[Passage],
    vectors: Sequence[Sequence[float]] | None,
) -> bool:
    """Put a document's passages in the place of those it had.

    Returns:
        False when a later version is there already, which stays.

    Raises:
        IndexFailed: the disk is full, or the files are damaged.
    """
    if vectors is not None and len(vectors) != len(passages):
        raise ValueError("one vector for each passage")
    async with _writing(folder, source_id) as database:
        table = await _opened(database, source_id)
        size = len(vectors[0]) if vectors else 0
        await _fit_vectors(table, size)
        if await table.count_rows(f"document_id = '{document_id}' AND version > {version}"):
            return False
        data = await asyncio.to_thread(_rows, await table.schema(), language, document_id, version, passages, vectors)
        await (
            table.merge_insert("passage_id")
            .when_matched_update_all()
            .when_not_matched_insert_all()
            .when_not_matched_by_source_delete(f"document_id = '{document_id}'")
            .execute(data)
        )
        await _indexed(table, language)
        return True


async def remove(folder: Path, source_id: str, document_id: str) -> None:
    """Take a document's passages out. Raises IndexFailed."""
    async with _writing(folder, source_id) as database:
        if table_name(source_id) in await _names(database):
            table = await _opened(database, source_id)
            await table.delete(f"document_id = '{document_id}'")
            await table.optimize(cleanup_older_than=KEPT_FOR)


async def drop(folder: Path, source_id: str) -> None:
    """Remove a data source's whole table. Raises IndexFailed."""
    async with _writing(folder, source_id) as database:
        if table_name(source_id) in await _names(database):
            await database.drop_table(table_name(source_id))


@contextlib.asynccontextmanager
async def _writing(folder: Path, source_id: str) -> AsyncIterator[AsyncConnection]:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with (folder / f"{table_name(source_id)}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        database = await connect(folder)
        try:
            yield database
        except (OSError, RuntimeError) as error:  # LanceDB's own errors are RuntimeErrors
            raise IndexFailed(
                f"the index of the data source {source_id} cannot be written ({type(error).__name__}).",
                hint="Check that the disk of the data directory is not full.",
            ) from error
        finally:
            database.close()  # type: ignore[no-untyped-call]


async def _names(database: AsyncConnection) -> set[str]:
    return set((await database.list_tables(limit=100_000)).tables)


async def _opened(database: AsyncConnection, source_id: str) -> AsyncTable:
    name = table_name(source_id)
    if name in await _names(database):
        return await database.open_table(name)
    import pyarrow as pa

    text = ("passage_id", "document_id", "title", "position", "text", WORDS)
    schema = pa.schema([*(pa.field(column, pa.string()) for column in text), pa.field("version", pa.int32())])
    return await database.create_table(name, schema=schema)


async def _fit_vectors(table: AsyncTable, size: int) -> None:
    """The vector column holds vectors of this length; those of another length are of another model, and go."""
    if not size:
        return
    import pyarrow as pa

    schema = await table.schema()
    at = schema.get_field_index(VECTOR)
    if at >= 0 and schema.field(at).type.list_size == size:
        return
    if at >= 0:
        await table.drop_columns([VECTOR])
    await table.add_columns(pa.field(VECTOR, pa.list_(pa.float32(), size)))


def _rows(
    schema: pa.Schema,
    language: str,
    document_id: str,
    version: int,
    passages: Sequence[Passage],
    vectors: Sequence[Sequence[float]] | None,
) -> pa.Table:
    import pyarrow as pa

    rows: list[dict[str, Any]] = [
        {
            "passage_id": f"{document_id}/{number}",
            "document_id": document_id,
            "title": passage.title,
            "position": passage.position,
            "text": passage.text,
            WORDS: fold(f"{passage.title}\n{passage.position}\n{passage.text}", language),
            "version": version,
        }
        for number, passage in enumerate(passages)
    ]
    if schema.get_field_index(VECTOR) >= 0:
        for number, row in enumerate(rows):
            row[VECTOR] = None if vectors is None else list(vectors[number])
    return pa.Table.from_pylist(rows, schema=schema)


async def _indexed(table: AsyncTable, language: str) -> None:
    """Words are indexed as the language asks; rows that are not in the index yet are found all the same."""
    from lancedb.index import FTS

    name, options = text_index(language)
    known = [index.name for index in await table.list_indices() if WORDS in index.columns]
    if name not in known:
        await table.create_index(WORDS, config=FTS(**options), name=name, replace=True)
        for old in known:
            if old in [index.name for index in await table.list_indices()]:
                await table.drop_index(old)
    await table.optimize(cleanup_older_than=KEPT_FOR)
