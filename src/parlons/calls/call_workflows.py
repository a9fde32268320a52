"""Runs a workflow for a call: what every trigger tells a workflow of the call, and where its run is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from parlons import logs
from parlons.agents.workflows import Trigger, Workflow
from parlons.workflows import runner
from parlons.workflows.http_client import HttpClient
from parlons.workflows.runs import Run

from .directory import Directory, LiveAgent
from .record import CallRecord

log = logs.get(__name__)


class RunSink(Protocol):
    """Where runs are kept. Neither blocks nor raises. Implemented by ``store.writer.CallWriter``."""

    def run(self, workflow_id: str, call_id: str, run: Run) -> None:
        """Keep a run that ended, of a call whose record was given to the writer before."""
        ...


class WorkflowResources(Protocol):
    """What running a workflow takes besides the call. Implemented by ``calls.service.CallService``."""

    @property
    def directory(self) -> Directory: ...

    @property
    def workflow_secrets(self) -> Mapping[str, str]: ...

    @property
    def http(self) -> HttpClient: ...

    @property
    def runs(self) -> RunSink: ...


def find(resources: WorkflowResources, workflow_id: str, trigger: Trigger) -> Workflow | None:
    """The published workflow of this id, when that is its trigger."""
    workflow = resources.directory.workflows.get(workflow_id)
    if workflow is None or workflow.trigger != trigger or workflow.status != "published":
        return None
    return workflow


async def run_for(
    resources: WorkflowResources,
    workflow_id: str,
    workflow: Workflow,
    *,
    live: LiveAgent,
    record: CallRecord,
    variables: Mapping[str, Any],
    input: Mapping[str, Any],
    seconds: float,
) -> Run:
    """Run it for at most so long, and keep the run however it ends. Never raises for what a workflow does."""

    def ended(run: Run) -> None:
        resources.runs.run(workflow_id, record.id, run)
        log.info("workflow_run", call_id=record.id, workflow=workflow_id, run=run.id, status=run.status)

    return await runner.run(
        workflow,
        context=variables,
        input=input,
        trigger=workflow.trigger,
        call={"id": record.id, "direction": record.direction, "caller": record.caller, "called": record.called},
        agent={"id": live.id, "name": live.agent.name, "language": live.agent.language},
        secrets=resources.workflow_secrets.get,
        http=resources.http,
        deadline=seconds,
        on_end=ended,
    )


def failure(run: Run) -> str:
    """Why a run did not end well, for a person; empty when it did."""
    if run.error is None:
        return ""
    return f"step {run.error.step}: {run.error.message}" if run.error.step else run.error.message
