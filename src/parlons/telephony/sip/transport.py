"""One UDP socket for signalling. Knows addresses and bytes, no SIP.

A test joins two endpoints with anything that satisfies ``Transport``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger(__name__)

Address = tuple[str, int]
Receive = Callable[[bytes, Address], None]

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""A burst of INVITEs waits here while the loop is busy; the kernel's default drops a few hundred of them."""


class Transport(Protocol):
    """Carries datagrams. ``send`` neither blocks nor raises: a datagram may always be lost."""

    @property
    def address(self) -> Address:
        """Where we are bound."""
        ...

    async def start(self, receive: Receive) -> None: ...

    def send(self, data: bytes, to: Address) -> None: ...

    def local_host(self, peer: Address) -> str:
        """The address of ours that ``peer`` can answer to."""
        ...

    def close(self) -> None: ...


class UdpTransport(asyncio.DatagramProtocol):
    """RFC 3261 §18 over UDP.

    Args:
        host: an address of ours, or ``0.0.0.0`` / ``::`` for all of them.
        port: 1 to 65535, or 0 for a free one.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._socket: asyncio.DatagramTransport | None = None
        self._receive: Receive | None = None
        self._routes: dict[str, str] = {}

    @property
    def address(self) -> Address:
        return (self._host, self._port)

    async def start(self, receive: Receive) -> None:
        """Bind. Raises OSError when the port is taken."""
        self._receive = receive
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, self._port))
        self._socket = transport
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the kernel caps it; what it grants is what we get
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._port = int(sock.getsockname()[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._receive is not None:
            self._receive(data, (str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        logger.info("signalling socket: %s", exc)

    def send(self, data: bytes, to: Address) -> None:
        if self._socket is None or self._socket.is_closing():
            return
        try:
            ipaddress.ip_address(to[0])  # a name would be looked up by the socket, and block
            self._socket.sendto(data, to)
        except (OSError, ValueError) as error:  # lost, and the timers will say so
            logger.info("cannot send to %s:%d: %s", *to, error)

    def local_host(self, peer: Address) -> str:
        if not ipaddress.ip_address(self._host).is_unspecified:
            return self._host
        if peer[0] not in self._routes:
            self._routes[peer[0]] = self._route(peer)
        return self._routes[peer[0]]

    def _route(self, peer: Address) -> str:
        family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((peer[0], peer[1] or 5060))  # sends nothing: asks the routing table
            return str(probe.getsockname()[0])
        return "127.0.0.1"

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._receive = None
