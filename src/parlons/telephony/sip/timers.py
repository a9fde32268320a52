"""The clock values of RFC 3261 and the one thing that repeats. Knows no message and no state.

All times are seconds on the running loop's clock, so tests drive them on virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261 table 4, and the shortest session interval we accept (RFC 4028: at least 90 s)."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    min_session: int = 90
    repeat_provisional: float = 60.0
    """RFC 3261 §13.3.1.1: a proxy may give up on a call that shows no sign of life for three minutes."""

    @property
    def give_up(self) -> float:
        """Timers B, D, F, H, J, L, M: 64 × T1."""
        return 64 * self.t1


class Repeater:
    """Calls ``send`` after ``first`` seconds, then after twice that, and so on up to ``longest`` between two calls."""

    def __init__(self, send: Callable[[], None], first: float, longest: float = float("inf")) -> None:
        self._send = send
        self._interval = first
        self._longest = longest
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = self._loop.call_later(first, self._fire)

    def _fire(self) -> None:
        self._interval = min(2 * self._interval, self._longest)
        self._handle = self._loop.call_later(self._interval, self._fire)
        self._send()

    def stop(self) -> None:
        """No more calls. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def slow_down(self) -> None:
        """From the next call on, wait the longest interval (timer E once a provisional came)."""
        self._interval = self._longest
