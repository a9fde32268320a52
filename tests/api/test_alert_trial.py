"""Trying ``alert_url`` through the API: the real alerts and client, against a receiver on loopback."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from parlons.agents.connections import InstallationSettings
from parlons.alerts import Alerts, Policy
from parlons.api.app import public_app
from parlons.workflows.http_client import HttpClient
from tests.conversation.providers.listings import free_port
from tests.test_alerts import Receiver

from .stage import BEARER, Stage


@asynccontextmanager
async def installation(stage: Stage, url: str | None, *, private: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The API of an installation with this ``alert_url``."""
    client = HttpClient(allow_private=lambda: private)
    alerts = Alerts(lambda: InstallationSettings(alert_url=url), client, dict, policy=Policy(answer=0.5))
    services = dataclasses.replace(stage.services, test_alert=alerts.test)
    transport = httpx.ASGITransport(app=public_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://parlons.test", headers=BEARER) as http:
        yield http
    await client.aclose()


@pytest.mark.parametrize(
    ("status", "detail", "hint"),
    [
        (404, "the service answered 404.", "Check that alert_url is the whole address, and still valid."),
        (500, "the service answered 500.", "Check that alert_url is the whole address, and still valid."),
        (None, "0.5 s", ""),
    ],
)
async def test_a_receiver_that_does_not_take_it(stage: Stage, status: int | None, detail: str, hint: str) -> None:
    async with Receiver().open() as receiver:
        receiver.script = [status]
        async with installation(stage, receiver.url) as http:
            answer = await http.post("/v1/alerts/test")
            assert answer.status_code == 200
            assert answer.json()["ok"] is False
            assert detail in answer.json()["detail"]
            assert hint in answer.json()["hint"]
            assert receiver.attempts == 1
            assert "secret-path" not in answer.text


async def test_nobody_there_and_an_address_that_may_not_be_reached(stage: Stage) -> None:
    url = f"http://127.0.0.1:{free_port()}/hooks/secret-path"
    async with installation(stage, url) as http:
        told = (await http.post("/v1/alerts/test")).json()
        assert not told["ok"]
        assert told["hint"]
    async with installation(stage, url, private=False) as http:
        told = (await http.post("/v1/alerts/test")).json()
        assert not told["ok"]
        assert "allow_private_addresses" in told["hint"]


async def test_without_an_address_nothing_is_sent(stage: Stage) -> None:
    async with installation(stage, None) as http:
        answer = await http.post("/v1/alerts/test")
        assert answer.status_code == 409
        assert "alert_url" in answer.json()["detail"]


async def test_it_arrives_and_is_noted(stage: Stage) -> None:
    async with Receiver().open() as receiver, installation(stage, receiver.url) as http:
        answer = await http.post("/v1/alerts/test")
        assert answer.json() == {"ok": True, "detail": "HTTP 200", "hint": ""}
        (post,) = receiver.posts
        assert (post["kind"], post["state"], post["details"]) == ("test", "test", {})
        assert "test" in post["text"]
        assert receiver.headers[0]["X-Parlons-Delivery"] == post["id"]
        (entry,) = (await http.get("/v1/audit", params={"target_kind": "settings"})).json()["items"]
        assert entry["action"] == "alert.test"


async def test_only_administrators_may(stage: Stage) -> None:
    editor = await stage.signed_in("editor")
    assert (await editor.post("/v1/alerts/test")).status_code == 403
    await editor.aclose()
