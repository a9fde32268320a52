"""Help for the tests of bridged calls: two legs with pretend peers, a relay between them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from parlons.telephony.media.codecs import make_codec
from parlons.telephony.media.dtmf import EventReceiver, parse_info
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.keypad import DtmfMode
from parlons.telephony.media.ports import Address
from parlons.telephony.media.relay import Relay
from parlons.telephony.media.rtp import RtpMedia
from tests.telephony.media.support import FakeNetwork, FakePort, Packet, engine, offer, rtp

FAR: Address = ("198.51.100.9", 5000)
"""The peer of the leg called ``other``."""
MASK = 0xFFFFFFFF


@dataclass
class Bridge:
    """Two legs and what is between them."""

    one: RtpMedia
    other: RtpMedia
    relay: Relay
    clock: MediaEngine
    network: FakeNetwork
    pressed: list[tuple[str, str]] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    """Digits sent by INFO, in either dialog."""

    @property
    def near(self) -> FakePort:
        return self.network.ports[self.one.port]

    @property
    def far(self) -> FakePort:
        return self.network.ports[self.other.port]

    async def info(self, content_type: str, body: bytes) -> int:
        """Answers INFO as a peer would."""
        digit = parse_info(content_type, body)
        assert digit is not None
        self.infos.append(digit)
        return 200


def far_offer(formats: str = "8 101", **changes: object) -> bytes:
    """A description of the far peer."""
    return offer(formats, address=FAR[0], port=FAR[1], **changes)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def bridge(
    one: bytes | None = None,
    other: bytes | None = None,
    *,
    decode: bool = False,
    dtmf: tuple[DtmfMode, DtmfMode] = ("auto", "auto"),
    started: bool = True,
) -> AsyncIterator[Bridge]:
    """Two started legs; on the way out everything must be released."""
    network = FakeNetwork()
    clock = await engine(network)
    legs = clock.open(dtmf=dtmf[0]), clock.open(dtmf=dtmf[1])
    for media, body in zip(legs, (one or offer("8 101"), other or far_offer()), strict=True):
        media.remote_offer(body)
        media.start()
    made = Bridge(*legs, Relay(*legs, decode=decode), clock, network)
    made.relay.on_digit = lambda side, digit: made.pressed.append((side, digit))
    if started:
        made.relay.start()
    yield made
    made.relay.close()
    await clock.stop()
    assert clock.gauges()["legs"] == 0
    assert not network.ports


class Sender:
    """A peer that sends packets of its own making: numbered noise, so that every payload is known again."""

    def __init__(self, port: FakePort, address: Address, payload_type: int = 8, *, ssrc: int = 7) -> None:
        self.port, self.address, self.payload_type, self.ssrc = port, address, payload_type, ssrc
        self.sequence, self.timestamp = 65500, (1 << 32) - 1600  # both wrap soon
        self.sent: list[bytes] = []

    def make(self, *, octets: int = 160, marker: int = 0) -> bytes:
        payload = (len(self.sent).to_bytes(4, "big") + self.ssrc.to_bytes(4, "big")) * (octets // 8)
        self.sent.append(payload)
        data = rtp(self.payload_type, self.sequence, self.timestamp, payload, ssrc=self.ssrc, marker=marker)
        self.sequence += 1
        self.timestamp += octets
        return data

    def inject(self, data: bytes) -> None:
        self.port.inject(data, self.address)

    async def play(self, count: int, *, octets: int = 160) -> None:
        """Send in real pace."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(count):
            self.inject(self.make(octets=octets))
            due += octets / 8000
            await asyncio.sleep(due - loop.time())

    def event(self, digit: int, duration: int, *, end: bool = False, marker: bool = False, number: int = 101) -> None:
        """One telephone-event packet; the clock does not move."""
        payload = bytes((digit, 0x80 if end else 0, duration >> 8, duration & 0xFF))
        self.inject(rtp(number, self.sequence, self.timestamp, payload, ssrc=self.ssrc, marker=marker))
        self.sequence += 1

    async def press(self, digit: int, *, number: int = 101) -> None:
        """A key as RFC 4733 asks: five steps, three ends, 100 ms of silence."""
        for step in range(1, 8):
            self.event(digit, min(step, 5) * 160, end=step >= 5, marker=step == 1, number=number)
            await asyncio.sleep(0.02)
        self.timestamp += 7 * 160


def since(port: FakePort, moment: float) -> list[Packet]:
    """What left from ``moment`` on."""
    return [packet for packet in port.packets() if packet.at >= moment - 1e-9]


def steps(packets: Sequence[Packet], field_: Callable[[Packet], int], bits: int) -> list[int]:
    """Differences from one packet to the next, signed."""
    half = 1 << bits - 1
    return [
        ((field_(after) - field_(before) + half) & ((1 << bits) - 1)) - half
        for before, after in itertools.pairwise(packets)
    ]


def numbers(packets: Sequence[Packet]) -> list[int]:
    return steps(packets, lambda packet: packet.sequence, 16)


def times(packets: Sequence[Packet]) -> list[int]:
    return steps(packets, lambda packet: packet.timestamp, 32)


def digits_heard(packets: Sequence[Packet], number: int = 101) -> str:
    """What a far end counts."""
    receiver = EventReceiver()
    heard = [receiver.packet(p.timestamp, p.payload)[0] for p in packets if p.payload_type == number]
    return "".join(digit for digit in heard if digit is not None)


def sine(hertz: float, seconds: float, rate: int, level: float = 8000) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def tone(pcm: bytes, rate: int) -> tuple[float, float]:
    """(strongest frequency, peak level) of a pure tone."""
    wave = np.frombuffer(pcm, "<i2").astype(float)
    window = np.hanning(len(wave))
    spectrum = np.abs(np.fft.rfft(wave * window))
    return float(np.argmax(spectrum)) * rate / len(wave), float(np.sqrt(2 * np.mean(wave**2)))


def decoded(packets: Sequence[Packet], codec: str) -> bytes:
    decoder = make_codec(codec)
    return b"".join(decoder.decode(packet.payload) for packet in packets)
