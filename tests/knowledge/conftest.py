"""Databases as in tests/store, and a library whose web pages come from nowhere unless a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from parlons.agents.workflows import DataSource
from parlons.knowledge.embedding import EmbeddingSetup
from parlons.knowledge.library import Library
from parlons.knowledge.search import Searches
from parlons.store import Store
from parlons.store.knowledge import KnowledgeStore
from tests.store.conftest import postgres_database, postgres_server, store
from tests.support import postgres

__all__ = ["postgres_database", "postgres_server", "store"]

both_databases = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
"""For tests of what the database does; reading and searching are the same on both."""


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: SQLite unless the test is on both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/data/parlons.db"
    address: str = request.getfixturevalue("postgres_database")
    asyncio.run(postgres.execute(address, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    return address


class Room:
    """A store with one French data source called ``faq``, its library and its searches."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.records = KnowledgeStore.of(store)
        self.pages: dict[str, bytes | Exception] = {}
        self.embedding: EmbeddingSetup | None = None
        self.jobs: list[tuple[str, str, Mapping[str, Any]]] = []
        self.library = self.another()
        self.searches = Searches(self.library.index_folder)

    def another(self) -> Library:
        """A second library over the same data, as another process has."""
        return Library(
            self.records, self.store.data_sources.list, self.folder, self._fetch, self._embedding, self._submit
        )

    async def add(self, name: str, data: bytes, *, source: str = "faq", read: bool = True) -> Any:
        """Give a document, and have it read."""
        path = self.folder / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        given = await self.library.add_file(source, path)
        return await self.read(given) if read else given

    async def read(self, document: Any) -> Any:
        """Have a document read now; the row it has then."""
        assert await self.library.ingest(document.id, document.version) is None
        await self.refresh()
        return await self.records.get(document.id)

    async def refresh(self) -> None:
        await self.searches.refresh(await self.records.statuses(), self.embedding)

    async def texts(self, query: str, source: str = "faq", limit: int = 5) -> list[str]:
        return [found.text for found in await self.searches.search(source, query, limit)]

    async def _fetch(self, address: str) -> bytes:
        page = self.pages[address]
        if isinstance(page, Exception):
            raise page
        return page

    async def _embedding(self) -> EmbeddingSetup | None:
        return self.embedding

    async def _submit(self, kind: str, job_id: str, payload: Mapping[str, Any]) -> None:
        self.jobs.append((kind, job_id, payload))


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Room]:
    await store.data_sources.put("faq", DataSource(name="Questions", language="fr-FR"))
    made = Room(store, tmp_path / "knowledge")
    await made.refresh()
    yield made
    await made.searches.close()
