"""A store for configuration tests; the databases are covered by the store's own tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parlons.store import SecretKey, Store


@pytest.fixture
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    folder: Path = tmp_path_factory.mktemp("data")
    opened = await Store.open(f"sqlite:///{folder}/parlons.db", SecretKey("a key for tests only, long enough"))
    yield opened
    await opened.close()
