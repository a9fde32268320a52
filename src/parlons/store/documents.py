"""SIP connections, workflows, data sources, the settings and named secrets in the database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from ..agents.connections import InstallationSettings, SipConnection
from ..agents.problems import validate
from ..errors import NotFound
from .crypto import SecretKey
from .database import Database
from .sealing import Slots, put_back, settings_slots, take_out
from .tables import secrets, settings

Model = TypeVar("Model", bound=BaseModel)


class DocumentStore(Generic[Model]):
    """Documents of one kind, by id. Stored secrets are read as ``KEPT``; saving ``KEPT`` keeps them."""

    def __init__(
        self, database: Database, key: SecretKey, table: sa.Table, model: type[Model], slots: Slots, noun: str
    ) -> None:
        self._database = database
        self._key = key
        self._table = table
        self._model = model
        self._slots = slots
        self.noun = noun

    async def list(self) -> dict[str, Model]:
        """Every document, by id."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(self._table).order_by(self._table.c.id))).all()
        return await asyncio.to_thread(lambda: {row.id: self._model.model_validate(row.document) for row in rows})

    async def all_in_clear(self) -> dict[str, Model]:
        """Every document with its secrets in clear, by id, for those who use them. Raises SecretUnreadable."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(self._table))).all()
        return await asyncio.to_thread(lambda: {row.id: self._in_clear(row) for row in rows})

    async def get(self, document_id: str) -> Model:
        """One document. Raises NotFound."""
        return self._model.model_validate((await self._row(document_id)).document)

    async def revision(self, document_id: str) -> int:
        """How many times it was changed; 0 when it does not exist."""
        query = sa.select(self._table.c.revision).where(self._table.c.id == document_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() or 0

    async def put(self, document_id: str, document: Model) -> int:
        """Store a document, new or not, and return its revision.

        Raises:
            InvalidDocument: a secret is to be kept, and none is stored.
        """
        data = document.model_dump(mode="json", by_alias=True)
        values: dict[str, Any] = {"document": data, "updated_at": datetime.now(UTC)}
        async with self._database.write() as connection:
            await self._database.lock(connection, self._table)
            query = sa.select(self._table).where(self._table.c.id == document_id)
            found = (await connection.execute(query)).one_or_none()
            stored = found.secrets if found else None
            values["secrets"] = take_out(data, self._slots, self._key, stored, f"{self.noun} {document_id}")
            values["revision"] = (found.revision if found else 0) + 1
            if found is None:
                await connection.execute(self._table.insert().values(id=document_id, **values))
            else:
                await connection.execute(self._table.update().where(self._table.c.id == document_id).values(**values))
        return int(values["revision"])

    async def delete(self, document_id: str) -> None:
        """Remove a document. Raises NotFound."""
        async with self._database.write() as connection:
            gone = await connection.execute(self._table.delete().where(self._table.c.id == document_id))
        if not gone.rowcount:
            raise self._missing(document_id)

    async def in_clear(self, document_id: str) -> Model:
        """One document with its secrets in clear, for those who use them: never for an answer to a person.

        Raises:
            NotFound, SecretUnreadable.
        """
        return self._in_clear(await self._row(document_id))

    def _in_clear(self, row: Any) -> Model:
        put_back(row.document, self._slots, self._key, row.secrets)
        return validate(self._model, row.document, f"{self.noun} {row.id}")

    async def _row(self, document_id: str) -> Any:
        query = sa.select(self._table).where(self._table.c.id == document_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise self._missing(document_id)
        return row

    def _missing(self, document_id: str) -> NotFound:
        return NotFound(f"there is no {self.noun} {document_id!r}.")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A SIP connection's secrets in clear. Not shown when printed by mistake."""

    username: str | None
    password: str | None
    inbound_username: str | None
    inbound_password: str | None

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, inbound_username={self.inbound_username!r})"


class ConnectionStore(DocumentStore[SipConnection]):
    """SIP connections, and their credentials for telephony."""

    async def credentials(self, connection_id: str) -> Credentials:
        """User names and passwords in clear; a ``${NAME}`` that is not set is None.

        Raises:
            NotFound, SecretUnreadable.
        """
        row = await self._row(connection_id)
        put_back(row.document, self._slots, self._key, row.secrets)
        names = ("username", "password", "inbound_username", "inbound_password")
        return Credentials(*(row.document.get(name) for name in names))


class SettingsStore:
    """The installation's settings: one document, the defaults until it is saved."""

    _ID = "installation"

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._documents = DocumentStore(database, key, settings, InstallationSettings, settings_slots, "settings")

    async def get(self) -> InstallationSettings:
        """What is stored, or the defaults."""
        try:
            return await self._documents.get(self._ID)
        except NotFound:
            return InstallationSettings()

    async def in_clear(self) -> InstallationSettings:
        """The same with secrets in clear, for those who use them. Raises SecretUnreadable."""
        try:
            return await self._documents.in_clear(self._ID)
        except NotFound:
            return InstallationSettings()

    async def put(self, value: InstallationSettings) -> int:
        """Store them, and return their revision."""
        return await self._documents.put(self._ID, value)

    async def revision(self) -> int:
        """How many times they were changed; 0 when never."""
        return await self._documents.revision(self._ID)


class SecretStore:
    """Named secrets for workflows, encrypted."""

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._database = database
        self._key = key

    async def put(self, name: str, value: str) -> None:
        """Store a secret under a name, in place of the one it had."""
        row = {"sealed": self._key.seal(value), "updated_at": datetime.now(UTC)}
        async with self._database.write() as connection:
            await self._database.lock(connection, secrets)
            changed = await connection.execute(secrets.update().where(secrets.c.name == name).values(row))
            if not changed.rowcount:
                await connection.execute(secrets.insert().values(name=name, **row))

    async def get(self, name: str) -> str:
        """A secret in clear. Raises NotFound, SecretUnreadable."""
        async with self._database.read() as connection:
            sealed = (await connection.execute(sa.select(secrets.c.sealed).where(secrets.c.name == name))).scalar()
        if sealed is None:
            raise NotFound(f"there is no secret {name!r}.")
        return self._key.open(sealed)

    async def all_in_clear(self) -> dict[str, str]:
        """Every secret, by name. Raises SecretUnreadable."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(secrets.c.name, secrets.c.sealed))).all()
        return {row.name: self._key.open(row.sealed) for row in rows}

    async def names(self) -> list[str]:
        """The names, sorted; never the values."""
        async with self._database.read() as connection:
            return list((await connection.execute(sa.select(secrets.c.name).order_by(secrets.c.name))).scalars())

    async def delete(self, name: str) -> None:
        """Remove a secret. Raises NotFound."""
        async with self._database.write() as connection:
            gone = await connection.execute(secrets.delete().where(secrets.c.name == name))
        if not gone.rowcount:
            raise NotFound(f"there is no secret {name!r}.")
