"""Opening, migrating, transactions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from parlons.agents.connections import InstallationSettings
from parlons.errors import ConfigurationError, StoreError
from parlons.store import SecretKey, Store
from parlons.store.database import Database
from parlons.store.tables import metadata

from .conftest import KEY


async def test_migrations_make_exactly_the_tables_the_code_uses(url: str) -> None:
    database = await Database.open(url)

    def drift(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    async with database.read() as connection:
        assert await connection.run_sync(drift) == []
        names = await connection.run_sync(lambda c: set(sa.inspect(c).get_table_names()))
    await database.close()
    assert names == set(metadata.tables) | {"alembic_version"}


async def test_opening_again_keeps_what_is_there(store: Store, url: str) -> None:
    await store.settings.put(InstallationSettings(default_country="FR"))
    again = await Store.open(url, SecretKey(KEY))
    assert (await again.settings.get()).default_country == "FR"
    await again.close()


async def test_two_processes_opening_at_once_migrate_once(url: str) -> None:
    first, second = await asyncio.gather(Store.open(url, SecretKey(KEY)), Store.open(url, SecretKey(KEY)))
    await first.ping()
    await second.ping()
    await first.close()
    await second.close()


async def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    async def change_then_fail() -> None:
        async with store.transaction():
            await store.secrets.put("a", "1")
            await store.settings.put(InstallationSettings(default_country="FR"))
            assert await store.secrets.names() == ["a"]
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await change_then_fail()
    assert await store.secrets.names() == []
    assert (await store.settings.get()).default_country is None


async def test_another_task_is_not_in_the_transaction(store: Store) -> None:
    async with store.transaction():
        await store.secrets.put("a", "1")
        assert await asyncio.create_task(_names_outside(store)) == []


async def _names_outside(store: Store) -> list[str]:
    return await store.secrets.names()


async def test_writers_wait_for_each_other(store: Store) -> None:
    await asyncio.gather(*(store.secrets.put(f"n{i}", "x") for i in range(20)))
    assert len(await store.secrets.names()) == 20


async def test_sqlite_is_set_up_for_a_server(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/parlons.db")
    async with database.read() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    await database.close()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.mark.parametrize("address", ["nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
async def test_an_address_that_cannot_be_used_is_explained(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await Store.open(address, SecretKey(KEY))
    assert caught.value.hint


async def test_a_server_that_does_not_answer_is_explained_without_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        await Store.open("postgresql://u:s3cret@127.0.0.1:1/x", SecretKey(KEY))
    assert "s3cret" not in str(caught.value)
    assert "PARLONS_DATABASE_URL" in caught.value.hint


async def test_a_database_that_went_away_is_a_store_error_worth_trying_again(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/parlons.db", SecretKey(KEY))
    await store.ping()
    await store.close()
    (tmp_path / "parlons.db").write_bytes(b"")
    with pytest.raises(StoreError) as caught:
        await store.secrets.names()
    assert caught.value.retryable
    await store.close()
