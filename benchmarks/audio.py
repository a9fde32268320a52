"""The words both sides say, and G.711. Knows nothing of calls; the system under test never imports it.

Everything is 8 kHz mono. PCM is s16le.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
FRAME = 160
"""Samples in 20 ms."""

UTTERANCE = "Je voudrais parler à quelqu'un du service des commandes"
ANSWER = "Bien sûr, je vous écoute et je regarde cela tout de suite avec vous."
VOICE = "fr"

QUIET = 300
"""Samples under this, of 32767, are not speech: far above A-law's smallest step, far below any spoken frame."""

Samples = npt.NDArray[np.int16]


def _alaw_tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    decoded = np.empty(256, np.int32)
    for code in range(256):
        value = code ^ 0x55
        exponent, mantissa = (value >> 4) & 7, value & 15
        size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
        decoded[code] = size if value & 0x80 else -size
    return _nearest(decoded), decoded.astype(np.int16)


def _mulaw_tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    decoded = np.empty(256, np.int32)
    for code in range(256):
        value = code ^ 0xFF
        size = ((((value & 15) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84
        decoded[code] = -size if value & 0x80 else size
    return _nearest(decoded), decoded.astype(np.int16)


def _nearest(decoded: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """The code for each of the 65536 samples, from -32768 on."""
    order = np.argsort(decoded, kind="stable")
    middles = (decoded[order][1:] + decoded[order][:-1]) / 2
    return order[np.searchsorted(middles, np.arange(-32768, 32768))].astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Codec:
    """One law of ITU-T G.711: its name and static payload type (RFC 3551), and its tables."""

    name: str
    payload_type: int
    silence: int
    encoding: npt.NDArray[np.uint8]
    decoding: npt.NDArray[np.int16]
    quiet: bytes

    def encode(self, pcm: bytes) -> bytes:
        """PCM to this law, nearest code."""
        return self.encoding[np.frombuffer(pcm, np.int16).astype(np.int32) + 32768].tobytes()

    def decode(self, payload: bytes) -> bytes:
        """This law to PCM."""
        return self.decoding[np.frombuffer(payload, np.uint8)].tobytes()

    def loud(self, payload: bytes) -> bool:
        """Whether a frame holds speech: more than 8 samples (1 ms) that are not quiet."""
        return len(payload.translate(None, self.quiet)) > 8


def _codec(
    name: str, payload_type: int, silence: int, tables: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]
) -> Codec:
    quiet = bytes(code for code in range(256) if abs(int(tables[1][code])) < QUIET)
    return Codec(name, payload_type, silence, *tables, quiet)


PCMA = _codec("PCMA", 8, 0xD5, _alaw_tables())
PCMU = _codec("PCMU", 0, 0xFF, _mulaw_tables())
CODECS = {"PCMA": PCMA, "PCMU": PCMU}

DECODED, SILENCE_BYTE, QUIET_BYTES = PCMA.decoding, PCMA.silence, PCMA.quiet
encode, decode, loud = PCMA.encode, PCMA.decode, PCMA.loud


def trim(samples: Samples) -> Samples:
    """Cut what is quiet before the first and after the last loud 20 ms frame, so that a clip ends with speech."""
    frames = len(samples) // FRAME
    peaks = np.abs(samples[: frames * FRAME].astype(np.int32)).reshape(frames, FRAME)
    speaks = np.flatnonzero((peaks >= QUIET).sum(axis=1) > 8)
    if not len(speaks):
        raise ValueError("the clip holds no speech")
    return samples[speaks[0] * FRAME : (speaks[-1] + 1) * FRAME]


def longest_pause(samples: Samples) -> float:
    """Seconds of the longest quiet stretch inside a clip: a recogniser must not take it for the end."""
    longest = run = 0
    for start in range(0, len(samples) - FRAME + 1, FRAME):
        quiet = (np.abs(samples[start : start + FRAME].astype(np.int32)) >= QUIET).sum() <= 8
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest * FRAME / RATE


def speak(text: str, voice: str = VOICE) -> Samples:
    """Synthesise with espeak-ng, trimmed. In a process of its own: the library may be started once in a process, and
    a second start corrupts it for whoever started it first."""
    command = [sys.executable, "-m", "benchmarks.audio", voice, text]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    return np.frombuffer(said.stdout, np.int16)


def _speak_here(text: str, voice: str) -> Samples:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(2, 500, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise RuntimeError("espeak-ng did not start: is espeakng-loader installed?")
    out = bytearray()

    def collect(wav: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if wav and count > 0:
            out.extend(ctypes.string_at(wav, count * 2))
        return 0

    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    callback = prototype(collect)  # named: espeak keeps a bare pointer to it
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(voice.encode())
    raw = text.encode()
    library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, 1, None, None)
    pcm = np.frombuffer(bytes(out), np.int16)
    wanted = np.arange(len(pcm) * RATE // rate) * rate / RATE
    return trim(np.interp(wanted, np.arange(len(pcm)), pcm).astype(np.int16))


def make_clips(folder: Path) -> tuple[Path, Path]:
    """Write what the caller says and what the agent answers; both sides and every peer use the same two files."""
    utterance, answer = folder / "utterance.pcm", folder / "answer.pcm"
    utterance.write_bytes(speak(UTTERANCE).tobytes())
    answer.write_bytes(speak(ANSWER).tobytes())
    return utterance, answer


if __name__ == "__main__":
    sys.stdout.buffer.write(_speak_here(sys.argv[2], sys.argv[1]).tobytes())
