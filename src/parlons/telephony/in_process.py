"""What a leg is whose other side is this process itself: signalling is method calls, the audio is real RTP.

Both sides are legs of the same media engine on this machine, so that whatever a call does with a telephone (transfer,
bridge, recording, keys) it does here with the same code.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Literal

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.sip.leg import MOVES, OVER
from parlons.telephony.types import InviteInfo, LegEnd, LegEvents, LegState, MediaSession, Outcome

_CONNECTION_LINE = re.compile(rb"(?m)^c=IN IP[46] \S+")

log = logging.getLogger(__name__)


class InProcessLeg:
    """``telephony.types.Leg``, of which each subclass has one direction; the other's moves raise IllegalMove.

    Args:
        host: the address that the engine binds (``0.0.0.0`` and ``::`` for all).
    """

    direction: Literal["inbound", "outbound"]

    def __init__(self, leg_id: str, info: InviteInfo | None, host: str) -> None:
        self.id = leg_id
        self.info = info
        self.state = LegState.NEW
        self.events = LegEvents()
        self.end: LegEnd | None = None
        self._address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self._media: MediaSession | None = None

    # -- Leg -----------------------------------------------------------------------------------------------------

    def attach(self, media: MediaSession) -> None:
        """Give the leg its media; what comes after the end is closed at once."""
        self._media = media
        if self.state in OVER:
            self._call(media.close)

    def ring(self) -> None:
        """Inbound only."""
        raise self._illegal("ring")

    def progress(self) -> None:
        """Inbound only."""
        raise self._illegal("progress")

    async def answer(self) -> None:
        """Inbound only."""
        raise self._illegal("answer")

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Inbound only."""
        raise self._illegal("refuse")

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Outbound only."""
        raise self._illegal("label")

    async def dial(self) -> Outcome:
        """Outbound only."""
        raise self._illegal("dial")

    async def hang_up(self, reason: str = "", *, code: int | None = None) -> None:
        """End it from any state. Idempotent."""
        self._finish(LegEnd("us", reason or "hung up", code))

    async def send_info(self, content_type: str, body: bytes) -> int:
        """Raises LegClosed after the end; the other side takes no INFO (415)."""
        if self.state in OVER:
            raise LegClosed("The leg has ended.")
        return 415

    # -- inside --------------------------------------------------------------------------------------------------

    def _introduce(self, offering: MediaSession, answering: MediaSession) -> bytes:
        """Let one side offer and the other answer; returns the answer, which the first is not told yet.

        Both descriptions name this machine's own address, whatever the operator wants peers to be told. Raises
        SdpError: no codec in common.
        """
        line = b"c=IN IP" + (b"6 " if ":" in self._address else b"4 ") + self._address.encode()
        for each in (offering, answering):
            each.advertise(self._address)
        offer = _CONNECTION_LINE.sub(line, offering.local_offer())
        return _CONNECTION_LINE.sub(line, answering.remote_offer(offer))

    def _confirm(self) -> None:
        self._move(LegState.ANSWERED)
        self._move(LegState.CONFIRMED)

    def _move(self, state: LegState) -> None:
        if state not in MOVES[self.state]:
            raise IllegalMove(f"leg {self.id}: {self.state.value} to {state.value}")
        self.state = state

    def _finish(self, end: LegEnd) -> None:
        if self.state in OVER:
            return
        self._move(LegState.ENDED)
        self.end = end
        self._let_go(end)
        if self._media is not None:
            self._call(self._media.close)
        self._call(self.events.ended, end)

    def _let_go(self, end: LegEnd) -> None:
        """The leg has ended: release the other side."""
        raise NotImplementedError

    def _call(self, event: Callable[..., None] | None, *args: object) -> None:
        try:
            if event is not None:
                event(*args)
        except Exception:  # a call-back's bug must not keep the leg half open
            log.exception("A call-back of a leg within this process failed")

    def _illegal(self, move: str) -> IllegalMove:
        return IllegalMove(f"{move} on an {self.direction} leg.")
