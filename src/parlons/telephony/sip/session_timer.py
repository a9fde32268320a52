"""RFC 4028: a call whose peer has vanished ends. Knows the headers and when to act, not how a refresh is sent."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiosipua.message import SipMessage, SipRequest, SipResponse

from parlons.telephony.sip.dialogs import tokens

LONGEST_MARGIN = 32.0
"""We give up this long before the interval ends, or a third of it if that is less (RFC 4028 §10)."""


class Refreshable(Protocol):
    """What the timer drives."""

    def refresh(self) -> None:
        """Send a refresh; a 2xx to it is given to ``agreed``."""
        ...

    def session_expired(self) -> None:
        """Nobody refreshed in time: say BYE."""
        ...


def interval_of(message: SipMessage) -> tuple[int, str]:
    """(seconds, refresher) of Session-Expires; 0 when there is none or it cannot be read."""
    seconds, *params = (message.get_header("session-expires") or "").split(";")
    if not seconds.strip().isdecimal():
        return 0, ""
    refresher = next((p.partition("=")[2].strip().lower() for p in params if p.strip().lower()[:9] == "refresher"), "")
    return min(int(seconds), 2**31), refresher


def too_small(request: SipRequest, shortest: int) -> bool:
    """Whether to answer 422: an interval under ours, from a peer who will understand the 422."""
    seconds, _ = interval_of(request)
    return 0 < seconds < shortest and "timer" in tokens(request, "supported") + tokens(request, "require")


class SessionTimer:
    """The watch over one dialog."""

    def __init__(self, owner: Refreshable) -> None:
        self._owner = owner
        self._handles: list[asyncio.TimerHandle] = []
        self.interval = 0

    def accept(self, request: SipRequest) -> list[tuple[str, str]]:
        """Agree to what an INVITE or UPDATE asks: the headers of the 2xx. The watch starts (or stops) here."""
        seconds, refresher = interval_of(request)
        if not seconds:
            self.stop()
            return []
        peer_can = "timer" in tokens(request, "supported") + tokens(request, "require")
        ours = refresher == "uas" or not peer_can
        self._arm(seconds, ours=ours)
        headers = [("Session-Expires", f"{seconds};refresher={'uas' if ours else 'uac'}")]
        return headers if ours else [*headers, ("Require", "timer")]

    def agreed(self, response: SipResponse) -> None:
        """A 2xx to an INVITE or UPDATE of ours: start the watch if the peer wants one."""
        seconds, refresher = interval_of(response)
        if seconds:
            self._arm(seconds, ours=refresher != "uas")
        else:
            self.stop()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What our refresh carries."""
        return (("Session-Expires", f"{self.interval};refresher=uac"), ("Supported", "timer"))

    def _arm(self, seconds: int, *, ours: bool) -> None:
        self.stop()
        self.interval = seconds
        loop = asyncio.get_running_loop()
        limit = seconds - min(LONGEST_MARGIN, seconds / 3)
        self._handles = [loop.call_later(limit, self._owner.session_expired)]
        if ours:
            self._handles.append(loop.call_later(seconds / 2, self._owner.refresh))

    def again(self, delay: float) -> None:
        """A refresh did not work: try once more in ``delay`` seconds, unless the watch ends first."""
        if self._handles:
            self._handles.append(asyncio.get_running_loop().call_later(delay, self._owner.refresh))

    def stop(self) -> None:
        """No more watch. Idempotent."""
        for handle in self._handles:
            handle.cancel()
        self._handles = []
