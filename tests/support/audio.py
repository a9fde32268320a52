"""Speech to say and ears to judge with: espeak-ng voices, G.711 tables, levels, segments, likeness, WAV files.

Knows nothing of Parlons, of SIP or of RTP. PCM is a numpy array of int16, mono.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Literal

import av
import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

Pcm = npt.NDArray[np.int16]

NARROW = 8000
SPEECH_LEVEL = 300.0
"""RMS above which 20 ms count as speech; comfort noise and codec noise stay below 50."""

_CACHE = Path(tempfile.gettempdir()) / "parlons-test-speech"


def _ulaw_table() -> Pcm:
    """RFC 3551 section 4.5.14 (ITU-T G.711, mu-law): byte to 16-bit linear."""
    byte = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((byte & 0x0F) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84
    return np.where(byte & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Pcm:
    """ITU-T G.711, A-law: byte to 16-bit linear."""
    byte = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (byte >> 4) & 7, (byte & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(byte & 0x80, magnitude, -magnitude).astype(np.int16)


def _encoder(table: Pcm) -> npt.NDArray[np.uint8]:
    """The nearest code word for each of the 65 536 values a sample can have."""
    order = np.argsort(table, kind="stable")
    levels = table[order].astype(np.int32)
    values = np.arange(-32768, 32768)
    above = np.clip(np.searchsorted(levels, values), 1, len(levels) - 1)
    nearest = np.where(values - levels[above - 1] <= levels[above] - values, above - 1, above)
    encoder: npt.NDArray[np.uint8] = order[nearest].astype(np.uint8)
    return encoder


_DECODE = {"PCMA": _alaw_table(), "PCMU": _ulaw_table()}
_ENCODE = {name: _encoder(table) for name, table in _DECODE.items()}


def g711_decode(codec: str, payload: bytes) -> Pcm:
    """``codec`` is PCMA or PCMU."""
    return _DECODE[codec][np.frombuffer(payload, dtype=np.uint8)]


def g711_encode(codec: str, pcm: Pcm) -> bytes:
    """``codec`` is PCMA or PCMU."""
    return _ENCODE[codec][pcm.astype(np.int32) + 32768].tobytes()


def resample(pcm: Pcm, rate: int, to: int) -> Pcm:
    """Change the sample rate, band-limited."""
    if rate == to or not len(pcm):
        return pcm
    step = gcd(rate, to)
    moved: npt.NDArray[np.float64] = resample_poly(pcm.astype(np.float64), to // step, rate // step)
    return np.clip(np.rint(moved), -32768, 32767).astype(np.int16)


def silence(seconds: float, rate: int = NARROW) -> Pcm:
    """Nothing, for that long."""
    return np.zeros(round(seconds * rate), dtype=np.int16)


def speech(text: str, language: str = "fr", *, rate: int = NARROW, speed: int = 150) -> Pcm:
    """``text`` as espeak-ng says it at ``speed`` words a minute; kept on disk between runs."""
    key = hashlib.sha256(f"{language}|{speed}|{text}".encode()).hexdigest()[:24]
    path = _CACHE / f"{key}.wav"
    if not path.is_file():
        program = shutil.which("espeak-ng")
        if program is None:
            raise RuntimeError("espeak-ng is not installed")
        made = subprocess.run(
            [program, "-v", language, "-s", str(speed), "--stdout", text], check=True, capture_output=True, timeout=30
        ).stdout
        _CACHE.mkdir(exist_ok=True)
        draft = path.with_suffix(f".{id(made)}")
        draft.write_bytes(made)
        draft.replace(path)
    pcm, made_at = read_wav(path)
    return resample(pcm, made_at, rate)


def read_wav(path: Path) -> tuple[Pcm, int]:
    """(samples, rate) of a 16-bit file; several channels are mixed. A header left unfinished is tolerated."""
    data = path.read_bytes()
    with wave.open(io.BytesIO(data)) as file:
        rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
        frames = file.readframes(file.getnframes())
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits a sample")
    start = data.index(b"data") + 8
    if not frames and len(data) > start:  # the writer was stopped before it filled in the length
        frames = data[start:]
    pcm = np.frombuffer(frames[: len(frames) - len(frames) % (2 * channels)], dtype="<i2").astype(np.int16)
    if channels > 1:
        pcm = pcm.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return pcm, rate


def write_wav(path: Path, pcm: Pcm, rate: int = NARROW) -> Path:
    """A mono 16-bit file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


