"""The longest duration of a conversation: a closing sentence when it is reached, then the wish to end.

Time with the agents of a call counts together; while the other person is with somebody else the end waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from .actions.hang_up import FAR_BUFFER_SECONDS, played
from .host import ConversationEnd, Host

CLOSING_SENTENCE_SECONDS = 20.0
LEAST_SECONDS = 30.0
"""What an agent that takes over a call has for it, however long the others took."""


class Limit:
    """The limit of one conversation.

    Args:
        seconds: ``max_call_seconds``.
        spent: seconds the call has been with other agents already.
    """

    def __init__(self, host: Host, seconds: float, spent: float) -> None:
        self._host = host
        self._seconds = max(LEAST_SECONDS, seconds - spent) if spent else seconds
        self._timer: asyncio.TimerHandle | None = None
        self._elsewhere = 0
        self._reached = False

    def start(self) -> None:
        """Count from now."""
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._time_is_up)

    def stop(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[None]:
        """While inside, the other person is with somebody else."""
        self._elsewhere += 1
        try:
            yield
        finally:
            self._elsewhere -= 1
            if self._reached and not self._host.over:
                self._time_is_up()

    def _time_is_up(self) -> None:
        self._timer = None
        self._reached = True
        if not self._elsewhere:
            self._host.spawn(self._say_closing())

    async def _say_closing(self) -> None:
        with self._host.quiet():
            self._host.interrupt()
            handle = self._host.say(self._host.phrases.closing, interruptible=False)
            if handle is not None:
                await played(handle, longest=CLOSING_SENTENCE_SECONDS)
                await asyncio.sleep(FAR_BUFFER_SECONDS)
        self._host.finish(ConversationEnd("system", "max_call_seconds"))
