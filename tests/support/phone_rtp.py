"""The audio half of the test phone: sends speech every 20 ms, keeps every packet it hears with its arrival time.

Its wire can be made bad (loss, jitter, nothing at all). Shares no code with Parlons. Times are the loop's.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tests.support.audio import G722, NARROW, SPEECH_LEVEL, Pcm, g711_decode, g711_encode, resample, rms

STATIC = {0: "PCMU", 8: "PCMA", 9: "G722"}
PAYLOAD_TYPE = {name: number for number, name in STATIC.items()}
EVENT = 101
DIGITS = "0123456789*#ABCD"
FRAME = 160
"""RTP timestamp units in 20 ms: also for G.722 (RFC 3551 section 4.5.2)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet as it came in."""

    at: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(slots=True)
class Wire:
    """What the network does to packets: ``loss`` 0 to 1, ``jitter`` seconds added at random (which reorders)."""

    loss: float = 0.0
    jitter: float = 0.0
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def pass_on(self, send: Callable[[], None]) -> None:
        """Call ``send`` now, later or never."""
        if self.random.random() < self.loss:
            return
        if self.jitter:
            asyncio.get_running_loop().call_later(self.random.random() * self.jitter, send)
        else:
            send()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self.receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.receive(data)


class RtpEnd:
    """One RTP stream each way. Make it with ``open``; ``start`` once the peer's description is known."""

    def __init__(self) -> None:
        self.codec = "PCMA"
        self.event_type: int | None = EVENT
        self.remote: tuple[str, int] | None = None
        self.port = 0
        self.out = Wire()
        self.inward = Wire()
        self.muted = False
        """True: not one packet leaves, as when the network is gone."""
        self.packets: list[Packet] = []
        self.speech_at: list[float] = []
        """When each packet louder than the speech level came."""
        self.digits: list[str] = []
        self._events: set[int] = set()
        self._arrived = asyncio.Event()
        self._queue: list[bytes] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._dtmf: list[tuple[bytes, bool, int]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._clock: asyncio.Task[None] | None = None
        self._sequence = random.randrange(1 << 16)
        self._timestamp = random.randrange(1 << 32)
        self._ssrc = random.randrange(1 << 32)
        self._g722_in: G722 | None = None
        self.sent = 0

    async def open(self, ports: range, host: str = "127.0.0.1") -> None:
        """Bind the first free even port of ``ports``."""
        loop = asyncio.get_running_loop()
        for port in ports[::2]:
            try:
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(lambda data: self.inward.pass_on(lambda: self.hear(data, loop.time()))),
                    local_addr=(host, port),
                )
            except OSError:
                continue
            self.port = port
            return
        raise RuntimeError(f"no free port in {ports}")

    def start(self) -> None:
        """Begin to send (silence until something is played). Idempotent."""
        if self._clock is None:
            self._clock = asyncio.create_task(self._run())

    def close(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        if self._transport is not None:
            self._transport.close()

    # -- sending -------------------------------------------------------------------------------------------
    @property
    def rate(self) -> int:
        """Sample rate of what is said and heard."""
        return 16000 if self.codec == "G722" else NARROW

    def say(self, pcm: Pcm) -> None:
        """Queue speech sampled at 8 kHz."""
        pcm = resample(pcm, NARROW, self.rate)
        size = self.rate // 50
        pcm = np.concatenate([pcm, np.zeros(-len(pcm) % size, dtype=np.int16)])
        encoder = G722("w") if self.codec == "G722" else None
        for piece in pcm.reshape(-1, size):
            self._queue.append(encoder.encode(piece) if encoder else g711_encode(self.codec, piece))
        self._idle.clear()

    async def said(self) -> None:
        """Everything queued has been sent."""
        await self._idle.wait()

    def press(self, digits: str) -> None:
        """Queue RFC 4733 events: 100 ms each, three end packets, 100 ms apart; no audio meanwhile."""
        for digit in digits:
            code = DIGITS.index(digit)
            for step in range(1, 6):
                self._dtmf.append((struct.pack("!BBH", code, 10, step * FRAME), step == 1, 1))
            self._dtmf += [(struct.pack("!BBH", code, 0x80 | 10, 5 * FRAME), False, 0)] * 3
            self._dtmf += [(b"", False, 1)] * 5
        self._idle.clear()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        silent = {"PCMA": b"\xd5", "PCMU": b"\xff", "G722": b"\xfa"}
        event_start = 0
        while True:
            self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
            if self._dtmf:
                payload, first, ticks = self._dtmf.pop(0)
                if payload:
                    if first:
                        event_start = self._timestamp
                    self._send(self.event_type or EVENT, payload, event_start, marker=first)
                if not ticks:  # the end packet is repeated at once
                    self._timestamp = (self._timestamp - FRAME) & 0xFFFFFFFF
                    continue
            else:
                payload = self._queue.pop(0) if self._queue else silent[self.codec] * 160
                self._send(PAYLOAD_TYPE[self.codec], payload, self._timestamp, marker=not self.sent)
            if not self._queue and not self._dtmf:
                self._idle.set()
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        second = payload_type | (0x80 if marker else 0)
        data = struct.pack("!BBHII", 0x80, second, self._sequence, timestamp, self._ssrc) + payload
        if not self.muted and self.remote is not None:
            self.out.pass_on(lambda: self._put(data))
        self.sent += 1

    def _put(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.remote)

    # -- hearing -------------------------------------------------------------------------------------------
    def hear(self, data: bytes, at: float) -> None:
        """Note a datagram that came at that time."""
        if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
            return  # not RTP (RTCP shares the port after RFC 5761)
        first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
        payload = data[12 + 4 * (first & 0x0F) :]
        packet = Packet(at, second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, payload)
        self.packets.append(packet)
        self._arrived.set()
        if packet.payload_type == self.event_type and len(payload) >= 4:
            if timestamp not in self._events:
                self._events.add(timestamp)
                self.digits.append(DIGITS[payload[0]])
        elif packet.payload_type in STATIC and rms(self._decode(packet)) > SPEECH_LEVEL:
            self.speech_at.append(at)

    def _decode(self, packet: Packet) -> Pcm:
        name = STATIC[packet.payload_type]
        if name != "G722":
            return g711_decode(name, packet.payload)
        if self._g722_in is None:
            self._g722_in = G722("r")
        return self._g722_in.decode(packet.payload)

    def audio_packets(self, since: float = 0.0, until: float = float("inf")) -> list[Packet]:
        """Packets of the codecs, without telephone events."""
        return [p for p in self.packets if p.payload_type in STATIC and since <= p.at <= until]

    def codecs_heard(self) -> set[str]:
        return {STATIC.get(p.payload_type, str(p.payload_type)) for p in self.packets}

    def heard(self, since: float = 0.0, until: float = float("inf")) -> Pcm:
        """What came in, laid out by timestamp; what is missing is silence. 16 kHz for G.722, else 8 kHz."""
        packets = self.audio_packets(since, until)
        if not packets:
            return np.zeros(0, dtype=np.int16)
        order = sorted({self._offset(packets[0], p): p for p in packets}.items())
        step = self.rate // NARROW
        base = order[0][0]
        pcm = np.zeros((order[-1][0] - base + FRAME) * step, dtype=np.int16)
        decoder = G722("r") if self.codec == "G722" else None
        for offset, packet in order:
            piece = decoder.decode(packet.payload) if decoder else self._decode(packet)
            start = (offset - base) * step
            pcm[start : start + len(piece)] = piece[: len(pcm) - start]
        return pcm

    def quiet_tail(self) -> float:
        """Seconds of what came in after the last loud packet, by the sender's clock: a phone that stood still for a
        moment does not make it shorter.
        """
        packets = self.audio_packets()
        loud = next(p for p in reversed(packets) if p.at == self.speech_at[-1])
        return max(self._offset(loud, p) for p in packets) / NARROW

    @staticmethod
    def _offset(first: Packet, packet: Packet) -> int:
        return (packet.timestamp - first.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)

    def packets_a_second(self, since: float = 0.0, until: float = float("inf")) -> float:
        packets = self.audio_packets(since, until)
        return (len(packets) - 1) / (packets[-1].at - packets[0].at) if len(packets) > 1 else 0.0

    def longest_gap(self, since: float = 0.0, until: float = float("inf")) -> float:
        """Seconds between two packets that followed each other, at worst."""
        packets = self.audio_packets(since, until)
        return max((b.at - a.at for a, b in itertools.pairwise(packets)), default=0.0)

    def timestamp_steps(self) -> set[int]:
        """The differences between the timestamps of packets with consecutive numbers."""
        packets = self.audio_packets()
        return {
            (b.timestamp - a.timestamp) & 0xFFFFFFFF
            for a, b in itertools.pairwise(packets)
            if (b.sequence - a.sequence) & 0xFFFF == 1
        }

    # -- waiting -------------------------------------------------------------------------------------------
    async def wait_speech(self, timeout: float = 5.0, *, since: float = 0.0) -> float:
        """Wait until somebody talks (100 ms of it); when it began. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                recent = [at for at in self.speech_at if at >= since]
                if len(recent) >= 5:
                    return recent[0]
                self._arrived.clear()
                await self._arrived.wait()

    async def wait_quiet(self, seconds: float = 1.0, timeout: float = 30.0) -> float:
        """Wait until nobody has talked for ``seconds``; when the last word ended. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(timeout):
            while True:
                last = self.speech_at[-1] if self.speech_at else begun
                if loop.time() - max(last, begun) >= seconds:
                    return last
                await asyncio.sleep(0.02)

    async def wait_digits(self, count: int, timeout: float = 5.0) -> str:
        """Wait until that many digits came. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while len(self.digits) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return "".join(self.digits)
