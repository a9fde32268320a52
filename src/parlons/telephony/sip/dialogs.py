"""A dialog of RFC 3261 §12: what identifies it, its counters, and the requests and responses made in it.

Knows messages, no transport and no call. Header values of the peer's are kept as it wrote them: what is echoed must
be what came (``tel:`` URIs, Latin-1 names), so nothing here is parsed and written again.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field

from aiosipua.headers import parse_uri, parse_via
from aiosipua.message import SipMessage, SipRequest, SipResponse
from aiosipua.utils import format_addr

from parlons.telephony.sip.headers import parse_name_addr
from parlons.telephony.sip.transport import Address

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER"
SUPPORTED = "timer"
PRODUCT = "Parlons"

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}


def new_tag() -> str:
    """A tag, a branch without its cookie, or a Call-ID: 64 random bits."""
    return secrets.token_hex(8)


def via_value(local: Address, branch: str) -> str:
    """A Via of ours that asks for symmetric responses (RFC 3581)."""
    return f"SIP/2.0/UDP {format_addr(*local)};branch={branch};rport"


def uri_of(value: str) -> str:
    """The URI of a From, To, Contact or Route value; empty when it cannot be told."""
    address = parse_name_addr(value)
    return address.uri if address else ""


def tag_of(message: SipMessage, header: str) -> str:
    """The tag of From or To; empty when there is none."""
    address = parse_name_addr(message.get_header(header) or "")
    return address.tag if address else ""


def contact_uri(message: SipMessage) -> str:
    """The URI of the first Contact; empty when there is none."""
    contacts = message.headers.get("contact")
    return uri_of(contacts[0]) if contacts else ""


def tokens(message: SipMessage, header: str) -> list[str]:
    """The comma-separated, lower-cased tokens of a header that may come many times."""
    return [t.strip().lower() for value in message.headers.get(header) for t in value.split(",") if t.strip()]


def make_response(request: SipRequest, code: int, reason: str = "", tag: str = "") -> SipResponse:
    """A response to a request (§8.2.6): ``tag`` is put on To when it has none and this is no 100."""
    response = SipResponse(status_code=code, reason_phrase=reason or REASONS.get(code, "Error"))
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.headers.get(name):
            response.headers.append(name, value)
    to = response.get_header("to") or ""
    if code > 100 and tag and not tag_of(request, "to"):
        response.set_header("To", f"{to};tag={tag}")
    if 100 < code < 300:
        for value in request.headers.get("record-route"):
            response.headers.append("Record-Route", value)
    response.set_header("Server", PRODUCT)
    return response


@dataclass(slots=True)
class Dialog:
    """One dialog, seen from our side.

    ``source`` is where the peer's packets come from.
    """

    call_id: str
    local: str
    """Our From or To value, tag included."""
    remote: str
    """Theirs, as they wrote it."""
    local_tag: str
    remote_tag: str
    target: str
    source: Address
    routes: list[str] = field(default_factory=list)
    local_cseq: int = 0
    remote_cseq: int = 0
    behind_nat: bool = False
    """The peer's Contact is an address that it does not know to be translated on the way."""

    @classmethod
    def of_invite(cls, request: SipRequest, local_tag: str, source: Address) -> Dialog:
        """The dialog that our answers to this INVITE make (§12.1.1)."""
        to = request.get_header("to") or ""
        target = contact_uri(request)
        vias = request.headers.get("via")
        sent_by = parse_via(vias[0]).host
        return cls(
            call_id=request.call_id or "",
            local=f"{to};tag={local_tag}",
            remote=request.get_header("from") or "",
            local_tag=local_tag,
            remote_tag=tag_of(request, "from"),
            target=target,
            source=source,
            routes=list(request.headers.get("record-route")),
            remote_cseq=int((request.get_header("cseq") or "0").split()[0]),
            behind_nat=len(vias) == 1 and sent_by == parse_uri(target).host != source[0],
        )

    @classmethod
    def of_response(cls, request: SipRequest, response: SipResponse, source: Address) -> Dialog:
        """The dialog that this answer to our INVITE makes (§12.1.2)."""
        return cls(
            call_id=request.call_id or "",
            local=request.get_header("from") or "",
            remote=response.get_header("to") or "",
            local_tag=tag_of(request, "from"),
            remote_tag=tag_of(response, "to"),
            target=contact_uri(response) or request.uri,
            source=source,
            routes=list(reversed(response.headers.get("record-route"))),
            local_cseq=int((request.get_header("cseq") or "0").split()[0]),
        )

    def request(self, method: str, local: Address, *, cseq: int | None = None) -> SipRequest:
        """A request in this dialog (§12.2.1.1); ``cseq`` only for ACK, which repeats its INVITE's."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self.target, list(self.routes)
        if routes and "lr" not in parse_uri(uri_of(routes[0])).params:
            uri = uri_of(routes[0])  # a strict router of RFC 2543 wants to be the Request-URI
            routes = [*routes[1:], f"<{self.target}>"]
        request = SipRequest(method=method, uri=uri)
        request.headers.append("Via", via_value(local, f"z9hG4bK{new_tag()}"))
        for route in routes:
            request.headers.append("Route", route)
        request.set_header("Max-Forwards", "70")
        request.set_header("From", self.local)
        request.set_header("To", self.remote)
        request.set_header("Call-ID", self.call_id)
        request.set_header("CSeq", f"{cseq} {method}")
        request.set_header("User-Agent", PRODUCT)
        return request

    def response(self, request: SipRequest, code: int, reason: str = "") -> SipResponse:
        """A response with our tag."""
        return make_response(request, code, reason, self.local_tag)

    def hop(self) -> tuple[str, int | None] | None:
        """Host (maybe a name) and port of the next hop; None when only where packets come from will do: the peer's
        Contact asks for a transport that we do not speak, or is no use from here."""
        uri = parse_uri(uri_of(self.routes[0]) if self.routes else self.target)
        transport = (uri.params.get("transport") or "udp").lower()
        if uri.scheme != "sip" or transport != "udp" or not uri.host or uri.host.lower().endswith(".invalid"):
            return None
        host = uri.host.strip("[]")
        if unreachable_from_here(host, self.source[0]) or (self.behind_nat and not self.routes):
            return None
        return (host, uri.port)


def unreachable_from_here(host: str, source: str) -> bool:
    """Whether a Contact's address makes no sense given where the packets come from (the peer is behind NAT)."""
    try:
        contact, seen = ipaddress.ip_address(host), ipaddress.ip_address(source)
    except ValueError:
        return False
    if contact.is_unspecified or contact.is_multicast or contact.version != seen.version:
        return True
    if contact.is_loopback != seen.is_loopback:
        return True
    return contact.is_private and not seen.is_private
