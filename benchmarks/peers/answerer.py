"""The smallest SIP and RTP front that a peer's pipeline can stand behind: answers, carries PCMA, hangs up.

It leaves out all that a product needs (transactions, checks, jitter buffer, recording), which favours the peer.
Standard library and ``benchmarks.load.wire`` alone, so it runs in any peer's virtual environment.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from benchmarks.load import wire

SILENCE = b"\xd5" * 160
_HEADER = struct.Struct("!BBHII")


class Session(Protocol):
    """What a peer makes of one call. PCMA, 160 bytes a frame, both ways."""

    def received(self, payload: bytes) -> None:
        """20 ms came from the caller."""
        ...

    def next_frame(self) -> bytes | None:
        """20 ms to send now; None for silence."""
        ...

    def start(self) -> None:
        """The 200 was sent: greet."""
        ...

    async def close(self) -> None:
        """The caller hung up."""
        ...


MakeSession = Callable[[], Awaitable[Session]]


class _Rtp(asyncio.DatagramProtocol):
    def __init__(self, remote: tuple[str, int]) -> None:
        self.remote = remote
        self.session: Session | None = None
        self.transport: asyncio.DatagramTransport | None = None
        self._sequence = random.randrange(30000)
        self._timestamp = random.randrange(2**31)
        self._packet = bytearray(12 + len(SILENCE))
        _HEADER.pack_into(self._packet, 0, 0x80, 8, 0, 0, random.randrange(2**32))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, _source: object) -> None:
        if self.session is not None and len(data) == 172 and data[1] & 0x7F == 8:
            self.session.received(data[12:])

    def send(self) -> None:
        if self.session is None or self.transport is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + 160) & 0xFFFFFFFF
        struct.pack_into("!HI", self._packet, 2, self._sequence, self._timestamp)
        self._packet[12:] = self.session.next_frame() or SILENCE
        self.transport.sendto(bytes(self._packet), self.remote)


class Answerer(asyncio.DatagramProtocol):
    """Takes every call. One sending clock for all of them."""

    def __init__(self, host: str, rtp_ports: range, make: MakeSession) -> None:
        self._host, self._make = host, make
        self._ports = list(rtp_ports[::2])
        self._calls: dict[str, _Rtp] = {}
        self._said: dict[str, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tag = f"{random.getrandbits(32):x}"

    async def listen(self, port: int) -> int:
        """Begin to take calls; the port that was bound."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, port))
        self._transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._due = loop.time()
        self._tick()
        return int(sock.getsockname()[1])

    async def close(self) -> None:
        """Drop every call."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        for rtp in self._calls.values():
            await self._end(rtp)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        message = wire.parse(data)
        if message is None or message.code or self._transport is None:
            return
        call_id = message.header("call-id")
        if message.method == "INVITE":
            if call_id in self._said:
                self._transport.sendto(self._said[call_id], source)
                return
            self._reply(message, source, 100, "Trying")
            self._spawn(self._take(message, source))
        elif message.method == "BYE":
            self._transport.sendto(wire.respond(message, 200, "OK"), source)
            rtp = self._calls.pop(call_id, None)
            if rtp is not None:
                self._spawn(self._end(rtp))
        elif message.method == "OPTIONS":
            self._transport.sendto(wire.respond(message, 200, "OK"), source)

    def _reply(self, message: wire.Message, source: tuple[str, int], code: int, reason: str, body: str = "") -> None:
        assert self._transport is not None
        contact = f"Contact: <sip:peer@{self._host}:{self._transport.get_extra_info('sockname')[1]}>"
        packet = wire.respond(message, code, reason, contact, body, self._tag if code > 100 else "")
        self._said[message.header("call-id")] = packet
        self._transport.sendto(packet, source)

    async def _take(self, message: wire.Message, source: tuple[str, int]) -> None:
        self._reply(message, source, 180, "Ringing")
        port = self._ports.pop(0)
        self._ports.append(port)
        rtp = _Rtp(wire.media_address(message.body))
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: rtp, local_addr=(self._host, port))
        session = await self._make()
        self._calls[message.header("call-id")] = rtp
        self._reply(message, source, 200, "OK", wire.session(self._host, port))
        rtp.session = session
        session.start()

    async def _end(self, rtp: _Rtp) -> None:
        session, rtp.session = rtp.session, None
        if rtp.transport is not None:
            rtp.transport.close()
        if session is not None:
            await session.close()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due <= loop.time():
            for rtp in self._calls.values():
                rtp.send()
            self._due += 0.02
        self._timer = loop.call_at(self._due, self._tick)


async def serve(host: str, port: int, rtp_ports: range, make: MakeSession) -> None:
    """Take calls until SIGTERM; says ``ready`` on standard output once it listens."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    answerer = Answerer(host, rtp_ports, make)
    await answerer.listen(port)
    print("ready", flush=True)
    await stop.wait()
    await answerer.close()
