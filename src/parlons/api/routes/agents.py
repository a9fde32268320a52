"""``/v1/agents``: drafts, versions, what is live. Saving edits the draft; publishing counts from the next call on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from parlons.agents.common import Identifier
from parlons.agents.models import Agent
from parlons.configuration.kinds import AGENTS
from parlons.errors import Conflict, NotFound
from parlons.store.agents import AgentSummary as Stored

from .. import references
from ..access import Reader, Writer
from ..bodies import Body, Cursor, Id, Limit, MaybeRevision, Revision, Shape, Wanted, answer, nothing, page, returns
from ..changes import note
from ..documents import free_id
from ..idempotency import Route
from ..problems import Stale
from ..services import Parts, Services

router = APIRouter(prefix="/v1/agents", tags=["agents"], route_class=Route)

Version = Annotated[int, Path(ge=1, le=2_147_483_647)]


class AgentSummary(Shape):
    """An agent in a list."""

    id: str
    name: str
    direction: Literal["inbound", "outbound"]
    active: bool
    phone_numbers: list[str]
    revision: Annotated[int, Field(description="of the draft")]
    live_version: Annotated[int | None, Field(description="what calls use; null when it was never published")]
    unpublished: Annotated[bool, Field(description="the draft differs from what is live")]
    updated_at: datetime
    last_call_at: Annotated[datetime | None, Field(description="when its newest call began; null when it had none")]


class AgentPage(Shape):
    """Agents, by id."""

    items: list[AgentSummary]
    next_cursor: str | None


class AgentDraft(Shape):
    """An agent as it is edited."""

    id: str
    revision: Annotated[int, Field(description="also the ETag; send it back in If-Match to save")]
    live_version: int | None
    unpublished: bool
    updated_at: datetime
    document: Agent


class NewAgent(Wanted):
    """An agent to make."""

    id: Annotated[Identifier | None, Field(description="made of the name when there is none")] = None
    document: Agent


class Published(Shape):
    """What is live now."""

    id: str
    live_version: int


class AgentVersion(Shape):
    """A published version in a list."""

    version: int
    published_at: datetime
    live: bool


class AgentVersions(Shape):
    """Every published version, newest first."""

    items: list[AgentVersion]


class AgentVersionDocument(Shape):
    """A published version."""

    id: str
    version: int
    document: Agent


async def summary_of(parts: Services, agent_id: str) -> Stored:
    """One agent's summary. Raises NotFound."""
    for summary in await parts.store.agents.list():
        if summary.id == agent_id:
            return summary
    raise NotFound(f"there is no agent {agent_id!r}.")


def _summary(stored: Stored, last_call_at: datetime | None) -> AgentSummary:
    values = {name: getattr(stored, name) for name in AgentSummary.model_fields if name != "last_call_at"}
    return AgentSummary(**values | {"phone_numbers": list(stored.phone_numbers), "last_call_at": last_call_at})


async def _draft(parts: Services, agent_id: str, status: int = 200) -> Response:
    draft, revision = await parts.store.agents.get_draft(agent_id)
    found = await summary_of(parts, agent_id)
    shape = AgentDraft.model_construct(
        id=agent_id,
        revision=revision,
        live_version=found.live_version,
        unpublished=found.unpublished,
        updated_at=found.updated_at,
        document=draft,
    )
    location = f"/v1/agents/{agent_id}" if status == 201 else None
    return await answer(shape, status, revision=revision, location=location)


