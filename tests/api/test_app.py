"""Health, metrics, and the control socket's answers."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from parlons.api.app import control_app, public_app
from parlons.calls.service import CallService
from parlons.errors import ConfigurationError, Conflict, NotFound
from parlons.metrics import Metrics


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_health_says_why_not() -> None:
    problems: list[str] = []
    async with client(public_app(Metrics(), lambda: problems)) as http:
        assert (await http.get("/v1/health")).status_code == 200
        problems.append("draining or full")
        answer = await http.get("/v1/health")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["draining or full"]


@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics"])
async def test_metrics_show_gauges_as_they_are_now(path: str) -> None:
    metrics = Metrics()
    active = {"active": 0.0}
    metrics.watch("calls", lambda: active)
    metrics.calls.labels("inbound", "completed").inc()
    async with client(public_app(metrics, list)) as http:
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
    async with client(app) as http:
        answer = await http.post("/calls", json={"agent_id": "a", "to": "+33123456789"})
        assert answer.status_code == status
        assert answer.json()["detail"] == error.message
        assert answer.json().get("hint", "") == error.hint
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await http.delete("/calls/unknown")).status_code == 404
        assert (await http.post("/calls", json={"agent_id": "a", "to": "x", "extra": 1})).status_code == 422
