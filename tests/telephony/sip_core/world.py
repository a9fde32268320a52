"""Two endpoints on one network, and a bare peer that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiosipua.message import SipMessage, SipRequest, SipResponse

from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.sip.leg_out import OutboundLeg
from parlons.telephony.sip.transport import Address
from parlons.telephony.types import Leg, LegEnd, LegEvents, LegState, OutboundInvite
from tests.support import virtual_time
from tests.telephony.sip_core.network import FakeMedia, MemoryTransport, Network

CALLER: Address = ("192.0.2.1", 5060)
CALLEE: Address = ("192.0.2.2", 5060)
PEER: Address = ("192.0.2.9", 5070)

IDLE_SECONDS = 130.0
"""After this nothing of a call may be left: 64 × T1 of a BYE, then what lingers."""


class Seen:
    """The events of a leg, as a list."""

    def __init__(self) -> None:
        self.list: list[str] = []
        self.ends: list[LegEnd] = []

    def events(self) -> LegEvents:
        def ended(end: LegEnd) -> None:
            self.list.append("ended")
            self.ends.append(end)

        return LegEvents(
            ringing=lambda: self.list.append("ringing"),
            early_media=lambda: self.list.append("early_media"),
            answered=lambda: self.list.append("answered"),
            hold=lambda held: self.list.append("hold" if held else "resumed"),
            ended=ended,
        )


class World:
    """``alice`` calls, ``bob`` is called; ``peer`` is whatever a test makes of it."""

    def __init__(self) -> None:
        self.network = Network()
        self.alice = Endpoint(transport=MemoryTransport(self.network, CALLER))
        self.bob = Endpoint(transport=MemoryTransport(self.network, CALLEE))
        self.peer = Peer(self.network, PEER)
        self.calls: list[InboundLeg] = []
        self.seen_out = Seen()
        self.seen_in = Seen()
        self.on_call: Callable[[InboundLeg], Awaitable[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self.alice.start()
        await self.bob.start()
        await self.peer.start()
        self.bob.on_invite = self._called

    def _called(self, leg: InboundLeg) -> None:
        leg.events = self.seen_in.events()
        self.calls.append(leg)
        if self.on_call is not None:
            task = asyncio.ensure_future(self._serve(leg))
            self._tasks.add(task)

    async def _serve(self, leg: InboundLeg) -> None:
        assert self.on_call is not None
        await self.on_call(leg)

    def dial(self, to: Address = CALLEE, **fields: Any) -> OutboundLeg:
        """A leg of alice's, ready to dial."""
        invite = OutboundInvite(target=f"sip:bob@{to[0]}:{to[1]}", next_hop=to, from_user="+33123456789", **fields)
        leg = self.alice.invite(invite)
        leg.events = self.seen_out.events()
        leg.attach(FakeMedia("alice"))
        return leg

    async def call(self) -> tuple[OutboundLeg, InboundLeg]:
        """An answered call between the two."""
        self.on_call = answer_at_once
        leg = self.dial()
        assert await leg.dial() == "answered"
        await asyncio.sleep(0.1)
        return leg, self.calls[-1]

    async def idle(self, *endpoints: Endpoint) -> None:
        """Wait, then check that nothing is left and nothing went wrong."""
        await asyncio.sleep(IDLE_SECONDS)
        for endpoint in endpoints or (self.alice, self.bob):
            gauges = endpoint.gauges()
            assert {name: n for name, n in gauges.items() if n and name != "dropped_total"} == {}
        for task in self._tasks:
            assert task.done()
            task.result()


def state(leg: Leg) -> LegState:
    """Where a leg is now."""
    return leg.state


async def answer_at_once(leg: InboundLeg) -> None:
    """180, then 200."""
    leg.attach(FakeMedia("bob"))
    leg.ring()
    await leg.answer()


