"""Runs of workflows: stored with their call, found, bounded, and gone when their call is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from parlons.agents.connections import Retention
from parlons.calls.record import CallRecord
from parlons.calls.retention import purge
from parlons.calls.timeline import CallStatus
from parlons.errors import ConfigurationError, NotFound
from parlons.store import CallWriter, Store
from parlons.store.runs import MAX_DOCUMENT
from parlons.workflows.runs import Run, RunError, StepRun

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def call(call_id: str, **changes: Any) -> CallRecord:
    given: dict[str, Any] = {"direction": "inbound", "started_at": START, "caller": "+33612345678"}
    return CallRecord(id=call_id, **(given | changes))


def ran(name: str, seconds: int = 0, **changes: Any) -> Run:
    given: dict[str, Any] = {"trigger": "live_call", "status": "ok", "duration_ms": 12}
    return Run(id=name, started_at=START.timestamp() + seconds, **(given | changes))


async def test_a_run_comes_back_with_its_steps(store: Store) -> None:
    await store.calls.create(call("c"))
    step = StepRun("find", "http", 3, 9, {"url": "http://x/é"}, {"status": 500}, RunError("find", "status", "500"))
    run = ran("r", status="error", steps=[step], error=RunError("find", "status", "500"), context={"a": [1, None]})
    await store.runs.add("orders", "c", run)
    found = await store.runs.get("r")
    assert (found.workflow_id, found.call_id, found.status, found.duration_ms) == ("orders", "c", "error", 12)
    assert found.started_at == START
    assert found.document == run.as_json()
    with pytest.raises(NotFound):
        await store.runs.get("x")
    with pytest.raises(IntegrityError):
        await store.runs.add("orders", "no such call", ran("r2"))


async def test_what_outside_systems_answer_never_breaks_the_row(store: Store) -> None:
    await store.runs.add("w", None, ran("r", result={"a\0b": "\udcff\u2028"}))
    assert (await store.runs.get("r")).document["result"] == {"a\0b": "\udcff\u2028"}


async def test_a_run_that_is_too_big_keeps_its_beginning(store: Store) -> None:
    steps = [StepRun(f"s{n}", "http", n, 1, {"body": "q" * 100_000}, {"body": "r" * 100_000}) for n in range(6)]
    await store.runs.add("w", None, ran("r", result={"rows": ["x" * 1000] * 900}, steps=steps))
    found = await store.runs.get("r")
    assert len(json.dumps(found.document)) <= MAX_DOCUMENT
    assert found.document["result"]["cut"].startswith('{"rows": ["xxx')
    assert [step["id"] for step in found.document["steps"]] == [f"s{n}" for n in range(6)]
    assert found.document["steps"][0]["request"] == {"body": "q" * 100_000}
    assert "cut" in found.document["steps"][5]["reply"]


async def test_listing_newest_first_with_filters_and_pages(store: Store) -> None:
    await store.calls.create(call("c"))
    for number in range(7):
        await store.runs.add("a", "c", ran(f"a{number}", seconds=number // 3))
    await store.runs.add("b", None, ran("b", seconds=9, trigger="post_call", status="timeout"))
    pages = []
    cursor = None
    while True:
        page = await store.runs.list(limit=3, cursor=cursor)
        pages.append([run.id for run in page.runs])
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == [["b", "a6", "a5"], ["a4", "a3", "a2"], ["a1", "a0"]]
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({"workflow_id": "b"}, ["b"]),
        ({"call_id": "c", "limit": 1}, ["a6"]),
        ({"trigger": "post_call"}, ["b"]),
        ({"status": "timeout"}, ["b"]),
        ({"status": "ok", "workflow_id": "b"}, []),
    ]
    for filters, found in wanted:
        assert [run.id for run in (await store.runs.list(**filters)).runs] == found
    with pytest.raises(ConfigurationError):
        await store.runs.list(cursor="bm90IGEgY3Vyc29y")


async def test_runs_go_with_their_call_and_others_with_age(store: Store, tmp_path: Path) -> None:
    person = "+33612345678"
    for name in ("deleted", "erased", "old", "kept"):
        changes: dict[str, Any] = {"caller": person if name == "erased" else "+33699999999"}
        if name == "old":
            changes["started_at"] = START - timedelta(days=400)
        await store.calls.create(call(name, status=CallStatus.COMPLETED, **changes))
        await store.runs.add("w", name, ran(f"of {name}"))
    await store.runs.add("w", None, ran("tried"))
    await store.runs.add("w", None, ran("tried long ago", seconds=-400 * 86_400))
    await store.calls.delete("deleted")
    await store.calls.erase_number(person)
    await purge(store, tmp_path, Retention(), START)
    assert {run.id for run in (await store.runs.list()).runs} == {"of kept", "tried"}


async def test_the_writer_stores_a_run_with_the_call_it_belongs_to(store: Store) -> None:
    writer = CallWriter(store.calls)
    writer.start()
    writer.record(call("c"))
    writer.run("w", "c", ran("r"))
    writer.run("w", None, ran("tried"))
    writer.run("w", "deleted meanwhile", ran("lost"))
    for number in range(50):
        writer.run("w", "c", ran(str(number)))
    assert await writer.close()
    found = {run.id: run.call_id for run in (await store.runs.list(limit=500)).runs}
    assert (len(found), found["r"], found["tried"]) == (52, "c", None)
    assert writer.dropped == 1
