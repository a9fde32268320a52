"""Asking whether the other person is there, when nobody has spoken for a while (specification, section 4.3).

Policy only: the voice runtime says when the silence has lasted long enough, and counts again after each check.
"""

from __future__ import annotations

from ..calls.timeline import Kind
from .actions.guards import SilenceGuard
from .actions.hang_up import HangUp
from .host import Host


class SilenceChecks:
    """The silence checks of one conversation."""

    def __init__(self, host: Host, hang_up: HangUp) -> None:
        self._host = host
        self._hang_up = hang_up
        self._guard = SilenceGuard()
        self._said = 0
        self._suspended = 0

    def suspend(self, by: int) -> None:
        """+1 while nobody may be asked (waiting, transferring, running actions), -1 when it may begin again."""
        self._suspended += by

    def answered(self) -> None:
        """The other person said or pressed something."""
        self._said = 0
        self._guard.answered()

    def silence(self) -> None:
        """Nobody has spoken for ``silence_check_seconds``."""
        if self._host.over or self._suspended or self._host.on_hold or self._host.busy:
            return
        if self._guard.silent_again() and self._hang_up.guard_ask("silence"):
            return
        checks = self._host.phrases.silence_checks
        text = checks[self._said % len(checks)]
        self._said += 1
        self._guard.check_said()
        self._host.timeline.add("agent", Kind.SILENCE_CHECK, count=self._said)
        self._host.say(text)
