"""The store as the rest of Parlons uses it: one object, one repository for each kind of thing."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import sqlalchemy as sa

from ..agents.connections import SipConnection
from ..agents.workflows import DataSource, Workflow
from .access import KeyStore, SessionStore, UserStore
from .agents import AgentStore
from .applied import AppliedStore
from .audit import AuditStore
from .calls import CallStore
from .crypto import SecretKey
from .database import Database
from .deliveries import DeliveryStore
from .documents import ConnectionStore, DocumentStore, SecretStore, SettingsStore
from .idempotency import IdempotencyStore
from .knowledge import KnowledgeStore
from .runs import RunStore
from .sealing import connection_slots, no_slots, workflow_slots
from .tables import data_sources, sip_connections, workflows


class Store:
    """Everything kept in the database. Made by :meth:`open`; safe for concurrent use by tasks of one loop."""

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._database = database
        self.agents = AgentStore(database, key)
        self.connections = ConnectionStore(
            database, key, sip_connections, SipConnection, connection_slots, "SIP connection"
        )
        self.workflows = DocumentStore(database, key, workflows, Workflow, workflow_slots, "workflow")
        self.data_sources = DocumentStore(database, key, data_sources, DataSource, no_slots, "data source")
        self.settings = SettingsStore(database, key)
        self.secrets = SecretStore(database, key)
        self.calls = CallStore(database)
        self.runs = RunStore(database)
        self.deliveries = DeliveryStore(database)
        self.applied = AppliedStore(database)
        self.knowledge = KnowledgeStore(database)
        self.keys = KeyStore(database)
        self.users = UserStore(database)
        self.sessions = SessionStore(database)
        self.audit = AuditStore(database)
        self.idempotency = IdempotencyStore(database, key)

    @classmethod
    async def open(cls, url: str, key: SecretKey) -> Store:
        """Open a database and bring its tables up to date.

        Args:
            url: ``sqlite:///path/to/file.db`` or ``postgresql://user:password@host:port/name``.

        Raises:
            ConfigurationError: the address cannot be used.
            StoreError: the database does not answer.
        """
        return cls(await Database.open(url), key)

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All or nothing for everything done inside, by this task, through this store."""
        async with self._database.write():
            yield

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises StoreError."""
        async with self._database.read() as connection:
            await connection.execute(sa.select(1))