def play(script: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    """Run a script on virtual time."""

    async def main() -> None:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        world = World()
        await world.start()
        await script(world)
        await world.alice.stop()
        await world.bob.stop()
        assert problems == []

    virtual_time.run(main(), limit=100_000)


class Peer:
    """A SIP peer without manners of its own: sends what it is given, keeps what it gets."""

    def __init__(self, network: Network, address: Address) -> None:
        self.transport = MemoryTransport(network, address)
        self.address = address
        self.got: list[SipRequest | SipResponse] = []
        self.on: dict[str, Callable[[SipRequest], None]] = {}
        self._branch = 0

    async def start(self) -> None:
        await self.transport.start(self._receive)

    def _receive(self, data: bytes, _source: Address) -> None:
        message = SipMessage.parse(data)
        self.got.append(message)
        if isinstance(message, SipRequest) and message.method in self.on:
            self.on[message.method](message)

    def send(self, message: SipRequest | SipResponse | bytes, to: Address = CALLEE) -> None:
        self.transport.send(message if isinstance(message, bytes) else bytes(message), to)

    def responses(self, method: str) -> list[int]:
        """The status codes that came for a method, in order."""
        return [
            m.status_code
            for m in self.got
            if isinstance(m, SipResponse) and (m.get_header("cseq") or "").endswith(method)
        ]

    def response(self, method: str) -> SipResponse:
        """The last response to a method."""
        found = [
            m for m in self.got if isinstance(m, SipResponse) and (m.get_header("cseq") or "").endswith(" " + method)
        ]
        return found[-1]

    def requests(self, method: str) -> list[SipRequest]:
        """The requests that came with a method."""
        return [m for m in self.got if isinstance(m, SipRequest) and m.method == method]

    def request(
        self,
        method: str,
        *,
        cseq: int = 1,
        call_id: str = "call-1",
        to_tag: str = "",
        branch: str = "",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> SipRequest:
        """A request to bob. A header given as empty is left out."""
        self._branch += 1
        request = SipRequest(method=method, uri=f"sip:bob@{CALLEE[0]}")
        branch = branch or f"z9hG4bK-p{self._branch}"
        fields = {
            "Via": f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};rport;branch={branch}",
            "Max-Forwards": "70",
            "From": f"<sip:peer@{self.address[0]}>;tag=peertag",
            "To": f"<sip:bob@{CALLEE[0]}>" + (f";tag={to_tag}" if to_tag else ""),
            "Call-ID": call_id,
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:peer@{self.address[0]}:{self.address[1]}>",
        }
        if body:
            fields["Content-Type"] = "application/sdp"
        for name, value in {**fields, **(headers or {})}.items():
            if value:
                request.headers.append(name, value)
        request.body = body
        return request

    async def call(self, headers: dict[str, str] | None = None, body: bytes = b"v=0") -> str:
        """Call bob, who answers at once, and ACK; his To tag."""
        self.send(self.request("INVITE", body=body, headers=headers))
        await asyncio.sleep(0.1)
        tag = self.tag()
        self.send(self.request("ACK", to_tag=tag))
        await asyncio.sleep(0.1)
        return tag

    def tag(self) -> str:
        """The To tag of the last answer to an INVITE."""
        return (self.response("INVITE").get_header("to") or "").partition(";tag=")[2]

    async def ask(self, method: str, cseq: int, to_tag: str, **fields: Any) -> SipResponse:
        """Send a request in the dialog of ``call``; its final response."""
        self.send(self.request(method, cseq=cseq, to_tag=to_tag, **fields))
        await asyncio.sleep(0.1)
        response = self.response(method)
        assert (response.get_header("cseq") or "").startswith(f"{cseq} ")
        return response

    def answer(
        self,
        request: SipRequest,
        code: int,
        *,
        tag: str = "t1",
        body: bytes = b"",
        to: Address = CALLER,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer a request that came."""
        response = SipResponse(status_code=code, reason_phrase="So")
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.headers.get(name):
                response.headers.append(name, value)
        if code > 100 and tag and ";tag=" not in (response.get_header("to") or ""):
            response.set_header("To", f"{response.get_header('to')};tag={tag}")
        response.set_header("Contact", f"<sip:peer@{self.address[0]}:{self.address[1]}>")
        if body:
            response.set_header("Content-Type", "application/sdp")
        for name, value in (headers or {}).items():
            response.headers.append(name, value)
        response.body = body
        self.send(response, to)
