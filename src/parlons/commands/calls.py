"""``parlons calls``: the latest calls, or one with its timeline."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import typer

from parlons.calls.directory import as_e164
from parlons.calls.record import CallRecord
from parlons.calls.retention import forget
from parlons.calls.timeline import CallStatus, Event
from parlons.installation import open_store
from parlons.settings import Settings
from parlons.store.call_pages import CallFilter

_ROW = "{:<20} {:<9} {:<16} {:<16} {:<16} {:<11} {:>7}  {}"


async def show(
    settings: Settings,
    call_id: str | None,
    *,
    limit: int,
    status: CallStatus | None,
    agent: str | None,
    trigger: str | None,
    as_json: bool,
) -> None:
    """Print calls. Raises NotFound for an id that is not stored."""
    store = await open_store(settings)
    try:
        if call_id is None:
            page = await store.calls.list(CallFilter(agent, status, trigger=trigger), limit=limit)
            _list(list(page.calls), as_json)
            return
        record = await store.calls.get(call_id)
        _one(record, await store.calls.events(call_id), as_json)
    finally:
        await store.close()


async def delete(settings: Settings, call_id: str) -> None:
    """Delete one call with its timeline and recording. Raises NotFound."""
    store = await open_store(settings)
    try:
        await forget(store.calls.delete(call_id), settings.data_dir / "recordings")
    finally:
        await store.close()
    typer.echo(f"call {call_id} is deleted")


async def erase(settings: Settings, number: str) -> None:
    """Erase every call from or to a person's number."""
    store = await open_store(settings)
    try:
        country = (await store.settings.get()).default_country
        known = as_e164(number, country) or number
        erased = await forget(store.calls.erase_number(known), settings.data_dir / "recordings")
    finally:
        await store.close()
    typer.echo(f"{known}: {erased.calls} calls erased, {len(erased.recordings)} recordings removed")


def _list(records: list[CallRecord], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_plain(r) for r in records], default=str, ensure_ascii=False))
        return
    if not records:
        typer.echo("No call yet. Call one of the agents that `parlons serve` names at its start.")
        return
    typer.echo(_ROW.format("started", "direction", "from", "to", "agent", "status", "seconds", "id"))
    for r in records:
        seconds = f"{(r.ended_at - r.answered_at).total_seconds():.0f}" if r.ended_at and r.answered_at else ""
        started = r.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        caller = "withheld" if r.anonymous else r.caller
        row = (started, r.direction, caller, r.called, r.agent_id or "", r.status.value, seconds, r.id)
        typer.echo(_ROW.format(*row))


def _one(record: CallRecord, events: list[Event], as_json: bool) -> None:
    if as_json:
        whole = {**_plain(record), "events": [dataclasses.asdict(e) for e in events]}
        typer.echo(json.dumps(whole, default=str, ensure_ascii=False))
        return
    typer.echo(f"{record.direction} call {record.id}: {record.status} ({record.end_reason or 'under way'})")
    if record.trigger is not None:
        chosen = f", action {record.failover_action}, outcome {record.failover_outcome}"
        typer.echo(f"trigger {record.trigger}{chosen if record.failover_action else ''}")
    for event in events:
        typer.echo(f"{event.at_ms / 1000:9.3f} s  {event.actor:<11} {event.kind:<16} {_words(event)}")


def _words(event: Event) -> str:
    if set(event.payload) == {"text"}:
        return f"“{event.payload['text']}”"
    return "  ".join(f"{key}={value}" for key, value in event.payload.items())


def _plain(record: CallRecord) -> dict[str, Any]:
    return dataclasses.asdict(record)
