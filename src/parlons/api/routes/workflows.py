"""``/v1/workflows``: steps against outside systems, trying them, and what every run did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from parlons.agents.common import Identifier
from parlons.agents.workflows import Trigger, Workflow
from parlons.configuration.kinds import WORKFLOWS
from parlons.errors import NotFound
from parlons.store.runs import RunSummary
from parlons.store.sealing import KEPT
from parlons.workflows.trying import Sample, try_out

from .. import references
from ..access import Reader, Writer
from ..bodies import Body, Cursor, Id, Limit, MaybeRevision, Revision, Shape, Wanted, answer, nothing, returns
from ..changes import note
from ..documents import Documents
from ..idempotency import Route
from ..problems import Use
from ..services import Parts, Services

router = APIRouter(prefix="/v1/workflows", tags=["workflows"], route_class=Route)


class WorkflowResource(Shape):
    """A workflow. The signing secret of a webhook is shown as ``********`` when there is one."""

    id: str
    revision: int
    document: Workflow


class NewWorkflow(Wanted):
    """A workflow to make."""

    id: Annotated[Identifier | None, Field(description="made of the name when there is none")] = None
    document: Workflow


class WorkflowTrial(Wanted):
    """What to try, and with which data."""

    document: Annotated[Workflow | None, Field(description="one that is not saved yet; none: what is saved")] = None
    sample: Sample = Sample()


class RunFailure(Shape):
    """Why a run did not end well."""

    step: Annotated[str, Field(description="empty when none is to blame")]
    code: str
    message: str


class RunStep(Shape):
    """One step that ran; secrets are hidden."""

    id: str
    type: str
    started_ms: Annotated[int, Field(description="from the start of the run")]
    duration_ms: int
    request: Any
    reply: Any
    error: RunFailure | None


class WorkflowRun(Shape):
    """One run with everything kept of it."""

    id: str
    workflow_id: str
    call_id: Annotated[str | None, Field(description="null: it was tried")]
    trigger: str
    status: Literal["ok", "error", "timeout", "cancelled"]
    started_at: datetime
    duration_ms: int
    result: Any
    context: dict[str, Any]
    error: RunFailure | None
    steps: list[RunStep]
    problem: Annotated[str, Field(description="what a call would have against the result; known when it is tried")]


class WorkflowRunSummary(Shape):
    """One run in a list."""

    id: str
    workflow_id: str
    call_id: str | None
    trigger: str
    status: Literal["ok", "error", "timeout", "cancelled"]
    started_at: datetime
    duration_ms: int


class WorkflowInList(WorkflowResource):
    """A workflow in the list."""

    used_by: Annotated[list[Use] | None, Field(description="everything that names it; null unless details are asked")]
    last_run: Annotated[WorkflowRunSummary | None, Field(description="null: none, or details are not asked")]


class WorkflowPage(Shape):
    """Workflows, by id."""

    items: list[WorkflowInList]
    next_cursor: str | None


class WorkflowRunPage(Shape):
    """Runs, newest first."""

    items: list[WorkflowRunSummary]
    next_cursor: str | None


def _documents(parts: Services) -> Documents[Workflow]:
    return Documents(parts, parts.store.workflows, WORKFLOWS)


async def _one(parts: Services, workflow_id: str, status: int = 200) -> Response:
    revision, document = await _documents(parts).get(workflow_id)
    shape = WorkflowResource(id=workflow_id, revision=revision, document=document)
    location = f"/v1/workflows/{workflow_id}" if status == 201 else None
    return await answer(shape, status, revision=revision, location=location)


def _summary(run: RunSummary) -> WorkflowRunSummary:
    return WorkflowRunSummary(**{name: getattr(run, name) for name in WorkflowRunSummary.model_fields})


@router.get("", **returns(WorkflowPage))
async def list_workflows(
    _who: Reader,
    parts: Parts,
    details: Annotated[bool, Query(description="also what names each, and its last run")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Every workflow, by id."""
    found, following = await _documents(parts).page(limit, cursor)
    used = await references.all_uses(parts.store, WORKFLOWS) if details else {}
    items: list[WorkflowInList] = []
    for key, revision, document in found:
        last = (await parts.store.runs.list(workflow_id=key, limit=1)).runs if details else []
        items.append(
            WorkflowInList(
                id=key,
                revision=revision,
                document=document,
                used_by=used.get(key, []) if details else None,
                last_run=_summary(last[0]) if last else None,
            )
        )
    return await answer(WorkflowPage(items=items, next_cursor=following))


