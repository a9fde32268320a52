"""A SIP caller for many calls on one socket: INVITE, ACK, BYE, and polite answers to what it is asked (RFC 3261).

It repeats requests as a real phone does (a lost datagram is not the other side's failure) and measures, by the
kernel's clock, from the moment the INVITE was handed to the kernel to the arrival of the 200.
"""

from __future__ import annotations

import asyncio
import enum
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import wire
from benchmarks.load.media import MediaLeg, Script, Sender
from benchmarks.load.sockets import KernelClock, RtpPorts, stamped_socket

T1 = 0.5
GIVE_UP = 32.0


class State(enum.Enum):
    """Where a call stands."""

    CALLING = "calling"
    UP = "up"
    LEAVING = "leaving"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(slots=True)
class Target:
    """Who is called."""

    host: str
    port: int
    user: str

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.host}:{self.port}"


class Call:
    """One call, from INVITE to the answer to its BYE."""

    def __init__(self, phone: Phone, index: int, rtp: socket.socket) -> None:
        self.phone, self.index = phone, index
        self.id = f"bench-{index}-{random.getrandbits(48):x}"
        self.number = f"+3312345{index:04d}"
        self.state = State.CALLING
        self.media = MediaLeg(rtp, phone.script, phone.clock)
        self.invited = 0.0
        self.setup: float | None = None
        self.provisional: float | None = None
        self.code = 0
        self.failure = ""
        self.by_peer = False
        self._tag = f"{random.getrandbits(40):x}"
        self._branch = f"z9hG4bK{random.getrandbits(48):x}"
        self._to = f"<{phone.target.uri}>"
        self._remote = phone.target.uri
        self._repeat: asyncio.TimerHandle | None = None
        self._ack = b""

    def request(self, method: str, cseq: int, branch: str, target: str, extra: str = "", body: str = "") -> bytes:
        """One of our requests."""
        host, port = self.phone.address
        lines = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self.number}@{host}:{port}>;tag={self._tag}",
            f"To: {self._to}",
            f"Call-ID: {self.id}",
            f"CSeq: {cseq} {method}",
        ]
        if extra:
            lines.append(extra)
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body.encode())}")
        return (wire.CRLF.join(lines) + wire.CRLF * 2 + body).encode()

    def invite(self) -> None:
        """Place the call."""
        host, port = self.phone.address
        contact = f"Contact: <sip:bench@{host}:{port}>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS"
        body = wire.session(host, self.media.sock.getsockname()[1])
        packet = self.request("INVITE", 1, self._branch, self.phone.target.uri, contact, body)
        self.invited = time.monotonic()
        self._keep_sending(packet, T1, self.invited + GIVE_UP)

    def bye(self) -> None:
        """Hang up, if the call is up."""
        if self.state is State.UP:
            self.state = State.LEAVING
            self._quiet()
            branch = f"z9hG4bK{random.getrandbits(48):x}"
            packet = self.request("BYE", 2, branch, self._remote)
            self._keep_sending(packet, T1, time.monotonic() + GIVE_UP)

    def response(self, message: wire.Message, arrived: float) -> None:
        """An answer to our INVITE or BYE."""
        if message.method == "BYE":
            if message.code >= 200 and self.state is State.LEAVING:
                self._finish(State.ENDED)
            return
        if message.method != "INVITE":
            return
        if message.code < 200:
            if self.provisional is None:
                self.provisional = arrived - self.invited
            self._stop_repeating()
        elif message.code < 300:
            self._answered(message, arrived)
        else:
            self._to = message.header("to")
            self.phone.send(self.request("ACK", 1, self._branch, self.phone.target.uri))
            if self.state is State.CALLING:
                self.code = message.code
                self._fail(f"refused with {message.code}")

    def peer_bye(self) -> None:
        """The other side hung up."""
        if self.state in (State.UP, State.LEAVING):
            self.by_peer = self.state is State.UP
            self._finish(State.ENDED)

    def _answered(self, message: wire.Message, arrived: float) -> None:
        if self.state is not State.CALLING:
            self.phone.send(self._ack)  # our ACK was lost: the 200 came again
            return
        self._stop_repeating()
        self.code = message.code
        self.setup = arrived - self.invited
        self._to = message.header("to")
        self._remote = wire.uri(message.header("contact")) or self._remote
        self._ack = self.request("ACK", 1, f"z9hG4bK{random.getrandbits(48):x}", self._remote)
        self.phone.send(self._ack)
        self.state = State.UP
        try:
            self.media.sock.connect(wire.media_address(message.body))
        except (ValueError, OSError) as error:
            self.failure = str(error)
            self.bye()
            return
        self.phone.sender.add(self.media)
        self.phone.on_up(self)

    def _keep_sending(self, packet: bytes, wait: float, until: float) -> None:
        self.phone.send(packet)
        loop = asyncio.get_running_loop()
        if time.monotonic() + wait > until:
            self._repeat = loop.call_later(max(0.0, until - time.monotonic()), self._fail, "no answer in 32 s")
        else:
            self._repeat = loop.call_later(wait, self._again, packet, wait, until)

    def _again(self, packet: bytes, wait: float, until: float) -> None:
        self.phone.repeats += 1
        self._keep_sending(packet, min(wait * 2, 4.0), until)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()

    def _quiet(self) -> None:
        self.phone.sender.remove(self.media)

    def _fail(self, why: str) -> None:
        self.failure = why
        self._finish(State.FAILED)

    def _finish(self, state: State) -> None:
        self.state = state
        self._stop_repeating()
        self._quiet()
        self.phone.release(self)


