"""The agent is never silent when it owes the other person words: apologies and fillers, and when they are due.

Policy and timers only: it says nothing itself, and knows no provider. What happens inside an answer being made is
``answering``'s; this watches over everything else (a recogniser that heard nothing, an answer lost, a slow tool).
"""

from __future__ import annotations

import asyncio

from ..calls.timeline import Kind
from .host import Host

OWED_SECONDS = 8.0
"""Longest silence after the other person's turn."""
PATIENCE_SECONDS = 7.0
"""An answer being made gives way to a word of patience a little sooner, so that it sounds in time."""
FILLER_FIRST_SECONDS = 6.0
FILLER_NEXT_SECONDS = 8.0
SPEECH_SECONDS = 1.0
"""Speech shorter than this that gave no words is taken for noise: it is owed nothing."""
LOST_SECONDS = 1.0
"""When words are known to be lost, this soon after the other person stopped they are asked for again."""
RESCUE_SECONDS = 3.0
"""After a goodbye that was spoken over: when no words came of it by then, they are asked for again."""
RETRY_SECONDS = 1.0
WORDLESS_APOLOGIES = 2
"""In a row, for speech that gave no words: after these it is taken for a noise that lasts (a radio)."""


class NeverSilent:
    """Watches one conversation. Times are the loop's."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._owed_since: float | None = None
        self._speech_began: float | None = None
        self._lost = False
        self._sounding = False
        self._sound_due = 0.0
        self._wordless = 0
        self._timer: asyncio.TimerHandle | None = None
        self._filler: asyncio.TimerHandle | None = None
        self._tools = 0
        self._fillers_said = 0
        self._suspended = 0

    # -- what happens -----------------------------------------------------------------------------------------

    def caller_started(self) -> None:
        """The other person began to speak."""
        self._speech_began = self._loop.time()
        self._lost = False
        self._cancel_timer()

    def caller_stopped(self, *, rescued: bool = False) -> None:
        """The other person fell silent; what they said may not be known yet. ``rescued``: it kept the call alive."""
        began, self._speech_began = self._speech_began, None
        spoke = began is not None and self._loop.time() - began >= SPEECH_SECONDS
        if rescued or spoke or self._owed_since is not None:
            self._owe()
            if rescued:
                self._arm(RESCUE_SECONDS)
            if self._lost:
                self._arm(LOST_SECONDS)

    def caller_turn(self) -> None:
        """Words of the other person (or keys) are known, and an answer is due."""
        self._wordless = 0
        if self._owed_since is None:
            self._owe()

    def nothing_owed(self) -> None:
        """The agent answered without words: it pressed keys, or waits."""
        self._owed_since = None
        self._cancel_timer()

    def words_lost(self) -> None:
        """A recogniser failed with what was being said."""
        self._lost = True
        if self._owed_since is not None and self._speech_began is None:
            self._arm(LOST_SECONDS)

    def agent_sounds(self, sounds: bool) -> None:
        """Sound of the agent's begins to go out, or ended."""
        self._sounding = sounds
        if sounds:
            self._owed_since = None
            self._cancel_timer()

    def sound_due(self, at: float) -> None:
        """A voice provider has words to say: by then (loop time) they sound, or the next provider has them."""
        self._sound_due = at

    def tool_started(self) -> None:
        self._tools += 1
        self._cancel_timer()
        if self._tools == 1:
            self._fillers_said = 0
            self._filler = self._loop.call_later(FILLER_FIRST_SECONDS, self._say_filler)

    def tool_ended(self) -> None:
        self._tools = max(0, self._tools - 1)
        if self._tools == 0:
            if self._filler is not None:
                self._filler.cancel()
                self._filler = None
            if self._owed_since is not None:
                self._owe()

    def suspend(self, by: int) -> None:
        """+1 while the agent must not speak on its own, -1 when it may again."""
        self._suspended += by
        if not self._suspended and self._owed_since is not None:
            self._owe()  # counts from now: nobody waited for words meanwhile

    def patience_at(self) -> float | None:
        """When an answer being made must give way to a word of patience; None when nothing is owed."""
        if self._owed_since is None or self._suspended:
            return None
        return self._owed_since + PATIENCE_SECONDS

    def close(self) -> None:
        self._cancel_timer()
        if self._filler is not None:
            self._filler.cancel()
            self._filler = None

    # -- what follows -----------------------------------------------------------------------------------------

    def _owe(self) -> None:
        self._owed_since = self._loop.time()
        self._arm(OWED_SECONDS)

    def _arm(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(seconds, self._apologise)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _apologise(self) -> None:
        self._timer = None
        if self._host.over:
            return
        now = self._loop.time()
        talking = self._host.caller_speaking or self._sounding or now < self._sound_due
        if self._suspended or self._tools or talking or self._host.on_hold:
            self._arm(RETRY_SECONDS)
            return
        if self._host.busy:
            waited = now - (now if self._owed_since is None else self._owed_since)
            if waited < OWED_SECONDS:
                self._arm(min(RETRY_SECONDS, OWED_SECONDS - waited))
                return
            self._host.interrupt()  # whatever is being made has had its time
        self._owed_since = None
        self._wordless += 1
        if self._wordless > WORDLESS_APOLOGIES:
            return
        self._host.timeline.add("system", Kind.NEVER_SILENT, rule="slow_answer")
        self._host.say(self._host.phrases.apology)

    def _say_filler(self) -> None:
        self._filler = None
        if self._host.over or not self._tools:
            return
        if self._suspended or self._host.busy or self._host.caller_speaking:
            self._filler = self._loop.call_later(RETRY_SECONDS, self._say_filler)
            return
        fillers = self._host.phrases.fillers
        self._host.say(fillers[self._fillers_said % len(fillers)])
        self._fillers_said += 1
        self._filler = self._loop.call_later(FILLER_NEXT_SECONDS, self._say_filler)
