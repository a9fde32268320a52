"""Whom a person talks to from the console: the published version of an agent, or its draft as it is stored."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from parlons.agents.common import Identifier
from parlons.calls.directory import LiveAgent
from parlons.errors import Conflict, InvalidDocument

from . import references
from .bodies import Wanted
from .services import Services

DRAFT_VERSION = 0
"""Of an agent that was not published: no version has it."""

Keys = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9*#]+$")]


class TalkWanted(Wanted):
    """Whom to talk to, and as whom."""

    agent_id: Identifier
    draft: Annotated[bool, Field(description="the draft as it is stored, in place of what is published")] = False
    caller: Annotated[
        str,
        Field(
            max_length=32,
            pattern=r"^(\+?[0-9 .()-]+)?$",
            description="the number to pretend; empty: withheld",
            examples=["+33612345678"],
        ),
    ] = ""


class KeysPressed(Wanted):
    """Keys of a telephone."""

    digits: Annotated[Keys, Field(description="0-9 * #", examples=["1"])]


async def agent_for(parts: Services, agent_id: str, *, draft: bool) -> LiveAgent:
    """The agent to talk to, with its API keys in clear.

    Raises:
        NotFound: no such agent.
        Conflict: it was never published, or calls do not reach it.
        InvalidDocument: its draft names what does not exist.
    """
    if draft:
        agent = await parts.store.agents.draft_in_clear(agent_id)
        if found := await references.problems_of(parts.store, agent):
            raise InvalidDocument("the draft", found)
        return LiveAgent(agent_id, DRAFT_VERSION, agent)
    published = await parts.store.agents.live(agent_id)
    if published is None:
        await parts.store.agents.get_draft(agent_id)
        raise Conflict(f"the agent {agent_id!r} was never published.", hint="Publish it, or talk to its draft.")
    agent, version = published
    if not agent.active:
        raise Conflict(
            f"the agent {agent_id!r} is not active: no call reaches it.",
            hint="Make it active and publish it, or talk to its draft.",
        )
    return LiveAgent(agent_id, version, agent)
