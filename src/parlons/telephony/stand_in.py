"""Somebody who is rung in a rehearsal: this process plays them, and no telephone rings.

What it does in a second or two would take a real destination longer; the rules of ringing are not rehearsed with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.local_leg import address_of, introduce
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.sip.leg import MOVES, OVER
from parlons.telephony.types import LegEnd, LegEvents, LegState, MediaSession, Outcome

Fate = Literal["answered", "busy", "no_answer", "unreachable"]
"""What they do when they are rung. Whoever answers says nothing, and hangs up."""

RING_SECONDS = 1.0
TALK_SECONDS = 2.0


class StandIn:
    """``telephony.types.Leg``, outbound, with ``calls.destination.OutgoingLeg``'s ``redirect_user``.

    Args:
        fate: what they do.
        open_media: their own media, opened when they answer.
        host: the address that the media engine binds.
    """

    direction: Literal["outbound"] = "outbound"
    info: None = None
    redirect_user = ""

    def __init__(self, leg_id: str, fate: Fate, open_media: Callable[[], RtpMedia], host: str) -> None:
        self.id = leg_id
        self.state = LegState.NEW
        self.events = LegEvents()
        self.end: LegEnd | None = None
        self._fate = fate
        self._open_media = open_media
        self._address = address_of(host)
        self._media: MediaSession | None = None
        self._own: RtpMedia | None = None
        self._left = asyncio.Event()
        self._farewell: asyncio.TimerHandle | None = None

    # -- outbound ------------------------------------------------------------------------------------------------

    def attach(self, media: MediaSession) -> None:
        """Give the leg its media."""
        self._media = media

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Nobody reads them."""

    async def dial(self) -> Outcome:
        """What the fate says, within ``RING_SECONDS``; CALLER_LEFT when ``hang_up`` was called meanwhile.

        Raises PortsExhausted: they cannot answer.
        """
        if self._fate == "unreachable":
            return self._over_as(Outcome.UNREACHABLE, None)
        if self.state in OVER:
            return Outcome.CALLER_LEFT
        self._move(LegState.RINGING)
        if self.events.ringing is not None:
            self.events.ringing()
        try:
            await asyncio.wait_for(self._left.wait(), RING_SECONDS)
            return Outcome.CALLER_LEFT
        except TimeoutError:
            pass
        if self._fate == "busy":
            return self._over_as(Outcome.BUSY, LegEnd("peer", "Busy Here", 486))
        if self._fate == "no_answer":
            return self._over_as(Outcome.NO_ANSWER, None)
        self._pick_up()
        return Outcome.ANSWERED

    async def hang_up(self, reason: str = "", *, code: int | None = None) -> None:
        """Let go of them from any state. Idempotent."""
        self._left.set()
        self._finish(LegEnd("us", reason or "hung up", code))

    async def send_info(self, content_type: str, body: bytes) -> int:
        """Raises LegClosed after the end; they take no INFO (415)."""
        if self.state in OVER:
            raise LegClosed("The leg has ended.")
        return 415

    # -- inbound -------------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """Raises IllegalMove: inbound only, as are the three below."""
        raise IllegalMove("ring on an outbound leg.")

    def progress(self) -> None:
        raise IllegalMove("progress on an outbound leg.")

    async def answer(self) -> None:
        raise IllegalMove("answer on an outbound leg.")

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        raise IllegalMove("refuse on an outbound leg.")

    # -- inside --------------------------------------------------------------------------------------------------

    def _pick_up(self) -> None:
        if self._media is None:
            raise IllegalMove("a destination answers without media.")
        own = self._own = self._open_media()
        self._media.remote_answer(introduce(self._media, own, self._address))
        own.start()
        self._media.start()
        self._move(LegState.ANSWERED)
        self._move(LegState.CONFIRMED)
        if self.events.answered is not None:
            self.events.answered()
        later = asyncio.get_running_loop().call_later
        self._farewell = later(TALK_SECONDS, lambda: self._finish(LegEnd("peer", "hung up")))

    def _over_as(self, outcome: Outcome, end: LegEnd | None) -> Outcome:
        """``end``: what a peer would have sent; None when they sent nothing."""
        self._finish(end or LegEnd("us", outcome.value))
        return outcome

    def _move(self, state: LegState) -> None:
        if state not in MOVES[self.state]:
            raise IllegalMove(f"stand-in {self.id}: {self.state.value} to {state.value}")
        self.state = state

    def _finish(self, end: LegEnd) -> None:
        if self.state in OVER:
            return
        self._move(LegState.ENDED)
        self.end = end
        if self._farewell is not None:
            self._farewell.cancel()
        if self._own is not None:
            self._own.close()
        if self.events.ended is not None:
            self.events.ended(end)
