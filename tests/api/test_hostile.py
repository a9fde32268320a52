"""What outsiders send: broken, huge, deep, wrong, too often; and what is stored comes back as data and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from parlons.api.edge import Limits
from parlons.errors import StoreError
from parlons.store import SecretKey, Store
from tests.store.conftest import KEY

from .stage import AGENT, BEARER, Stage, opened

JSON = {"Content-Type": "application/json"}
SCRIPT = "<script>alert(document.cookie)</script>"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that an answer is, without anything of the inside."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["type"].startswith("urn:parlons:problem:")
    assert found["title"]
    assert found["detail"]
    for inside in ("Traceback", 'File "', "sqlalchemy", "SELECT", "site-packages"):
        assert inside not in answer.text
    return found


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"null", 422), (b"[]", 422), (b'"text"', 422), (b"\xff\xfe", 400),
        (b'{"document": NaN}', 400), (b'{"document": 1' + b"0" * 5000 + b"}", 400), (b"[" * 100_000, 400),
        (b'{"document": {"name": "\\ud800"}}', 400), (b'{"document": {"name": "a\\u0000b"}}', 400),
        (b'{"document": {"name": "\\\\u0000 \\ud83d\\ude00"}}', 201), (b'{"document": {"name": 5}}', 422),
        (b'{"document": {"name": "x"}, "id": "../etc"}', 422), (b'{"document": {"name": "x"}, "more": 1}', 422),
    ],
    ids=range(15),
)  # fmt: skip
async def test_bodies_that_are_not_what_they_should_be(both: Stage, content: bytes, status: int) -> None:
    answer = await both.http.post("/v1/agents", content=content, headers=JSON)
    if status >= 400:
        problem(answer, status)
    else:
        assert answer.status_code == status
        assert "😀" in answer.json()["document"]["name"]


async def test_bodies_of_another_type(stage: Stage) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x"):
        problem(await stage.http.post("/v1/agents", content=b"{}", headers={"Content-Type": kind}), 415)
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert (await stage.http.post("/v1/agents", json={"document": AGENT}, headers=charset)).status_code == 201


async def test_a_huge_body_is_not_read(stage: Stage) -> None:
    limit = Limits().body_bytes
    answer = await stage.http.post("/v1/agents", content=b"x" * (limit + 1), headers=JSON)
    problem(answer, 413)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65_536

    problem(await stage.http.post("/v1/agents", content=endless(), headers=JSON), 413)
    problem(await stage.http.post("/v1/agents", content=b"{}", headers=JSON | {"Content-Length": "9" * 15}), 413)


async def test_ten_thousand_numbers_are_taken(stage: Stage) -> None:
    destinations = [{"phone": f"+336{n:08d}", "description": "é" * 100} for n in range(12_000_000, 12_010_000)]
    transfer = {"type": "transfer", "name": "T", "description": "d", "destinations": destinations}
    body = json.dumps({"document": AGENT | {"actions": [transfer]}}, ensure_ascii=False)
    made = await stage.http.post("/v1/agents", content=body.encode(), headers=JSON)
    assert made.status_code == 201, made.text[:300]
    assert len(made.json()["document"]["actions"][0]["destinations"]) == 10_000


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/..%2f..%2fetc", "/v1/agents/a%00b", "/v1/agents/é", "/v1/agents/" + "a" * 65, "/v1/calls/a%0d%0ab",
        "/v1/agents/a/versions/0", "/v1/agents/a/versions/x", "/v1/agents/a/versions/99999999999999999999",
        "/v1/agents?limit=0", "/v1/agents?limit=501", "/v1/agents?limit=x", "/v1/calls?since=yesterday",
        "/v1/calls?since=0.5",
        "/v1/calls?since=2026-05-04T09:30:00", "/v1/calls?status=nope", "/v1/calls?number=%00",
        "/v1/calls?since=0001-01-01T00:00:00%2B14:00", "/v1/calls?until=9999-12-31T23:59:59-14:00",
        "/v1/audit?target_id=%00", "/v1/calls?agent_id=%27", "/v1/workflows/w/runs?cursor=x",
    ],
)  # fmt: skip
async def test_addresses_that_are_none(both: Stage, path: str) -> None:
    problem(await both.http.get(path), 422 if "%2f" not in path else 404)


async def test_unknown_addresses_and_methods(stage: Stage) -> None:
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/agents/", "/v2/agents"):
        problem(await stage.http.get(path), 404)
    answer = await stage.http.request("PATCH", "/v1/agents")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


async def test_a_bug_of_ours_shows_nothing_of_the_inside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise RuntimeError('SELECT password FROM users -- File "inside.py"')

    monkeypatch.setattr(stage.store.agents, "list", broken)
    answer = await stage.http.get("/v1/agents")
    problem(answer, 500)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_database_that_is_away_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise StoreError("the database does not do its work now (OperationalError).")

    monkeypatch.setattr(stage.store.agents, "list", away)
    answer = await stage.http.get("/v1/agents")
    problem(answer, 503)
    assert "retry-after" in answer.headers


async def test_stored_script_comes_back_as_data(both: Stage) -> None:
    document = AGENT | {"name": SCRIPT, "prompt": SCRIPT, "greeting": f"Bonjour {SCRIPT}"}
    made = await both.http.post("/v1/agents", json={"id": "x", "document": document})
    await both.http.post("/v1/data-sources", json={"id": "x", "document": {"name": SCRIPT}})
    answers = [made] + [await both.http.get(p) for p in ("/v1/agents", "/v1/agents/x", "/v1/data-sources", "/v1/audit")]
    answers.append(await both.http.get("/v1/agents/<script>"))
    answers.append(await both.http.get("/v1/<script>alert(1)</script>"))
    for answer in answers:
        assert answer.headers["content-type"] in ("application/json", "application/problem+json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    assert made.json()["document"]["name"] == SCRIPT


# -- too often --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Stage]:
    store = await Store.open(f"sqlite:///{tmp_path}/parlons.db", SecretKey(KEY))
    async with opened(store, tmp_path, Limits(known_per_minute=5, strangers_per_minute=3)) as made:
        yield made
    await store.close()


async def test_one_key_is_slowed_and_another_is_not(small: Stage) -> None:
    other = await small.key("read")
    seen = [await small.http.get("/v1/agents") for _ in range(8)]
    codes = [a.status_code for a in seen]
    assert codes.count(429) >= 3
    assert codes[0] == 200
    assert seen[0].headers["ratelimit-limit"] == "5"
    refused = seen[-1]
    assert problem(refused, 429)["hint"]
    assert refused.headers["ratelimit-remaining"] == "0"
    assert int(refused.headers["retry-after"]) >= 1
    assert int(refused.headers["ratelimit-reset"]) >= 1
    async with small.client() as client:
        assert (await client.get("/v1/agents", headers=other)).status_code == 200


async def test_guessed_keys_are_counted_by_address_and_known_ones_go_on(small: Stage) -> None:
    assert (await small.http.get("/v1/agents")).status_code == 200
    async with small.client() as stranger:
        answers = [await stranger.get("/v1/agents", headers={"Authorization": f"Bearer parlons_{n}"}) for n in range(6)]
    assert [a.status_code for a in answers] == [401, 401, 429, 429, 429, 429]
    assert (await small.http.get("/v1/agents")).status_code == 200


async def test_a_guessed_key_never_becomes_known(small: Stage) -> None:
    """An open route answers whatever key is sent with it: that says nothing about the key."""
    async with small.client() as stranger:
        codes = []
        for number in range(6):
            guess = {"Authorization": f"Bearer parlons_{number % 2}"}
            codes.append((await stranger.get("/v1/session", headers=guess)).status_code)
    assert codes == [200, 200, 200, 429, 429, 429]


async def test_health_and_metrics_are_not_counted(small: Stage) -> None:
    async with small.client() as http:
        for _ in range(10):
            assert (await http.get("/v1/health")).status_code == 200
            assert (await http.get("/v1/metrics")).status_code == 200


async def test_cookies_and_headers_that_are_none(stage: Stage) -> None:
    odd: list[dict[str, str]] = [
        {"Cookie": "parlons_session"}, {"Cookie": '"; =,;;'}, {"Cookie": "parlons_session=" + "a" * 5000},
        {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer  "},
    ]  # fmt: skip
    async with stage.client() as http:
        for headers in odd:
            problem(await http.get("/v1/agents", headers=headers), 401)
    assert (await stage.http.get("/v1/agents", headers=BEARER)).status_code == 200
