"""Health, metrics, the description of the API, and the control socket's answers."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx
import pytest

from parlons.api.app import control_app
from parlons.calls.service import CallService
from parlons.errors import ConfigurationError, Conflict, NotFound

from .stage import Stage


async def test_health_says_why_not(stage: Stage) -> None:
    problems: list[str] = []
    object.__setattr__(stage.services, "problems", lambda: problems)
    async with stage.client() as http:
        assert (await http.get("/v1/health")).status_code == 200
        problems.append("draining or full")
        answer = await http.get("/v1/health")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["draining or full"]


@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics"])
async def test_metrics_show_gauges_as_they_are_now(stage: Stage, path: str) -> None:
    active = {"active": 0.0}
    stage.services.metrics.watch("calls", lambda: active)
    stage.services.metrics.calls.labels("inbound", "completed").inc()
    async with stage.client() as http:
        active["active"] = 7
        text = (await http.get(path)).text
    assert "parlons_calls_active 7.0" in text
    assert 'parlons_calls_total{direction="inbound",status="completed"} 1.0' in text


class Refusing:
    """A service that says no in each of its ways."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def place(self, _agent: str, _to: str) -> None:
        raise self._error

    def get(self, _call: str) -> None:
        return None


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound("no agent", hint="look"), 404), (Conflict("full"), 409), (ConfigurationError("no connection"), 422)],
)
async def test_control_says_what_is_wrong_and_the_fix(error: Any, status: int) -> None:
    async def reload() -> None:
        raise AssertionError("not asked for")

    app = control_app(cast("CallService", Refusing(error)), reload)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as http:
        answer = await http.post("/calls", json={"agent_id": "a", "to": "+33123456789"})
        assert answer.status_code == status
        assert answer.json()["detail"] == error.message
        assert answer.json().get("hint", "") == error.hint
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await http.delete("/calls/unknown")).status_code == 404
        assert (await http.post("/calls", json={"agent_id": "a", "to": "x", "extra": 1})).status_code == 422


# -- the description --------------------------------------------------------------------------------------------------


async def test_the_description_holds_together(stage: Stage) -> None:
    async with stage.client() as http:
        document = (await http.get("/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas), named - set(schemas)
    assert not set(schemas) - named, "described and used nowhere"
    assert "parlons__" not in text
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path}"
            assert "x-problems" not in operation
            codes = {int(code) for code in operation["responses"]}
            if operation["security"]:
                assert {401, 403, 429, 503} <= codes, f"{method} {path}"
            for code, answer in operation["responses"].items():
                if int(code) >= 400 and path != "/v1/health":
                    assert list(answer["content"]) == ["application/problem+json"], f"{method} {path} {code}"


async def test_answers_have_all_their_keys_and_requests_only_what_is_needed(stage: Stage) -> None:
    schemas = stage.app.openapi()["components"]["schemas"]
    assert set(schemas["Agent"]["required"]) == set(schemas["Agent"]["properties"])
    assert "default" not in schemas["Agent"]["properties"]["timezone"]
    assert schemas["AgentInput"]["required"] == ["name"]
    assert schemas["AgentInput"]["properties"]["timezone"]["default"] == "Europe/Paris"
    assert schemas["AgentInput"]["additionalProperties"] is False
