"""``/v1/calls``: what was said and done, live and afterwards; placing a call, hanging up, forgetting.

Lists of calls are in ``call_lists``.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, Field

from parlons.agents.common import Identifier, VariableName
from parlons.calls import initial_context
from parlons.calls.record import CallRecord
from parlons.calls.retention import forget
from parlons.calls.timeline import Actor, CallStatus, EndCode, Event, Kind
from parlons.errors import Conflict, InvalidDocument, NotFound
from parlons.store.calls import Erased

from ..access import Admin, Caller, Principal, Reader
from ..bodies import Body, Id, Shape, Wanted, answer, nothing, returns
from ..changes import note
from ..idempotency import Route
from ..problems import Forbidden
from ..services import Parts, Services

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Route)

HUNG_UP = "ended through the API"


class CallSummary(Shape):
    """A call in a list."""

    id: str
    direction: Literal["inbound", "outbound"]
    status: CallStatus
    agent_id: str | None
    agent_version: Annotated[int | None, Field(description="the version that the call started with, and keeps")]
    caller: Annotated[str, Field(description="E.164 when it can be read so; empty when withheld")]
    called: str
    anonymous: bool
    from_browser: Annotated[bool, Field(description="somebody tries the agent from the console or another page")]
    connection_id: str | None
    language: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: Actor | None
    end_reason: Annotated[str, Field(description="in English, with every detail")]
    end_code: Annotated[EndCode | None, Field(description="the same, to act on; null while the call is under way")]
    trigger: Annotated[str | None, Field(description="of the failover, when there was one")]
    failover_action: str | None
    failover_outcome: str | None
    has_recording: bool


class CallPage(Shape):
    """Calls, newest first."""

    items: list[CallSummary]
    next_cursor: str | None


class CallDetail(CallSummary):
    """A call with its variables."""

    sip_call_id: str
    context: dict[str, Any]


class TimelineEvent(Shape):
    """One thing that happened in a call."""

    number: Annotated[int, Field(description="from 1; also the id of a server-sent event")]
    at_ms: Annotated[int, Field(description="from the start of the call")]
    actor: Actor
    kind: Kind
    payload: Annotated[dict[str, Any], Field(description="depends on the kind")]


class CallTimeline(Shape):
    """What happened, in order."""

    items: list[TimelineEvent]


class Utterance(Shape):
    """What one side said."""

    at_ms: int
    actor: Actor
    text: str
    interrupted: Annotated[bool, Field(description="the agent was talked over; the text is what was heard")]


class CallTranscript(Shape):
    """What was said, in order. What was said in a sensitive step is not kept."""

    items: list[Utterance]


_Name = Annotated[VariableName, AfterValidator(initial_context.variable_name)]
_Value = Annotated[Any, AfterValidator(initial_context.value)]


class PlaceCall(Wanted):
    """A call to place."""

    agent_id: Identifier
    to: Annotated[
        str,
        Field(
            min_length=1,
            max_length=300,
            pattern=r"^[^\x00-\x20\x7f]+$",
            description="a number (E.164, or national in default_country) or a PBX extension; sip: URIs need admin",
            examples=["+33612345678"],
        ),
    ]
    sip_connection_id: Annotated[
        Identifier | None, Field(description="to call over; null: the agent's, else the installation's")
    ] = None
    context: Annotated[
        dict[_Name, _Value],
        Field(
            max_length=initial_context.MAX_VARIABLES,
            description="variables of this call: every template and the pre-call workflow see them, and what that "
            f"workflow gives wins; at most {initial_context.MAX_BYTES:,} bytes",
            examples=[{"first_name": "Zoé", "order": {"id": "A1"}}],
        ),
        AfterValidator(initial_context.variables),
    ] = {}


def summary_of(record: CallRecord) -> CallSummary:
    """A call as lists and events show it."""
    return CallSummary(**_values(record, CallSummary))


def _values(record: CallRecord, shape: type[CallSummary]) -> dict[str, Any]:
    names = [name for name in shape.model_fields if name != "has_recording"]
    return {name: getattr(record, name) for name in names} | {"has_recording": record.recording is not None}


def shape_of(number: int, event: Event) -> TimelineEvent:
    """An event as it is shown."""
    return TimelineEvent(number=number, at_ms=event.at_ms, actor=event.actor, kind=event.kind, payload=event.payload)


async def find(parts: Services, call_id: str) -> CallRecord:
    """A call under way as it stands now, else as it is stored. Raises NotFound."""
    live = parts.calls.get(call_id)
    if live is not None:
        return live.record
    try:
        record = await parts.store.calls.get(call_id)
        if record.ended_at is not None:
            return record
    except NotFound:
        pass
    await parts.flush()  # it was over a moment ago: its end, or all of it, is still on its way to the store
    return await parts.store.calls.get(call_id)


async def events_of(parts: Services, call_id: str) -> list[Event]:
    """What happened in a call so far. Raises NotFound."""
    live = parts.calls.get(call_id)
    if live is not None:
        return list(live.timeline.events)
    await find(parts, call_id)
    return await parts.store.calls.events(call_id)


@router.post("", **returns(CallDetail, 201, 409))
async def place_call(who: Caller, parts: Parts, body: Annotated[PlaceCall, Depends(Body(PlaceCall))]) -> Response:
    """Place a call with an agent. How it went is on the call: 201 only says that it began."""
    connection_id = body.sip_connection_id
    if body.to.lower().startswith(("sip:", "sips:")):
        if not who.may("admin"):
            raise Forbidden("only an administrator may call a SIP URI.", hint="Call a number, or an extension.")
        if connection_id is not None:
            problem = "a SIP URI is called directly: give a number or an extension to call over a SIP connection"
            raise InvalidDocument("the request", [("to", problem)])
    if connection_id is not None and connection_id not in await parts.store.connections.list():
        problem = f"there is no SIP connection {connection_id!r}"
        raise InvalidDocument("the request", [("sip_connection_id", problem)])
    try:
        call = await parts.calls.place(body.agent_id, body.to, body.context, connection_id)
    except NotFound as error:
        raise InvalidDocument("the request", [("agent_id", error.message)]) from error
    record = call.record
    noted = {"agent_id": body.agent_id, "to": body.to, "context": sorted(body.context)}  # names: values are people's
    await note(parts, who, "call.place", ("call", record.id), None, noted)
    shape = CallDetail(**_values(record, CallDetail))
    return await answer(shape, 201, location=f"/v1/calls/{record.id}")


@router.get("/{call_id}", **returns(CallDetail))
async def get_call(_who: Reader, parts: Parts, call_id: Id) -> Response:
    """One call, live or over."""
    return await answer(CallDetail(**_values(await find(parts, call_id), CallDetail)))


@router.get("/{call_id}/timeline", **returns(CallTimeline))
async def get_call_timeline(_who: Reader, parts: Parts, call_id: Id) -> Response:
    """Everything that happened in a call so far."""
    found = await events_of(parts, call_id)
    return await answer(await asyncio.to_thread(_timeline, found))


def _timeline(events: list[Event]) -> CallTimeline:
    return CallTimeline.model_construct(items=[shape_of(number, event) for number, event in enumerate(events, 1)])


@router.get("/{call_id}/transcript", **returns(CallTranscript))
async def get_call_transcript(_who: Reader, parts: Parts, call_id: Id) -> Response:
    """What both sides said so far."""
    return await answer(await asyncio.to_thread(_transcript, await events_of(parts, call_id)))


def _transcript(events: list[Event]) -> CallTranscript:
    items = [
        Utterance(
            at_ms=event.at_ms,
            actor=event.actor,
            text=str(event.payload.get("text", "")),
            interrupted=bool(event.payload.get("interrupted")),
        )
        for event in events
        if event.kind is Kind.TRANSCRIPT
    ]
    return CallTranscript.model_construct(items=items)


@router.post("/{call_id}/hang-up", **returns(CallDetail, 202, 409))
async def hang_up_call(who: Caller, parts: Parts, call_id: Id) -> Response:
    """End a call under way, politely: it is over a moment later."""
    call = parts.calls.get(call_id)
    if call is None:
        await find(parts, call_id)
        raise Conflict("the call is over already.")
    call.stop(HUNG_UP)
    await note(parts, who, "call.hang_up", ("call", call_id))
    return await answer(CallDetail(**_values(call.record, CallDetail)), 202)


@router.delete("/{call_id}", **nothing(409))
async def delete_call(who: Admin, parts: Parts, call_id: Id) -> Response:
    """Delete a call with its timeline, transcript and recording, for good. One under way has to end first."""
    if parts.calls.get(call_id) is not None:
        raise Conflict("the call is under way.", hint="Hang it up first.")
    await parts.flush()  # what is written later would bring it back
    await forget(_delete(parts, who, call_id), parts.recordings)
    return Response(status_code=204)


async def _delete(parts: Services, who: Principal, call_id: str) -> Erased:
    async with parts.store.transaction():
        erased = await parts.store.calls.delete(call_id)
        await note(parts, who, "call.delete", ("call", call_id))
    return erased
