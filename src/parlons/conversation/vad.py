"""Voice activity detection: one native model and one pair of threads a process, one light detector a conversation.

A detector is never shared: every session listens to the metrics of its detector, so that one detector for thirty calls
is nine hundred events a second, kept by every session for as long as its call lasts (measured: pauses of 0.4 s).
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

from livekit.agents import inference, vad

LONGEST_PAUSE_MS = 250
"""Silence after which the detector says that speech stopped. The end of the turn is decided later, by the step."""
SHORTEST_PAUSE_MS = 100
MAX_BUFFERED_SPEECH = 30.0
"""Seconds of one utterance kept for recognisers that take it whole."""


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="vad")


def new_detector(end_of_speech_ms: int) -> inference.VAD:
    """A detector for a step whose turns end after this much silence (milliseconds)."""
    return inference.VAD(
        model="silero",
        min_silence_duration=_pause_seconds(end_of_speech_ms),
        max_buffered_speech=MAX_BUFFERED_SPEECH,
        executor=_executor(),
    )


def set_pause(detector: vad.VAD, end_of_speech_ms: int) -> None:
    """The step has changed: the turns of the next one end after this much silence (milliseconds)."""
    if isinstance(detector, inference.VAD):
        detector.update_options(min_silence_duration=_pause_seconds(end_of_speech_ms))


def _pause_seconds(end_of_speech_ms: int) -> float:
    return min(LONGEST_PAUSE_MS, max(SHORTEST_PAUSE_MS, end_of_speech_ms)) / 1000
