"""RTP ports and the sockets on them. Knows datagrams, not RTP."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Protocol

from parlons.errors import PortsExhausted

REST_SECONDS = 60.0
"""How long a freed pair of ports rests, so that a late packet of one call never reaches the next."""

_READS_PER_WAKE_UP = 64
_LARGEST_DATAGRAM = 2048
_EXPEDITED_FORWARDING = 0xB8

Address = tuple[str, int]
Receiver = Callable[[bytes, Address], None]


class Datagrams(Protocol):
    """One bound UDP port. ``receive`` may be set at any time; nothing is delivered after ``close``."""

    receive: Receiver | None

    def send(self, data: bytes, address: Address) -> None:
        """Send now or drop: never blocks, never raises."""
        ...

    def close(self) -> None:
        """Free the port. Idempotent."""
        ...


OpenPort = Callable[[str, int], Datagrams]
"""Bind (host, port) on the running loop. Raises OSError."""


class UdpPort:
    """A UDP socket read straight from the loop's selector.

    asyncio's own datagram transport reads one datagram per turn of the loop: after a stall the sending clock would run
    before the waiting packets are in. Here a wake-up empties the socket.
    """

    def __init__(self, host: str, port: int) -> None:
        self.receive: Receiver | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind((host, port))
            with contextlib.suppress(OSError):  # a mark for the network: the call works without it
                if ":" in host:
                    self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED_FORWARDING)
                else:
                    self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED_FORWARDING)
        except OSError:
            self._socket.close()
            raise
        self._closed = False
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        for _ in range(_READS_PER_WAKE_UP):
            if self._closed:
                return
            try:
                data, address = self._socket.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of something sent earlier
                continue
            if self.receive is not None:
                self.receive(data, address[:2])

    def send(self, data: bytes, address: Address) -> None:
        if not self._closed:
            with contextlib.suppress(OSError):  # full buffer, unreachable network: the packet is lost, as on any hop
                self._socket.sendto(data, address)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()


class PortPool:
    """Pairs of ports: even for RTP, the next one for RTCP (RFC 3550 section 11).

    Args:
        first, last: the range, both included.
        open_port: how to bind; replaced in tests.
    """

    def __init__(self, host: str, first: int, last: int, open_port: OpenPort = UdpPort) -> None:
        self._host = host
        self._open_port = open_port
        self._free = collections.deque(range(first + first % 2, last, 2))
        self._resting: collections.deque[tuple[float, int]] = collections.deque()
        self._now = asyncio.get_running_loop().time
        self.in_use = 0

    def acquire(self) -> tuple[int, Datagrams, Datagrams]:
        """Bind a pair: (RTP port, RTP, RTCP). Raises PortsExhausted. Pairs that somebody else holds are passed over."""
        now = self._now()
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
        for _ in range(len(self._free)):
            port = self._free.popleft()
            try:
                rtp = self._open_port(self._host, port)
            except OSError as error:
                self._passed_over(port, error)
                continue
            try:
                rtcp = self._open_port(self._host, port + 1)
            except OSError as error:
                rtp.close()
                self._passed_over(port, error)
                continue
            self.in_use += 1
            return port, rtp, rtcp
        raise PortsExhausted(
            f"No RTP port is free: {self.in_use} pairs in use, {len(self._resting)} resting for {REST_SECONDS:.0f} s.",
            hint="Widen PARLONS_RTP_PORT_MIN to PARLONS_RTP_PORT_MAX, or lower PARLONS_MAX_CALLS.",
        )

    def _passed_over(self, port: int, error: OSError) -> None:
        self._free.append(port)
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise error

    def release(self, port: int) -> None:
        """Give a pair back; it rests before it is used again."""
        self.in_use -= 1
        self._resting.append((self._now() + REST_SECONDS, port))
