"""A call that comes in from this process itself: from a browser's page, or from a rehearsal of the failover."""

from __future__ import annotations

import asyncio
from typing import Literal

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.in_process import InProcessLeg
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.sip.leg import OVER
from parlons.telephony.types import InviteInfo, LegEnd, LegState, MediaSession

CANCELLED = 487
"""RFC 3261 section 21.4.25: what a caller who gives up before the answer leaves behind."""


class LocalLeg(InProcessLeg):
    """``telephony.types.Leg``, inbound. The other side is ``peer`` and the methods under "the caller".

    Args:
        info: what an INVITE would have said.
        peer: the caller's own media, just opened by the engine that the call will use; its codecs are what the
            caller offers. It is closed with the leg. Set its ``source`` and ``sink`` before the call begins.
        host: the address that the engine binds (``0.0.0.0`` and ``::`` for all).
    """

    direction: Literal["inbound", "outbound"] = "inbound"

    def __init__(self, info: InviteInfo, peer: RtpMedia, host: str) -> None:
        super().__init__(info.call_id, info, host)
        self.peer = peer
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the call is answered; cancelled when it ends before."""
        self.over: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        """Done when it has ended."""
        self._answer = b""

    # -- the caller ----------------------------------------------------------------------------------------------

    def press(self, digit: str) -> None:
        """A key of the caller's: ``0-9 * # A-D``. Without effect before there is media and after the end."""
        if self._media is not None and self.state not in OVER:
            self._media.info_dtmf(digit)

    def leave(self, reason: str = "hung up") -> None:
        """The caller hangs up, or gives up before the answer. Idempotent."""
        unanswered = self.state in (LegState.NEW, LegState.RINGING, LegState.EARLY)
        self._finish(LegEnd("peer", reason, CANCELLED if unanswered else None))

    # -- Leg -----------------------------------------------------------------------------------------------------

    def attach(self, media: MediaSession) -> None:
        """Give the leg its media and apply the caller's offer. Raises SdpError: no codec of the offer is allowed."""
        super().attach(media)
        if self.state not in OVER:
            self._answer = self._introduce(self.peer, media)

    def ring(self) -> None:
        """The caller is told that it rings."""
        if self.state is LegState.NEW:
            self._move(LegState.RINGING)

    def progress(self) -> None:
        """Early media. Raises IllegalMove without media."""
        if self.state in (LegState.NEW, LegState.RINGING):
            self._start()
            self._move(LegState.EARLY)

    async def answer(self) -> None:
        """Answer. Raises LegClosed when the caller left, IllegalMove without media."""
        if self.state in OVER:
            raise LegClosed("The caller left before the answer.")
        self._start()
        self._confirm()
        self.answered.set_result(None)
        self._call(self.events.answered)

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Say no; without effect when it is over already."""
        self._finish(LegEnd("us", reason or f"refused ({code})", code))

    # -- inside --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._media is None:
            raise IllegalMove("media is started on a leg without media.")
        self.peer.remote_answer(self._answer)
        self.peer.start()
        self._media.start()

    def _let_go(self, end: LegEnd) -> None:
        self.peer.close()
        self.answered.cancel()
        self.over.set_result(end)
