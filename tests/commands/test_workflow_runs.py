"""``parlons workflow runs``, ``deliveries`` and ``resend``: what is printed, and what it changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from parlons import cli
from parlons.agents.workflows import Workflow
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus
from parlons.errors import Conflict, NotFound
from parlons.installation import open_store
from parlons.settings import load
from parlons.store import Store
from parlons.store.deliveries import delivery_id
from parlons.workflows.runs import Run, RunError, StepRun

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FIND = StepRun(
    "find",
    "http",
    3,
    9,
    {"method": "GET", "url": "http://shop/1", "headers": {"Authorization": "***"}, "query": {}, "body": None},
    {"status": 500, "headers": {}, "body": "\x1b[2Jboom"},
    RunError("find", "unexpected_status", "the service answered 500."),
)
CUT = StepRun("send", "http", 12, 5, {"cut": '{"method": "POST"'})

Answer = TypeVar("Answer")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command, in a folder of its own. Errors of ours are raised, as ``main`` gets them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARLONS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PARLONS_SECRET_KEY", "a key for tests only, long enough")
    stored(_fill)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(cli.app, ["workflow", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def stored(ask: Callable[[Store], Awaitable[Answer]]) -> Answer:
    async def work() -> Answer:
        store = await open_store(load()[0])
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(work())


async def _fill(store: Store) -> None:
    document = {"name": "CRM", "trigger": "post_call", "status": "published", "kind": "webhook", "url": "http://x/"}
    await store.workflows.put("crm", Workflow.model_validate(document))
    for number, name in enumerate(("a", "b")):
        over = CallRecord(
            name, "inbound", START, status=CallStatus.COMPLETED, ended_at=START + timedelta(seconds=number)
        )
        await store.calls.write_batch([over], ())
    began = START.timestamp()
    await store.runs.add("crm", "a", Run("r1", "post_call", "ok", began, 7, result={"é": 1}))
    failed = Run("r2", "live_call", "error", began + 1, 20, error=FIND.error, steps=[FIND, CUT])
    await store.runs.add("orders", "b", failed)
    await store.runs.add("orders", None, Run("r3", "live_call", "cancelled", began + 2, 20))
    await store.deliveries.succeeded(await store.deliveries.get(delivery_id("a", "crm")), START)
    refused = await store.deliveries.get(delivery_id("b", "crm"))
    await store.deliveries.failed(refused, START, "the service\x1b answered 500.", None)


def test_runs_are_listed_newest_first_and_filtered(run: Callable[..., Result]) -> None:
    lines = run("runs").output.splitlines()
    assert [line.split()[-1] for line in lines] == ["run", "r3", "r2", "r1"]
    for options, found in (
        (["--workflow", "orders"], ["r3", "r2"]),
        (["--call", "a"], ["r1"]),
        (["--trigger", "post_call"], ["r1"]),
        (["--status", "cancelled"], ["r3"]),
        (["--limit", "1"], ["r3"]),
    ):
        assert [one["id"] for one in json.loads(run("runs", "--json", *options).output)] == found
    assert run("runs", "--workflow", "x").output == "No run.\n"
    assert run("runs", "--status", "great").exit_code == 2


def test_a_run_is_shown_with_its_steps(run: Callable[..., Result]) -> None:
    shown = run("runs", "r2").output
    assert "live_call run r2 of orders for call b" in shown
    assert "> GET http://shop/1" in shown
    assert "! unexpected_status: the service answered 500." in shown
    assert "error in 20 ms" in shown
    assert '"cut"' in shown
    assert "\x1b" not in shown
    assert json.loads(run("runs", "r2", "--json").output)["document"]["steps"][0]["reply"]["status"] == 500
    with pytest.raises(NotFound):
        run("runs", "x")


def test_deliveries_are_listed_and_one_that_failed_is_sent_again(run: Callable[..., Result]) -> None:
    confirmed, refused = delivery_id("a", "crm"), delivery_id("b", "crm")
    shown = run("deliveries").output
    assert confirmed in shown
    assert "the service  answered 500." in shown
    assert "\x1b" not in shown
    (failed,) = json.loads(run("deliveries", "--status", "failed", "--json").output)
    assert (failed["id"], failed["attempts"]) == (refused, 1)
    assert run("deliveries", "--status", "due").output == "No delivery.\n"
    assert refused in run("resend", refused).output
    (due,) = json.loads(run("deliveries", "--status", "due", "--json").output)
    assert (due["id"], due["attempts"], due["queued"]) == (refused, 0, False)
    with pytest.raises(Conflict):
        run("resend", confirmed)
    with pytest.raises(NotFound):
        run("resend", "x")
