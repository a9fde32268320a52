"""Help for the media tests: a pretend network on virtual time, a pretend peer, descriptions, speech-like sound."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parlons.telephony.media.codecs import make_codec
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.keypad import DtmfMode
from parlons.telephony.media.ports import Address, Receiver
from parlons.telephony.media.rtp import RtpMedia
from tests.support import virtual_time

PEER: Address = ("192.0.2.7", 4000)
SILENCE = bytes(320)


def offer(
    formats: str = "8 0 101",
    *,
    address: str = PEER[0],
    port: int = PEER[1],
    maps: Sequence[str] = ("101 telephone-event/8000",),
    extra: Sequence[str] = (),
    profile: str = "RTP/AVP",
    version: int = 1,
) -> bytes:
    """A peer's description with one audio line."""
    lines = ["v=0", f"o=- 1 {version} IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    lines += [f"m=audio {port} {profile} {formats}", *(f"a=rtpmap:{line}" for line in maps), *extra]
    return ("\r\n".join(lines) + "\r\n").encode()


@dataclass(frozen=True)
class Packet:
    """An RTP packet taken apart, and when it left."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    at: float = 0.0

    @classmethod
    def parse(cls, data: bytes, at: float = 0.0) -> Packet:
        first, second, sequence, timestamp, ssrc = struct.unpack("!BBHLL", data[:12])
        assert first == 0x80
        return cls(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, data[12:], at)


def rtp(payload_type: int, sequence: int, timestamp: int, payload: bytes, *, ssrc: int = 7, marker: int = 0) -> bytes:
    """One RTP packet."""
    return (
        struct.pack("!BBHLL", 0x80, marker << 7 | payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        + payload
    )


class FakePort:
    """Takes what the leg sends; delivers what a test injects."""

    def __init__(self, network: FakeNetwork, port: int) -> None:
        self.receive: Receiver | None = None
        self.sent: list[tuple[bytes, Address, float]] = []
        self.closed = False
        self._network = network
        self._port = port

    def send(self, data: bytes, address: Address) -> None:
        assert not self.closed
        self.sent.append((data, address, asyncio.get_running_loop().time()))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            del self._network.ports[self._port]

    def inject(self, data: bytes, address: Address = PEER) -> None:
        if self.receive is not None and not self.closed:
            self.receive(data, address)

    def packets(self) -> list[Packet]:
        return [Packet.parse(data, at) for data, _address, at in self.sent]


@dataclass
class FakeNetwork:
    """Where fake ports are bound."""

    ports: dict[int, FakePort] = field(default_factory=dict)

    def open(self, host: str, port: int) -> FakePort:
        if port in self.ports:
            raise OSError(98, "Address already in use")
        self.ports[port] = FakePort(self, port)
        return self.ports[port]


async def engine(network: FakeNetwork, *, first: int = 30000, last: int = 30099) -> MediaEngine:
    """A started engine on a pretend network."""
    made = MediaEngine("192.0.2.1", "192.0.2.1", first, last, open_port=network.open)
    await made.start()
    return made


class Peer:
    """Sends a stretch of PCM as packets, each delayed and perhaps lost."""

    def __init__(self, port: FakePort, codec: str = "PCMA", payload_type: int = 8, *, ssrc: int = 7) -> None:
        self.port = port
        self.ssrc = ssrc
        self.sequence = 65530
        self.timestamp = (1 << 32) - 800
        self._codec = make_codec(codec)
        self._payload_type = payload_type

    def packets(self, pcm: bytes, milliseconds: int = 20) -> list[bytes]:
        """``pcm`` (at the codec's rate) cut into packets of ``milliseconds``."""
        octets = b"".join(
            self._codec.encode(pcm[at : at + self._codec.sample_rate // 25])
            for at in range(0, len(pcm), self._codec.sample_rate // 25)
        )
        size = milliseconds * 8
        made = []
        for at in range(0, len(octets) - size + 1, size):
            made.append(rtp(self._payload_type, self.sequence, self.timestamp, octets[at : at + size], ssrc=self.ssrc))
            self.sequence += 1
            self.timestamp += size
        return made

    async def play(
        self,
        pcm: bytes,
        *,
        milliseconds: int = 20,
        delay: Callable[[], float] = lambda: 0.0,
        loss: float = 0.0,
        copies: int = 1,
        address: Address = PEER,
        seed: int = 1,
    ) -> None:
        """Send in real pace; ``delay`` is drawn for every packet, so packets overtake one another."""
        loop = asyncio.get_running_loop()
        chance = random.Random(seed)
        due = loop.time()
        for data in self.packets(pcm, milliseconds):
            if chance.random() >= loss:
                for _ in range(copies):
                    loop.call_later(delay(), self.port.inject, data, address)
            due += milliseconds / 1000
            await asyncio.sleep(due - loop.time())


def speech(seconds: float, rate: int = 8000, seed: int = 5) -> bytes:
    """Sound with the pitch, syllables and noise of speech; unlike itself at any other moment."""
    chance = np.random.default_rng(seed)
    count = int(seconds * rate)
    at = np.arange(count) / rate
    steps = np.repeat(chance.uniform(95, 210, int(seconds * 4) + 2), rate // 4)[:count]
    pitch = np.convolve(np.pad(steps, 400, mode="edge"), np.ones(801) / 801, "valid")[:count]
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    colours = np.repeat(chance.uniform(0.1, 1, (6, int(seconds * 5) + 2)), rate // 5, axis=1)[:, :count]
    voice = sum(np.sin((number + 1) * phase) * colours[number] / (number + 1) for number in range(6))
    syllables = 0.25 + np.abs(np.sin(2 * np.pi * 2.3 * at)) ** 1.5
    wave = voice * syllables + chance.normal(0, 0.02, count)
    return np.asarray(wave / np.abs(wave).max() * 12000).astype("<i2").tobytes()


def likeness(heard: bytes, original: bytes, rate: int = 8000, block: float = 0.2) -> float:
    """Mean over blocks of the best correlation of each stretch of ``original`` with what was heard near it.

    Tolerant of a delay that wanders by up to 0.3 s, which is what adaptive playout does.
    """
    a, b = (np.frombuffer(pcm, "<i2").astype(float) for pcm in (original, heard))
    size, reach = int(block * rate), int(0.3 * rate)
    scores = []
    for start in range(0, len(a) - size, size):
        piece = a[start : start + size] - a[start : start + size].mean()
        field_ = b[start : start + size + reach]
        if len(field_) < size or piece.std() < 50:
            continue
        products = np.correlate(field_, piece, "valid")
        squares = np.concatenate(([0.0], np.cumsum(field_**2)))
        norms = np.sqrt((squares[size:] - squares[:-size]) * (piece**2).sum()) + 1.0
        scores.append(float((products / norms).max()))
    return float(np.mean(scores))


class Ear:
    """A sink that keeps what it hears, and when."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.times: list[float] = []

    def __call__(self, pcm: bytes) -> None:
        self.frames.append(pcm)
        self.times.append(asyncio.get_running_loop().time())

    @property
    def pcm(self) -> bytes:
        return b"".join(self.frames)


def frames_of(pcm: bytes, size: int = 320) -> Callable[[], bytes | None]:
    """A source that plays ``pcm`` once, then None."""
    frames = iter([pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)])
    return lambda: next(frames, None)


@contextlib.asynccontextmanager
async def leg(
    body: bytes | None = None, dtmf: DtmfMode = "auto"
) -> AsyncIterator[tuple[RtpMedia, FakePort, Ear, MediaEngine]]:
    """A started leg that answered ``body``; on the way out everything must be released."""
    network = FakeNetwork()
    clock = await engine(network)
    media = clock.open(dtmf=dtmf)
    media.remote_offer(offer() if body is None else body)
    ear = Ear()
    media.sink = ear
    media.start()
    yield media, network.ports[media.port], ear, clock
    await clock.stop()
    assert clock.gauges()["legs"] == 0
    assert not network.ports


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on virtual time."""

    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        virtual_time.run(test(**arguments))

    return run
