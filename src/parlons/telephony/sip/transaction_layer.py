"""Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3), and where responses go (RFC 3581).

Knows messages and transactions, no dialog and no call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from aiosipua.headers import parse_via, stringify_via
from aiosipua.message import SipRequest, SipResponse

from parlons.telephony.sip.timers import Timers
from parlons.telephony.sip.transactions import (
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    OnResponse,
    Send,
    ServerTransaction,
)
from parlons.telephony.sip.transport import Address

MAGIC_COOKIE = "z9hG4bK"

Key = tuple[str, ...]


def note_source(request: SipRequest, source: Address) -> None:
    """Write ``received`` and ``rport`` into the top Via (RFC 3261 §18.2.1, RFC 3581 §4)."""
    vias = request.headers.get("via")
    via = parse_via(vias[0])
    if "rport" in via.params:
        via.rport = str(source[1])
    if "rport" in via.params or via.host.strip("[]") != source[0]:
        via.received = source[0]
    vias[0] = stringify_via(via)


def response_address(request: SipRequest, source: Address) -> Address:
    """Where the responses to a request go: its source port if it asked so, else the port it says it listens on."""
    via = parse_via(request.headers.get("via")[0])
    if "rport" in via.params or via.transport != "UDP":
        return source
    return (source[0], via.port or 5060)


def server_key(request: SipRequest, method: str) -> Key:
    """What a request and its repetitions share. ``method``: INVITE to find what an ACK or a CANCEL is about."""
    raw = request.headers.get("via")[0]
    via = parse_via(raw)
    branch = via.branch or ""
    if branch.startswith(MAGIC_COOKIE):
        return (branch, via.host.lower(), str(via.port or 5060), method)
    # a peer of RFC 2543: no unique branch, so everything that stays the same counts
    number = (request.get_header("cseq") or "").split()[0]
    return ("2543", raw, request.call_id or "", request.get_header("from") or "", number, request.uri, method)


def merge_key(request: SipRequest) -> Key:
    """Two requests that share this but not their transaction are one request that came by two ways (§8.2.2.2)."""
    return (request.call_id or "", request.get_header("from") or "", request.get_header("cseq") or "")


class TransactionLayer:
    """All transactions of one endpoint."""

    def __init__(self, send: Send, timers: Timers) -> None:
        self.send = send
        self.timers = timers
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._seen: Counter[Key] = Counter()

    @property
    def clients(self) -> int:
        """How many client transactions there are, lingering ones included."""
        return len(self._clients)

    @property
    def servers(self) -> int:
        """How many server transactions there are, lingering ones included."""
        return len(self._servers)

    # -- what we send ------------------------------------------------------------------------------------------

    def request(
        self, request: SipRequest, address: Address, on_response: OnResponse, on_timeout: Callable[[], None]
    ) -> ClientTransaction:
        """Send anything but INVITE and ACK."""
        return self._start(ClientTransaction(request, address, self.send, self.timers, on_response, on_timeout))

    def invite(
        self, request: SipRequest, address: Address, on_response: OnResponse, on_timeout: Callable[[], None]
    ) -> InviteClientTransaction:
        """Send an INVITE."""
        made = InviteClientTransaction(request, address, self.send, self.timers, on_response, on_timeout)
        self._start(made)
        return made

    def _start(self, transaction: ClientTransaction) -> ClientTransaction:
        request = transaction.request
        key = (parse_via(request.headers.get("via")[0]).branch or "", request.method)
        self._clients[key] = transaction
        transaction.on_terminated = lambda: self._clients.pop(key, None)
        transaction.start()
        return transaction

    def client_for(self, response: SipResponse) -> ClientTransaction | None:
        """The client transaction that a response answers."""
        branch = parse_via(response.headers.get("via")[0]).branch or ""
        cseq = (response.get_header("cseq") or "").split()
        return self._clients.get((branch, cseq[-1])) if cseq else None

    # -- what we receive ---------------------------------------------------------------------------------------

    def server_for(self, request: SipRequest) -> ServerTransaction | None:
        """The server transaction that a request repeats (or, for an ACK, acknowledges)."""
        return self._servers.get(server_key(request, "INVITE" if request.method == "ACK" else request.method))

    def cancelled_by(self, cancel: SipRequest) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is about."""
        return self._servers.get(server_key(cancel, "INVITE"))

    def merged(self, request: SipRequest) -> bool:
        """Whether this request is being served already under another branch."""
        return merge_key(request) in self._seen

    def serve(self, request: SipRequest, source: Address) -> ServerTransaction:
        """Make the transaction of a new request. ``note_source`` was called on it."""
        key = server_key(request, request.method)
        kind = InviteServerTransaction if request.method == "INVITE" else ServerTransaction
        made = kind(request, response_address(request, source), self.send, self.timers)
        merge = merge_key(request)
        self._servers[key] = made
        self._seen[merge] += 1
        made.on_terminated = lambda: self._forget(key, merge)
        return made

    def _forget(self, key: Key, merge: Key) -> None:
        if self._servers.pop(key, None) is not None:
            self._seen[merge] -= 1
            if not self._seen[merge]:
                del self._seen[merge]

    def close(self) -> None:
        """End every transaction, whatever its state."""
        for transaction in [*self._clients.values(), *self._servers.values()]:
            transaction.terminate()
