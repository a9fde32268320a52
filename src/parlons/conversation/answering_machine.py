"""An answering machine tells itself by its beep: a greeting, then one steady tone, then silence.

Pure, over frames of 20 ms: no clock, no session. Every threshold is here, once; what they were measured on is in
``docs/adr/0010-music-and-machines.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..telephony.types import FRAME_SECONDS

LISTEN_SECONDS = 120.0
"""From the answer: a greeting is over by then. What beeps later is something else."""
LOWEST_HZ, HIGHEST_HZ = 400.0, 2000.0
SHORTEST_SECONDS, LONGEST_SECONDS = 0.12, 2.0
"""In whole frames: a beep of 150 ms fills six, wherever it begins."""
PURITY = 0.9
"""Part of a frame's power in one narrow peak. A key has two peaks, a note of music has overtones, a vowel has both."""
PEAK_BINS = 2
"""On either side of the highest: the main lobe of a Hann window."""
STEADY_HZ = 25.0
"""A frame further than this from the tone so far belongs to another sound. A voice that whistles wavers more."""
LOWEST_LEVEL = 150.0
"""RMS of s16 samples: about -47 dBFS. Below it nothing is a tone."""
QUIET_LEVEL = 0.1
"""Of the tone's level (-20 dB): below it the line is silent."""
QUIET_SECONDS = 0.3
"""Silence after the tone that makes it a beep."""
EDGE_FRAMES = 2
"""Frames at the end of a tone that are neither tone nor silence."""
ALONE_SECONDS = 0.5
"""No other tone may have sounded this shortly before: three in a row are the network's (special information tones)."""
PROGRESS_HZ = (380.0, 500.0)
"""Ringing and busy tones of one frequency lie here (ITU-T E.180): such a tone is a beep only when it does not come
again."""
PROGRESS_QUIET_SECONDS = 5.5
"""Longer than the pause of any ringing tone."""
GREETING_SECONDS = 1.0
"""Speech heard before the tone, in all."""
GREETING_ENDED_SECONDS = 4.0
"""The greeting's last word came at most this long before the tone."""

MACHINE = (
    "You have reached an answering machine or a voicemail, and its beep has just sounded: nobody is listening now, and "
    "what you say is being recorded."
)
"""The fact, as the model is told it."""
LEAVE_MESSAGE = (
    "If your instructions say what message to leave, leave it now in one go, without asking anything; then hang up in "
    "the same answer. If they say nothing of a message, hang up at once."
)


@dataclass(frozen=True, slots=True)
class Beep:
    """What was heard: Hz and seconds."""

    frequency: float
    seconds: float


@dataclass(slots=True)
class _Tone:
    """A stretch of one steady frequency."""

    frequency: float
    level: float
    frames: int = 1
    quiet: int = 0
    edge: int = 0
    over: bool = False
    counts: bool = True

    def add(self, frequency: float, level: float) -> None:
        self.frames += 1
        self.frequency += (frequency - self.frequency) / self.frames
        self.level = max(self.level, level)

    @property
    def seconds(self) -> float:
        return self.frames * FRAME_SECONDS

    @property
    def silence_wanted(self) -> float:
        low, high = PROGRESS_HZ
        return PROGRESS_QUIET_SECONDS if low <= self.frequency <= high else QUIET_SECONDS


class AnsweringMachine:
    """Listens to the beginning of one call.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: int) -> None:
        self._size = round(rate * FRAME_SECONDS)
        self._window = np.hanning(self._size)
        self._hertz = rate / self._size
        self._first = int(LOWEST_HZ / self._hertz)
        self._last = int(HIGHEST_HZ / self._hertz) + 1
        self._heard = 0.0
        self._speech = 0.0
        self._since_speech = float("inf")
        self._since_tone = float("inf")
        self._tone: _Tone | None = None
        self._found = False

    @property
    def done(self) -> bool:
        """Nothing more to listen for."""
        return self._found or self._heard >= LISTEN_SECONDS

    def hear(self, frame: bytes, *, speaking: bool) -> Beep | None:
        """20 ms of s16le mono.

        Args:
            speaking: voice activity was detected.

        Returns:
            The beep, once, when the silence after it has lasted long enough.
        """
        if self.done:
            return None
        self._heard += FRAME_SECONDS
        if speaking:
            self._speech += FRAME_SECONDS
            self._since_speech = 0.0
        else:
            self._since_speech += FRAME_SECONDS
        samples = np.frombuffer(frame, dtype="<i2").astype(np.float64)
        level = float(np.sqrt(np.mean(np.square(samples))))
        frequency = self._frequency(samples) if level >= LOWEST_LEVEL else None
        beep = self._follow(frequency, level)
        self._found = beep is not None
        return beep

    def _frequency(self, samples: np.ndarray) -> float | None:
        """Of the one tone that this frame holds; None when it holds something else."""
        power = np.square(np.abs(np.fft.rfft(samples * self._window)))
        total = float(power.sum())
        peak = self._first + int(power[self._first : self._last].argmax())
        low, high = max(0, peak - PEAK_BINS), peak + PEAK_BINS + 1
        narrow = power[low:high]
        held = float(narrow.sum())
        if held < PURITY * total:
            return None
        # squared power keeps the centre of the lobe from leaning towards what leaks in beside it
        weights = np.square(narrow)
        return float((weights * np.arange(low, low + len(narrow))).sum() / weights.sum()) * self._hertz

    def _follow(self, frequency: float | None, level: float) -> Beep | None:
        tone = self._tone
        if tone is not None and not tone.over and frequency is not None:
            if abs(frequency - tone.frequency) <= STEADY_HZ:
                tone.add(frequency, level)
                return None
            self._leave()
            tone = None
        if tone is None:
            self._since_tone += FRAME_SECONDS
            if frequency is not None:
                self._begin(frequency, level)
            return None
        tone.over = True
        if level < QUIET_LEVEL * tone.level:
            tone.quiet += 1
            return self._judge(tone)
        tone.edge += 1
        if frequency is not None or tone.edge > EDGE_FRAMES or tone.quiet:
            self._leave()
            if frequency is not None:
                self._begin(frequency, level)
        return None

    def _begin(self, frequency: float, level: float) -> None:
        greeted = self._speech >= GREETING_SECONDS and self._since_speech <= GREETING_ENDED_SECONDS
        alone = self._since_tone >= ALONE_SECONDS
        self._tone = _Tone(frequency, level, counts=greeted and alone)

    def _leave(self) -> None:
        """The tone was no beep."""
        if self._tone is not None and self._tone.seconds >= SHORTEST_SECONDS:
            self._since_tone = self._tone.quiet * FRAME_SECONDS
        self._tone = None

    def _judge(self, tone: _Tone) -> Beep | None:
        if not SHORTEST_SECONDS <= tone.seconds <= LONGEST_SECONDS or not tone.counts:
            self._leave()
            return None
        if tone.quiet * FRAME_SECONDS < tone.silence_wanted:
            return None
        self._tone = None
        return Beep(round(tone.frequency, 1), round(tone.seconds, 2))
