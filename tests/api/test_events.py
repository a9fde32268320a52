"""A call as it happens, over a real HTTP server: what was, what comes, and the end; resumed, revoked, bounded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from parlons.api import feed
from parlons.api.routes import live
from parlons.calls.timeline import Kind
from tests.support.streams import followed

from .stage import BEARER, Stage


@pytest.fixture
async def address(stage: Stage) -> AsyncIterator[str]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(stage.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve(sockets=[sock]))
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    server.should_exit = True
    await task


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that within 5 s")


async def heard(address: str, call_id: str, headers: dict[str, str] | None = None) -> AsyncIterator[tuple[str, Any]]:
    """(event, data) of a stream, until the server ends it."""
    async with httpx.AsyncClient(headers=BEARER | (headers or {}), timeout=20) as client:
        async for item in followed(client, f"{address}/v1/calls/{call_id}/events"):
            yield item


async def test_a_call_as_it_happens(stage: Stage, address: str) -> None:
    call = stage.line.begin("c")
    call.timeline.add("system", Kind.RINGING)
    stream = heard(address, "c")
    assert (await anext(stream))[1]["kind"] == "ringing"
    call.timeline.add("caller", Kind.TRANSCRIPT, text="Bonjour\nà\u2028tous")
    kind, data = await anext(stream)
    assert (kind, data["number"], data["payload"]["text"]) == ("timeline", 2, "Bonjour\nà\u2028tous")
    call.timeline.add("caller", Kind.HANG_UP, who="caller", why="bye")
    stage.line.end("c")
    rest = [item async for item in stream]
    assert [kind for kind, _ in rest] == ["timeline", "end"]
    assert rest[-1][1]["status"] == "completed"
    assert stage.line.feed.watching == 0


async def test_a_call_that_is_over_is_told_again_and_resumed(stage: Stage, address: str) -> None:
    call = stage.line.begin("c")
    for number in range(4):
        call.timeline.add("caller", Kind.DTMF, digits=str(number))
    stage.line.end("c")
    whole = [data["number"] async for kind, data in heard(address, "c") if kind == "timeline"]
    assert whole == [1, 2, 3, 4]
    resumed = [data["number"] async for kind, data in heard(address, "c", {"Last-Event-ID": "2"}) if kind == "timeline"]
    assert resumed == [3, 4]


async def test_many_watch_and_each_hears_all(stage: Stage, address: str) -> None:
    call = stage.line.begin("c")

    async def count() -> int:
        return len([1 async for _ in heard(address, "c")])

    watchers = [asyncio.create_task(count()) for _ in range(5)]
    await until(lambda: stage.line.feed.watching == 5)
    for number in range(200):
        call.timeline.add("caller", Kind.DTMF, digits=str(number))
        if number % 50 == 0:
            await asyncio.sleep(0)
    stage.line.end("c")
    assert await asyncio.gather(*watchers) == [201] * 5


async def test_who_is_revoked_hears_no_more(stage: Stage, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALIVE_SECONDS", 0.05)
    stage.line.begin("c").timeline.add("system", Kind.RINGING)
    headers = await stage.key("read")
    stream = heard(address, "c", headers)
    await anext(stream)
    key = (await stage.http.get("/v1/keys")).json()["items"][0]["id"]
    await stage.http.post(f"/v1/keys/{key}/revoke")
    assert [item async for item in stream] == []


async def test_streams_are_bounded(stage: Stage, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_WATCHERS", 1)
    assert feed.MAX_WATCHERS > 1
    stage.line.begin("c").timeline.add("system", Kind.RINGING)
    stream = heard(address, "c")
    await anext(stream)
    refused = await stage.http.get("/v1/calls/c/events")
    assert refused.status_code == 503
    stage.line.end("c")
    async for _ in stream:
        pass
    assert [k async for k, _ in heard(address, "c")][-1] == "end", "there is room again"


async def test_a_watcher_who_leaves_is_forgotten(stage: Stage, address: str) -> None:
    call = stage.line.begin("c")
    call.timeline.add("system", Kind.RINGING)
    stream = heard(address, "c")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    await until(lambda: stage.line.feed.watching == 0)
