"""From what was recorded during a run to figures. Pure: no socket, no clock.

Times are seconds on one monotonic clock; figures named ``_ms`` are milliseconds.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

LATE_SECONDS = 0.040
"""A frame this much after its place in the 20 ms schedule is late (specification, section 10)."""
ONSET_QUIET_SECONDS = 0.2
"""Speech after this much quiet is a new answer; a shorter pause is a breath inside one."""

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Stream:
    """Every RTP packet that one call received, in order of arrival."""

    arrivals: array[float] = field(default_factory=lambda: array("d"))
    timestamps: array[int] = field(default_factory=lambda: array("I"))
    sequence: array[int] = field(default_factory=lambda: array("H"))
    sources: array[int] = field(default_factory=lambda: array("I"))
    loud: bytearray = field(default_factory=bytearray)


def percentile(values: Sequence[float] | Floats, percent: float) -> float | None:
    """Nearest rank, so infinite values (a turn never answered) stay infinite; None when there is nothing."""
    ordered = sorted(float(v) for v in values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def summary_ms(seconds: Sequence[float] | Floats) -> dict[str, Any]:
    """Count, median, 95th and 99th percentile and worst, in milliseconds; None where infinite or absent."""

    def shown(value: float | None) -> float | None:
        return None if value is None or math.isinf(value) else round(value * 1000, 3)

    return {
        "count": len(seconds),
        "p50": shown(percentile(seconds, 50)),
        "p95": shown(percentile(seconds, 95)),
        "p99": shown(percentile(seconds, 99)),
        "max": shown(percentile(seconds, 100)),
    }


def lateness(arrivals: Floats, timestamps: npt.NDArray[np.uint32]) -> Floats:
    """How late each frame of one RTP source came, in seconds, never negative.

    The schedule is the stream's own: a frame's place follows from its RTP timestamp (8 kHz) and the stream's median
    transit, so a sender that falls behind and catches up is late only in between. A sender that never catches up (it
    slept and carried on from there) has no fixed schedule: its frame is also held against the frame before.
    """
    if len(arrivals) < 2:
        return np.zeros(len(arrivals))
    steps = np.diff(timestamps).astype(np.int32).astype(np.float64) / 8000
    media = np.concatenate(([0.0], np.cumsum(steps)))
    transit = arrivals - media
    against_schedule = transit - np.median(transit)
    against_previous = np.concatenate(([0.0], np.diff(arrivals) - steps))
    return np.maximum(0.0, np.maximum(against_schedule, against_previous))


def frames(stream: Stream, start: float, end: float) -> dict[str, Any]:
    """What came between ``start`` and ``end``: counts, lateness of every frame, inter-arrival, gaps, losses.

    ``expected`` is the least that a steady stream has in a window of this length, wherever its 20 ms fall.
    """
    expected = int((end - start) * 50 + 1e-6)
    arrivals = np.frombuffer(stream.arrivals, np.float64) if stream.arrivals else np.zeros(0)
    inside = (arrivals >= start) & (arrivals < end)
    arrivals = arrivals[inside]
    if not len(arrivals):
        return {
            "received": 0,
            "expected": expected,
            "late": np.zeros(0),
            "steps": np.zeros(0),
            "lost": 0,
        }
    timestamps = np.frombuffer(stream.timestamps, np.uint32)[inside]
    sources = np.frombuffer(stream.sources, np.uint32)[inside]
    sequence = np.frombuffer(stream.sequence, np.uint16)[inside]
    late = np.concatenate([lateness(arrivals[sources == s], timestamps[sources == s]) for s in np.unique(sources)])
    jumps = np.diff(sequence).astype(np.int16)
    edges = np.concatenate(([start], arrivals, [end]))
    return {
        "received": len(arrivals),
        "expected": expected,
        "late": late,
        "steps": np.diff(edges),
        "lost": int(jumps[jumps > 1].sum() - (jumps > 1).sum()),
    }


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of ours and what came of it. ``overhead`` is infinite when it was not answered in its time."""

    overhead: float
    kind: str
    """``answered``; ``unanswered``; or ``talked_over``: the agent was still, or already, talking when we ended."""


def turns(
    stream: Stream, utterances: Sequence[tuple[float, float]], end_of_speech: float, start: float, end: float
) -> list[Turn]:
    """Hold each (first, last) moment of our speech against the answers that came back.

    Counted are utterances begun at or after ``start`` whose whole time to answer (up to the next utterance) is over
    by ``end``. Overhead is the arrival of the first loud frame, less the end of our speech, less ``end_of_speech``.
    """
    arrivals = np.frombuffer(stream.arrivals, np.float64) if stream.arrivals else np.zeros(0)
    loud = arrivals[np.frombuffer(bytes(stream.loud), np.uint8).astype(bool)] if len(arrivals) else arrivals
    found = []
    for index, (began, ended) in enumerate(utterances):
        until = utterances[index + 1][0] if index + 1 < len(utterances) else math.inf
        if began < start or (until if math.isfinite(until) else ended + end_of_speech + 2.0) > end:
            continue
        if np.any((loud > ended - ONSET_QUIET_SECONDS) & (loud <= ended + 0.02)):
            found.append(Turn(math.inf, "talked_over"))
            continue
        answer = loud[(loud > ended) & (loud < until)]
        if len(answer):
            found.append(Turn(float(answer[0]) - ended - end_of_speech, "answered"))
        else:
            found.append(Turn(math.inf, "unanswered"))
    return found


def delays(decided: Mapping[str, float], invited: Mapping[str, float]) -> dict[str, float]:
    """Seconds from each decision to the INVITE with its mark; infinite when none came.

    Raises:
        ValueError: an INVITE that nobody decided, or that came before its decision: what was measured is something
            else.
    """
    if unknown := invited.keys() - decided.keys():
        raise ValueError(f"INVITEs that no model asked for: {sorted(unknown)}")
    waited = {mark: invited.get(mark, math.inf) - at for mark, at in decided.items()}
    if early := sorted(mark for mark, seconds in waited.items() if seconds < 0):
        raise ValueError(f"INVITEs before their decision: {early}")
    return waited


@dataclass(frozen=True, slots=True)
class Passed:
    """What one end sent during a window, and what the other end received."""

    sent: int
    loud_sent: int
    received: int
    loud_received: int
    expected: int

    @property
    def crossed(self) -> bool:
        """Whether the sound came across: the packets and the speech in them, but for 2 % (the window's edges)."""
        if not self.sent or not self.loud_sent or self.sent < 0.98 * self.expected:
            return False
        packets, speech = self.received / self.sent, self.loud_received / self.loud_sent
        return 0.98 <= packets <= 1.02 and 0.95 <= speech <= 1.05


def passed(stream: Stream, sent: int, loud_sent: int, start: float, end: float) -> Passed:
    """Hold what was sent between ``start`` and ``end`` at one end against what arrived at the other."""
    arrivals = np.frombuffer(stream.arrivals, np.float64) if stream.arrivals else np.zeros(0)
    inside = (arrivals >= start) & (arrivals < end)
    loud = np.frombuffer(bytes(stream.loud), np.uint8)[inside]
    return Passed(sent, loud_sent, int(inside.sum()), int(loud.sum()), int((end - start) * 50 + 1e-6))
