"""Every call that comes from a browser: how many there may be, when one is over, and that nothing of it stays.

The call itself is like any other; this knows its two ends alone, the leg and the connection.
"""

from __future__ import annotations

import asyncio
import importlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from parlons.agents.models import Agent
from parlons.calls.directory import LiveAgent
from parlons.calls.equipment import Equipment
from parlons.calls.service import CallService
from parlons.calls.timeline import Kind
from parlons.errors import Conflict, PortsExhausted
from parlons.telephony.types import InviteInfo

from . import offers
from .leg import BrowserLeg

if TYPE_CHECKING:
    from parlons.calls.call import Call

    from .connection import Connection

MAX_BROWSER_CALLS = 10
CONNECT_SECONDS = 10.0
"""By then the browser must be heard."""
GONE_SECONDS = 6.0
"""A browser that sends nothing for this long is gone: also a muted one sends silence."""
LAST_WORDS_SECONDS = 0.3
"""Of what was said before the end, this much may still be on its way to the browser."""
CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Talk:
    """What a browser call was begun with.

    Args:
        live: the agent, published or not.
        draft: it was not.
        caller: the number to pretend; empty: withheld.
        user: who is at the browser.
    """

    live: LiveAgent
    draft: bool
    caller: str
    user: str


class BrowserCalls:
    """Of one process.

    Args:
        host: the address that SIP and RTP listen on.
        public_address: what the world knows this machine by; empty: no other than its own.
        prepare: builds ahead what an agent that no call had yet needs.
    """

    def __init__(
        self, calls: CallService, host: str, public_address: str, prepare: Callable[[Agent], Awaitable[None]]
    ) -> None:
        self._calls = calls
        self._host = host
        self._public_address = public_address
        self._prepare = prepare
        self._beginning = 0
        self._legs: dict[str, BrowserLeg] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, talk: Talk, sdp: str) -> tuple[str, str]:
        """Take a browser's offer: the call's id, and the answer. The agent answers once the browser is heard.

        Raises:
            InvalidDocument: the offer cannot be used; names ``sdp``.
            Conflict: there are as many calls as there may be.
        """
        offer = offers.checked(sdp)
        if len(self._legs) + self._beginning >= MAX_BROWSER_CALLS:
            raise Conflict(f"{MAX_BROWSER_CALLS} browser calls are going on.", hint="Try again when one has ended.")
        if not self._calls.ready:
            raise Conflict("No more calls can be taken right now.", hint="Try again when others have ended.")
        self._beginning += 1
        try:
            made = await asyncio.to_thread(importlib.import_module, "parlons.webrtc.connection")
            await self._prepare(talk.live.agent)
            equipment = await self._equipment(talk)
            connection: Connection = made.Connection(made.addresses_of(self._host))
            try:
                answer = await connection.answer(offer)
                return self._received(talk, connection, equipment), offers.with_public_address(
                    answer, self._public_address
                )
            except BaseException:
                await connection.close()
                raise
        finally:
            self._beginning -= 1

    async def _equipment(self, talk: Talk) -> Equipment:
        """A draft's messages are made when it is published; who tries it before hears them all the same."""
        own, settings = self._calls.equipment, self._calls.directory.settings
        if not talk.draft:
            return own
        return replace(own, messages=await own.messages.with_messages_of(talk.live.agent, settings))

    def _received(self, talk: Talk, connection: Connection, equipment: Equipment) -> str:
        """The call, begun. Raises Conflict, and then nothing is left of it but the connection."""
        try:
            peer = self._calls.equipment.media.open(codecs=("G722",))  # its sound is at the rate of the connection
        except PortsExhausted as error:
            raise Conflict(error.message, hint="Try again when other calls have ended.") from error
        peer.source, peer.sink = connection.from_browser.take, connection.to_browser.put
        agent = talk.live.agent
        called = next(iter(agent.phone_numbers), talk.live.id)
        info = InviteInfo(uuid.uuid4().hex, ("", 0), (called,), talk.caller, "", not talk.caller, "", {})
        leg = BrowserLeg(info, peer, self._host, connection.heard)
        try:
            call = self._calls.receive(leg, talk.live, equipment)
        except Conflict:
            peer.close()
            raise
        self._note(call, talk)
        self._legs[call.record.id] = leg
        task = asyncio.create_task(self._follow(call, leg, connection), name="browser-call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call.record.id

    def _note(self, call: Call, talk: Talk) -> None:
        call.record.from_browser = True
        if talk.draft:
            call.record.agent_version = None
        self._calls.equipment.writer.record(call.record)  # before its first event
        call.timeline.add("caller", Kind.LEG, leg="caller", event="browser", user=talk.user, draft=talk.draft)

    async def _follow(self, call: Call, leg: BrowserLeg, connection: Connection) -> None:
        try:
            await self._until_over(call, leg, connection)
        finally:
            leg.leave()
            self._legs.pop(call.record.id, None)
            try:
                await asyncio.sleep(LAST_WORDS_SECONDS)
            finally:
                await connection.close()

    async def _until_over(self, call: Call, leg: BrowserLeg, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not leg.over.done():
            waiting: set[asyncio.Future[Any]] = {leg.over, connection.closed}
            await asyncio.wait(waiting, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            now = loop.time()
            if connection.closed.done():
                if connection.closed.result():
                    leg.leave()
                else:
                    leg.lose("the connection to the browser broke")
            elif not connection.heard.done():
                if now - began > CONNECT_SECONDS:
                    call.timeline.add("system", Kind.LEG, leg="caller", event="no_audio", seconds=CONNECT_SECONDS)
                    leg.lose("no sound came from the browser")
            elif now - connection.heard_at > GONE_SECONDS:
                leg.lose("the browser is gone")

    # -- the caller --------------------------------------------------------------------------------------------

    def press(self, call_id: str, digits: str) -> bool:
        """Keys of the caller's. False: this is no browser call that goes on."""
        leg = self._legs.get(call_id)
        if leg is None:
            return False
        for digit in digits:
            leg.press(digit)
        return True

    def hang_up(self, call_id: str) -> bool:
        """The caller hangs up. False: this is no browser call that goes on."""
        leg = self._legs.get(call_id)
        if leg is None:
            return False
        leg.leave()
        return True

    # -- all ---------------------------------------------------------------------------------------------------

    def gauges(self) -> dict[str, float]:
        """Browser calls that go on, how many there may be, and connections, which outlive their calls a little."""
        return {"active": len(self._legs), "limit": MAX_BROWSER_CALLS, "connections": len(self._tasks)}

    async def close(self) -> None:
        """End all of them, and let go of everything."""
        for leg in list(self._legs.values()):
            leg.leave()
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
