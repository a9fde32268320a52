"""The SIP endpoint: one UDP socket, every datagram checked and handed to its transaction, dialog or new leg.

Knows messages and legs. Whom a call is for and whether it may come in is decided above, through ``on_invite``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from aiosipua.message import SipRequest, SipResponse
from aiosipua.utils import bracket_ipv6

from parlons.telephony.sip import checks
from parlons.telephony.sip.core import Core, Resolves
from parlons.telephony.sip.dialogs import ALLOW, PRODUCT, SUPPORTED, make_response, new_tag, tag_of, tokens, via_value
from parlons.telephony.sip.digest import DigestServer
from parlons.telephony.sip.identity import invite_info
from parlons.telephony.sip.in_dialog import describe
from parlons.telephony.sip.leg import OVER, BaseLeg
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.sip.leg_out import OutboundLeg
from parlons.telephony.sip.resolver import Resolver
from parlons.telephony.sip.session_timer import too_small
from parlons.telephony.sip.timers import Timers
from parlons.telephony.sip.transaction_layer import note_source, response_address
from parlons.telephony.sip.transactions import ServerTransaction, TxState
from parlons.telephony.sip.transport import Address, Transport, UdpTransport
from parlons.telephony.types import Credentials, LegEnd, OutboundInvite

logger = logging.getLogger(__name__)

METHODS = frozenset(ALLOW.split(", "))
IN_DIALOG_ONLY = frozenset({"BYE", "INFO", "UPDATE", "REFER"})
DRAIN_RETRY_SECONDS = 30
STOP_SECONDS = 4.0
"""How long ``stop`` waits for peers to answer our last BYEs."""


class Endpoint:
    """Sends and receives SIP over UDP.

    Args:
        host: an address of ours, or ``0.0.0.0``.
        port: 0 for a free one; ``port`` tells which.
        public_address: what Via, Contact (and, elsewhere, SDP) advertise; empty: the address the peer reaches us at.
        realm: of our digest challenges.
        resolver, transport, timers: for tests; the resolver given is closed by ``stop`` too.

    Attributes:
        on_invite: called once for each new INVITE that is well-formed; 100 was sent. It may not block.
        draining: OPTIONS and new INVITEs get 503; legs under way go on.
    """

    def __init__(
        self,
        host: str = "0.0.0.0",
        port: int = 5060,
        public_address: str = "",
        *,
        realm: str = "parlons",
        resolver: Resolves | None = None,
        transport: Transport | None = None,
        timers: Timers | None = None,
    ) -> None:
        self.on_invite: Callable[[InboundLeg], None] | None = None
        self.draining = False
        self.core = Core(
            transport or UdpTransport(host, port), resolver or Resolver(), timers or Timers(), public_address
        )
        self._digest = DigestServer(realm)
        self._dropped = 0

    @property
    def port(self) -> int:
        """The port we are bound to."""
        return self.core.transport.address[1]

    def host_for(self, peer: Address) -> str:
        """The address of ours to advertise to a peer, in a session description too: the public one when set, else
        the one that the routing table gives."""
        return self.core.local(peer)[0]

    async def start(self) -> None:
        """Bind the socket. Raises OSError when the port is taken."""
        await self.core.transport.start(self._datagram)

    async def stop(self) -> None:
        """Hang up whatever is left, wait a few seconds for the peers' answers, close the socket."""
        self.draining = True
        legs = [leg for leg in self.core.legs if isinstance(leg, BaseLeg)]
        if legs:
            ends = [asyncio.ensure_future(leg.hang_up("shutting down")) for leg in legs]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await asyncio.gather(*ends, return_exceptions=True)  # the socket is closed whatever happens
        self.core.close()
        await self.core.resolver.close()

    def gauges(self) -> dict[str, int]:
        """What is alive now; every value but the two counters is 0 when idle (transactions linger up to 64 s)."""
        core = self.core
        return {
            "client_transactions": core.transactions.clients,
            "server_transactions": core.transactions.servers,
            "dialogs": len(core.dialogs),
            "legs": len(core.legs),
            "tasks": core.tasks,
            "dropped_total": self._dropped,
            "faults_total": core.faults,
        }

    # -- out ---------------------------------------------------------------------------------------------------

    def invite(self, invite: OutboundInvite) -> OutboundLeg:
        """A leg that will send this INVITE: set ``events``, ``attach`` media, ``dial``."""
        return OutboundLeg(self.core, invite)

    async def request(
        self, request: SipRequest, address: Address, credentials: Credentials | None = None
    ) -> SipResponse:
        """Send a request out of any dialog (REGISTER, OPTIONS) and give its final answer, challenges answered when
        ``credentials`` are given. Via is added; Max-Forwards, From tag, Call-ID and CSeq when missing.

        Raises TimeoutError when no final answer came in 64 × T1.
        """
        cseq = int((request.get_header("cseq") or "1").split()[0])

        def next_cseq() -> int:
            nonlocal cseq
            cseq += 1
            return cseq

        request.set_header("Via", via_value(self.core.local(address), f"z9hG4bK{new_tag()}"))
        defaults = {"Max-Forwards": "70", "Call-ID": new_tag(), "CSeq": f"{cseq} {request.method}"}
        for name, value in {**defaults, "User-Agent": PRODUCT}.items():
            if name not in request.headers:
                request.set_header(name, value)
        response = await self.core.transact(request, address, credentials, next_cseq)
        if response is None:
            raise TimeoutError(f"No answer to {request.method}")
        return response

    async def ping(self, address: Address, credentials: Credentials | None = None) -> SipResponse:
        """Send OPTIONS. Raises TimeoutError."""
        host = bracket_ipv6(address[0])
        request = SipRequest(method="OPTIONS", uri=f"sip:{host}:{address[1]}")
        local = bracket_ipv6(self.core.local(address)[0])
        request.set_header("From", f"<sip:{local}>;tag={new_tag()}")
        request.set_header("To", f"<{request.uri}>")
        request.set_header("Contact", self.core.contact(address))
        request.set_header("Accept", "application/sdp")
        return await self.request(request, address, credentials)

    # -- in ----------------------------------------------------------------------------------------------------

    def _datagram(self, data: bytes, source: Address) -> None:
        """Nothing that comes from outside may raise out of here."""
        self.core.call(self._received, data, source)

    def _received(self, data: bytes, source: Address) -> None:
        checked = checks.check(data)
        message = checked.message
        if isinstance(message, SipResponse):
            transaction = self.core.transactions.client_for(message)
            if transaction is not None:
                transaction.receive(message)
            return
        if message is None:
            self._dropped += bool(checked.drop)
            return
        note_source(message, source)
        if checked.reject is not None:
            self._reject(message, source, *checked.reject)
        else:
            self._request(message, source)

    def _reject(self, request: SipRequest, source: Address, code: int, reason: str) -> None:
        """Answer what breaks the rules without a transaction: nothing in it can be relied on to make one."""
        self._dropped += 1
        response = make_response(request, code, reason, new_tag())
        self.core.transport.send(bytes(response), response_address(request, source))

    def _request(self, request: SipRequest, source: Address) -> None:
        transactions = self.core.transactions
        known = transactions.server_for(request)
        if known is not None and not (request.method == "ACK" and known.state is TxState.ACCEPTED):
            known.receive(request)
            return
        owner = self.core.dialogs.get((request.call_id or "", tag_of(request, "to")))
        if request.method == "ACK":
            if owner is not None:
                owner.on_ack(request)
            return
        if request.method == "CANCEL":
            self._cancel(request, source)
            return
        merged = not tag_of(request, "to") and transactions.merged(request)
        transaction = transactions.serve(request, source)
        if merged:
            transaction.respond(make_response(request, 482, tag=new_tag()))
            return
        unsupported = [t for t in tokens(request, "require") if t != SUPPORTED]
        if unsupported:
            response = make_response(request, 420, tag=new_tag())
            response.set_header("Unsupported", ", ".join(unsupported))
            transaction.respond(response)
        elif tag_of(request, "to"):
            if owner is None:
                transaction.respond(make_response(request, 481))
            elif not self.core.call(owner.on_request, transaction, request, source):
                self._apologise(transaction)
        else:
            self._out_of_dialog(transaction, request, source)

    def _cancel(self, request: SipRequest, source: Address) -> None:
        cancelled = self.core.transactions.cancelled_by(request)
        transaction = self.core.transactions.serve(request, source)
        if cancelled is None:
            transaction.respond(make_response(request, 481, tag=new_tag()))
            return
        # the To tag of this 200 should be that of the INVITE's answers (RFC 3261 §9.2)
        transaction.respond(make_response(request, 200, tag=cancelled.tag or new_tag()))
        if cancelled.on_cancel is not None:
            cancelled.on_cancel()

    def _out_of_dialog(self, transaction: ServerTransaction, request: SipRequest, source: Address) -> None:
        tag = new_tag()
        if request.method == "INVITE":
            self._invite(transaction, request, source)
        elif request.method == "OPTIONS":
            response = make_response(request, 503 if self.draining else 200, tag=tag)
            describe(response)
            if self.draining:
                response.set_header("Retry-After", str(DRAIN_RETRY_SECONDS))
            transaction.respond(response)
        elif request.method in IN_DIALOG_ONLY:
            transaction.respond(make_response(request, 481, tag=tag))
        else:
            response = make_response(request, 405, tag=tag)
            response.set_header("Allow", ALLOW)
            transaction.respond(response)

    def _invite(self, transaction: ServerTransaction, request: SipRequest, source: Address) -> None:
        if self.draining or self.on_invite is None:
            response = make_response(request, 503, tag=new_tag())
            response.set_header("Retry-After", str(DRAIN_RETRY_SECONDS))
            transaction.respond(response)
            return
        if too_small(request, self.core.timers.min_session):
            response = make_response(request, 422, tag=new_tag())
            response.set_header("Min-SE", str(self.core.timers.min_session))
            transaction.respond(response)
            return
        transaction.respond(make_response(request, 100))
        leg = InboundLeg(self.core, transaction, request, source, invite_info(request, source), self._digest)
        if not self.core.call(self.on_invite, leg) and leg.state not in OVER:
            leg.leave(LegEnd("us", "internal error", 500))

    def _apologise(self, transaction: ServerTransaction) -> None:
        """A bug of ours: the peer still gets an answer, if it has none yet."""
        if transaction.state in (TxState.TRYING, TxState.PROCEEDING):
            transaction.respond(make_response(transaction.request, 500, tag=new_tag()))
