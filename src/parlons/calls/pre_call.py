"""The pre-call workflow of one call: run while the phone rings, its answer checked, and applied whole or not at all.

Specification, section 5, steps 2 and 3. What fails is named by its trigger; every part that arrived valid is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parlons import logs
from parlons.agents.context import CallContext
from parlons.agents.models import Agent
from parlons.agents.path import PromptStep
from parlons.conversation.providers.registry import Built
from parlons.errors import ParlonsError
from parlons.workflows import replies

from . import call_workflows
from .directory import LiveAgent
from .failover_table import Trigger
from .parts import CallResources
from .record import CallRecord
from .timeline import Kind, Timeline

log = logs.get(__name__)


class _Failed(Exception):
    """A trigger, and why."""

    def __init__(self, trigger: Trigger, detail: str) -> None:
        super().__init__(detail)
        self.trigger = trigger


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it.

    Args:
        live: the agent, as the workflow configured it for this call.
        providers: of that agent when it is not the published one; the caller builds them otherwise.
        trigger: what failed, if anything; what was valid has been merged all the same.
        detail: why.
    """

    live: LiveAgent
    providers: Built | None = None
    trigger: Trigger | None = None
    detail: str = ""


async def prepare(
    resources: CallResources,
    live: LiveAgent,
    record: CallRecord,
    context: CallContext,
    timeline: Timeline,
    build: Callable[[Agent], Built],
) -> Asked:
    """Run the agent's pre-call workflow, if it has one, and merge what it gave into the context.

    Args:
        build: makes an agent's providers; raises ProviderUnusable.
    """
    if live.agent.pre_call is None:
        return Asked(live)
    began = time.monotonic()
    outcome, detail = "ok", ""
    try:
        return await _prepare(resources, live, record, context, build)
    except _Failed as failure:
        outcome, detail = failure.trigger, str(failure)
        record.trigger = failure.trigger
        log.warning("pre_call_failed", call_id=record.id, trigger=outcome, detail=detail)
        return Asked(live, trigger=failure.trigger, detail=detail)
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    finally:
        duration = round((time.monotonic() - began) * 1000)
        timeline.add("system", Kind.PRE_CALL, outcome=outcome, detail=detail, duration_ms=duration)


async def _prepare(
    resources: CallResources,
    live: LiveAgent,
    record: CallRecord,
    context: CallContext,
    build: Callable[[Agent], Built],
) -> Asked:
    answer = await _ask(resources, live, record, context)
    await asyncio.to_thread(context.merge, answer.context)  # up to a megabyte is copied
    if answer.failover:
        raise _Failed(Trigger.PRE_CALL_REQUESTED, "the pre-call workflow asked for failover")
    if answer.agent_configuration is None:
        return Asked(live)
    sources = answer.agent_configuration.data_source_ids or []
    try:
        for source in sources:
            if not resources.knowledge.is_ready(source):
                raise ValueError(f"data_source_ids: {source!r} is not a data source that is ready")
        agent = await asyncio.to_thread(configured, live.agent, answer.agent_configuration)
        return Asked(LiveAgent(live.id, live.version, agent, tuple(sources)), build(agent))
    except (ParlonsError, ValueError) as error:
        raise _Failed(Trigger.CONFIGURATION_REJECTED, str(error)) from error


async def _ask(
    resources: CallResources, live: LiveAgent, record: CallRecord, context: CallContext
) -> replies.PreCallAnswer:
    pre_call = live.agent.pre_call
    assert pre_call is not None
    workflow = call_workflows.find(resources, pre_call.workflow_id, "pre_call")
    if workflow is None:
        raise _Failed(Trigger.PRE_CALL_ERROR, f"there is no published pre-call workflow {pre_call.workflow_id!r}")
    run = await call_workflows.run_for(
        resources,
        pre_call.workflow_id,
        workflow,
        live=live,
        record=record,
        variables=context.variables(),
        input={},
        seconds=pre_call.timeout_seconds,
    )
    if run.status == "timeout":
        raise _Failed(Trigger.PRE_CALL_TIMEOUT, f"not done after {pre_call.timeout_seconds} s")
    if run.error is not None:
        raise _Failed(Trigger.PRE_CALL_ERROR, call_workflows.failure(run))
    try:
        return replies.pre_call(run.result, run.context)
    except ParlonsError as error:
        raise _Failed(Trigger.PRE_CALL_INVALID, str(error)) from error


def configured(agent: Agent, configuration: replies.AgentConfiguration) -> Agent:
    """The agent as a pre-call workflow wants it for one call. Raises ValueError: then nothing of it counts."""
    document: dict[str, Any] = agent.model_dump(mode="json", by_alias=True)
    for name in ("greeting", "prompt", "language", "max_call_seconds", "record_audio"):
        value = getattr(configuration, name)
        if value is not None:
            document[name] = value
    if configuration.voice is not None:
        voice = configuration.voice.model_dump(mode="json")
        document["providers"]["tts"][0]["voice"] = voice
    if configuration.actions is not None:
        _narrow(document, agent, configuration.actions)
    return Agent.model_validate(document)


def _narrow(document: dict[str, Any], agent: Agent, names: list[str]) -> None:
    known = {action.name for action in agent.actions}
    for name in names:
        if name not in known:
            raise ValueError(f"actions: the agent has no action {name!r}")
    if agent.path is None:  # it behaves as one prompt step with every action on
        document["path"] = {
            "start": "start",
            "steps": [{"id": "start", "type": "prompt", "name": agent.name, "prompt": "", "actions": names}],
        }
        return
    for step, written in zip(agent.path.steps, document["path"]["steps"], strict=True):
        if isinstance(step, PromptStep):
            written["actions"] = [name for name in step.actions if name in names]
