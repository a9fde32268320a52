"""Zero-latency ears: says when an utterance is over by loudness alone. Standard library only: every peer uses it.

It stands in for a recogniser, so that what is measured is the engine and not a provider. It reports the end 0.2 s
after the last loud frame, well within the 0.6 s end-of-speech delay, and so never decides when a turn ends.
"""

from __future__ import annotations

LOUD = 1000
MIN_SPEECH_SECONDS = 0.3
QUIET_SECONDS = 0.2


class Ears:
    """Feed it s16le mono frames of any length; ``hear`` is True once, when what was said is over."""

    def __init__(self) -> None:
        self._spoken = 0.0
        self._quiet = 0.0

    def hear(self, pcm: bytes | memoryview, rate: int) -> bool:
        """One frame more. Looks at every fourth sample: loudness needs no more, and it must cost nothing."""
        samples = memoryview(pcm).cast("B").cast("h")
        seconds = len(samples) / rate
        if max(samples[::4], default=0) >= LOUD:
            self._spoken += seconds
            self._quiet = 0.0
            return False
        self._quiet += seconds
        if self._quiet < QUIET_SECONDS or not self._spoken:
            return False
        heard, self._spoken = self._spoken >= MIN_SPEECH_SECONDS, 0.0
        return heard
