"""A little switchboard that puts every caller through, as late and as badly as a test wants it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from typing import cast

from benchmarks.load import wire

Address = tuple[str, int]
HOST = "127.0.0.1"


class Pipe(asyncio.DatagramProtocol):
    """One leg's RTP: gives what comes to ``onward``."""

    def __init__(self) -> None:
        self.onward: Callable[[bytes], None] | None = None
        self.remote: Address | None = None
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> Pipe:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self._transport, self.port = transport, transport.get_extra_info("sockname")[1]
        return self

    def datagram_received(self, data: bytes, _source: object) -> None:
        if self.onward is not None:
            self.onward(data)

    def send(self, packet: bytes) -> None:
        if self.remote is not None and self._transport is not None:
            self._transport.sendto(packet, self.remote)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Switchboard(asyncio.DatagramProtocol):
    """Answers, decides ``after`` seconds later, and rings the desk ``delay`` seconds after that.

    Args:
        desk, decisions: where the generator is rung, and where it is told of decisions.
        onward, back: what becomes of a packet to the desk and to the caller; None loses it.
        rings: whether a caller's number is rung for at all.
    """

    def __init__(
        self,
        desk: Address,
        decisions: Address,
        *,
        after: float = 0.2,
        delay: float = 0.0,
        onward: Callable[[bytes], bytes | None] = lambda packet: packet,
        back: Callable[[bytes], bytes | None] = lambda packet: packet,
        rings: Callable[[str], bool] = lambda _number: True,
    ) -> None:
        self.desk, self.decisions = desk, decisions
        self.after, self.delay, self.onward, self.back, self.rings = after, delay, onward, back, rings
        self._legs: dict[str, tuple[Pipe, Pipe]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._port = 0

    async def listen(self) -> int:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self._transport = transport
        self._port = int(transport.get_extra_info("sockname")[1])
        return self._port

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for pair in self._legs.values():
            for pipe in pair:
                pipe.close()
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, source: Address) -> None:
        message = wire.parse(data)
        assert message is not None
        if message.method == "INVITE":
            if not message.code:
                task = asyncio.ensure_future(self._answer(message, source))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif message.code == 200:
                self._legs[message.header("call-id").removeprefix("to-")][1].remote = wire.media_address(message.body)
                self._ask("ACK", message.header("call-id"), message.header("to"))
        elif message.method == "BYE" and not message.code:
            self._send(wire.respond(message, 200, "OK"), source)
            self._ask("BYE", f"to-{message.header('call-id')}", "<sip:desk@desk>;tag=x")

    async def _answer(self, invite: wire.Message, source: Address) -> None:
        here, there = await Pipe().open(), await Pipe().open()
        self._legs[invite.header("call-id")] = (here, there)
        here.remote = wire.media_address(invite.body)
        here.onward = lambda packet: _pass(packet, self.onward, there)
        there.onward = lambda packet: _pass(packet, self.back, here)
        contact = f"Contact: <sip:switchboard@{HOST}:{self._port}>"
        self._send(wire.respond(invite, 200, "OK", contact, wire.session(HOST, here.port), "s"), source)
        await asyncio.sleep(self.after)
        found = re.search(r"sip:(\+\d+)@", invite.header("from"))
        assert found is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(found[1].encode(), self.decisions)
        if self.rings(found[1]):
            await asyncio.sleep(self.delay)
            mark, body = f"X-Bench-Caller: {found[1]}", wire.session(HOST, there.port)
            self._ask("INVITE", f"to-{invite.header('call-id')}", "<sip:desk@desk>", mark, body)

    def _ask(self, method: str, call_id: str, to: str, extra: str = "", body: str = "") -> None:
        lines = [
            f"{method} sip:desk@desk SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self._port};branch=z9hG4bK{method}{call_id}",
            f"From: <sip:switchboard@{HOST}>;tag=s",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: 1 {method}",
            *([extra] if extra else []),
            f"Content-Length: {len(body)}",
        ]
        self._send(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self.desk)

    def _send(self, packet: bytes, address: Address) -> None:
        cast(asyncio.DatagramTransport, self._transport).sendto(packet, address)


def _pass(packet: bytes, change: Callable[[bytes], bytes | None], target: Pipe) -> None:
    changed = change(packet)
    if changed is not None:
        target.send(changed)