def rms(pcm: Pcm) -> float:
    """Level; 0.0 for no samples."""
    return float(np.sqrt(np.mean(np.square(pcm.astype(np.float64))))) if len(pcm) else 0.0


def levels(pcm: Pcm, rate: int = NARROW) -> npt.NDArray[np.float64]:
    """RMS of each 20 ms; what is left over at the end is dropped."""
    size = rate // 50
    whole = pcm[: len(pcm) // size * size].astype(np.float64).reshape(-1, size)
    loudness: npt.NDArray[np.float64] = np.sqrt(np.mean(np.square(whole), axis=1))
    return loudness


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, in seconds from the beginning."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def segments(pcm: Pcm, rate: int = NARROW, *, level: float = SPEECH_LEVEL, join: float = 0.4) -> list[Segment]:
    """Where there is speech; pauses shorter than ``join`` seconds are inside a segment."""
    found: list[Segment] = []
    for index in np.flatnonzero(levels(pcm, rate) > level):
        start, end = float(index) * 0.02, float(index + 1) * 0.02
        if found and start - found[-1].end <= join:
            found[-1] = Segment(found[-1].start, end)
        else:
            found.append(Segment(start, end))
    return found


def speech_seconds(pcm: Pcm, rate: int = NARROW) -> float:
    """How much of it is above the speech level."""
    return float(np.count_nonzero(levels(pcm, rate) > SPEECH_LEVEL)) * 0.02


def _bands(pcm: Pcm, rate: int) -> npt.NDArray[np.float64]:
    """Log energy in 16 bands from 200 to 3400 Hz for each 20 ms: what is left of a voice whatever the codec."""
    size = rate // 50
    frames = pcm[: len(pcm) // size * size].astype(np.float64).reshape(-1, size)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size), n=4 * size, axis=1)) ** 2
    frequency = np.fft.rfftfreq(4 * size, 1 / rate)
    edges = np.geomspace(200, 3400, 17)
    bands = [(frequency >= low) & (frequency < high) for low, high in itertools.pairwise(edges)]
    columns = [spectrum[:, band].mean(axis=1) for band in bands]
    return np.log(np.stack(columns, axis=1) + 1e5)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well a reference was found in what was heard: 1.0 is the same sound, under 0.5 another one."""

    score: float
    at: float
    """Seconds into what was heard where the reference begins."""


def likeness(heard: Pcm, reference: Pcm, rate: int = NARROW) -> Likeness:
    """Slide the reference along what was heard and keep the best match (normalised, over time and frequency)."""
    whole, part = _bands(heard, rate), _bands(reference, rate)
    # the reference ends in silence that what was heard may lack: let it reach past the end
    whole = np.vstack([whole, np.full((len(part), part.shape[1]), np.log(1e5))])
    part = part - part.mean(axis=0)  # the tilt that all speech shares proves nothing
    size = float(np.sqrt(np.square(part).sum()))
    best = Likeness(0.0, 0.0)
    for lag in range(len(whole) - len(part) + 1):
        window = whole[lag : lag + len(part)]
        window = window - window.mean(axis=0)
        scale = float(np.sqrt(np.square(window).sum())) * size
        score = float((window * part).sum()) / scale if scale > 1e-6 else 0.0
        if score > best.score:
            best = Likeness(score, lag * 0.02)
    return best


class G722:
    """An independent G.722 codec at 64 kbit/s, for one direction of one call. Its PCM runs at 16 kHz."""

    def __init__(self, mode: Literal["r", "w"]) -> None:
        self._context = av.CodecContext.create("g722", mode)
        self._context.sample_rate, self._context.layout = 16000, "mono"
        if mode == "w":
            self._context.format = "s16"

    def encode(self, pcm: Pcm) -> bytes:
        """20 ms of PCM, 160 bytes."""
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16000
        return b"".join(bytes(packet) for packet in self._context.encode(frame))

    def decode(self, payload: bytes) -> Pcm:
        """160 bytes, 20 ms of PCM."""
        frames = self._context.decode(av.Packet(payload))
        return np.concatenate([f.to_ndarray().reshape(-1) for f in frames]).astype(np.int16)
