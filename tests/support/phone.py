"""A telephone of our own to test with: raw SIP over UDP on loopback, both ways round.

Deliberately shares no code with Parlons, so that a mistake there cannot hide here. Calls are in ``phone_call``,
audio in ``phone_rtp``. Times are the loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.support import sip_text
from tests.support.sip_text import Message

if TYPE_CHECKING:
    from tests.support.phone_call import Call

T1, T2 = 0.5, 4.0
Address = tuple[str, int]
SIP_PORTS = range(15450, 15500)
RTP_PORTS = range(36700, 36800)


@dataclass(frozen=True, slots=True)
class Logged:
    """One message, in or out."""

    at: float
    incoming: bool
    message: Message


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self.phone = phone

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.phone.receive(data, addr)


class Phone:
    """One SIP socket. ``async with Phone() as phone: call = phone.call("sip:...")``.

    Args:
        user: the user part of From and Contact.
        host: the loopback address to be: any 127.x.y.z makes another machine of us.
        port: the SIP port; 0 for the first free one of ``SIP_PORTS``.
        credentials: (user, password) for digest, as a client.
        outbound: every datagram goes there, whatever the URI says (a proxy).
        contact: the address Contact shows, when it is not our own (a proxy again).
        rtp_ports: where audio may be received.
    """

    def __init__(
        self,
        *,
        user: str = "phone",
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: tuple[str, str] | None = None,
        outbound: Address | None = None,
        contact: Address | None = None,
        rtp_ports: range = RTP_PORTS,
    ) -> None:
        self.user = user
        self.host = host
        self.port = port
        self.credentials = credentials
        self.outbound = outbound
        self.contact = contact
        self.rtp_ports = rtp_ports
        self.log: list[Logged] = []
        self.unreadable: list[bytes] = []
        self.calls: dict[str, Call] = {}
        self.incoming: asyncio.Queue[Call] = asyncio.Queue()
        self.handlers: dict[str, Callable[[Message, Address], None]] = {}
        """What to do with a request outside any call, by method. OPTIONS is answered 200."""
        self.handlers["OPTIONS"] = self._options
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[tuple[str, str], Callable[[Message], None]] = {}
        self._answered: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for port in [self.port] if self.port else SIP_PORTS:
            try:
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Socket(self), local_addr=(self.host, port)
                )
            except OSError:
                continue
            self.port = port
            return self
        raise RuntimeError("no free SIP port")

    async def __aexit__(self, *_exc: object) -> None:
        """Hang up what is still up, so that a failed test leaves nothing behind."""
        for call in list(self.calls.values()):
            with contextlib.suppress(TimeoutError, OSError):
                await call.leave()
            call.rtp.close()
        for task in list(self._tasks):
            task.cancel()
        if self._transport is not None:
            self._transport.close()
            await asyncio.sleep(0)  # the port is free once the loop has closed the socket

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that ends with the phone."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.host}:{self.port}"

    @property
    def contact_uri(self) -> str:
        host, port = self.contact or (self.host, self.port)
        return f"sip:{self.user}@{host}:{port}"

    def via(self, branch: str = "") -> str:
        return f"SIP/2.0/UDP {self.host}:{self.port};branch={branch or sip_text.new_branch()};rport"

    def call(self, target: str, **options: Any) -> Call:
        """A call to ``target``, not yet placed: see ``Call.invite``."""
        from tests.support.phone_call import Call

        return Call(self, target, **options)

    # -- the wire ------------------------------------------------------------------------------------------
    def send(self, message: Message | bytes, to: Address) -> None:
        """One datagram, as it is."""
        if self._transport is None or self._transport.is_closing():
            return
        if isinstance(message, Message):
            self.log.append(Logged(asyncio.get_running_loop().time(), False, message))
        self._transport.sendto(bytes(message), self.outbound or to)

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram came."""
        try:
            message = sip_text.parse(data)
        except ValueError:
            self.unreadable.append(data)
            return
        self.log.append(Logged(asyncio.get_running_loop().time(), True, message))
        if not re.fullmatch(r"\d+ \S+", message.get("CSeq")):
            self.unreadable.append(data)
        elif message.code:
            self._response(message)
        else:
            self._request(message, source)

    def _response(self, response: Message) -> None:
        call = self.calls.get(response.get("Call-ID"))
        if call is not None:
            call.on_response(response)
        waiting = self._waiting.get((response.branch, response.cseq_method))
        if waiting is not None:
            waiting(response)

    def _request(self, request: Message, source: Address) -> None:
        known = self._answered.get((request.branch, request.method))
        if known is not None and request.method != "ACK":
            self.send(known, source)
            return
        call = self.calls.get(request.get("Call-ID"))
        if call is not None:
            call.on_request(request, source)
        elif request.method == "INVITE" and not request.tag("To"):
            from tests.support.phone_call import Call

            call = Call.incoming(self, request, source)
            self.incoming.put_nowait(call)
        elif request.method in self.handlers:
            self.handlers[request.method](request, source)
        elif request.method != "ACK":
            self.respond(request, source, 481, "Call/Transaction Does Not Exist")

    def _options(self, request: Message, source: Address) -> None:
        self.respond(request, source, 200, "OK")

    def respond(
        self,
        request: Message,
        source: Address,
        code: int,
        reason: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: str = "",
        tag: str = "",
    ) -> bytes:
        """Answer a request; a retransmission of it gets the same final answer. The datagram sent."""
        to = request.get("To")
        if code > 100 and not request.tag("To"):
            to += f";tag={tag or 'peer' + str(self.port)}"
        copied = [("Via", v) for v in request.all("Via")] + [("Record-Route", v) for v in request.all("Record-Route")]
        copied += [("From", request.get("From")), ("To", to), ("Call-ID", request.get("Call-ID"))]
        message = Message(f"SIP/2.0 {code} {reason}", [*copied, ("CSeq", request.get("CSeq")), *headers], body)
        if body:
            message.headers.append(("Content-Type", "application/sdp"))
        if code >= 200:
            self._answered[(request.branch, request.method)] = bytes(message)
        self.send(message, source)
        return bytes(message)

    # -- client transactions -------------------------------------------------------------------------------
    async def transact(self, request: Message, to: Address, *, timeout: float = 32.0) -> Message:
        """Send a request, repeat it as RFC 3261 section 17.1 says, and wait for the final response.

        A final failure of an INVITE is ACKed here, each time it comes. Raises TimeoutError.
        """
        final: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        provisional = asyncio.Event()
        key = (request.branch, request.method)

        def came(response: Message) -> None:
            if response.code < 200:
                provisional.set()
                return
            if request.method == "INVITE" and response.code >= 300:
                self.send(self._ack_failure(request, response), to)
            if not final.done():
                final.set_result(response)

        self._waiting[key] = came
        interval = T1
        async with asyncio.timeout(timeout):
            self.send(request, to)
            while not final.done():
                await asyncio.wait([final], timeout=interval)
                if final.done() or (provisional.is_set() and request.method == "INVITE"):
                    return await final
                interval = interval * 2 if request.method == "INVITE" else min(interval * 2, T2)
                self.send(request, to)
        return final.result()

    @staticmethod
    def _ack_failure(request: Message, response: Message) -> Message:
        """RFC 3261 section 17.1.1.3."""
        kept = [(n, v) for n, v in request.headers if n in ("Via", "From", "Call-ID", "Max-Forwards", "Route")]
        tail = [("To", response.get("To")), ("CSeq", f"{request.cseq} ACK")]
        return Message(f"ACK {request.uri} SIP/2.0", [*kept, *tail])

    # -- requests outside calls ----------------------------------------------------------------------------
    def new_request(
        self, method: str, uri: str, *, headers: tuple[tuple[str, str], ...] = (), body: str = ""
    ) -> Message:
        """A complete request outside any call."""
        tag = sip_text.new_branch()[7:]
        return Message(
            f"{method} {uri} SIP/2.0",
            [
                ("Via", self.via()),
                ("Max-Forwards", "70"),
                ("From", f"<{self.uri}>;tag={tag}"),
                ("To", f"<{uri}>"),
                ("Call-ID", f"{tag}@127.0.0.1"),
                ("CSeq", f"1 {method}"),
                ("Contact", f"<{self.contact_uri}>"),
                *headers,
            ],
            body,
        )

    def received(self, method_or_code: str | int) -> list[Logged]:
        """What came in, by method or by status code."""
        return [
            entry
            for entry in self.log
            if entry.incoming and method_or_code in (entry.message.method, entry.message.code or None)
        ]
