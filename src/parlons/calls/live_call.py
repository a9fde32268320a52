"""The live-call workflows of one call: run by the one runner, their context merged into the call's.

Implements ``conversation.workflows``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from parlons import logs
from parlons.agents.context import CallContext
from parlons.agents.workflows import InputField, Workflow
from parlons.conversation.workflows import WorkflowResult
from parlons.errors import ParlonsError
from parlons.workflows import replies, runner
from parlons.workflows.http_client import HttpClient

from .directory import Directory, LiveAgent
from .record import CallRecord

log = logs.get(__name__)


class WorkflowResources(Protocol):
    """What running a workflow takes besides the call. Implemented by ``calls.service.CallService``."""

    @property
    def directory(self) -> Directory: ...

    @property
    def workflow_secrets(self) -> Mapping[str, str]: ...

    @property
    def http(self) -> HttpClient: ...


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
        record, live, context = self._record, self._live(), self._context()
        run = await runner.run(
            workflow,
            context=context.variables(),
            input=values,
            trigger="live_call",
            call={"id": record.id, "direction": record.direction, "caller": record.caller, "called": record.called},
            agent={"id": live.id, "name": live.agent.name, "language": live.agent.language},
            secrets=self._resources.workflow_secrets.get,
            http=self._resources.http,
            deadline=seconds,
        )
        log.info("workflow_run", call_id=record.id, workflow=workflow_id, run=run.id, status=run.status)
        if run.status == "timeout":
            return WorkflowResult("timeout", error=f"not done after {seconds:g} s", run_id=run.id)
        if run.error is not None:
            where = f"step {run.error.step}: " if run.error.step else ""
            return WorkflowResult("error", error=f"{where}{run.error.message}", run_id=run.id)
        try:
            answer = replies.live_call(run.result, run.context)
            await asyncio.to_thread(context.merge, answer.context)  # up to a megabyte is copied
        except (ParlonsError, ValueError) as error:
            return WorkflowResult("error", error=str(error), run_id=run.id)
        return WorkflowResult("ok", answer.result, answer.context, run_id=run.id)

    def _find(self, workflow_id: str) -> Workflow | None:
        workflow = self._resources.directory.workflows.get(workflow_id)
        if workflow is None or workflow.trigger != "live_call" or workflow.status != "published":
            return None
        return workflow
