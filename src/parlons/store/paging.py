"""Cursors of lists that are read newest first: where a page ended, as text that a caller hands back."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import sqlalchemy as sa

from ..errors import ConfigurationError

MAX_PAGE = 500


def bounded(limit: int) -> int:
    """A page's size: 1 to :data:`MAX_PAGE`."""
    return max(1, min(limit, MAX_PAGE))


def make_cursor(at: datetime, row_id: str) -> str:
    """The cursor after this row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def after(cursor: str, at: sa.Column[datetime], row_id: sa.Column[str]) -> sa.ColumnElement[bool]:
    """The rows that come after a cursor. Raises ConfigurationError when it is not one of ours."""
    try:
        last, last_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|", 1)
        moment = datetime.fromisoformat(last).astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: a moment before the first year
        raise ConfigurationError("the cursor is not one that a list gave.") from None
    return sa.or_(at < moment, sa.and_(at == moment, row_id < last_id))
