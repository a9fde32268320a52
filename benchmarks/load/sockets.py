"""The generator's sockets: datagrams with the kernel's time of arrival, and ports for RTP. Linux."""

from __future__ import annotations

import socket
import struct
import time

_TIMESTAMPNS = 35  # SO_TIMESTAMPNS of Linux, which Python 3.11 does not name
_ANCILLARY = socket.CMSG_SPACE(16)
_SECONDS = struct.Struct("@qq")


class KernelClock:
    """Turns the kernel's receive times (wall clock) into ``time.monotonic`` times."""

    def __init__(self) -> None:
        self.missing = 0
        pairs = []
        for _ in range(20):
            before, wall, after = time.monotonic(), time.time(), time.monotonic()
            pairs.append((after - before, (before + after) / 2 - wall))
        self._offset = min(pairs)[1]

    def receive(self, sock: socket.socket, size: int) -> tuple[bytes, float, tuple[str, int]]:
        """One datagram, when it reached this host, and from where. BlockingIOError when there is none."""
        data, ancillary, _, source = sock.recvmsg(size, _ANCILLARY)
        if ancillary:
            seconds, nanoseconds = _SECONDS.unpack(ancillary[0][2])
            return data, seconds + nanoseconds * 1e-9 + self._offset, source
        self.missing += 1
        return data, time.monotonic(), source

    @staticmethod
    def enable(sock: socket.socket) -> None:
        """Ask the kernel to say when each datagram came."""
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)


def stamped_socket(address: tuple[str, int]) -> socket.socket:
    """A UDP socket that does not block, bound, with arrival times. OSError when the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    KernelClock.enable(sock)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class RtpPorts:
    """Sockets for RTP on the even ports of a range, one after the other."""

    def __init__(self, host: str, ports: range) -> None:
        self._host = host
        self._ports = [port for port in ports if port % 2 == 0]
        self._next = 0

    def open(self) -> socket.socket:
        """The next that is free. RuntimeError when none is."""
        for _ in range(len(self._ports)):
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            try:
                return stamped_socket((self._host, port))
            except OSError:  # taken: the next one
                continue
        raise RuntimeError("no free RTP port in the range given to the load generator")