@router.get("", **returns(AgentPage))
async def list_agents(_who: Reader, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every agent, by id."""
    found = {summary.id: summary for summary in await parts.store.agents.list()}
    ids, following = page("agents", found, limit, cursor)
    last = await parts.store.calls.last_of_agents()
    return await answer(AgentPage(items=[_summary(found[i], last.get(i)) for i in ids], next_cursor=following))


@router.post("", **returns(AgentDraft, 201, 409))
async def create_agent(who: Writer, parts: Parts, body: Annotated[NewAgent, Depends(Body(NewAgent))]) -> Response:
    """Make an agent. It takes no call before it is published."""
    store = parts.store
    async with store.transaction():
        taken = {summary.id for summary in await store.agents.list()}
        agent_id = body.id or free_id(body.document.name, taken)
        if agent_id in taken:
            raise Conflict(f"there is an agent {agent_id!r} already.", hint="Choose another id.")
        await store.agents.save_draft(agent_id, body.document, 0)
        await note(parts, who, "agent.create", ("agent", agent_id), None, body.document, AGENTS.slots)
    return await _draft(parts, agent_id, 201)


@router.get("/{agent_id}", **returns(AgentDraft))
async def get_agent(_who: Reader, parts: Parts, agent_id: Id) -> Response:
    """The draft, with its revision as the ETag."""
    return await _draft(parts, agent_id)


@router.put("/{agent_id}", **returns(AgentDraft))
async def save_agent(
    who: Writer, parts: Parts, agent_id: Id, revision: Revision, body: Annotated[Agent, Depends(Body(Agent))]
) -> Response:
    """Save the draft. One that was changed since it was loaded is not overwritten: 412, with both revisions."""
    before, current = await parts.store.agents.get_draft(agent_id)
    async with parts.store.transaction():
        try:
            await parts.store.agents.save_draft(agent_id, body, revision)
        except Conflict as error:
            assert revision is not None
            current = (await parts.store.agents.get_draft(agent_id))[1]
            raise Stale("the draft", current, revision) from error
        await note(parts, who, "agent.save", ("agent", agent_id), before, body, AGENTS.slots)
    return await _draft(parts, agent_id)


@router.delete("/{agent_id}", **nothing(409))
async def delete_agent(who: Writer, parts: Parts, agent_id: Id, revision: MaybeRevision) -> Response:
    """Delete an agent and its versions; its calls stay. Refused while something names it."""
    store = parts.store
    async with store.transaction():
        before, current = await store.agents.get_draft(agent_id)
        if revision is not None and revision != current:
            raise Stale("the draft", current, revision)
        references.refuse_if_used(f"the agent {agent_id!r}", await references.uses(store, AGENTS, agent_id))
        await store.agents.delete(agent_id)
        await note(parts, who, "agent.delete", ("agent", agent_id), before, None, AGENTS.slots)
    await parts.make_live()
    return Response(status_code=204)


@router.post("/{agent_id}/publish", **returns(Published, 200, 409))
async def publish_agent(who: Writer, parts: Parts, agent_id: Id, revision: MaybeRevision) -> Response:
    """Make the draft live for the next call. Refused when it names what does not exist, or when one of its numbers is
    on another active agent. An unchanged draft makes no new version.
    """
    store = parts.store
    async with store.transaction():
        draft, current = await store.agents.get_draft(agent_id)
        if revision is not None and revision != current:
            raise Stale("the draft", current, revision)
        await references.check(store, draft)
        version = await store.agents.publish(agent_id)
        await note(parts, who, "agent.publish", ("agent", agent_id), None, {"version": version})
    await parts.make_live()
    return await answer(Published(id=agent_id, live_version=version))


@router.get("/{agent_id}/versions", **returns(AgentVersions))
async def list_agent_versions(_who: Reader, parts: Parts, agent_id: Id) -> Response:
    """Every published version, newest first."""
    found = await parts.store.agents.versions(agent_id)
    items = [AgentVersion(version=v.version, published_at=v.published_at, live=v.live) for v in found]
    return await answer(AgentVersions(items=items))


@router.get("/{agent_id}/versions/{version}", **returns(AgentVersionDocument))
async def get_agent_version(_who: Reader, parts: Parts, agent_id: Id, version: Version) -> Response:
    """A published version."""
    document = await parts.store.agents.get_version(agent_id, version)
    return await answer(AgentVersionDocument.model_construct(id=agent_id, version=version, document=document))


@router.post("/{agent_id}/versions/{version}/restore", **returns(AgentDraft))
async def restore_agent_version(
    who: Writer, parts: Parts, agent_id: Id, version: Version, revision: Revision
) -> Response:
    """Make a published version the draft again. Calls go on with what is live until that is published."""
    store = parts.store
    async with store.transaction():
        before, current = await store.agents.get_draft(agent_id)
        if revision is not None and revision != current:
            raise Stale("the draft", current, revision)
        restored = await store.agents.restore(agent_id, version)
        if restored > current + 1:  # somebody's save came between: undone as we leave
            raise Stale("the draft", restored - 1, current)
        after, _ = await store.agents.get_draft(agent_id)
        await note(parts, who, "agent.restore", ("agent", agent_id), before, after, AGENTS.slots)
    return await _draft(parts, agent_id)
