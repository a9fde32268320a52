"""What an agent reaches outside the conversation: its workflows, run by the one runner, their context merged into the
call's, and its data sources.

Implements ``conversation.workflows``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parlons.agents.context import CallContext
from parlons.agents.workflows import InputField, Workflow
from parlons.conversation.line import Line
from parlons.conversation.outside import Outside
from parlons.conversation.workflows import WorkflowResult
from parlons.errors import ParlonsError
from parlons.workflows import replies

from . import call_workflows
from .call_workflows import WorkflowResources
from .directory import LiveAgent
from .parts import CallResources
from .record import CallRecord


def outside(
    line: Line,
    resources: CallResources,
    record: CallRecord,
    live: Callable[[], LiveAgent],
    context: Callable[[], CallContext],
) -> Outside:
    """For the agent that has the call now; ``live`` and ``context`` are asked again at each workflow."""
    sources, knowledge = live().sources, resources.knowledge
    workflows = LiveCallWorkflows(resources, record, live, context)
    return Outside(line=line, workflows=workflows, knowledge=knowledge.instead(sources) if sources else knowledge)


class LiveCallWorkflows:
    """Of one call.

    Args:
        live: the agent that has the call now.
        context: the call's variables now.
    """

    def __init__(
        self,
        resources: WorkflowResources,
        record: CallRecord,
        live: Callable[[], LiveAgent],
        context: Callable[[], CallContext],
    ) -> None:
        self._resources = resources
        self._record = record
        self._live = live
        self._context = context

    def input_of(self, workflow_id: str) -> Sequence[InputField] | None:
        workflow = self._find(workflow_id)
        return workflow.input if workflow is not None else None

    async def run(self, workflow_id: str, values: Mapping[str, Any], *, seconds: float) -> WorkflowResult:
        workflow = self._find(workflow_id)
        if workflow is None:
            return WorkflowResult("error", error=f"no published live-call workflow {workflow_id!r}")
        context = self._context()
        run = await call_workflows.run_for(
            self._resources,
            workflow_id,
            workflow,
            live=self._live(),
            record=self._record,
            variables=context.variables(),
            input=values,
            seconds=seconds,
        )
        if run.status == "timeout":
            return WorkflowResult("timeout", error=f"not done after {seconds:g} s", run_id=run.id)
        if run.error is not None:
            return WorkflowResult("error", error=call_workflows.failure(run), run_id=run.id)
        try:
            answer = replies.live_call(run.result, run.context)
            await asyncio.to_thread(context.merge, answer.context)  # up to a megabyte is copied
        except (ParlonsError, ValueError) as error:
            return WorkflowResult("error", error=str(error), run_id=run.id)
        return WorkflowResult("ok", answer.result, answer.context, run_id=run.id)

    def _find(self, workflow_id: str) -> Workflow | None:
        return call_workflows.find(self._resources, workflow_id, "live_call")
