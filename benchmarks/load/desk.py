"""Somebody who is rung: takes every INVITE, rings, answers, talks, and notes when it came (RFC 3261, server side)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable

from benchmarks.load import wire
from benchmarks.load.media import MediaLeg, Script, Sender
from benchmarks.load.sockets import KernelClock, RtpPorts, stamped_socket

MARK = "x-bench-caller"
RINGS_SECONDS = 0.1
T1 = 0.5
MOST_REPEATS = 7


class Visit:
    """One call to the desk."""

    def __init__(self, mark: str, media: MediaLeg) -> None:
        self.mark, self.media = mark, media
        self.said = b""
        self.up = False
        self.over = False
        self.timer: asyncio.TimerHandle | None = None


class Desk:
    """Every call of a run that arrives at one address.

    Args:
        script: what is said to each, from the answer on, in its codec.
        on_up: told when a call is up (its ACK came).
    """

    def __init__(
        self,
        address: tuple[str, int],
        rtp_ports: range,
        script: Script,
        clock: KernelClock,
        sender: Sender,
        on_up: Callable[[Visit], None],
    ) -> None:
        self.invited: dict[str, float] = {}
        """When the first INVITE with each mark reached this host."""
        self.visits: list[Visit] = []
        self.strange: list[str] = []
        self._script, self._clock, self._sender, self._on_up = script, clock, sender, on_up
        self._loop = asyncio.get_running_loop()
        self._by_id: dict[str, Visit] = {}
        self._sock = stamped_socket(address)
        self.address: tuple[str, int] = self._sock.getsockname()[:2]
        self._ports = RtpPorts(self.address[0], rtp_ports)
        self._tag = f"{random.getrandbits(40):x}"
        self._loop.add_reader(self._sock, self._readable)

    @property
    def open(self) -> int:
        """Calls that are not over."""
        return sum(not visit.over for visit in self.visits)

    def close(self) -> None:
        """Drop every call."""
        for visit in self.visits:
            self._end(visit)
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(64):
            try:
                datagram, arrived, source = self._clock.receive(self._sock, 65535)
            except OSError:  # nothing more, or the server's port is gone: what is missing is reported
                return
            message = wire.parse(datagram)
            if message is not None and not message.code:
                self._asked(message, arrived, source)

    def _asked(self, message: wire.Message, arrived: float, source: tuple[str, int]) -> None:
        visit = self._by_id.get(message.header("call-id"))
        if message.method == "OPTIONS":
            self._send(wire.respond(message, 200, "OK"), source)
        elif message.method == "INVITE" and visit is None:
            self._rung(message, arrived, source)
        elif message.method == "INVITE" and visit is not None:
            self._send(visit.said, source)
        elif message.method == "ACK" and visit is not None:
            self._stop(visit)
            if not visit.up and not visit.over:
                visit.up = True
                self._on_up(visit)
        elif message.method == "BYE" and visit is not None:
            self._send(wire.respond(message, 200, "OK"), source)
            self._end(visit)
        else:
            self.strange.append(message.first)
            self._send(wire.respond(message, 481, "Call/Transaction Does Not Exist"), source)

    def _rung(self, message: wire.Message, arrived: float, source: tuple[str, int]) -> None:
        mark = message.header(MARK)
        self.invited.setdefault(mark, arrived)
        try:
            address = wire.media_address(message.body, self._script.codec.name)
        except ValueError:
            self.strange.append(f"offer without {self._script.codec.name}")
            self._send(wire.respond(message, 488, "Not Acceptable Here", to_tag=self._tag), source)
            return
        rtp = self._ports.open()
        rtp.connect(address)
        visit = Visit(mark, MediaLeg(rtp, self._script, self._clock))
        self.visits.append(visit)
        self._by_id[message.header("call-id")] = visit
        self._loop.add_reader(rtp, visit.media.readable)
        self._reply(visit, message, 180, "Ringing", source)
        visit.timer = self._loop.call_later(RINGS_SECONDS, self._answer, visit, message, source)

    def _answer(self, visit: Visit, message: wire.Message, source: tuple[str, int]) -> None:
        port = visit.media.sock.getsockname()[1]
        body = wire.session(self.address[0], port, codec=self._script.codec.name)
        self._reply(visit, message, 200, "OK", source, body)
        visit.media.talk_at = 0.0
        self._sender.add(visit.media)
        visit.timer = self._loop.call_later(T1, self._again, visit, source, T1, MOST_REPEATS)

    def _again(self, visit: Visit, source: tuple[str, int], wait: float, left: int) -> None:
        self._send(visit.said, source)
        if left:
            wait = min(2 * wait, 4.0)
            visit.timer = self._loop.call_later(wait, self._again, visit, source, wait, left - 1)

    def _reply(
        self, visit: Visit, message: wire.Message, code: int, reason: str, source: tuple[str, int], body: str = ""
    ) -> None:
        contact = f"Contact: <sip:desk@{self.address[0]}:{self.address[1]}>\r\nAllow: INVITE, ACK, BYE, OPTIONS"
        visit.said = wire.respond(message, code, reason, contact, body, self._tag)
        self._send(visit.said, source)

    def _send(self, packet: bytes, source: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # dropped, as a network would: requests and the 200 are repeated
            self._sock.sendto(packet, source)

    def _stop(self, visit: Visit) -> None:
        if visit.timer is not None:
            visit.timer.cancel()

    def _end(self, visit: Visit) -> None:
        self._stop(visit)
        if not visit.over:
            visit.over = True
            self._sender.remove(visit.media)
            self._loop.remove_reader(visit.media.sock)
            visit.media.sock.close()


class Decisions:
    """Where the model under test tells that it decided: one datagram with a mark, its arrival the kernel's."""

    def __init__(self, address: tuple[str, int], clock: KernelClock) -> None:
        self.decided: dict[str, float] = {}
        self.repeated = 0
        self._clock = clock
        self._sock: socket.socket = stamped_socket(address)
        self.address: tuple[str, int] = self._sock.getsockname()[:2]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, self._readable)

    def close(self) -> None:
        """Hear nothing more."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _readable(self) -> None:
        while True:
            try:
                datagram, arrived, _ = self._clock.receive(self._sock, 256)
            except OSError:
                return
            mark = datagram.decode("ascii", "replace")
            self.repeated += mark in self.decided
            self.decided.setdefault(mark, arrived)
