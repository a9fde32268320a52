"""``parlons chat`` and ``parlons call``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import typer

from parlons import configuration, logs
from parlons.agents.models import Agent
from parlons.calls.chat_world import SAMPLE_RATE, ChatWorld
from parlons.calls.chatting import Chat
from parlons.calls.directory import LiveAgent
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.control import request
from parlons.conversation.providers import registry
from parlons.errors import NotFound
from parlons.installation import open_store
from parlons.settings import Settings

from .calls import show
from .selftest import selftest


async def _agent(settings: Settings, name: str) -> tuple[str, Agent]:
    path = Path(name)
    if path.suffix in (".json", ".yaml", ".yml"):
        return path.stem, await asyncio.to_thread(configuration.check_file, path)
    store = await open_store(settings)
    try:
        live = await store.agents.live(name)
    finally:
        await store.close()
    if live is None:
        raise NotFound(f"No published agent is called {name!r}.", hint="Give a file, or see `parlons agent list`.")
    return name, live[0]


async def chat(settings: Settings, name: str) -> None:
    """One conversation in text, until the agent hangs up or the input ends."""
    logs.configure("error")
    agent_id, agent = await _agent(settings, name)
    await _build(agent, SAMPLE_RATE).aclose()  # an agent that cannot talk is told of before anything is typed
    talk = Chat(ChatWorld(_build), LiveAgent(agent_id, 0, agent), listener=_tell)
    talk.start()
    try:
        while not talk.over:
            typer.echo("> ", nl=False)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line or talk.over:
                break
            if line.strip():
                await asyncio.wait({talk.say(line.strip())})
    finally:
        talk.stop()
        await talk.ended()
    if talk.error is not None:
        raise talk.error


def _build(agent: Agent, sample_rate: int) -> registry.Built:
    return registry.build(agent, environ=os.environ, sample_rate=sample_rate, services=("llm",))


def _tell(event: Event) -> None:
    """Print what happens as it happens; the caller's own words are on the screen already."""
    if event.kind is Kind.TRANSCRIPT:
        if event.actor == "agent":
            typer.secho(event.payload["text"], fg="green")
    elif event.payload.get("event") == "would_ring":
        over = f" over {event.payload['connection']}" if event.payload["connection"] else ""
        who = event.payload["user"] or "the called number"
        typer.secho(f"  (on the telephone, {who} would be rung now{over})", dim=True)
    elif event.payload.get("event") == "would_take_over":
        other = event.payload["agent"]
        typer.secho(f"  (on the telephone, the agent {other} would take over; see `parlons chat {other}`)", dim=True)
    elif event.kind is not Kind.LATENCY:
        details = "  ".join(f"{k}={v}" for k, v in event.payload.items())
        typer.secho(f"  [{event.kind}] {details}", dim=True)


async def call(settings: Settings, agent_id: str, number: str | None, *, wait: bool) -> int:
    """Place a call through the running server; without a number, call the agent's own line as a test."""
    if number is None:
        return await selftest(settings, agent_id)
    placed = await request(settings.data_dir, "POST", "/calls", {"agent_id": agent_id, "to": number})
    typer.echo(f"call {placed['id']}")
    if not wait:
        return 0
    store = await open_store(settings)
    try:
        while True:
            await asyncio.sleep(0.5)
            try:
                record = await store.calls.get(placed["id"])
            except NotFound:  # written within half a second
                continue
            if record.ended_at is not None:
                break
    finally:
        await store.close()
    await show(settings, placed["id"], limit=1, status=None, agent=None, trigger=None, as_json=False)
    return 0 if record.status is CallStatus.COMPLETED else 1
