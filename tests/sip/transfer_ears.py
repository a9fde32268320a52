"""What a telephone hears while a call is put through: a tone or a voice, and since when. Works on packets that came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from tests.support.audio import NARROW, SPEECH_LEVEL, Pcm, rms
from tests.support.phone_rtp import Packet, RtpEnd

RINGBACK_HZ = 440.0
"""The ringing tone of France (ITU-T E.180 supplement 2): 1.5 s on, 3.5 s off."""
PURE = 0.85
"""Share of a frame's energy at one frequency above which it is a tone."""


def sine(hertz: float, seconds: float, level: float = 6000.0) -> Pcm:
    """A tone at 8 kHz."""
    at = np.arange(round(seconds * NARROW)) / NARROW
    return np.asarray(level * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def share(pcm: Pcm, hertz: float, rate: int = NARROW) -> float:
    """How much of the energy is at one frequency: 1.0 is a pure tone."""
    wave = pcm.astype(np.float64)
    energy = float(np.sum(np.square(wave)))
    if energy == 0.0:
        return 0.0
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(wave)) / rate)
    return min(1.0, 2 * float(np.abs(np.sum(wave * turn))) ** 2 / (len(wave) * energy))


@dataclass(frozen=True, slots=True)
class Sound:
    """Seconds of each kind of sound."""

    tone: float
    """Of the frequency asked for."""
    other: float
    """Of anything else that is loud enough to be speech."""


def sound(rtp: RtpEnd, hertz: float = RINGBACK_HZ, since: float = 0.0, until: float = float("inf")) -> Sound:
    """What came in between two moments."""
    loud = [pcm for pcm in _frames(rtp, rtp.audio_packets(since, until)) if rms(pcm) > SPEECH_LEVEL]
    tone = sum(share(pcm, hertz, rtp.rate) > PURE for pcm in loud)
    return Sound(tone * 0.02, (len(loud) - tone) * 0.02)


def _frames(rtp: RtpEnd, packets: list[Packet]) -> list[Pcm]:
    return [rtp._decode(packet) for packet in packets]


async def wait_voice(rtp: RtpEnd, since: float, within: float) -> float:
    """Wait for somebody to talk (100 ms that are no ringing tone); when it began. Raises TimeoutError."""
    seen, found = 0, list[float]()
    async with asyncio.timeout(within):
        while True:
            for packet in rtp.packets[seen:]:
                if packet.at >= since and packet.payload_type in (0, 8):
                    pcm = rtp._decode(packet)
                    if rms(pcm) > SPEECH_LEVEL and share(pcm, RINGBACK_HZ) < PURE:
                        found.append(packet.at)
            seen = len(rtp.packets)
            if len(found) >= 5:
                return found[0]
            await asyncio.sleep(0.02)
