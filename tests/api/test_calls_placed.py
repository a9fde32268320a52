"""Placing a call with variables of its own, codes of how calls ended, and when agents had their last call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from parlons.calls import initial_context
from parlons.calls.timeline import CallStatus, EndCode, Kind

from .stage import STARTED, Stage
from .test_calls import stored
from .test_hostile import problem

CALL = {"agent_id": "accueil", "to": "+33612345678"}


def deep(levels: int) -> Any:
    made: Any = 1
    for _ in range(levels):
        made = {"a": made}
    return made


async def test_variables_come_with_the_call(stage: Stage) -> None:
    context = {"first_name": "Zoé", "order": {"id": "A1", "lines": [1, 2.5, None, True]}}
    made = await stage.http.post("/v1/calls", json=CALL | {"context": context})
    assert made.status_code == 201, made.text
    assert made.json()["context"] == context
    without = await stage.http.post("/v1/calls", json=CALL)
    assert without.json()["context"] == {}


async def test_a_connection_is_chosen_and_one_that_is_not_there_is_named(stage: Stage) -> None:
    made = await stage.http.post("/v1/calls", json=CALL | {"sip_connection_id": "trunk"})
    assert [error["path"] for error in problem(made, 422)["errors"]] == ["sip_connection_id"]
    assert stage.line.placed == []
    trunk = {"id": "trunk", "document": {"name": "Trunk", "host": "192.0.2.1"}}
    assert (await stage.http.post("/v1/sip-connections", json=trunk)).status_code == 201
    made = await stage.http.post("/v1/calls", json=CALL | {"sip_connection_id": "trunk"})
    assert (made.status_code, made.json()["connection_id"]) == (201, "trunk")
    direct = await stage.http.post("/v1/calls", json=CALL | {"to": "sip:a@192.0.2.9", "sip_connection_id": "trunk"})
    assert [error["path"] for error in problem(direct, 422)["errors"]] == ["to"]


async def test_the_audit_log_holds_their_names_and_no_value(stage: Stage) -> None:
    await stage.http.post("/v1/calls", json=CALL | {"context": {"secret_illness": "the flu"}})
    log = (await stage.http.get("/v1/audit")).text
    assert "secret_illness" in log
    assert "the flu" not in log


@pytest.mark.parametrize(
    ("context", "path"),
    [
        ([], "context"),
        (None, "context"),
        ("text", "context"),
        ({"system": {}}, "context.system"),
        ({"sip": 1}, "context.sip"),
        ({"path": 1}, "context.path"),
        ({"steps": 1}, "context.steps"),
        ({"": 1}, "context."),
        ({"first name": 1}, "context.first name"),
        ({"1st": 1}, "context.1st"),
        ({"é": 1}, "context.é"),
        ({"x" * 65: 1}, "context." + "x" * 65),
        ({"good": 1, "bad-": 1}, "context.bad-"),
        ({"a": deep(initial_context.MAX_DEPTH + 1)}, "context.a"),
        ({"a": "x" * initial_context.MAX_BYTES}, "context"),
        ({f"v{n}": n for n in range(initial_context.MAX_VARIABLES + 1)}, "context"),
    ],
    ids=range(16),
)
async def test_variables_that_cannot_be_taken_are_named(stage: Stage, context: Any, path: str) -> None:
    told = problem(await stage.http.post("/v1/calls", json=CALL | {"context": context}), 422)
    assert [error["path"] for error in told["errors"]] == [path], told
    assert told["errors"][0]["message"]
    assert stage.line.placed == []


@pytest.mark.parametrize("value", ["1e999", "[-1e999]", '{"a": 1e400}', "[" * 300 + "]" * 300])
async def test_numbers_and_lists_beyond_measure(stage: Stage, value: str) -> None:
    body = f'{{"agent_id": "accueil", "to": "+33612345678", "context": {{"a": {value}}}}}'
    answer = await stage.http.post("/v1/calls", content=body, headers={"Content-Type": "application/json"})
    assert [error["path"] for error in problem(answer, 422)["errors"]] == ["context.a"]


async def test_why_a_call_ended_is_a_code_too(both: Stage) -> None:
    await stored(both, "old")
    await stored(both, "new", 1, end_reason="hung up", end_code=EndCode.HUNG_UP, status=CallStatus.COMPLETED)
    listed = (await both.http.get("/v1/calls")).json()["items"]
    assert [(item["id"], item["end_code"]) for item in listed] == [("new", "hung_up"), ("old", None)]
    assert (await both.http.get("/v1/calls/new")).json()["end_code"] == "hung_up"
    live = both.line.begin("live")
    live.timeline.add("caller", Kind.HANG_UP, who="caller", why="hung up", code=EndCode.HUNG_UP)
    told = (await both.http.get("/v1/calls/live/timeline")).json()["items"][-1]
    assert told["payload"]["code"] == "hung_up"


async def test_agents_know_their_last_call(both: Stage) -> None:
    await both.agent("accueil")
    await both.agent("quiet", publish=False)
    for call_id, minutes in (("a", 1), ("b", 30), ("c", 7)):
        await stored(both, call_id, minutes)
    await stored(both, "elsewhere", 90, agent_id="gone")
    listed = {item["id"]: item["last_call_at"] for item in (await both.http.get("/v1/agents")).json()["items"]}
    assert listed == {"accueil": (STARTED + timedelta(minutes=30)).isoformat().replace("+00:00", "Z"), "quiet": None}
