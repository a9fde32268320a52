"""The same tests on SQLite and on PostgreSQL. PostgreSQL is not optional: without it the tests fail and say so."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parlons.store import SecretKey, Store
from tests.support import postgres

KEY = "a key for tests only, long enough"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    name = f"parlons_test_{os.getpid()}_{secrets.token_hex(3)}"
    asyncio.run(postgres.execute(f"{postgres_server}/postgres", f"CREATE DATABASE {name}"))
    yield f"{postgres_server}/{name}"
    asyncio.run(postgres.execute(f"{postgres_server}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/parlons.db"
    address: str = request.getfixturevalue("postgres_database")
    asyncio.run(postgres.execute(address, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    return address


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url, SecretKey(KEY))
    yield opened
    await opened.close()


async def cut_connections(address: str) -> None:
    """What an operator's restart does to everybody connected."""
    server, _, name = address.rpartition("/")
    await postgres.execute(
        f"{server}/postgres",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )
