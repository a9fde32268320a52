"""No engine at all: the answerer with ears and one clip. What the measuring itself adds shows here.

python -m benchmarks.peers.floor PORT RTP_FIRST RTP_LAST ANSWER.pcm END_OF_SPEECH_MS
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from pathlib import Path

from benchmarks import audio
from benchmarks.hearing import QUIET_SECONDS, Ears
from benchmarks.peers import answerer


class Parrot:
    """Answers each utterance with the clip, ``delay`` seconds after its end. Greets with the same clip."""

    def __init__(self, clip: list[bytes], delay: float) -> None:
        self._clip, self._delay = clip, delay
        self._ears, self._queue = Ears(), deque[bytes]()
        self._timer: asyncio.TimerHandle | None = None

    def received(self, payload: bytes) -> None:
        pcm = audio.decode(payload)
        if self._ears.hear(pcm, audio.RATE):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._delay - QUIET_SECONDS), self._queue.extend, self._clip)

    def next_frame(self) -> bytes | None:
        return self._queue.popleft() if self._queue else None

    def start(self) -> None:
        self._queue.extend(self._clip[:25])

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def parrots(answer: bytes, end_of_speech_ms: float) -> answerer.MakeSession:
    """What makes a parrot for each call."""
    encoded = audio.encode(answer[: len(answer) // 320 * 320])
    clip = [encoded[i : i + 160] for i in range(0, len(encoded), 160)]

    async def make() -> answerer.Session:
        return Parrot(clip, end_of_speech_ms / 1000)

    return make


def main() -> None:
    port, first, last, clip, delay = sys.argv[1:6]
    make = parrots(Path(clip).read_bytes(), float(delay))
    asyncio.run(answerer.serve("127.0.0.1", int(port), range(int(first), int(last) + 1), make))


if __name__ == "__main__":
    main()
