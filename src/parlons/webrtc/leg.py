"""The leg of a call from a browser: a caller in this process whose sound takes a moment to find its way."""

from __future__ import annotations

import asyncio
from typing import Any

from parlons.telephony.local_leg import CANCELLED, LocalLeg
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.sip.leg import OVER
from parlons.telephony.types import InviteInfo, LegEnd, LegState


class BrowserLeg(LocalLeg):
    """Answered once the browser is heard: what the agent said before would be lost.

    Args:
        heard: done when the first sound came.
    """

    def __init__(self, info: InviteInfo, peer: RtpMedia, host: str, heard: asyncio.Future[None]) -> None:
        super().__init__(info, peer, host)
        self._heard = heard

    async def answer(self) -> None:
        """Answer, when the browser's sound has come. Raises LegClosed when they left meanwhile."""
        if self.state not in OVER:
            either: set[asyncio.Future[Any]] = {self._heard, self.over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        await super().answer()

    def lose(self, reason: str) -> None:
        """The browser is gone, and did not say so. Idempotent."""
        unanswered = self.state in (LegState.NEW, LegState.RINGING, LegState.EARLY)
        self._finish(LegEnd("transport", reason, CANCELLED if unanswered else None))
