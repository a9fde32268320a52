"""A POST that is sent twice with one key is carried out once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from parlons.errors import StoreError

from .stage import AGENT, Stage

CALL = {"agent_id": "accueil", "to": "+33612345678"}


async def test_sent_twice_is_carried_out_once(both: Stage) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = await both.http.post("/v1/calls", json=CALL, headers=key)
    second = await both.http.post("/v1/calls", json=CALL, headers=key)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(both.line.placed) == 1


async def test_another_body_under_the_same_key_is_refused(both: Stage) -> None:
    key = {"Idempotency-Key": "order-1"}
    await both.http.post("/v1/calls", json=CALL, headers=key)
    other = await both.http.post("/v1/calls", json=CALL | {"to": "+33611111111"}, headers=key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["path"] == "header.Idempotency-Key"
    elsewhere = await both.http.post("/v1/erasures", json={"number": "+33612345678"}, headers=key)
    assert elsewhere.status_code == 422
    assert len(both.line.placed) == 1


async def test_of_many_at_once_one_is_carried_out(both: Stage) -> None:
    key = {"Idempotency-Key": "order-1"}
    answers = await asyncio.gather(*(both.http.post("/v1/calls", json=CALL, headers=key) for _ in range(6)))
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.content for a in answers if a.status_code == 201}) == 1
    assert len(both.line.placed) == 1


async def test_keys_are_each_ones_own(stage: Stage) -> None:
    key = {"Idempotency-Key": "order-1"}
    await stage.http.post("/v1/calls", json=CALL, headers=key)
    other = await stage.http.post("/v1/calls", json=CALL, headers=key | await stage.key("calls"))
    assert "idempotent-replayed" not in other.headers
    assert len(stage.line.placed) == 2
    no_scope = await stage.http.post("/v1/calls", json=CALL, headers=key | await stage.key("read"))
    assert no_scope.status_code == 403


async def test_a_key_counts_for_a_day(stage: Stage) -> None:
    key = {"Idempotency-Key": "order-1"}
    await stage.http.post("/v1/calls", json=CALL, headers=key)
    stage.now = stage.services.clock() + timedelta(hours=24, minutes=1)
    await stage.http.post("/v1/calls", json=CALL, headers=key)
    assert len(stage.line.placed) == 2


async def test_what_was_refused_can_be_put_right_under_the_same_key(stage: Stage) -> None:
    key = {"Idempotency-Key": "new-agent"}
    wrong: list[Any] = [{"document": {}}, {"id": "é", "document": AGENT}, []]
    for body in wrong:
        assert (await stage.http.post("/v1/agents", json=body, headers=key)).status_code == 422
    assert (await stage.http.post("/v1/agents", json={"document": AGENT}, headers=key)).status_code == 201


async def test_what_is_saved_and_not_live_is_not_done_twice(stage: Stage) -> None:
    await stage.agent(publish=False)
    stage.reload_fails = StoreError("the database is away.")
    key = {"Idempotency-Key": "publish"}
    assert (await stage.http.post("/v1/agents/accueil/publish", headers=key)).status_code == 503
    again = await stage.http.post("/v1/agents/accueil/publish", headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (503, "true")


async def test_a_new_keys_secret_is_answered_again_and_not_stored_in_clear(stage: Stage) -> None:
    key = {"Idempotency-Key": "k"}
    body = {"name": "x", "scopes": ["read"]}
    first = (await stage.http.post("/v1/keys", json=body, headers=key)).json()
    assert (await stage.http.post("/v1/keys", json=body, headers=key)).json() == first
    assert len((await stage.http.get("/v1/keys")).json()["items"]) == 1
    database = b"".join(path.read_bytes() for path in stage.recordings.parent.glob("parlons.db*"))
    assert first["secret"].encode() not in database


async def test_a_key_that_is_no_key(stage: Stage) -> None:
    for odd in ("", "a b", "x" * 201, "é"):
        headers: Any = {"Idempotency-Key": odd.encode()}
        assert (await stage.http.post("/v1/calls", json=CALL, headers=headers)).status_code == 422, odd
