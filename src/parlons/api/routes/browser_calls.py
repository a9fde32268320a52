"""``/v1/browser-calls``: a call to an agent from a browser. What comes of it is a call like any other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.errors import Conflict
from parlons.webrtc.service import Talk

from ..access import Caller
from ..bodies import Body, Id, Shape, answer, nothing, returns
from ..idempotency import Route
from ..services import Parts, Services
from ..talking import KeysPressed, TalkWanted, agent_for
from .calls import find

router = APIRouter(prefix="/v1/browser-calls", tags=["talking"], route_class=Route)


class BrowserCallWanted(TalkWanted):
    """A call from a browser."""

    sdp: Annotated[
        str,
        Field(
            min_length=1,
            max_length=20_000,
            description="the browser's offer, complete: one audio stream both ways, every candidate gathered",
        ),
    ]


class BrowserCallStarted(Shape):
    """A call from a browser, being connected."""

    id: Annotated[str, Field(description="of the call; follow GET /v1/calls/{id}/events")]
    sdp: Annotated[str, Field(description="the answer, for the browser")]


@router.post("", **returns(BrowserCallStarted, 201, 404))
async def start_browser_call(
    who: Caller, parts: Parts, body: Annotated[BrowserCallWanted, Depends(Body(BrowserCallWanted))]
) -> Response:
    """Call an agent from a browser, published or as its draft is stored. It answers once the browser is heard.

    At most 10 go on at a time. The call ends when the browser leaves, or sends nothing for six seconds.
    """
    live = await agent_for(parts, body.agent_id, draft=body.draft)
    call_id, sdp = await parts.browser_calls.begin(Talk(live, body.draft, body.caller, who.name), body.sdp)
    return await answer(BrowserCallStarted(id=call_id, sdp=sdp), 201, location=f"/v1/calls/{call_id}")


@router.post("/{call_id}/digits", **nothing(409))
async def press_in_browser_call(
    _who: Caller, parts: Parts, call_id: Id, body: Annotated[KeysPressed, Depends(Body(KeysPressed))]
) -> Response:
    """Press keys, as on a telephone."""
    if not parts.browser_calls.press(call_id, body.digits):
        await _refuse(parts, call_id)
        raise Conflict("the call is over already.")
    return Response(status_code=204)


@router.delete("/{call_id}", **nothing(409))
async def end_browser_call(_who: Caller, parts: Parts, call_id: Id) -> Response:
    """Hang up. One that is over already stays so."""
    if not parts.browser_calls.hang_up(call_id):
        await _refuse(parts, call_id)
    return Response(status_code=204)


async def _refuse(parts: Services, call_id: str) -> None:
    """Raises NotFound, or Conflict: it goes on, and does not come from a browser."""
    record = await find(parts, call_id)
    if record.ended_at is None:
        raise Conflict("this call does not come from a browser.", hint="Hang up with POST /v1/calls/{id}/hang-up.")
