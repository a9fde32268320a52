"""``parlons workflow runs``, ``deliveries`` and ``resend``: what ran, what is still to be sent, sending it again."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import typer

from parlons.installation import open_store
from parlons.settings import Settings
from parlons.store.deliveries import Delivery, DeliveryStatus
from parlons.store.runs import RunSummary, StoredRun
from parlons.workflows.runs import Run, RunError, StepRun

from .workflows import show_run, words

_RUN = "{:<20} {:<24} {:<10} {:<10} {:>8}  {:<32} {}"
_DELIVERY = "{:<20} {:<24} {:<10} {:>8}  {:<20} {:<32} {}"
_SHOWN_ERROR = 100


async def runs(
    settings: Settings,
    run_id: str | None,
    *,
    workflow: str | None,
    call: str | None,
    trigger: str | None,
    status: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print the latest runs, or one with its steps. Raises NotFound."""
    store = await open_store(settings)
    try:
        if run_id is not None:
            _one(await store.runs.get(run_id), as_json)
            return
        page = await store.runs.list(workflow_id=workflow, call_id=call, trigger=trigger, status=status, limit=limit)
    finally:
        await store.close()
    _list_runs(page.runs, as_json)


async def deliveries(
    settings: Settings, *, status: DeliveryStatus | None, workflow: str | None, limit: int, as_json: bool
) -> None:
    """Print the latest deliveries of post-call workflows."""
    store = await open_store(settings)
    try:
        page = await store.deliveries.list(status=status, workflow_id=workflow, limit=limit)
    finally:
        await store.close()
    _list_deliveries(page.deliveries, as_json)


async def resend(settings: Settings, delivery_id: str) -> None:
    """Have a delivery sent again. Raises NotFound, or Conflict when it was confirmed."""
    store = await open_store(settings)
    try:
        await store.deliveries.resend(delivery_id, datetime.now(UTC))
    finally:
        await store.close()
    typer.echo(f"delivery {delivery_id} is sent again by the running server, within some seconds")


def _one(run: StoredRun, as_json: bool) -> None:
    if as_json:
        typer.echo(_json({**_plain(run), "document": run.document}))
        return
    called = f" for call {run.call_id}" if run.call_id else ""
    typer.echo(f"{run.trigger} run {run.id} of {run.workflow_id}{called}, {_time(run.started_at)}")
    show_run(_read(run.document))


def _read(document: dict[str, Any]) -> Run:
    """A run out of what was stored of it."""

    def error(value: dict[str, Any] | None) -> RunError | None:
        return None if value is None else RunError(**value)

    steps = [StepRun(**{**step, "error": error(step["error"])}) for step in document["steps"]]
    return Run(**{**document, "error": error(document["error"]), "steps": steps})


def _list_runs(found: list[RunSummary], as_json: bool) -> None:
    if as_json:
        typer.echo(_json([_plain(run) for run in found]))
        return
    if not found:
        typer.echo("No run.")
        return
    typer.echo(_RUN.format("started", "workflow", "trigger", "status", "ms", "call", "run"))
    for run in found:
        cells = (_time(run.started_at), run.workflow_id, run.trigger, run.status, run.duration_ms)
        typer.echo(_RUN.format(*cells, run.call_id or "", run.id))


def _list_deliveries(found: list[Delivery], as_json: bool) -> None:
    if as_json:
        typer.echo(_json([_plain(delivery) for delivery in found]))
        return
    if not found:
        typer.echo("No delivery.")
        return
    typer.echo(_DELIVERY.format("call ended", "workflow", "status", "attempts", "next", "call", "delivery"))
    for one in found:
        following = _time(one.next_at) if one.next_at is not None else ""
        cells = (_time(one.created_at), one.workflow_id, one.status, one.attempts, following, one.call_id)
        typer.echo(_DELIVERY.format(*cells, one.id))
        if one.error:
            typer.echo(f"{'':<20} {words(one.error)[:_SHOWN_ERROR]}")


def _plain(row: RunSummary | Delivery) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
