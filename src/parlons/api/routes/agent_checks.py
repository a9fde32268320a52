"""``/v1/agents/check`` and ``/v1/agents/{id}/failover``: is a draft fit to publish; the tab that is live on Save."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.agents.common import Identifier, SpokenText
from parlons.agents.models import Agent, Failover
from parlons.agents.problems import validate
from parlons.agents.publishing import clashing_numbers
from parlons.errors import InvalidDocument

from .. import references
from ..access import Reader, Writer
from ..bodies import Body, Id, MaybeRevision, Shape, Wanted, answer, returns
from ..changes import note
from ..idempotency import Route
from ..problems import FieldError, Stale
from ..services import Parts, Services

router = APIRouter(prefix="/v1/agents", tags=["agents"], route_class=Route)


class AgentToCheck(Wanted):
    """An agent to check, right or wrong."""

    id: Annotated[Identifier | None, Field(description="whose draft it would be: its own numbers are no clash")] = None
    document: dict[str, Any]


class AgentCheck(Shape):
    """Whether a document could be published, and if not why."""

    publishable: bool
    errors: list[FieldError]


class FailoverTab(Wanted):
    """What the failover tab saves."""

    failover: Failover
    default_error_message: SpokenText | None = None


class LiveFailover(Shape):
    """The failover tab."""

    failover: Failover
    default_error_message: SpokenText | None
    live_version: Annotated[int | None, Field(description="where it counts from the next call; null: in no call yet")]
    revision: Annotated[int, Field(description="of the draft, which has it too")]


@router.post("/check", **returns(AgentCheck))
async def check_agent(
    _who: Reader, parts: Parts, body: Annotated[AgentToCheck, Depends(Body(AgentToCheck))]
) -> Response:
    """Check a draft without saving it: every value, everything it names, and numbers of other active agents."""
    try:
        agent = await asyncio.to_thread(validate, Agent, body.document, "the document")
    except InvalidDocument as error:
        return await _checked(error.problems)
    problems = await references.problems_of(parts.store, agent)
    live = {key: found for key, (found, _) in (await parts.store.agents.live_all()).items()}
    for number, other in clashing_numbers(body.id or "", agent, live):
        where = f"phone_numbers[{agent.phone_numbers.index(number)}]"
        problems.append((where, f"{number} is on the active agent {live[other].name!r} ({other})"))
    return await _checked(problems)


async def _checked(problems: list[tuple[str, str]]) -> Response:
    errors = [FieldError(path=path, message=text) for path, text in problems]
    return await answer(AgentCheck(publishable=not errors, errors=errors))


@router.get("/{agent_id}/failover", **returns(LiveFailover))
async def get_failover(_who: Reader, parts: Parts, agent_id: Id) -> Response:
    """What calls do now when something fails before the agent can speak; the draft's when it was never published."""
    draft, revision = await parts.store.agents.get_draft(agent_id)
    version = await _live_version(parts, agent_id)
    agent = draft if version is None else await parts.store.agents.get_version(agent_id, version)
    return await _tab(agent, version, revision)


@router.put("/{agent_id}/failover", **returns(LiveFailover))
async def save_failover(
    who: Writer,
    parts: Parts,
    agent_id: Id,
    revision: MaybeRevision,
    body: Annotated[FailoverTab, Depends(Body(FailoverTab))],
) -> Response:
    """Save the failover tab: it counts from the next call, and nothing else of the draft is published.

    ``If-Match`` may be left out, for the minute in which everything is on fire.
    """
    store = parts.store
    async with store.transaction():
        before, current = await store.agents.get_draft(agent_id)
        if revision is not None and revision != current:
            raise Stale("the draft", current, revision)
        named = [
            (path, text)
            for path, text in await references.problems_of(store, before.model_copy(update={"failover": body.failover}))
            if path.startswith("failover.")
        ]
        if named:
            raise InvalidDocument("the request", named)
        version = await store.agents.save_failover(agent_id, body.failover, body.default_error_message)
        after, saved = await store.agents.get_draft(agent_id)
        await note(parts, who, "agent.save_failover", ("agent", agent_id), _noted(before), _noted(after))
    await parts.make_live()
    return await _tab(after, version, saved)


def _noted(agent: Agent) -> dict[str, Any]:
    return agent.model_dump(mode="json", include={"failover", "default_error_message"})


async def _live_version(parts: Services, agent_id: str) -> int | None:
    return next((v.version for v in await parts.store.agents.versions(agent_id) if v.live), None)


async def _tab(agent: Agent, version: int | None, revision: int) -> Response:
    tab = LiveFailover(
        failover=agent.failover,
        default_error_message=agent.default_error_message,
        live_version=version,
        revision=revision,
    )
    return await answer(tab, revision=revision)
