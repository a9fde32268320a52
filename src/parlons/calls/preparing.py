"""What a call needs before it is answered, or dialled: the pre-call workflow, texts that render, providers that work.

Specification, section 5, steps 2 to 4. What fails is a trigger; whether it costs the call is decided here too: with
failover on every failure does, else only an agent that cannot run at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from parlons.agents import templates
from parlons.agents.conditions import choose
from parlons.agents.context import CallContext
from parlons.agents.models import Agent
from parlons.agents.path import BranchStep, EndStep, PromptStep, SayStep
from parlons.conversation.providers.registry import Built
from parlons.errors import ParlonsError, TemplateError

from . import pre_call
from .directory import LiveAgent
from .failover_table import Trigger
from .parts import CallResources
from .record import CallRecord
from .timeline import Kind, Timeline
from .variables import call_context

MAX_STEPS = 50
"""Steps looked at on the way to the first that talks."""
COST_THE_CALL = frozenset(
    {Trigger.PRE_CALL_REQUESTED, Trigger.PROMPT_UNRENDERABLE, Trigger.AGENT_UNAVAILABLE, Trigger.DURING_CALL}
)
"""Triggers after which the agent does not speak with failover off either; after the others it does without."""


class Builders(Protocol):
    """Who makes an agent's providers. ``Equipment`` is one."""

    @property
    def build_providers(self) -> Callable[[Agent, int], Built]: ...

    @property
    def unavailable(self) -> Callable[[Agent], str]: ...


class Rated(Protocol):
    """A line, of which only the rate of its sound matters here."""

    @property
    def sample_rate(self) -> int: ...


class Preparation(Protocol):
    """What this needs of a call: ``CallParts`` has it, and a chat's parts have no more."""

    @property
    def equipment(self) -> Builders: ...

    @property
    def resources(self) -> CallResources: ...

    @property
    def record(self) -> CallRecord: ...

    @property
    def media(self) -> Rated: ...

    @property
    def timeline(self) -> Timeline: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a call starts with.

    Args:
        live: the agent, as the pre-call workflow configured it for this call.
        providers: of that agent; None when the call cannot be the agent's.
        trigger: what failed; with providers, all the same: what failed was done without.
        detail: why.
    """

    live: LiveAgent
    context: CallContext
    providers: Built | None = None
    trigger: Trigger | None = None
    detail: str = ""


async def prepare(
    parts: Preparation,
    live: LiveAgent,
    context: CallContext,
    *,
    failover: bool,
    rehearsed: Trigger | None = None,
) -> Prepared:
    """Everything before the answer. Raises nothing but CancelledError.

    Args:
        failover: it is on for this call: whatever fails is its trigger, and the rest is not tried.
        rehearsed: a rehearsal: this is what failed, and nothing is tried.
    """
    made = Prepared(live, context)
    if rehearsed is not None:
        return replace(made, trigger=rehearsed, detail="a rehearsal")
    until = live.agent.failover.forced_until
    if failover and until is not None and until > datetime.now(UTC):
        return replace(made, trigger=Trigger.OPERATOR_FORCED, detail=f"forced until {until.isoformat()}")
    build = parts.equipment.build_providers
    rate = parts.media.sample_rate
    asked = await pre_call.prepare(
        parts.resources, live, parts.record, context, parts.timeline, lambda agent: build(agent, rate)
    )
    if asked.live is not live:
        context = context.handed_to(call_context(asked.live, parts.record, {}))
    made = Prepared(asked.live, context, asked.providers, asked.trigger, asked.detail)
    try:
        if made.trigger is not None and (failover or made.trigger in COST_THE_CALL):
            return await _without(made)
        if problem := await unrenderable(made.live.agent, context.variables(), strict=failover):
            return await _without(replace(made, trigger=Trigger.PROMPT_UNRENDERABLE, detail=problem))
        try:
            providers = made.providers or build(made.live.agent, rate)
        except ParlonsError as error:
            return await _unavailable(parts, made, str(error))
        made = replace(made, providers=providers)
        if problem := parts.equipment.unavailable(made.live.agent):
            return await _unavailable(parts, made, problem)
        return made
    except BaseException:
        await _without(made)
        raise


async def _without(made: Prepared) -> Prepared:
    """The same, with nothing left open."""
    if made.providers is not None:
        await made.providers.aclose()
    return replace(made, providers=None)


async def _unavailable(parts: Preparation, made: Prepared, problem: str) -> Prepared:
    parts.timeline.add("system", Kind.PROVIDER, service="all", event="failed", error=problem)
    return await _without(replace(made, trigger=Trigger.AGENT_UNAVAILABLE, detail=problem))


# -- the texts of the first step -----------------------------------------------------------------------------------


async def unrenderable(agent: Agent, variables: Mapping[str, Any], *, strict: bool) -> str:
    """Which text that the first step needs cannot be rendered, and why; empty when all can.

    Args:
        strict: an undefined variable is a reason too; else it is empty, and only a text that cannot be rendered with
            any values counts.
    """
    texts = [(field, text) for field, text in opening_texts(agent, variables) if "{{" in text or "{%" in text]
    if not texts:
        return ""
    return await asyncio.to_thread(_first_problem, texts, variables, strict)


def _first_problem(texts: list[tuple[str, str]], variables: Mapping[str, Any], strict: bool) -> str:
    for field, text in texts:
        try:
            templates.render(text, variables, strict=strict)
        except TemplateError as error:
            return f"{field}: {error}"
    return ""


def opening_texts(agent: Agent, variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every template that is needed until the agent has had its first word, each with the field it stands in."""
    yield "announcement", agent.announcement or ""
    yield "greeting", agent.greeting or ""
    yield "prompt", agent.prompt
    if agent.path is None:
        return
    at = agent.path.start
    for _ in range(MAX_STEPS):
        match agent.path.step(at):
            case PromptStep() as step:
                yield f"path.{step.id}.prompt", step.prompt
                return
            case SayStep() as step:
                yield f"path.{step.id}.text", step.text
                at = step.to
            case BranchStep() as step:
                at, _held = choose(step, variables)
            case EndStep() as step:
                yield f"path.{step.id}.text", step.text or ""
                return
            case _:
                return  # a workflow or a transfer: what comes after is not known yet
