"""Somebody who is rung in a rehearsal: this process plays them, and no telephone rings.

What it does in a second or two would take a real destination longer; the rules of ringing are not rehearsed with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from parlons.errors import IllegalMove
from parlons.telephony.in_process import InProcessLeg
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.sip.leg import OVER
from parlons.telephony.types import LegEnd, LegState, Outcome

Fate = Literal["answered", "busy", "no_answer", "unreachable"]
"""What they do when they are rung. Whoever answers says nothing, and hangs up."""

RING_SECONDS = 1.0
TALK_SECONDS = 2.0


class StandIn(InProcessLeg):
    """``telephony.types.Leg``, outbound, with ``calls.destination.OutgoingLeg``'s ``redirect_user``.

    Args:
        fate: what they do.
        open_media: their own media, opened when they answer.
        host: the address that the media engine binds.
    """

    direction: Literal["inbound", "outbound"] = "outbound"
    redirect_user = ""

    def __init__(self, leg_id: str, fate: Fate, open_media: Callable[[], RtpMedia], host: str) -> None:
        super().__init__(leg_id, None, host)
        self._fate = fate
        self._open_media = open_media
        self._own: RtpMedia | None = None
        self._left = asyncio.Event()
        self._farewell: asyncio.TimerHandle | None = None

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
        self._call(self.events.ringing)
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

    # -- inside --------------------------------------------------------------------------------------------------

    def _pick_up(self) -> None:
        if self._media is None:
            raise IllegalMove("a destination answers without media.")
        own = self._own = self._open_media()
        self._media.remote_answer(self._introduce(self._media, own))
        own.start()
        self._media.start()
        self._confirm()
        self._call(self.events.answered)
        later = asyncio.get_running_loop().call_later
        self._farewell = later(TALK_SECONDS, lambda: self._finish(LegEnd("peer", "hung up")))

    def _over_as(self, outcome: Outcome, end: LegEnd | None) -> Outcome:
        """``end``: what a peer would have sent; None when they sent nothing."""
        self._finish(end or LegEnd("us", outcome.value))
        return outcome

    def _let_go(self, end: LegEnd) -> None:
        self._left.set()
        if self._farewell is not None:
            self._farewell.cancel()
        if self._own is not None:
            self._own.close()
