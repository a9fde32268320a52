"""Calls: codes of how they ended, which came from a browser, and indexes that find those of a number, newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("end_code", sa.String(length=32), nullable=True))
    from_browser = sa.Column("from_browser", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("calls", from_browser)
    op.drop_index(op.f("ix_calls_caller"), "calls")
    op.drop_index(op.f("ix_calls_called"), "calls")
    op.create_index(op.f("ix_calls_caller_started_at_id"), "calls", ["caller", "started_at", "id"])
    op.create_index(op.f("ix_calls_called_started_at_id"), "calls", ["called", "started_at", "id"])
    op.create_index(op.f("ix_calls_trigger_started_at_id"), "calls", ["trigger", "started_at", "id"])
