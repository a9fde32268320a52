"""What a destination hears before it is put through, alone, and the key that says it is somebody and willing.

Knows one answered leg; the caller meanwhile hears ringback, which is not done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from parlons.conversation.audio import play_pcm
from parlons.errors import ParlonsError

from .destination import Destination
from .timeline import Kind, Timeline

WHISPER_READY_SECONDS = 4.0
"""After the answer: a whisper not made by then is left out. It is begun while the destination rings."""
ACCEPT_SECONDS = 10.0
"""After the whisper, to press the key."""

Speak = Callable[[str, int], Awaitable[bytes]]
"""(text, samples a second) to s16le mono PCM at that rate; may raise. See ``conversation.synthesis``."""


class Briefing:
    """The whisper and the accept key of one transfer.

    A whisper that cannot be made or played is noted and left out. The key is asked for all the same: a voicemail that
    heard no whisper would swallow the caller just as well.

    Args:
        whisper: what is said; empty for nothing.
        accept_key: which key must be pressed; empty for none.
        sample_rate: at which the whisper is made.
        hide_digits: see ``ringing.Asking``.
    """

    def __init__(
        self,
        whisper: str,
        accept_key: str,
        speak: Speak,
        timeline: Timeline,
        *,
        sample_rate: int,
        hide_digits: bool,
    ) -> None:
        self._whisper = whisper
        self._key = accept_key
        self._speak = speak
        self._timeline = timeline
        self._rate = sample_rate
        self._hide_digits = hide_digits
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._making: asyncio.Task[bytes] | None = None
        self._playing: asyncio.Task[bool] | None = None

    @property
    def needed(self) -> bool:
        """There is something to hear or to press."""
        return bool(self._whisper or self._key)

    def prepare(self) -> None:
        """Begin to make the whisper: somebody may answer soon. Idempotent."""
        if self._whisper and self._making is None:
            self._making = asyncio.create_task(self._make(), name="whisper")
            self._making.add_done_callback(_seen)

    async def whisper(self, destination: Destination) -> None:
        """Play the whisper, until it ends or the key is pressed. Raises DestinationLeft."""
        destination.media.on_dtmf = lambda digit: self._pressed(destination, digit)
        if not self._whisper:
            return
        self.prepare()
        assert self._making is not None
        await destination.wait(self._making, self._accepted, seconds=WHISPER_READY_SECONDS)
        if self._accepted.done():
            return
        if problem := _problem(self._making):
            destination.note("whisper", "agent", played=False, error=problem)
            return
        playing = self._playing = asyncio.create_task(
            play_pcm(destination.media, self._making.result(), self._rate), name="whisper_playing"
        )
        playing.add_done_callback(_seen)
        await destination.wait(playing, self._accepted)
        whole = playing.done() and playing.result()
        if not playing.done():
            playing.cancel()
            await asyncio.wait({playing})  # it gives the leg's source back
        destination.note("whisper", "agent", played=True, whole=whole)

    async def accepted(self, destination: Destination) -> bool:
        """Whether the key is pressed in time, or was already; true when there is none. Raises DestinationLeft."""
        if not self._key:
            return True
        await destination.wait(self._accepted, seconds=ACCEPT_SECONDS)
        done = self._accepted.done()
        destination.note("accepted" if done else "not_accepted")
        return done

    def close(self) -> None:
        """Drop whatever is under way. Idempotent."""
        for task in (self._making, self._playing):
            if task is not None:
                task.cancel()

    async def _make(self) -> bytes:
        return await self._speak(self._whisper, self._rate)

    def _pressed(self, destination: Destination, digit: str) -> None:
        digits = "" if self._hide_digits else digit
        self._timeline.add("destination", Kind.DTMF, digits=digits, method=destination.media.received_by)
        if digit == self._key and not self._accepted.done():
            self._accepted.set_result(None)


def _problem(making: asyncio.Task[bytes]) -> str:
    """Why there is no whisper to play; empty when there is one. Names the kind of failure, no words."""
    if not making.done():
        return "not ready in time"
    if making.cancelled():
        return "cancelled"
    error = making.exception()
    if error is not None:
        return error.message if isinstance(error, ParlonsError) else type(error).__name__
    return "" if making.result() else "no audio"


def _seen(task: asyncio.Task[bytes] | asyncio.Task[bool]) -> None:
    """Nobody may be left to ask how it went."""
    if not task.cancelled():
        task.exception()
