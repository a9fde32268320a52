"""Keys the other person presses, gathered into one turn: 2 s after the last, or at once at ``#``.

Timers only: what becomes of the turn is the conversation's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TURN_SECONDS = 2.0
MAX_DIGITS = 64
"""A turn never grows beyond this; what comes after begins the next one."""


class Keypad:
    """Gathers the digits of one conversation and hands each turn to ``turn``."""

    def __init__(self, turn: Callable[[str], None]) -> None:
        self._turn = turn
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None

    def pressed(self, digit: str) -> None:
        """One key: ``0-9``, ``*``, ``#`` or ``A-D``."""
        self._cancel()
        self._digits += digit
        if digit == "#" or len(self._digits) >= MAX_DIGITS:
            self._flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(TURN_SECONDS, self._flush)

    def close(self) -> None:
        """Forget what was not handed over."""
        self._cancel()
        self._digits = ""

    def _flush(self) -> None:
        self._cancel()
        digits, self._digits = self._digits, ""
        self._turn(digits)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
