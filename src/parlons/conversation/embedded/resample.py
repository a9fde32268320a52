"""Whole utterances: at another sample rate, at a pleasant loudness, as PCM and back. Knows samples only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parlons.telephony.media.resample import Resampler

Samples = NDArray[np.float32]

LOUDNESS_DBFS = -16.0
"""RMS of the parts where somebody speaks."""

_KNEE = 0.8
_CEILING = 0.97


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The same sound at another rate (both in samples a second), aligned and as long to within one sample."""
    if rate == wanted or not len(samples):
        return samples
    converter = Resampler(rate, wanted)
    converted = from_pcm(converter.push(to_pcm(samples)) + converter.flush())
    lag = round(converter.delay_seconds * wanted)
    return converted[lag : lag + len(samples) * wanted // rate]


def level(samples: Samples, rate: int) -> Samples:
    """Bring speech to ``LOUDNESS_DBFS``, with peaks bent (not clipped) under full scale. Silence stays silence."""
    size = rate // 50
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    if not len(frames):
        return samples
    power = (frames**2).mean(axis=1)
    speech = power[power > power.max() * 1e-3]
    if not len(speech) or speech.mean() < 1e-9:
        return samples
    loud = samples * np.float32(10 ** (LOUDNESS_DBFS / 20) / np.sqrt(speech.mean()))
    size_of = np.abs(loud)
    bent = _KNEE + (_CEILING - _KNEE) * np.tanh((size_of - _KNEE) / (_CEILING - _KNEE))
    return np.where(size_of > _KNEE, np.sign(loud) * bent, loud).astype(np.float32)


def to_pcm(samples: Samples) -> bytes:
    """Samples of -1 to 1 as s16le, clipped to full scale."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def from_pcm(pcm: bytes) -> Samples:
    """s16le as samples of -1 to 1."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
