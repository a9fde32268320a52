"""Voice activity detection: one native model and one pair of threads a process, one light detector a conversation.

A detector is never shared: every session listens to the metrics of its detector, so that one detector for thirty calls
is nine hundred events a second, kept by every session for as long as its call lasts (measured: pauses of 0.4 s).
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from concurrent.futures import ThreadPoolExecutor

from livekit.agents import inference, vad

from .music import CAREFUL_SPEECH_SECONDS

LONGEST_PAUSE_MS = 250
"""Silence after which the detector says that speech stopped. The end of the turn is decided later, by the step."""
SHORTEST_PAUSE_MS = 100
MAX_BUFFERED_SPEECH = 30.0
"""Seconds of one utterance kept for recognisers that take it whole."""
SPEECH_SECONDS = 0.05
"""Speech that counts."""


class Detector(inference.VAD):
    """The runtime's detector, which can be told to forget what it heard."""

    def __init__(self, end_of_speech_ms: int) -> None:
        super().__init__(
            model="silero",
            min_speech_duration=SPEECH_SECONDS,
            min_silence_duration=_pause_seconds(end_of_speech_ms),
            max_buffered_speech=MAX_BUFFERED_SPEECH,
            executor=_executor(),
        )
        self._listening: weakref.WeakSet[vad.VADStream] = weakref.WeakSet()

    def stream(self) -> vad.VADStream:
        stream = super().stream()
        self._listening.add(stream)
        return stream

    def forget(self) -> None:
        """Judge what comes next as if nothing had been heard. Only while nobody is speaking: the end of what is being
        said would never be told."""
        for stream in list(self._listening):
            with contextlib.suppress(RuntimeError):  # closed, and not yet collected
                stream.flush()


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="vad")


def new_detector(end_of_speech_ms: int) -> Detector:
    """A detector for a step whose turns end after this much silence (milliseconds)."""
    return Detector(end_of_speech_ms)


def set_pause(detector: vad.VAD, end_of_speech_ms: int) -> None:
    """The step has changed: the turns of the next one end after this much silence (milliseconds)."""
    if isinstance(detector, inference.VAD):
        detector.update_options(min_silence_duration=_pause_seconds(end_of_speech_ms))


def set_careful(detector: vad.VAD, careful: bool) -> None:
    """Whether music may be playing: then more speech is wanted before it counts."""
    if isinstance(detector, inference.VAD):
        detector.update_options(min_speech_duration=CAREFUL_SPEECH_SECONDS if careful else SPEECH_SECONDS)


def forget(detector: vad.VAD) -> None:
    """See ``Detector.forget``; a detector of another kind has nothing to forget."""
    if isinstance(detector, Detector):
        detector.forget()


def _pause_seconds(end_of_speech_ms: int) -> float:
    return min(LONGEST_PAUSE_MS, max(SHORTEST_PAUSE_MS, end_of_speech_ms)) / 1000
