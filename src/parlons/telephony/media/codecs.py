"""The three codecs of this release: PCMA, PCMU (ITU-T G.711) and G.722. Pure: no socket, no clock, no SDP.

One octet of any of them lasts 1/8000 s, which is also one tick of their RTP clock (RFC 3551 section 4.5.2 for G.722):
the playout buffer relies on it.

G.711 is ours rather than aiortp's because its A-law has the sign bit the wrong way round (measured against ITU-T
G.191: all 65536 values differ), which inverts the polarity of the audio.
"""

from __future__ import annotations

from typing import Protocol

import av
import numpy as np

from parlons.telephony.media.resample import Resampler

FRAME_OCTETS = 160
"""Octets, and RTP clock ticks, in 20 ms of any of the codecs."""

CODEC_NAMES = ("PCMA", "PCMU", "G722")
STATIC_PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
"""RFC 3551 section 6."""


class Codec(Protocol):
    """One direction-independent codec instance; G.722 keeps state for each direction."""

    name: str
    sample_rate: int

    def encode(self, pcm: bytes) -> bytes:
        """Encode s16le mono PCM of ``sample_rate``."""
        ...

    def decode(self, payload: bytes) -> bytes:
        """Decode octets to s16le mono PCM of ``sample_rate``."""
        ...


def _a_law_tables() -> tuple[np.ndarray, np.ndarray]:
    codes = np.arange(256) ^ 0x55
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    decode = np.where(codes & 0x80, magnitude, -magnitude).astype("<i2")

    samples = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32)
    negative = samples < 0
    level = np.where(negative, ~samples, samples) >> 4  # 11 bits of magnitude
    exponent = np.zeros_like(level)
    for bit in range(4, 11):
        exponent += level >= (1 << bit)
    mantissa = np.where(exponent == 0, level, level >> np.maximum(exponent - 1, 0)) & 15
    encode = ((exponent << 4 | mantissa) | np.where(negative, 0, 0x80)) ^ 0x55
    return encode.astype(np.uint8), decode


def _mu_law_tables() -> tuple[np.ndarray, np.ndarray]:
    codes = ~np.arange(256) & 0xFF
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    decode = np.where(codes & 0x80, -magnitude, magnitude).astype("<i2")

    samples = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32)
    negative = samples < 0
    level = np.minimum(np.abs(samples), 32635) + 0x84
    exponent = np.zeros_like(level)
    for bit in range(8, 15):
        exponent += level >= (1 << bit)
    mantissa = (level >> (exponent + 3)) & 15
    encode = ~(np.where(negative, 0x80, 0) | exponent << 4 | mantissa) & 0xFF
    return encode.astype(np.uint8), decode


class G711:
    """ITU-T G.711 by table look-up; stateless, so one instance serves every leg."""

    sample_rate = 8000

    def __init__(self, name: str, tables: tuple[np.ndarray, np.ndarray]) -> None:
        self.name = name
        self._encode, self._decode = tables
        self.silence = self.encode(bytes(2 * FRAME_OCTETS))
        """20 ms of it, encoded."""

    def encode(self, pcm: bytes) -> bytes:
        return self._encode.take(np.frombuffer(pcm, "<u2")).tobytes()

    def decode(self, payload: bytes) -> bytes:
        return self._decode.take(np.frombuffer(payload, np.uint8)).tobytes()


PCMA = G711("PCMA", _a_law_tables())
PCMU = G711("PCMU", _mu_law_tables())


_STATELESS = {"PCMA": PCMA, "PCMU": PCMU}


class G722:
    """ITU-T G.722 at 64 kbit/s through FFmpeg: 16 kHz PCM, 8 kHz RTP clock. One instance per leg."""

    name = "G722"
    sample_rate = 16000

    def __init__(self) -> None:
        self._encoder = av.CodecContext.create("g722", "w")
        assert isinstance(self._encoder, av.AudioCodecContext)
        self._encoder.sample_rate = self.sample_rate
        self._encoder.layout = "mono"
        self._encoder.format = av.AudioFormat("s16")
        self._encoder.open()
        self._decoder = av.CodecContext.create("g722", "r")
        assert isinstance(self._decoder, av.AudioCodecContext)
        self._decoder.sample_rate = self.sample_rate
        self._decoder.layout = "mono"
        self._decoder.open()
        self._frame = av.AudioFrame(format="s16", layout="mono", samples=2 * FRAME_OCTETS)
        self._frame.sample_rate = self.sample_rate

    def encode(self, pcm: bytes) -> bytes:
        """Encode exactly 20 ms (640 bytes)."""
        self._frame.planes[0].update(pcm)
        return b"".join(bytes(packet) for packet in self._encoder.encode(self._frame))

    def decode(self, payload: bytes) -> bytes:
        frames = self._decoder.decode(av.Packet(payload))
        return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)


class RateBridge:
    """A codec seen at another sample rate, for a leg whose codec changes in mid-call: its PCM rate never does."""

    def __init__(self, codec: Codec, sample_rate: int) -> None:
        self.name = codec.name
        self.sample_rate = sample_rate
        self._codec = codec
        self._down = Resampler(sample_rate, codec.sample_rate)
        self._up = Resampler(codec.sample_rate, sample_rate)

    def encode(self, pcm: bytes) -> bytes:
        return self._codec.encode(self._down.push(pcm))

    def decode(self, payload: bytes) -> bytes:
        return self._up.push(self._codec.decode(payload))


def warm_up() -> None:
    """Load FFmpeg's G.722 (200 ms, once in a process), so that no call pays for it."""
    codec = G722()
    codec.decode(codec.encode(bytes(4 * FRAME_OCTETS)))


def make_codec(name: str, sample_rate: int | None = None) -> Codec:
    """The codec called ``name``, its PCM at ``sample_rate`` (its own when None). Raises KeyError for any other name."""
    codec: Codec = G722() if name == "G722" else _STATELESS[name]
    if sample_rate is None or sample_rate == codec.sample_rate:
        return codec
    return RateBridge(codec, sample_rate)
