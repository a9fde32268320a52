"""What the parts of a conversation may ask of the conversation they belong to.

Only types: so that answering, speaking, hanging up and the guards know one another through this line alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from livekit.agents.voice import SpeechHandle

from ..calls.timeline import Actor, Timeline
from .phrases import Phrases


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    """Why a conversation wants its call to end, or that it cannot go on (``failed``)."""

    who: Actor
    why: str
    failed: bool = False
    error: str = ""


class Host(Protocol):
    """A running conversation."""

    @property
    def timeline(self) -> Timeline: ...

    @property
    def phrases(self) -> Phrases: ...

    @property
    def sensitive(self) -> bool:
        """The step at hand stores none of the words."""
        ...

    @property
    def over(self) -> bool:
        """It has ended or is being closed: nothing new may begin."""
        ...

    @property
    def caller_speaking(self) -> bool: ...

    @property
    def careful(self) -> bool:
        """Music or a menu may be playing: only what is surely speech is to be heard as such."""
        ...

    @property
    def on_hold(self) -> bool:
        """The other side put us on hold: nobody listens."""
        ...

    @property
    def busy(self) -> bool:
        """The agent is speaking or making an answer."""
        ...

    def tell_model(self, text: str) -> None:
        """Something the model must know from its next answer on; said to nobody."""
        ...

    def say(self, text: str, *, interruptible: bool | None = None) -> SpeechHandle | None:
        """Say a text (None: as the step allows). Returns None when the conversation is over."""
        ...

    def prompt_model(self, instructions: str, *, interruptible: bool | None = None) -> SpeechHandle | None:
        """Have the model speak though nobody said anything. Returns None when the conversation is over."""
        ...

    def interrupt(self) -> None:
        """Drop what is being said or made, also where the step lets nobody interrupt."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that ends with the conversation."""
        ...

    def quiet(self) -> AbstractContextManager[None]:
        """While inside, nobody is asked whether they are there and no apology or filler is spoken."""
        ...

    def nothing_owed(self) -> None:
        """What the other person said last was answered without words."""
        ...

    def working(self) -> AbstractContextManager[None]:
        """While inside, something is being done: fillers are spoken in place of an apology."""
        ...

    def elsewhere(self) -> AbstractContextManager[None]:
        """While inside, the other person is with somebody else: ``quiet``, and the longest duration waits too."""
        ...

    def finish(self, end: ConversationEnd) -> None:
        """The conversation wants its call to end. Only the first reason counts."""
        ...

    def fail(self, service: str, error: str) -> None:
        """The conversation cannot go on."""
        ...