class Phone:
    """Every call of a run, on one signalling socket."""

    def __init__(
        self, target: Target, address: tuple[str, int], rtp_ports: range, script: Script, on_up: Callable[[Call], None]
    ) -> None:
        self.target, self.script, self.on_up = target, script, on_up
        self.clock = KernelClock()
        self.loop = asyncio.get_running_loop()
        self.sender = Sender(self.loop)
        self.calls: list[Call] = []
        self.first_index = 0
        """Of its first call: phones of one run tell their calls apart by it."""
        self.repeats = 0
        self.send_errors = 0
        self._by_id: dict[str, Call] = {}
        self._open: set[Call] = set()
        self._sock = stamped_socket(address)
        self.address: tuple[str, int] = self._sock.getsockname()[:2]
        self._ports = RtpPorts(self.address[0], rtp_ports)
        self.loop.add_reader(self._sock, self._readable)

    def place(self) -> Call:
        """Place one more call."""
        call = Call(self, self.first_index + len(self.calls), self._ports.open())
        self.calls.append(call)
        self._by_id[call.id] = call
        self._open.add(call)
        self.loop.add_reader(call.media.sock, call.media.readable)
        call.invite()
        return call

    @property
    def open(self) -> int:
        """Calls that have neither ended nor failed."""
        return len(self._open)

    def release(self, call: Call) -> None:
        """A call is over: give back its socket."""
        if call in self._open:
            self._open.discard(call)
            self.loop.remove_reader(call.media.sock)
            call.media.sock.close()

    def send(self, packet: bytes) -> None:
        """One datagram to the server. A full socket buffer drops it, as a network would: it is repeated."""
        try:
            self._sock.sendto(packet, (self.target.host, self.target.port))
        except OSError:
            self.send_errors += 1

    def close(self) -> None:
        """Close every socket."""
        self.sender.stop()
        for call in list(self._open):
            self.release(call)
        self.loop.remove_reader(self._sock)
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(64):
            try:
                datagram, arrived, source = self.clock.receive(self._sock, 65535)
            except BlockingIOError:
                return
            except OSError:  # the server's port is closed: its answer is missing, and that is what is reported
                return
            message = wire.parse(datagram)
            if message is None:
                continue
            call = self._by_id.get(message.header("call-id"))
            if message.code:
                if call is not None:
                    call.response(message, arrived)
            elif message.method != "ACK":
                self._asked(message, call, source)

    def _asked(self, message: wire.Message, call: Call | None, source: tuple[str, int]) -> None:
        if message.method == "OPTIONS" or (message.method == "BYE" and call is not None):
            answer = wire.respond(message, 200, "OK")
        elif message.method == "BYE":
            answer = wire.respond(message, 481, "Call/Transaction Does Not Exist")
        else:
            answer = wire.respond(message, 405, "Method Not Allowed", "Allow: ACK, BYE, OPTIONS")
        self._sock.sendto(answer, source)
        if message.method == "BYE" and call is not None:
            call.peer_bye()
