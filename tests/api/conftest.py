"""A stage on SQLite for most tests; ``both`` is one on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parlons.store import SecretKey, Store
from tests.store.conftest import KEY, postgres_database, postgres_server, url

from .stage import Stage, opened

__all__ = ["postgres_database", "postgres_server", "url"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    store = await Store.open(f"sqlite:///{tmp_path}/parlons.db", SecretKey(KEY))
    async with opened(store, tmp_path) as made:
        yield made
    await store.close()


@pytest.fixture
async def both(url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    store = await Store.open(url, SecretKey(KEY))
    async with opened(store, tmp_path) as made:
        yield made
    await store.close()