@router.post("", **returns(WorkflowResource, 201, 409))
async def create_workflow(
    who: Writer, parts: Parts, body: Annotated[NewWorkflow, Depends(Body(NewWorkflow))]
) -> Response:
    """Make a workflow. Calls run it when its status is ``published``."""
    new_id, _ = await _documents(parts).create(who, body.id, body.document.name, body.document)
    return await _one(parts, new_id, 201)


@router.get("/{workflow_id}", **returns(WorkflowResource))
async def get_workflow(_who: Reader, parts: Parts, workflow_id: Id) -> Response:
    """One workflow."""
    return await _one(parts, workflow_id)


@router.put("/{workflow_id}", **returns(WorkflowResource))
async def save_workflow(
    who: Writer,
    parts: Parts,
    workflow_id: Id,
    revision: Revision,
    body: Annotated[Workflow, Depends(Body(Workflow))],
) -> Response:
    """Save a workflow; it counts from the next run on."""
    await _documents(parts).save(who, workflow_id, body, revision)
    return await _one(parts, workflow_id)


@router.delete("/{workflow_id}", **nothing(409))
async def delete_workflow(who: Writer, parts: Parts, workflow_id: Id, revision: MaybeRevision) -> Response:
    """Delete a workflow that no agent names."""
    await _documents(parts).delete(who, workflow_id, revision)
    return Response(status_code=204)


@router.post("/{workflow_id}/try", **returns(WorkflowRun))
async def try_workflow(
    who: Writer, parts: Parts, workflow_id: Id, body: Annotated[WorkflowTrial, Depends(Body(WorkflowTrial))]
) -> Response:
    """Run a workflow with sample data, for at most two minutes, and show every step. It really sends its requests."""
    stored = await parts.store.workflows.in_clear(workflow_id)
    workflow = body.document or stored
    if workflow.secret == KEPT:
        workflow = workflow.model_copy(update={"secret": stored.secret})
    known = await parts.store.secrets.all_in_clear()
    await note(parts, who, "workflow.try", ("workflow", workflow_id))
    run, problem = await try_out(workflow, body.sample, secret=known.get, http=parts.calls.http)
    await parts.store.runs.add(workflow_id, None, run)
    started = datetime.fromtimestamp(run.started_at, UTC)
    return await answer(_run(run.as_json(), workflow_id, None, started, problem))


@router.get("/{workflow_id}/runs", **returns(WorkflowRunPage))
async def list_workflow_runs(
    _who: Reader,
    parts: Parts,
    workflow_id: Id,
    status: Annotated[Literal["ok", "error", "timeout", "cancelled"] | None, Query()] = None,
    trigger: Annotated[Trigger | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What a workflow did, newest first; of one that is deleted too."""
    found = await parts.store.runs.list(
        workflow_id=workflow_id, status=status, trigger=trigger, limit=limit, cursor=cursor
    )
    return await answer(WorkflowRunPage(items=[_summary(run) for run in found.runs], next_cursor=found.cursor))


@router.get("/{workflow_id}/runs/{run_id}", **returns(WorkflowRun))
async def get_workflow_run(_who: Reader, parts: Parts, workflow_id: Id, run_id: Id) -> Response:
    """One run with each step's timing, request and reply; secrets are hidden."""
    found = await parts.store.runs.get(run_id)
    if found.workflow_id != workflow_id:
        raise NotFound(f"the workflow {workflow_id!r} has no run {run_id!r}.")
    return await answer(_run(found.document, workflow_id, found.call_id, found.started_at, ""))


def _run(
    document: dict[str, Any], workflow_id: str, call_id: str | None, started_at: datetime, problem: str
) -> WorkflowRun:
    given = {"workflow_id": workflow_id, "call_id": call_id, "started_at": started_at, "problem": problem}
    return WorkflowRun.model_validate({**document, **given})
