"""Concealment of lost audio by pitch repetition, after the idea of ITU-T G.711 appendix I. Pure.

aiortp's concealer repeats whole 20 ms frames in a Python loop, which buzzes at 50 Hz; repeating the last pitch period
does not.
"""

from __future__ import annotations

import numpy as np

_SHORTEST_PITCH = 0.0025
_LONGEST_PITCH = 0.015
_TEMPLATE = 0.02
_FULL_FOR = 0.01
_GONE_AFTER = 0.06
_CROSS_FADE = 0.005


class Concealer:
    """Stands in for missing PCM of ``sample_rate``: full for 10 ms, faded out by 60 ms, silence from then on."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._before = self._last = b""
        self._period: np.ndarray | None = None
        self._made = 0

    def good(self, pcm: bytes) -> bytes:
        """Note received PCM; right after a concealment its first 5 ms are cross-faded with it."""
        if self._made:
            pcm = self._join(pcm)
            self._made = 0
            self._period = None
        self._before, self._last = self._last, pcm
        return pcm

    def forget(self) -> None:
        """A pause of the sender: what comes next has nothing to do with what came before."""
        self._before = self._last = b""
        self._period = None
        self._made = 0

    def conceal(self, samples: int) -> bytes:
        """``samples`` of s16le PCM in place of what did not come."""
        return self._make(samples).astype("<i2").tobytes()

    def _make(self, samples: int) -> np.ndarray:
        start, self._made = self._made, self._made + samples
        if start >= self._rate * _GONE_AFTER or not self._last:
            return np.zeros(samples, np.float32)
        if self._period is None:
            self._period = self._last_period()
        at = start + np.arange(samples)
        full, gone = self._rate * _FULL_FOR, self._rate * _GONE_AFTER
        gain = np.clip((gone - at) / (gone - full), 0.0, 1.0)
        made: np.ndarray = self._period[at % len(self._period)] * gain
        return made

    def _last_period(self) -> np.ndarray:
        history = np.frombuffer(self._before + self._last, "<i2").astype(np.float32)
        longest, shortest = int(self._rate * _LONGEST_PITCH), int(self._rate * _SHORTEST_PITCH)
        template = min(int(self._rate * _TEMPLATE), len(history) - longest)
        if template < shortest:
            return history[-longest:]
        recent = history[-template:]
        past = history[-template - longest : -shortest]
        likeness = np.correlate(past, recent, "valid")  # index i is lag longest - i
        squares = np.concatenate(([0.0], np.cumsum(past * past)))
        energy = squares[template:] - squares[:-template]
        lag = longest - int(np.argmax(likeness / np.sqrt(energy + 1.0)))
        return history[-lag:]

    def _join(self, pcm: bytes) -> bytes:
        out = np.frombuffer(pcm, "<i2").astype(np.float32)
        length = min(int(self._rate * _CROSS_FADE), len(out))
        ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
        out[:length] = out[:length] * ramp + self._make(length) * (1 - ramp)
        return out.astype("<i2").tobytes()


def merge(first: bytes, second: bytes) -> bytes:
    """Two equally long stretches of s16le PCM heard in the time of one: how a delay is shortened without a click."""
    early = np.frombuffer(first, "<i2").astype(np.float32)
    late = np.frombuffer(second, "<i2").astype(np.float32)
    ramp = np.linspace(0.0, 1.0, len(early), dtype=np.float32)
    return (early * (1 - ramp) + late * ramp).astype("<i2").tobytes()
