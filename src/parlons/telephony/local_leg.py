"""A call that comes in from this process itself: from a browser's page, or from a rehearsal of the failover.

Signalling is these methods and no message; the audio is real RTP between two legs of the same engine on this machine,
so that whatever a call does with a telephone (transfer, bridge, recording, keys) it does here with the same code.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Literal

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.sip.leg import MOVES, OVER
from parlons.telephony.types import InviteInfo, LegEnd, LegEvents, LegState, MediaSession, Outcome

CANCELLED = 487
"""RFC 3261 section 21.4.25: what a caller who gives up before the answer leaves behind."""

_CONNECTION_LINE = re.compile(rb"(?m)^c=IN IP[46] \S+")

log = logging.getLogger(__name__)


def address_of(host: str) -> str:
    """Where a leg of this process reaches another: the address that the engine binds, never that of "all"."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def introduce(offering: MediaSession, answering: MediaSession, address: str) -> bytes:
    """Let one leg offer and the other answer; returns the answer, which the first is not told yet. Raises SdpError.

    Both descriptions name this machine's own address, whatever the operator wants peers to be told.
    """
    line = b"c=IN IP" + (b"6 " if ":" in address else b"4 ") + address.encode()
    for each in (offering, answering):
        each.advertise(address)
    offer = _CONNECTION_LINE.sub(line, offering.local_offer())
    return _CONNECTION_LINE.sub(line, answering.remote_offer(offer))


class LocalLeg:
    """``telephony.types.Leg``, inbound. The other side is ``peer`` and the methods under "the caller".

    Args:
        info: what an INVITE would have said.
        peer: the caller's own media, just opened by the engine that the call will use; its codecs are what the
            caller offers. It is closed with the leg. Set its ``source`` and ``sink`` before the call begins.
        host: the address that the engine binds (``0.0.0.0`` and ``::`` for all).
    """

    direction: Literal["inbound", "outbound"] = "inbound"

    def __init__(self, info: InviteInfo, peer: RtpMedia, host: str) -> None:
        self.id = info.call_id
        self.info: InviteInfo | None = info
        self.peer = peer
        self.state = LegState.NEW
        self.events = LegEvents()
        self.end: LegEnd | None = None
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the call is answered; cancelled when it ends before."""
        self.over: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        """Done when it has ended."""
        self._address = address_of(host)
        self._media: MediaSession | None = None
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
        self._media = media
        if self.state in OVER:
            self._call(media.close)
            return
        self._answer = introduce(self.peer, media, self._address)

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
        self._move(LegState.ANSWERED)
        self._move(LegState.CONFIRMED)
        self.answered.set_result(None)
        self._call(self.events.answered)

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Say no; without effect when it is over already."""
        self._finish(LegEnd("us", reason or f"refused ({code})", code))

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Raises IllegalMove: outbound only."""
        raise IllegalMove("label on an inbound leg.")

    async def dial(self) -> Outcome:
        """Raises IllegalMove: outbound only."""
        raise IllegalMove("dial on an inbound leg.")

    async def hang_up(self, reason: str = "", *, code: int | None = None) -> None:
        """End it from any state. Idempotent."""
        self._finish(LegEnd("us", reason or "hung up", code))

    async def send_info(self, content_type: str, body: bytes) -> int:
        """Raises LegClosed after the end; the caller takes no INFO (415)."""
        if self.state in OVER:
            raise LegClosed("The leg has ended.")
        return 415

    # -- inside --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._media is None:
            raise IllegalMove("media is started on a leg without media.")
        self.peer.remote_answer(self._answer)
        self.peer.start()
        self._media.start()

    def _move(self, state: LegState) -> None:
        if state not in MOVES[self.state]:
            raise IllegalMove(f"local leg {self.id}: {self.state.value} to {state.value}")
        self.state = state

    def _finish(self, end: LegEnd) -> None:
        if self.state in OVER:
            return
        self._move(LegState.ENDED)
        self.end = end
        self.peer.close()
        if self._media is not None:
            self._call(self._media.close)
        self.answered.cancel()
        self.over.set_result(end)
        if self.events.ended is not None:
            self._call(self.events.ended, end)

    def _call(self, event: Callable[..., None] | None, *args: object) -> None:
        try:
            if event is not None:
                event(*args)
        except Exception:  # a call-back's bug must not keep the leg half open
            log.exception("A call-back of a local leg failed")
