"""Power cuts and planned stops: kill -9 during calls, and the drain on SIGTERM."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.sip import agents
from tests.sip.talking import dial, goodbye, listen
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer


async def test_kill_9_during_calls_then_restart(tmp_path: Path, phone: Phone) -> None:
    server = ParlonsServer(tmp_path, agents.LAB, rtp_ports=range(36100, 36160))
    await asyncio.to_thread(server.start)
    try:
        over = await dial(phone, server, "lab")
        await listen(over)
        await over.bye()
        await asyncio.to_thread(server.ended, over.id)
        cut = [await dial(phone, server, "lab") for _ in range(3)]
        await asyncio.gather(*(listen(call) for call in cut))
        await asyncio.sleep(1.5)
        heard = {call.id: server.said(call.id, "agent") for call in cut}
        assert all(heard.values())
        server.kill9()
        await asyncio.to_thread(server.start)
        assert len(server.calls()) == 4
        assert server.call(over.id)["status"] == "completed"
        for call in cut:
            record = server.call(call.id)
            assert record["status"] == "failed", record
            assert record["ended_at"]
            assert record["end_reason"]
            assert server.said(call.id, "agent") == heard[call.id]
        listed = await asyncio.to_thread(server.cli, "calls", "--json", "--status", "failed")
        assert {c["sip_call_id"] for c in json.loads(listed.stdout)} == {call.id for call in cut}
        again = await dial(phone, server, "lab")
        await listen(again)
        await again.bye()
        for call in cut:
            assert (await call.request("BYE", timeout=3)).code == 481
            call.ended.set()
    finally:
        await asyncio.to_thread(server.stop)


async def test_sigterm_lets_calls_finish_and_refuses_new_ones(tmp_path: Path, phone: Phone) -> None:
    server = ParlonsServer(tmp_path, agents.LAB, rtp_ports=range(36160, 36220))
    await asyncio.to_thread(server.start)
    try:
        call = await dial(phone, server, "lab")
        await call.rtp.wait_speech()
        server.terminate()
        await asyncio.sleep(0.5)
        refused = await phone.call(server.uri("lab")).invite(timeout=5)
        assert refused.code == 503
        assert await asyncio.to_thread(server.health) == 503
        await call.rtp.wait_quiet(0.9)
        await goodbye(call)
        assert await asyncio.to_thread(server.wait, 15) == 0
        assert server.call(call.id)["status"] == "completed"
    finally:
        await asyncio.to_thread(server.stop)


async def test_more_calls_than_there_is_room_for(tmp_path: Path, phone: Phone) -> None:
    room = {"PARLONS_MAX_CALLS": "2"}
    server = ParlonsServer(tmp_path, agents.LAB, rtp_ports=range(36220, 36260), environment=room)
    await asyncio.to_thread(server.start)
    try:
        calls = [await dial(phone, server, "lab") for _ in range(2)]
        full = await phone.call(server.uri("lab")).invite(timeout=5)
        assert full.code == 503
        assert int(full.get("Retry-After")) > 0
        await calls[0].bye()
        await asyncio.to_thread(server.ended, calls[0].id)
        await (await dial(phone, server, "lab")).bye()
        await calls[1].bye()
    finally:
        await asyncio.to_thread(server.stop)
