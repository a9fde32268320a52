"""What the agent has said in a text conversation, and when it has nothing more under way."""

from __future__ import annotations

import asyncio

from livekit.agents.voice import SpeechHandle


class Replies:
    """Of one conversation.

    Attributes:
        last: the speech that was begun last.
        tasks: work of the conversation's that may still speak: a step that opens, a guard that says goodbye.
    """

    def __init__(self, tasks: set[asyncio.Task[None]]) -> None:
        self.last: SpeechHandle | None = None
        self._tasks = tasks
        self._said: list[str] = []

    def said(self, text: str) -> None:
        """The agent said this."""
        self._said.append(text)

    def spoke(self, handle: SpeechHandle) -> None:
        """A speech was begun."""
        self.last = handle

    def take(self) -> list[str]:
        """What was said since the last time."""
        taken = list(self._said)
        self._said.clear()
        return taken

    async def settled(self) -> list[str]:
        """Wait until nothing more is under way; what was said since the last time."""
        while True:
            last = self.last
            if last is not None:
                await last.wait_for_playout()
            if self._tasks:
                await asyncio.wait(self._tasks)
            elif last is self.last:
                return self.take()
