"""Keys the other person presses, gathered into one turn: 2 s after the last, or at once at ``#``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from livekit.agents import AgentSession, llm

from ..calls.timeline import Kind
from .host import Host
from .listening import Listening
from .prompt import keypad_turn
from .stepping import Stepping

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


class KeyTurns:
    """What becomes of the keys pressed in one conversation: events at once, then turns of the other person's.

    Args:
        ours: whether a key that came in is one that we pressed ourselves.
        answered: called for every key: somebody is there.
    """

    def __init__(self, host: Host, *, ours: Callable[[str], bool], answered: Callable[[], None]) -> None:
        self._host = host
        self._ours = ours
        self._answered = answered
        self._keypad = Keypad(self._turn)
        self._session: AgentSession[Any] | None = None
        self._listening: Listening | None = None
        self._stepping: Stepping | None = None

    def attach(self, session: AgentSession[Any], listening: Listening, stepping: Stepping) -> None:
        """Whom turns go to; before that they go nowhere."""
        self._session, self._listening, self._stepping = session, listening, stepping

    def pressed(self, digit: str, method: str) -> None:
        """One key came in."""
        if self._ours(digit):
            return
        shown = "" if self._host.sensitive else digit
        self._host.timeline.add("caller", Kind.DTMF, digits=shown, method=method)
        if self._session is not None:
            self._session.reset_away_timer()
        self._answered()
        self._keypad.pressed(digit)

    def close(self) -> None:
        """Forget what was not handed over."""
        self._keypad.close()

    def _turn(self, digits: str) -> None:
        session, listening, stepping = self._session, self._listening, self._stepping
        if self._host.over or session is None or listening is None or stepping is None:
            return
        message = llm.ChatMessage(role="user", content=[keypad_turn(digits)])
        listening.keypad_turn(message)
        if stepping.moving:
            stepping.keep(message)
            return
        with contextlib.suppress(RuntimeError):  # what is being said may not be interrupted: the answer follows it
            session.interrupt()
        with contextlib.suppress(RuntimeError):  # not up yet, or going down by itself: there is nobody to answer
            session.generate_reply(user_input=message)
