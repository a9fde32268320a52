"""``parlons chat`` and ``parlons call``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from parlons import configuration, logs
from parlons.agents.context import CallContext, system_variables
from parlons.agents.models import Agent
from parlons.calls.timeline import CallStatus, Event, Kind, Timeline
from parlons.control import request
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.conversation.outside import Outside
from parlons.conversation.providers import registry
from parlons.conversation.session import Conversation
from parlons.errors import NotFound
from parlons.installation import open_store
from parlons.settings import Settings
from parlons.telephony.types import Outcome

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


class ChatLine:
    """Stands in for the call in a chat: says who would be rung, and rings nobody."""

    async def transfer(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        await sentence
        over = f" over {order.connection_id}" if order.connection_id else ""
        typer.secho(f"  (on the telephone, {order.user or 'the called number'} would be rung now{over})", dim=True)
        return TransferResult(Outcome.ANSWERED)

    def hand_over(self, agent_id: str) -> TransferResult:
        typer.secho(
            f"  (on the telephone, the agent {agent_id} would take over; see `parlons chat {agent_id}`)", dim=True
        )
        return TransferResult(Outcome.ANSWERED)


async def chat(settings: Settings, name: str) -> None:
    """One conversation in text, until the agent hangs up or the input ends."""
    logs.configure("error")
    agent_id, agent = await _agent(settings, name)
    timeline = Timeline(_tell)
    now = datetime.now(ZoneInfo(agent.timezone))
    system = system_variables(
        call_id="chat",
        agent_id=agent_id,
        direction=agent.direction,
        language=agent.language,
        timezone=agent.timezone,
        phone="",
        anonymous=True,
        now=now,
    )
    conversation = Conversation(
        agent=agent,
        agent_id=agent_id,
        context=CallContext(system=system),
        providers=registry.build(agent, environ=os.environ),
        timeline=timeline,
        audio=None,
        outside=Outside(line=ChatLine()),
    )
    await conversation.start()
    ending = asyncio.ensure_future(conversation.wait())
    try:
        while not ending.done():
            typer.echo("> ", nl=False)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line:
                break
            if line.strip():
                await conversation.type(line.strip())
    finally:
        ending.cancel()
        await conversation.close()
        await asyncio.gather(ending, return_exceptions=True)


def _tell(event: Event) -> None:
    """Print what happens as it happens; the caller's own words are on the screen already."""
    if event.kind is Kind.TRANSCRIPT:
        if event.actor == "agent":
            typer.secho(event.payload["text"], fg="green")
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
