"""``/v1/agents/{id}/failover/try`` and ``/speech``: what a caller would get, heard before anybody has to.

What is tried is the failover that calls use, or one that is not saved yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, ValidationError

from parlons.agents.common import SpokenText
from parlons.agents.models import Agent, Failover, FailoverMessage
from parlons.agents.problems import problems_of
from parlons.agents.publishing import with_failover
from parlons.calls.directory import LiveAgent
from parlons.calls.failover_table import Trigger
from parlons.calls.rehearsal import Fate, Rehearsal
from parlons.calls.timeline import Actor, CallStatus
from parlons.errors import Conflict, InvalidDocument, NotFound

from .. import references
from ..access import Reader, Writer
from ..bodies import PROBLEMS, Body, Id, Shape, Wanted, answer, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts, Services
from .calls import TimelineEvent, shape_of

router = APIRouter(prefix="/v1/agents/{agent_id}/failover", tags=["agents"], route_class=Route)

LOOK_SECONDS = 0.5
"""How often it is looked whether whoever asked is still there."""
Result = TypeVar("Result")
Spoken = Literal["message", "default_error_message", "installation_error_message"]
_WAV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Mono, 8000 samples a second, as telephones have it",
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_AUDIO: dict[str, Any] = {"response_class": Response, "responses": _WAV}


class FailoverTry(Wanted):
    """What to let fail, and what of the failover tab is not saved yet."""

    trigger: Trigger
    destination: Annotated[Fate, Field(description="what whoever is rung does; no telephone rings")] = "answered"
    failover: Annotated[Failover | None, Field(description="one that is not saved yet; none: what calls use")] = None
    default_error_message: Annotated[SpokenText | None, Field(description="counts together with failover")] = None


class WorkflowRan(Shape):
    """A failover workflow that really ran; see its runs."""

    workflow_id: str
    run_id: str


class FailoverTried(Shape):
    """What a caller would have got."""

    trigger: Trigger
    agent_answers: Annotated[bool, Field(description="this failover is off: the agent speaks, without what failed")]
    installation_on: Annotated[bool, Field(description="the installation's switch; it was tried as if it were on")]
    status: CallStatus
    action: Literal["message", "transfer", "workflow"] | None
    outcome: Annotated[str | None, Field(description="as on a call: failover_outcome")]
    ended_by: Actor | None
    end_reason: str
    cut_short: Annotated[bool, Field(description="it went on for longer than is recorded")]
    seconds: Annotated[float, Field(description="of what the caller hears")]
    audio_id: Annotated[str | None, Field(description="kept for ten minutes; null: the caller hears nothing of ours")]
    events: list[TimelineEvent]
    runs: list[WorkflowRan]


@router.post("/try", **returns(FailoverTried, 200, 409, 502))
async def try_failover(
    request: Request, who: Writer, parts: Parts, agent_id: Id, body: Annotated[FailoverTry, Depends(Body(FailoverTry))]
) -> Response:
    """Let a call fail, and record what its caller hears: up to half a minute, by the code that calls run. Destinations
    are played and no telephone rings; a failover workflow really runs. No call is made of it, and two at a time are
    tried.
    """
    live = await _agent(parts, agent_id)
    if live.agent.direction != "inbound":
        raise Conflict("failover is for inbound agents.", hint="An outbound agent that cannot talk dials nothing.")
    if body.failover is not None:
        live = await _changed(parts, live, body.failover, body.default_error_message)
    await note(parts, who, "agent.try_failover", ("agent", agent_id), None, {"trigger": body.trigger.value})
    tried = await _while_wanted(request, parts.rehearsals.play(live, body.trigger, body.destination))
    for workflow_id, run in tried.runs:
        await parts.store.runs.add(workflow_id, None, run)
    return await answer(_tried(body.trigger, tried, parts.calls.directory.settings.failover_enabled))


@router.get("/try/{audio_id}", **_AUDIO)
async def get_tried_audio(_who: Reader, parts: Parts, agent_id: Id, audio_id: Id) -> Response:
    """What the caller of a try hears."""
    return _wav(parts.rehearsals.audio(agent_id, audio_id))


@router.post("/speech", openapi_extra={PROBLEMS: [409]}, **_AUDIO)
async def speak_message(
    request: Request, _who: Writer, parts: Parts, agent_id: Id, body: Annotated[SpokenText, Depends(Body(SpokenText))]
) -> Response:
    """A message that is not saved yet, in the voice that callers would hear it in."""
    live = await _agent(parts, agent_id)
    return _wav(await _while_wanted(request, parts.rehearsals.speech(live.agent, body)))


@router.get("/speech/{which}", openapi_extra={PROBLEMS: [409]}, **_AUDIO)
async def get_spoken_message(request: Request, _who: Reader, parts: Parts, agent_id: Id, which: Spoken) -> Response:
    """A message that is saved, as callers hear it: what the failover says, the default error message that counts for
    this agent, or the one that would if the agent had none of its own.
    """
    agent = (await _agent(parts, agent_id)).agent
    said: SpokenText | None = parts.calls.directory.settings.default_error_message
    if which == "message":
        if not isinstance(agent.failover.action, FailoverMessage):
            raise NotFound("the failover of this agent says no message.")
        said = agent.failover.action
    elif which == "default_error_message":
        said = agent.default_error_message or said
    return _wav(await _while_wanted(request, parts.rehearsals.speech(agent, said)))


def _wav(audio: bytes) -> Response:
    return Response(audio, media_type="audio/wav")


async def _agent(parts: Services, agent_id: str) -> LiveAgent:
    """What calls use; the draft when it was never published. Raises NotFound."""
    found = await parts.store.agents.live(agent_id)
    if found is not None:
        return LiveAgent(agent_id, found[1], found[0])
    return LiveAgent(agent_id, 0, await parts.store.agents.draft_in_clear(agent_id))


async def _changed(
    parts: Services, live: LiveAgent, failover: Failover, default_error_message: SpokenText | None
) -> LiveAgent:
    """With a failover that is not saved. Raises InvalidDocument: it could not be."""
    try:
        agent: Agent = with_failover(live.agent, failover, default_error_message)
    except ValidationError as error:
        raise InvalidDocument("the request", problems_of(error, {})) from error
    named = [found for found in await references.problems_of(parts.store, agent) if found[0].startswith("failover.")]
    if named:
        raise InvalidDocument("the request", named)
    return LiveAgent(live.id, live.version, agent)


async def _while_wanted(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The work's result; cancelled when whoever asked has gone. Raises what it raises."""
    working = asyncio.ensure_future(work)
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=LOOK_SECONDS)
            if not working.done() and await request.is_disconnected():
                raise Conflict("nobody waits for it any more.")
        return working.result()
    finally:
        if working.cancel():
            await asyncio.gather(working, return_exceptions=True)


def _tried(trigger: Trigger, tried: Rehearsal, installation_on: bool) -> FailoverTried:
    record = tried.record
    return FailoverTried.model_validate(
        {
            "trigger": trigger,
            "agent_answers": tried.agent_answers,
            "installation_on": installation_on,
            "status": record.status,
            "action": record.failover_action,
            "outcome": record.failover_outcome,
            "ended_by": record.ended_by,
            "end_reason": record.end_reason,
            "cut_short": tried.cut_short,
            "seconds": tried.seconds,
            "audio_id": tried.audio_id,
            "events": [shape_of(number, event) for number, event in enumerate(tried.events, 1)],
            "runs": [{"workflow_id": workflow_id, "run_id": run.id} for workflow_id, run in tried.runs],
        }
    )
