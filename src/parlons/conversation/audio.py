"""Audio between an AudioPort and the voice runtime: frames in, speech out, and what was really heard of it.

Knows neither agents nor providers, and nothing of SIP or RTP: only the port's two call-backs and the runtime's I/O
classes. The port's clock owns time: it pulls one frame every 20 ms, and what it pulled is what was sent.
"""

from __future__ import annotations

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io

from ..telephony.types import FRAME_SECONDS, AudioPort
from .embedded.resample import from_pcm, resample, to_pcm

FRAMES_PER_CHUNK = 2
"""Received frames handed to the runtime together: 40 ms. Each hand-over costs the same, whatever its length."""
MAX_INPUT_CHUNKS = 50
"""2 s of received audio; when the runtime falls further behind, the oldest is dropped: late audio is worth nothing."""
MAX_BUFFERED_SECONDS = 60.0
"""Speech made ahead of what was sent; whoever makes more waits."""
CHARACTERS_PER_SECOND = 15.0
"""Pace of speech, for guessing what was heard of a sentence whose audio is not all there yet."""


class PortInput(io.AudioInput):
    """What the caller says. ``push`` is an AudioSink."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(label="port")
        self._rate = sample_rate
        self._pending = bytearray()
        self._chunk_bytes = FRAMES_PER_CHUNK * round(sample_rate * FRAME_SECONDS) * 2
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_INPUT_CHUNKS)

    def push(self, frame: bytes) -> None:
        """Take one frame. Never blocks."""
        self._pending += frame
        if len(self._pending) < self._chunk_bytes:
            return
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(bytes(self._pending))
        self._pending.clear()

    async def __anext__(self) -> rtc.AudioFrame:
        pcm = await self._queue.get()
        return rtc.AudioFrame(data=pcm, sample_rate=self._rate, num_channels=1, samples_per_channel=len(pcm) // 2)


class SpokenText(io.TextOutput):
    """The words of what is being said, so that an interruption can be cut to what was heard."""

    def __init__(self) -> None:
        super().__init__(label="spoken", next_in_chain=None)
        self._text = ""
        self._complete = True

    async def capture_text(self, text: str) -> None:
        if self._complete:
            self._text, self._complete = "", False
        self._text += text

    def flush(self) -> None:
        self._complete = True

    def heard(self, position: float, duration: float | None) -> str:
        """The words that fit in the first ``position`` seconds, to the last whole word.

        Args:
            duration: seconds of the whole, or None while it is still being made.
        """
        if position <= 0:
            return ""
        if duration is None:
            characters = round(position * CHARACTERS_PER_SECOND)
        else:
            characters = round(len(self._text) * min(1.0, position / duration)) if duration else 0
        if characters >= len(self._text):
            return self._text
        cut = self._text[: characters + 1]
        return cut[: cut.rfind(" ")] if " " in cut else ""


class PortOutput(io.AudioOutput):
    """What the agent says. ``pull`` is an AudioSource.

    A segment begins with its first captured frame, is complete at ``flush``, and ends when the port has pulled past
    its last frame, or when it is cleared. Each segment is reported finished exactly once.
    """

    def __init__(self, sample_rate: int, text: SpokenText) -> None:
        super().__init__(
            label="port",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=None,
            sample_rate=sample_rate,
        )
        self._text = text
        self._bytes_per_second = sample_rate * 2
        self._frame_bytes = round(sample_rate * FRAME_SECONDS) * 2
        self._limit = int(MAX_BUFFERED_SECONDS * self._bytes_per_second)
        self._buffer = bytearray()
        self._room = asyncio.Event()
        self._room.set()
        self._capturing = False
        self._open = False
        self._complete = False
        self._playing = False
        self._paused = False
        self._captured = 0
        self._sent = 0

    @property
    def idle(self) -> bool:
        """Nothing is being said and nothing waits to be."""
        return not self._open

    # -- the runtime's side -----------------------------------------------------------------------------------

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take audio at the port's rate; waits while ``MAX_BUFFERED_SECONDS`` are ahead."""
        await super().capture_frame(frame)
        if not self._capturing:
            self._capturing = self._open = True
            self._complete = False
            self._captured = self._sent = 0
        while self._open and len(self._buffer) >= self._limit:
            self._room.clear()
            await self._room.wait()
        if not self._open:
            return  # cleared: the rest of this segment is not wanted
        self._buffer += bytes(frame.data)
        self._captured += len(frame.data) * frame.data.itemsize

    def flush(self) -> None:
        super().flush()
        self._capturing = False
        self._complete = True

    def clear_buffer(self) -> None:
        self._buffer.clear()
        self._room.set()
        self._paused = False
        if self._open:
            self._finish(interrupted=True)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    # -- the port's side --------------------------------------------------------------------------------------

    def pull(self) -> bytes | None:
        """One frame to send, or None for silence. Never blocks."""
        if self._paused or not self._open:
            return None
        if len(self._buffer) < self._frame_bytes and not self._complete:
            return None
        if not self._buffer:
            self._finish(interrupted=False)
            return None
        frame = bytes(self._buffer[: self._frame_bytes])
        del self._buffer[: self._frame_bytes]
        self._sent += len(frame)
        if len(self._buffer) < self._limit:
            self._room.set()
        if not self._playing:
            self._playing = True
            self.on_playback_started(created_at=time.time())
        return frame.ljust(self._frame_bytes, b"\0")

    def _finish(self, *, interrupted: bool) -> None:
        position = self._sent / self._bytes_per_second
        duration = self._captured / self._bytes_per_second if self._complete else None
        self._open = self._playing = False
        self._captured = self._sent = 0
        heard = self._text.heard(position, duration) if interrupted else None
        self.on_playback_finished(playback_position=position, interrupted=interrupted, synchronized_transcript=heard)


# -- stored audio, without any session ----------------------------------------------------------------------------


async def play_pcm(audio: AudioPort, pcm: bytes, sample_rate: int) -> bool:
    """Play stored s16le mono on a port, with no session and no provider, and return once the last sample is sent.

    Takes the port's ``source`` and gives it back empty. Returns False when the port stopped pulling before the end
    (the leg is gone, or on hold): it never waits more than 2 s longer than the audio lasts.
    """
    if sample_rate != audio.sample_rate:
        pcm = await asyncio.to_thread(_at_rate, pcm, sample_rate, audio.sample_rate)
    size = round(audio.sample_rate * FRAME_SECONDS) * 2
    done = asyncio.get_running_loop().create_future()
    position = 0

    def pull() -> bytes | None:
        nonlocal position
        if position >= len(pcm):
            if not done.done():
                done.set_result(None)
            return None
        frame = pcm[position : position + size]
        position += size
        return frame.ljust(size, b"\0")

    audio.source = pull
    try:
        async with asyncio.timeout(len(pcm) / 2 / audio.sample_rate + 2.0):
            await done
    except TimeoutError:
        return False
    finally:
        if audio.source is pull:
            audio.source = None
    return True


def _at_rate(pcm: bytes, rate: int, wanted: int) -> bytes:
    return to_pcm(resample(from_pcm(pcm), rate, wanted))
