"""A network in memory: loses, delays, doubles and reorders datagrams as told. And media that only remembers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from aiosipua.message import SipMessage, SipRequest, SipResponse

from parlons.errors import SdpError
from parlons.telephony.sip.transport import Address, Receive

LATENCY = 0.01

Rule = Callable[["Sent"], "list[float]"]
"""Given a datagram: the delays after which a copy arrives; none: it is lost."""


@dataclass(frozen=True)
class Sent:
    """One datagram on its way."""

    at: float
    source: Address
    to: Address
    data: bytes

    @property
    def message(self) -> SipRequest | SipResponse:
        return SipMessage.parse(self.data)

    @property
    def what(self) -> str:
        """``INVITE`` for a request, ``200 INVITE`` for a response."""
        message = self.message
        if isinstance(message, SipRequest):
            return message.method
        return f"{message.status_code} {(message.get_header('cseq') or '').split()[-1]}"


class Network:
    """Joins any number of transports. ``log`` holds everything that was sent, lost or not."""

    def __init__(self) -> None:
        self.log: list[Sent] = []
        self.rule: Rule = lambda _sent: [LATENCY]
        self.ports: dict[Address, Receive] = {}

    def send(self, source: Address, to: Address, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        sent = Sent(loop.time(), source, to, data)
        self.log.append(sent)
        for delay in self.rule(sent):
            # timers for the same instant fire in any order: a little more each time keeps what was sent first, first
            loop.call_later(delay + len(self.log) * 1e-8, self._deliver, sent)

    def _deliver(self, sent: Sent) -> None:
        receive = self.ports.get(sent.to)
        if receive is not None:
            receive(sent.data, sent.source)

    def lossy(self, share: float, seed: int) -> None:
        """Lose this share of all datagrams."""
        draw = random.Random(seed)
        self.rule = lambda _sent: [] if draw.random() < share else [LATENCY]

    def lose(self, what: str, times: int = 1) -> None:
        """Lose the first ``times`` datagrams that are ``what``."""
        left = times

        def rule(sent: Sent) -> list[float]:
            nonlocal left
            if left and sent.what == what:
                left -= 1
                return []
            return [LATENCY]

        self.rule = rule

    def slow(self, what: str, delay: float) -> None:
        """Let every datagram that is ``what`` take ``delay`` seconds."""
        self.rule = lambda sent: [delay if sent.what == what else LATENCY]

    def whats(self, source: Address | None = None) -> list[str]:
        """What was sent, in order."""
        return [sent.what for sent in self.log if source in (None, sent.source)]

    def count(self, what: str) -> int:
        return self.whats().count(what)

    def times(self, what: str) -> list[float]:
        """When it was sent, counted from the first time."""
        times = [sent.at for sent in self.log if sent.what == what]
        return [round(t - times[0], 3) for t in times]

    def last(self, what: str) -> SipRequest | SipResponse:
        return [sent for sent in self.log if sent.what == what][-1].message


class MemoryTransport:
    """One end of it."""

    def __init__(self, network: Network, address: Address) -> None:
        self.network = network
        self._address = address

    @property
    def address(self) -> Address:
        return self._address

    async def start(self, receive: Receive) -> None:
        self.network.ports[self._address] = receive

    def send(self, data: bytes, to: Address) -> None:
        self.network.send(self._address, to, data)

    def local_host(self, peer: Address) -> str:
        return self._address[0]

    def close(self) -> None:
        self.network.ports.pop(self._address, None)


@dataclass
class FakeMedia:
    """Remembers what it was asked; refuses any description that holds ``unusable``."""

    name: str
    calls: list[str] = field(default_factory=list)
    digits: str = ""
    on_hold: bool = False
    advertised: str = ""
    closed: int = 0
    started: int = 0

    def advertise(self, address: str) -> None:
        self.advertised = address

    def local_offer(self) -> bytes:
        self.calls.append("local_offer")
        return f"v=0 offer of {self.name}".encode()

    def remote_offer(self, body: bytes) -> bytes:
        self._check(body)
        self.calls.append(f"remote_offer {body.decode()}")
        self.on_hold = b"sendonly" in body
        return f"v=0 answer of {self.name}".encode()

    def remote_answer(self, body: bytes) -> None:
        self._check(body)
        self.calls.append(f"remote_answer {body.decode()}")

    @staticmethod
    def _check(body: bytes) -> None:
        if b"unusable" in body:
            raise SdpError(488, "Not Acceptable Here")

    def info_dtmf(self, digit: str) -> None:
        self.digits += digit

    def start(self) -> None:
        self.started += 1

    def close(self) -> None:
        self.closed += 1
