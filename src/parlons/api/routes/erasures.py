"""``/v1/erasures``: forgetting somebody, by their number (specification, section 12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.calls.directory import as_e164
from parlons.calls.retention import forget
from parlons.calls.timeline import CallStatus
from parlons.errors import Conflict
from parlons.store.call_pages import CallFilter
from parlons.store.calls import Erased as Stored

from ..access import Admin, Principal
from ..bodies import Body, Shape, Wanted, answer, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts, Services

router = APIRouter(prefix="/v1/erasures", tags=["calls"], route_class=Route)


class Erasure(Wanted):
    """Whose calls to erase."""

    number: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["+33612345678"])
    ]


class Erased(Shape):
    """What is gone."""

    number: Annotated[str, Field(description="as it was read")]
    calls: int
    recordings: int


@router.post("", **returns(Erased, 200, 409))
async def erase_number(who: Admin, parts: Parts, body: Annotated[Erasure, Depends(Body(Erasure))]) -> Response:
    """Delete every call from or to a person's number, with timelines, transcripts and recordings, for good."""
    number = as_e164(body.number, (await parts.store.settings.get()).default_country) or body.number
    await parts.flush()  # what is written later would bring it back
    wanted = CallFilter(number=number, status=CallStatus.IN_PROGRESS)
    open_calls = await parts.store.calls.list(wanted, limit=500)
    if any(parts.calls.get(record.id) is not None for record in open_calls.calls):
        raise Conflict("a call with this number is under way.", hint="Hang it up first, then erase.")
    erased = await forget(_erase(parts, who, number), parts.recordings)
    return await answer(Erased(number=number, calls=erased.calls, recordings=len(erased.recordings)))


async def _erase(parts: Services, who: Principal, number: str) -> Stored:
    async with parts.store.transaction():
        erased = await parts.store.calls.erase_number(number)
        # not the number itself: the log would be the one place that still remembers it
        await note(parts, who, "calls.erase_number", ("calls", ""), None, {"calls": erased.calls})
    return erased
