"""A bad network between a phone and the server: a UDP relay that drops, repeats and delays datagrams. Seeded.

Used for signalling and for RTP alike; knows neither.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Self

Address = tuple[str, int]
RELAY_PORTS = range(15430, 15450)


class _Side(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self.receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.receive(data, addr)


class UdpRelay:
    """One client (the last address that spoke to ``front``) talks to ``target``, which sees it as ``back``.

    Args:
        loss: share of datagrams dropped, each way, 0 to 1.
        duplicate: share sent twice.
        delay: seconds, at most, added at random to each one (which reorders).
        seed: the same seed gives the same losses for the same traffic.
    """

    def __init__(
        self, target: Address, *, loss: float = 0.0, duplicate: float = 0.0, delay: float = 0.0, seed: int = 1
    ) -> None:
        self.target = target
        self.loss, self.duplicate, self.delay = loss, duplicate, delay
        self.passed = self.dropped = 0
        self.front: Address = ("", 0)
        self.back: Address = ("", 0)
        self._random = random.Random(seed)
        self._client: Address | None = None
        self._sides: list[asyncio.DatagramTransport] = []

    async def __aenter__(self) -> Self:
        self.front = await self._open(self._from_client)
        self.back = await self._open(self._from_target)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for side in self._sides:
            side.close()

    async def _open(self, receive: Callable[[bytes, Address], None]) -> Address:
        loop = asyncio.get_running_loop()
        for port in RELAY_PORTS:
            try:
                side, _ = await loop.create_datagram_endpoint(lambda: _Side(receive), local_addr=("127.0.0.1", port))
            except OSError:
                continue
            self._sides.append(side)
            return ("127.0.0.1", port)
        raise RuntimeError(f"no free port in {RELAY_PORTS}")

    def _from_client(self, data: bytes, source: Address) -> None:
        self._client = source
        self._pass_on(self._sides[1], data, self.target)

    def _from_target(self, data: bytes, _source: Address) -> None:
        if self._client is not None:
            self._pass_on(self._sides[0], data, self._client)

    def _pass_on(self, side: asyncio.DatagramTransport, data: bytes, to: Address) -> None:
        if self._random.random() < self.loss:
            self.dropped += 1
            return
        for _ in range(2 if self._random.random() < self.duplicate else 1):
            self.passed += 1
            if self.delay:
                wait = self._random.random() * self.delay
                asyncio.get_running_loop().call_later(wait, self._put, side, data, to)
            else:
                self._put(side, data, to)

    @staticmethod
    def _put(side: asyncio.DatagramTransport, data: bytes, to: Address) -> None:
        if not side.is_closing():
            side.sendto(data, to)
