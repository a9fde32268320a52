"""``/v1/deliveries``: post-call workflows and the calls they were run for; what failed for good can be sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from parlons.store.deliveries import Delivery as Stored

from ..access import Reader, Writer
from ..bodies import Cursor, Id, Limit, Shape, answer, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/deliveries", tags=["workflows"], route_class=Route)

_Named = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class Delivery(Shape):
    """One post-call workflow for one call."""

    id: Annotated[str, Field(description="what its receiver is told in X-Parlons-Delivery")]
    call_id: str
    workflow_id: str
    status: Literal["due", "delivered", "failed"]
    attempts: int
    created_at: datetime
    updated_at: datetime
    next_at: Annotated[datetime | None, Field(description="of the next attempt")]
    error: Annotated[str, Field(description="why the last attempt failed")]


class DeliveryPage(Shape):
    """Deliveries, newest first."""

    items: list[Delivery]
    next_cursor: str | None


def _shape(stored: Stored) -> Delivery:
    return Delivery(**{name: getattr(stored, name) for name in Delivery.model_fields})


@router.get("", **returns(DeliveryPage))
async def list_deliveries(
    _who: Reader,
    parts: Parts,
    status: Annotated[Literal["due", "delivered", "failed"] | None, Query()] = None,
    workflow_id: _Named = None,
    call_id: _Named = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Deliveries, newest first."""
    found = await parts.store.deliveries.list(
        status=status, workflow_id=workflow_id, call_id=call_id, limit=limit, cursor=cursor
    )
    return await answer(DeliveryPage(items=[_shape(d) for d in found.deliveries], next_cursor=found.cursor))


@router.post("/{delivery_id}/resend", **returns(Delivery, 200, 409))
async def resend_delivery(who: Writer, parts: Parts, delivery_id: Id) -> Response:
    """Send a delivery that failed, or that waits for its next attempt, now. It keeps its id."""
    async with parts.store.transaction():
        stored = await parts.store.deliveries.resend(delivery_id, parts.clock())
        await note(parts, who, "delivery.resend", ("delivery", delivery_id))
    return await answer(_shape(stored))
