"""Tones that we play: keypad pairs (ITU-T Q.23), ringback and busy by country (ITU-T E.180 supplement 2). Pure.

Sources here fit ``telephony.types.AudioSource``: exactly 20 ms of s16le mono PCM at every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEVEL = 4000.0
"""Peak of one of two frequencies: about -18 dBFS each, as loud as networks ring."""
_KEY_LEVEL = 7000.0
_RAMP_SECONDS = 0.005

_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")


@dataclass(frozen=True, slots=True)
class Cadence:
    """Frequencies in Hz, and seconds on and off in turn; one ``on`` alone never stops."""

    frequencies: tuple[float, ...]
    pattern: tuple[float, ...]


_DEFAULT_RINGBACK = Cadence((425,), (1.0, 4.0))
_DEFAULT_BUSY = Cadence((425,), (0.5, 0.5))
_BRITISH = Cadence((400, 450), (0.4, 0.2, 0.4, 2.0))
_AMERICAN = Cadence((440, 480), (2.0, 4.0))

RINGBACK: dict[str, Cadence] = {
    "AT": Cadence((420,), (1.0, 5.0)),
    "BE": Cadence((425,), (1.0, 3.0)),
    "CA": _AMERICAN,
    "CH": Cadence((425,), (1.0, 4.0)),
    "DE": Cadence((425,), (1.0, 4.0)),
    "ES": Cadence((425,), (1.5, 3.0)),
    "FR": Cadence((440,), (1.5, 3.5)),
    "GB": _BRITISH,
    "IE": _BRITISH,
    "IT": Cadence((425,), (1.0, 4.0)),
    "LU": Cadence((425,), (1.0, 4.0)),
    "NL": Cadence((425,), (1.0, 4.0)),
    "PT": Cadence((425,), (1.0, 5.0)),
    "US": _AMERICAN,
}
"""By ISO 3166 country; any other rings as E.180 recommends (425 Hz, 1 s on, 4 s off)."""

BUSY: dict[str, Cadence] = {
    "CA": Cadence((480, 620), (0.5, 0.5)),
    "DE": Cadence((425,), (0.48, 0.48)),
    "ES": Cadence((425,), (0.2, 0.2)),
    "FR": Cadence((440,), (0.5, 0.5)),
    "GB": Cadence((400,), (0.375, 0.375)),
    "US": Cadence((480, 620), (0.5, 0.5)),
}


class ToneSource:
    """A cadence as an audio source; its phase is continuous and its edges are ramped, so nothing clicks."""

    def __init__(self, cadence: Cadence, sample_rate: int, *, level: float = _LEVEL) -> None:
        self._rate = sample_rate
        self._frame = sample_rate // 50
        self._level = level
        self._frequencies = cadence.frequencies
        self._edges = np.cumsum([0.0, *cadence.pattern])
        self._endless = len(cadence.pattern) == 1
        self._at = 0

    def __call__(self) -> bytes:
        at = self._at + np.arange(self._frame)
        self._at += self._frame
        seconds = at / self._rate
        gain = self._gain(seconds)
        if not gain.any():
            return bytes(2 * self._frame)
        wave = sum(np.sin(2 * np.pi * frequency * seconds) for frequency in self._frequencies)
        return np.asarray(wave * gain * self._level).astype("<i2").tobytes()

    def _gain(self, seconds: np.ndarray) -> np.ndarray:
        if self._endless:
            return np.clip(seconds / _RAMP_SECONDS, 0.0, 1.0)
        within = seconds % self._edges[-1]
        gain: np.ndarray = np.zeros_like(within)
        for start, end in zip(self._edges[:-1:2], self._edges[1::2], strict=True):
            gain += np.clip(np.minimum(within - start, end - within) / _RAMP_SECONDS, 0.0, 1.0)
        return gain


def ringback(country: str, sample_rate: int) -> ToneSource:
    """The ringing tone of an ISO 3166 country."""
    return ToneSource(RINGBACK.get(country.upper(), _DEFAULT_RINGBACK), sample_rate)


def busy(country: str, sample_rate: int) -> ToneSource:
    """The busy tone of an ISO 3166 country."""
    return ToneSource(BUSY.get(country.upper(), _DEFAULT_BUSY), sample_rate)


def key_tone(digit: str, sample_rate: int, seconds: float) -> Sequence[bytes]:
    """The frames of one pressed key, of ``0-9 * # A-D``."""
    row = next(index for index, keys in enumerate(_KEYS) if digit in keys)
    pair = Cadence((_LOW[row], _HIGH[_KEYS[row].index(digit)]), (seconds, 1.0))
    tone = ToneSource(pair, sample_rate, level=_KEY_LEVEL)
    return [tone() for _ in range(round(seconds * 50))]
