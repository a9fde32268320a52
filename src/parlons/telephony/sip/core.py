"""What every leg of an endpoint shares: sending, transactions, addresses, background work, and who owns which dialog.

Knows messages and dialogs; knows no call logic.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from urllib.parse import quote as percent_encode

from aiosipua.message import SipRequest, SipResponse
from aiosipua.utils import format_addr

from parlons.telephony.sip import digest
from parlons.telephony.sip.dialogs import Dialog, new_tag, via_value
from parlons.telephony.sip.timers import Timers
from parlons.telephony.sip.transaction_layer import TransactionLayer
from parlons.telephony.sip.transactions import OnResponse, ServerTransaction
from parlons.telephony.sip.transport import Address, Transport
from parlons.telephony.types import Credentials

logger = logging.getLogger(__name__)

Final = SipResponse | None
"""A final response; None when the transaction gave up."""

MAX_CHALLENGES = 2
"""Times one request is challenged before we give up: the second only for a nonce that went stale."""


class Resolves(Protocol):
    """What is needed of ``resolver.Resolver``."""

    async def resolve(self, host: str, port: int | None = None) -> Address:
        """Address and port of a host name (SRV, then A). Raises ParlonsError."""
        ...

    def lookup_cached(self, host: str, port: int | None = None) -> Address | None:
        """The same from the cache alone; at once for an address."""
        ...

    def prime(self, host: str, port: int | None = None) -> None:
        """Look it up in the background."""
        ...

    async def close(self) -> None: ...


class DialogOwner(Protocol):
    """A leg, as dispatching sees it."""

    def on_request(self, transaction: ServerTransaction, request: SipRequest, source: Address) -> None:
        """A new request in one of its dialogs (never ACK or CANCEL)."""
        ...

    def on_ack(self, request: SipRequest) -> None:
        """An ACK to a 2xx."""
        ...


class Core:
    """The shared services. One per endpoint, on one loop."""

    def __init__(self, transport: Transport, resolver: Resolves, timers: Timers, public_address: str) -> None:
        self.transport = transport
        self.resolver = resolver
        self.timers = timers
        self.public_address = public_address
        self.transactions = TransactionLayer(transport.send, timers)
        self.legs: set[DialogOwner] = set()
        self.dialogs: dict[tuple[str, str], DialogOwner] = {}
        self.faults = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tasks(self) -> int:
        """Background work not finished."""
        return len(self._tasks)

    # -- addresses ---------------------------------------------------------------------------------------------

    def local(self, peer: Address) -> Address:
        """What Via and Contact say: the public address when there is one, else ours as the peer sees it."""
        return (self.public_address or self.transport.local_host(peer), self.transport.address[1])

    def contact(self, peer: Address, user: str = "") -> str:
        """Our Contact value."""
        escaped = percent_encode(user, safe="-_.!~*'()+") + "@" if user else ""
        return f"<sip:{escaped}{format_addr(*self.local(peer))}>"

    def address_of(self, dialog: Dialog) -> Address:
        """Where a request of this dialog goes now. A name not looked up yet is asked for in the background, and until
        then the peer gets its packets where its own come from: a call never waits for DNS."""
        hop = dialog.hop()
        if hop is None:
            return dialog.source
        known = self.resolver.lookup_cached(*hop)
        if known is None:
            self.resolver.prime(*hop)
        return known or dialog.source

    # -- sending -----------------------------------------------------------------------------------------------

    def send(self, request: SipRequest, address: Address) -> None:
        """Send a request outside any transaction (the ACK to a 2xx)."""
        self.transport.send(bytes(request), address)

    def renewed(self, request: SipRequest, cseq: int, peer: Address) -> SipRequest:
        """The same request as a new transaction: next CSeq, new branch (RFC 3261 §22.2)."""
        fresh = SipRequest(method=request.method, uri=request.uri, headers=request.headers.copy(), body=request.body)
        fresh.set_header("CSeq", f"{cseq} {request.method}")
        fresh.set_header("Via", via_value(self.local(peer), f"z9hG4bK{new_tag()}"))
        return fresh

    async def exchange(self, request: SipRequest, address: Address, on_success: OnResponse | None = None) -> Final:
        """Send a request in a transaction; its final response, or None when none came in 64 × T1.

        ``on_success`` is for an INVITE: given every 2xx, to ACK it.
        """
        final: asyncio.Future[Final] = asyncio.get_running_loop().create_future()

        def settle(response: Final) -> None:
            if not final.done() and (response is None or response.status_code >= 200):
                final.set_result(response)

        if on_success is None:
            self.transactions.request(request, address, settle, lambda: settle(None))
            return await final

        def progress(response: SipResponse) -> None:
            if response.status_code < 200:
                invite.expect_end()  # a re-INVITE rings nobody: it may not be left without an answer
            elif response.status_code < 300:
                on_success(response)
            settle(response)

        invite = self.transactions.invite(request, address, progress, lambda: settle(None))
        return await final

    async def transact(
        self,
        request: SipRequest,
        address: Address,
        credentials: Credentials | None,
        next_cseq: Callable[[], int],
        on_success: OnResponse | None = None,
    ) -> Final:
        """``exchange``, answering a digest challenge when we can (RFC 3261 §22)."""
        response = await self.exchange(request, address, on_success)
        for _ in range(MAX_CHALLENGES):
            if response is None or response.status_code not in (401, 407) or credentials is None:
                break
            if not digest.answer(response, request, credentials):
                break
            request = self.renewed(request, next_cseq(), address)
            response = await self.exchange(request, address, on_success)
        return response

    # -- background work and call-backs ------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something of a leg's to its end; what it raises is logged and counted."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults += 1
            logger.error("background work of a leg failed", exc_info=error)

    def call(self, function: Callable[..., object], *args: object) -> bool:
        """Call something that must not stop signalling, whatever it raises; whether it went well.

        Used for call-backs of the layer above and for whatever a datagram sets off: one call's bug is logged and
        counted (``faults`` in the gauges), and every other call goes on.
        """
        try:
            function(*args)
        except Exception:  # whatever one call-back does, signalling for every other call goes on
            self.faults += 1
            logger.exception("unexpected failure in the signalling path")
            return False
        return True

    def close(self) -> None:
        """Drop everything at once."""
        self.transactions.close()
        for task in self._tasks:
            task.cancel()
        self.transport.close()
