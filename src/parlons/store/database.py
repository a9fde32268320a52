"""One database, SQLite or PostgreSQL: opening, migrating, transactions. Knows no table's meaning."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ..errors import ConfigurationError, StoreError
from .tables import dump_json

BUSY_SECONDS = 10
"""How long a writer of SQLite waits for another."""

_MIGRATION_LOCK = 0x5061726C  # any number that nothing else uses: workers that start together migrate one by one


_PASSING_STATES = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes that pass: connection, rollback, resources, locks, operator, system."""

_Current = tuple[asyncio.Task[Any] | None, AsyncConnection]


class Database:
    """Transactions over one engine. A transaction opened inside another, in the same task, is part of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(writes=True)
        self._current: ContextVar[_Current | None] = ContextVar("current_connection", default=None)
        self.postgres = engine.dialect.name == "postgresql"

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and bring the tables up to date.

        Raises:
            ConfigurationError: the address cannot be used.
            StoreError: the database does not answer, or refuses the migrations.
        """
        engine = _engine(url)
        database = cls(engine)
        try:
            async with database.write() as connection:
                await connection.run_sync(_migrate)
        except (StoreError, DBAPIError) as error:
            await engine.dispose()
            cause = getattr(error.__cause__ or error, "orig", None) or error.__cause__ or error
            raise StoreError(
                f"the database {engine.url.render_as_string(hide_password=True)} cannot be used: {cause}",
                hint="Check PARLONS_DATABASE_URL, that the server runs, and that the directory is writable.",
            ) from error
        return database

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with; one consistent view on SQLite. Raises StoreError."""
        if (current := self._joined()) is not None:
            yield current
            return
        async with _begin(self._engine) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all or nothing. On SQLite it takes the write lock at once, so it cannot fail half-way.

        Raises:
            StoreError: the database is away, full or locked for too long; trying again may work.
        """
        if (current := self._joined()) is not None:
            yield current
            return
        async with _begin(self._writing) as connection:
            token = self._current.set((asyncio.current_task(), connection))
            try:
                yield connection
            finally:
                self._current.reset(token)

    def _joined(self) -> AsyncConnection | None:
        """The connection of the transaction this task is in; a task started inside it is not in it."""
        current = self._current.get()
        return current[1] if current is not None and current[0] is asyncio.current_task() else None

    async def lock(self, connection: AsyncConnection, table: sa.Table) -> None:
        """Keep other writers of a table out until the transaction ends (SQLite's writers are alone anyway)."""
        if self.postgres:
            await connection.execute(sa.text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


@contextlib.asynccontextmanager
async def _begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction whose failures that may pass are StoreError; what the database refuses for good stays as it is."""
    try:
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.begin())
            except OSError as error:  # not in the body, where it may be anybody's
                raise _away(error) from error
            yield connection
    except (ConnectionError, PoolTimeout) as error:
        raise _away(error) from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or isinstance(error, OperationalError) or state.startswith(_PASSING_STATES):
            raise _away(error) from error
        raise


def _away(error: Exception) -> StoreError:
    return StoreError(
        f"the database does not do its work now ({type(error).__name__}).",
        hint="Check that it runs, that its disk is not full, and that nothing holds a lock.",
    )


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "the database address does not parse.",
            hint="Use sqlite:///path/to/file.db or postgresql://user:password@host/name.",
        ) from None
    options: dict[str, Any] = {"json_serializer": dump_json}
    if parsed.drivername in ("postgres", "postgresql", "postgresql+asyncpg"):
        parsed = parsed.set(drivername="postgresql+asyncpg")
        return create_async_engine(parsed, pool_pre_ping=True, **options)
    if parsed.drivername in ("sqlite", "sqlite+aiosqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigurationError("SQLite needs a file.", hint="Use sqlite:///path/to/file.db.")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        parsed = parsed.set(drivername="sqlite+aiosqlite")
        connect = {"timeout": BUSY_SECONDS, "isolation_level": None}
        engine = create_async_engine(parsed, connect_args=connect, **options)
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    raise ConfigurationError(
        f"{parsed.drivername} is not a database Parlons can use.", hint="Use SQLite or PostgreSQL."
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """The driver's own transactions are off: they begin too late, and a reader that turns writer fails at once."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
