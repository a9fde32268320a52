"""Hold music, ringing and busy tones are not somebody talking: how voice activity detection is kept from taking them
for it, and a recogniser from hearing words in them.

The detector's model tells music from speech by itself, on what it remembers. Right after music it remembers too much,
and misses a short word; fresh, it takes a few notes for one. So, while the agent listens with care: a stretch of
speech must last longer before it counts, and the detector forgets what it heard whenever the line falls silent. What
that was measured on is in ``docs/adr/0010-music-and-machines.md``.

Pure, over frames: no clock, no session.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from livekit import rtc

CAREFUL_SPEECH_SECONDS = 0.25
"""Speech that counts while listening with care. Notes that pass for a voice are shorter."""
SILENT_LEVEL = 80.0
"""RMS of s16 samples (-52 dBFS): below it the line is silent. Comfort noise and G.711's own stay under 20."""
SILENT_SECONDS = 0.12
"""Silence after which the music is over; pauses between two notes are shorter, or not silent."""
SETTLED_SECONDS = 0.12
"""Nobody has been speaking for this long by then: every stream of the detector agrees on it."""
HELD_SECONDS = 0.6
"""How long sound is held back from a recogniser until it is known whether it was speech: what the detector needs,
the time the runtime takes to tell, and a little of what came before."""


class Lull:
    """Notices that the line has fallen silent, once for each time it does."""

    def __init__(self) -> None:
        self._silent = 0.0
        self._settled = 0.0
        self._told = True

    def hear(self, frame: bytes, seconds: float, *, speaking: bool) -> bool:
        """A frame of s16le mono; True when this one makes the silence long enough.

        Args:
            speaking: voice activity was detected and is not over.
        """
        samples = np.frombuffer(frame, dtype="<i2").astype(np.float64)
        if float(np.mean(np.square(samples))) >= SILENT_LEVEL**2:
            self._silent, self._told = 0.0, False
        else:
            self._silent += seconds
        self._settled = 0.0 if speaking else self._settled + seconds
        if self._told or self._silent < SILENT_SECONDS or self._settled < SETTLED_SECONDS:
            return False
        self._told = True
        return True


class SpeechGate:
    """Gives a recogniser silence in place of what is not speech. While ``careful`` it holds everything back for
    ``HELD_SECONDS``, so that the beginning of what turns out to be speech is not lost."""

    def __init__(self) -> None:
        self._held: deque[rtc.AudioFrame] = deque()
        self._seconds = 0.0
        self._open_for = 0.0

    def take(self, frame: rtc.AudioFrame, *, careful: bool, speaking: bool) -> list[rtc.AudioFrame]:
        """What the recogniser gets now that this frame has come, oldest first."""
        self._held.append(frame)
        self._seconds += frame.duration
        self._open_for = HELD_SECONDS + frame.duration if speaking else self._open_for - frame.duration
        given = []
        while self._held and (not careful or self._seconds > HELD_SECONDS):
            oldest = self._held.popleft()
            self._seconds -= oldest.duration
            given.append(oldest if not careful or self._open_for > 0 else _silence(oldest))
        return given


def _silence(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    return rtc.AudioFrame(
        data=bytes(2 * frame.samples_per_channel * frame.num_channels),
        sample_rate=frame.sample_rate,
        num_channels=frame.num_channels,
        samples_per_channel=frame.samples_per_channel,
    )
