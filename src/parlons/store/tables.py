"""The tables, as SQLAlchemy Core sees them. Migrations bring a database here; a test compares the two."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times, stored in UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def dump_json(value: object) -> str:
    """JSON for columns; what is not JSON (a date, an enumeration) is written as text rather than lost."""
    return json.dumps(value, default=str)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("draft", sa.JSON, nullable=False),
    sa.Column("draft_secrets", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("live_version", sa.Integer),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

agent_versions = sa.Table(
    "agent_versions",
    metadata,
    sa.Column("agent_id", sa.String(64), sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("secrets", sa.Text),
    sa.Column("published_at", UtcDateTime, nullable=False),
)


def _documents(name: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("secrets", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )


sip_connections = _documents("sip_connections")
workflows = _documents("workflows")
data_sources = _documents("data_sources")
settings = _documents("settings")
"""One row, ``id`` ``installation``."""

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("agent_id", sa.String(64)),
    sa.Column("agent_version", sa.Integer),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("called", sa.Text, nullable=False),
    sa.Column("anonymous", sa.Boolean, nullable=False),
    sa.Column("connection_id", sa.String(64)),
    sa.Column("sip_call_id", sa.Text, nullable=False),
    sa.Column("language", sa.String(32), nullable=False),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ended_by", sa.String(16)),
    sa.Column("end_reason", sa.Text, nullable=False),
    sa.Column("trigger", sa.Text),
    sa.Column("failover_action", sa.Text),
    sa.Column("failover_outcome", sa.Text),
    sa.Column("recording", sa.Text),
    sa.Column("context", sa.JSON, nullable=False),
    sa.Index(None, "started_at", "id"),
    sa.Index(None, "agent_id", "started_at"),
    sa.Index(None, "status", "started_at"),
    sa.Index(None, "caller"),
    sa.Index(None, "called"),
)

call_events = sa.Table(
    "call_events",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("call_id", sa.String(64), sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at_ms", sa.Integer, nullable=False),
    sa.Column("actor", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Index(None, "call_id", "id"),
)

applied_files = sa.Table(
    "applied_files",
    metadata,
    sa.Column("path", sa.String(160), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("applied_at", UtcDateTime, nullable=False),
)
