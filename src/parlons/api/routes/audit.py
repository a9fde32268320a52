"""``/v1/audit``: who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from parlons.errors import InvalidDocument

from ..access import Admin
from ..bodies import Cursor, Limit, Shape, answer, returns
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=Route)

_Text = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
_MAX_ID = 2**63 - 1


class AuditChange(Shape):
    """One value that changed. A secret is told of and never shown."""

    path: Annotated[str, Field(examples=["providers.llm[0].model"])]
    before: Any
    after: Any


class AuditEntry(Shape):
    """One change."""

    id: int
    at: datetime
    actor_kind: Annotated[Literal["user", "key", "admin_key"], Field(description="admin_key: PARLONS_ADMIN_KEY")]
    actor_id: str
    actor_name: str
    action: Annotated[str, Field(examples=["agent.publish"])]
    target_kind: Annotated[str, Field(examples=["agent"])]
    target_id: str
    changes: list[AuditChange]


class AuditPage(Shape):
    """Changes, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


@router.get("", **returns(AuditPage))
async def list_audit(
    _who: Admin,
    parts: Parts,
    actor_id: _Text = None,
    target_kind: _Text = None,
    target_id: _Text = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Who changed what, newest first."""
    before = _before(cursor)
    found = await parts.store.audit.list(
        actor_id=actor_id, target_kind=target_kind, target_id=target_id, before=before, limit=limit + 1
    )
    fields = AuditEntry.model_fields
    items = [AuditEntry.model_validate({name: getattr(entry, name) for name in fields}) for entry in found[:limit]]
    following = str(items[-1].id) if len(found) > limit else None
    return await answer(AuditPage(items=items, next_cursor=following))


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit()) or int(cursor[:20]) > _MAX_ID:
        raise InvalidDocument("the request", [("query.cursor", "is not one that this list gave")])
    return int(cursor)
