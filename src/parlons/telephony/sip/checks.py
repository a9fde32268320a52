"""Is this datagram a SIP message we may act on? Asked of every datagram, before any transaction is made.

aiosipua's message classes are filled here by a strict reader, because its own parser takes what RFC 4475 says to
refuse. Knows nothing of transactions, dialogs or calls; keeps no state; never raises, whatever the octets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiosipua.headers import MULTI_INSTANCE_HEADERS, CaseInsensitiveDict, expand_compact_header, prettify_header_name
from aiosipua.message import SipRequest, SipResponse

from .headers import TOKEN, parse_name_addr, quotes_balanced, split_outside_quotes

MAX_HEADER_LINES = 256
MAX_CSEQ = 2**31 - 1
"""RFC 3261 section 8.1.1.5."""

BODY_METHODS = frozenset({"INVITE", "UPDATE", "PRACK", "ACK"})
"""Requests whose body is a session description, or nothing we can use."""

_MANDATORY = ("From", "To", "Call-ID", "CSeq")
_SINGLE = frozenset({"from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type"})
_ADDRESSES = ("from", "to", "contact", "route", "record-route")
_LATER_COMPACT = {
    "o": "Event", "r": "Refer-To", "b": "Referred-By", "x": "Session-Expires", "u": "Allow-Events",
    "d": "Request-Disposition", "a": "Accept-Contact", "j": "Reject-Contact", "y": "Identity",
}  # fmt: skip
"""Compact forms defined after RFC 3261, which the library does not expand."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_REQUEST_LINE = re.compile(r"(\S+) ([^\x00-\x20\x7f<>\"]+) SIP/([0-9]{1,9})\.([0-9]{1,9})", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.IGNORECASE | re.DOTALL)
_CSEQ = re.compile(r"([0-9]{1,20})\s+(\S+)")
_CALL_ID = re.compile(r"[\x21-\x7e\x80-\U0010ffff]+")
_VIA = re.compile(
    r"SIP ?/ ?[0-9]+\.[0-9]+ ?/ ?([A-Za-z0-9\-.!%*_+`'~]+) "
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+) ?(?:: ?([0-9]{1,5}))? ?((?:;.*)?)",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+)(?::([0-9]{1,5}))?")
_STUN_COOKIE = b"\x21\x12\xa4\x42"


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict. Exactly one of these holds:

    * ``message`` alone: act on it;
    * ``reject`` with ``message``: answer the (best-effort) request with this status and reason and do nothing else;
      copy its headers as they stand, for its CSeq or addresses may not parse;
    * ``drop``: say nothing; the text is why, for the log and the counters.
    """

    message: SipRequest | SipResponse | None = None
    reject: tuple[int, str] | None = None
    drop: str = ""


class _Refused(Exception):
    """A request to be answered with ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def check(data: bytes) -> Checked:
    """Judge one datagram (RFC 3261 sections 7, 8.2 and 18.3; RFC 4475 for what is refused)."""
    if not data.strip(b"\r\n\x00 \t"):
        return Checked(drop="keep-alive")
    if data[0] < 4 and data[4:8] == _STUN_COOKIE:
        return Checked(drop="STUN keep-alive")
    data = data.lstrip(b"\r\n")
    end = _END_OF_HEAD.search(data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data.rstrip(b"\r\n"), b"")
    start, *lines = _LINE_END.split(head)
    start_line = _text(start)
    headers, problem = _read_headers(lines)
    if end is None:
        problem = problem or "Message Ends Inside Its Headers"
    if start_line[:4].upper() == "SIP/":
        return _check_response(start_line, headers, body, problem)
    return _check_request(start_line, headers, body, problem)


def _text(octets: bytes) -> str:
    """A line as text: UTF-8, else Latin-1 (old PBXs). A lone CR is only ever white space."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return text.replace("\r", " ")


def _read_headers(lines: list[bytes]) -> tuple[CaseInsensitiveDict, str]:
    """Unfold, expand and split. Returns the headers and what is wrong with them; of a doubled one the first stays."""
    unfolded: list[list[bytes]] = []
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            unfolded.append([line])
        elif unfolded:
            unfolded[-1].append(line.strip())
    headers = CaseInsensitiveDict()
    problem = ""
    if len(unfolded) > MAX_HEADER_LINES:
        problem = "Too Many Headers"
        del unfolded[MAX_HEADER_LINES:]
    for pieces in unfolded:
        name, colon, value = _text(b" ".join(pieces)).partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not TOKEN.fullmatch(name):
            continue  # nothing we know has such a name: RFC 3261 section 8.2 has a server ignore it
        name = _LATER_COMPACT.get(name.lower()) or expand_compact_header(name)
        low = name.lower()
        if low in MULTI_INSTANCE_HEADERS:
            for part in split_outside_quotes(value, ","):
                if part or low == "via":  # an empty Via is a fault to answer; elsewhere it says nothing
                    headers.append(name, part)
        elif low in _SINGLE and low in headers:
            problem = problem or f"More Than One {prettify_header_name(low)}"
        else:
            headers.append(name, value)
    return headers, problem


# -- requests ------------------------------------------------------------------------------------------------


def _check_request(start_line: str, headers: CaseInsensitiveDict, body: bytes, problem: str) -> Checked:
    words = start_line.split()
    if len(words) < 2 or not TOKEN.fullmatch(words[0]):
        return Checked(drop="not a SIP message")
    request = SipRequest(headers=headers, body=body, method=words[0], uri=words[1])
    answerable, clean = _tidy_vias(headers)
    if not answerable:
        return Checked(drop="no Via to answer to")
    try:
        _check_start_line(start_line)
        if problem:
            raise _Refused(400, problem)
        if not clean:
            raise _Refused(400, "Bad Via")
        _check_common(request, request.method)
        _check_request_headers(request)
        _check_body(request)
    except _Refused as refused:
        if request.method == "ACK":  # an ACK is never answered (RFC 3261 section 17)
            return Checked(drop=f"ACK: {refused.reason}")
        return Checked(message=request, reject=(refused.code, refused.reason))
    return Checked(message=request)


def _tidy_vias(headers: CaseInsensitiveDict) -> tuple[bool, bool]:
    """Rewrite Vias without stray white space and leave out what does not parse.

    Returns whether the topmost says where an answer goes, and whether nothing had to be left out.
    """
    values = headers.get("via")
    tidied = [_tidy_via(value) for value in values]
    headers.remove("via")
    for via, _ in tidied:
        if via:
            headers.append("Via", via)
    return bool(tidied and tidied[0][0]), bool(tidied) and all(via and clean for via, clean in tidied)


def _tidy_via(value: str) -> tuple[str, bool]:
    match = _VIA.fullmatch(" ".join(value.split()))
    if not match or not quotes_balanced(value) or int(match[3] or 0) > 65535:
        return "", False
    transport, host, port, params = match.groups()
    tidy, clean = f"SIP/2.0/{transport.upper()} {host}" + (f":{port}" if port else ""), True
    for part in split_outside_quotes(params, ";")[1:]:
        name, equals, content = (text.strip() for text in part.partition("="))
        if TOKEN.fullmatch(name):
            tidy += f";{name}{equals}{content}"
        else:
            clean = False
    return tidy, clean


def _check_start_line(start_line: str) -> None:
    match = _REQUEST_LINE.fullmatch(start_line)
    if not match:
        raise _Refused(400, "Bad Request Line")
    if (match[3], match[4]) != ("2", "0"):
        raise _Refused(505, "Version Not Supported")


def _check_request_headers(request: SipRequest) -> None:
    headers = request.headers
    hops = headers.get_first("max-forwards")
    # 0 is for a proxy to refuse: an endpoint serves the request (RFC 4475 section 3.3.11)
    if hops is not None and not (re.fullmatch("[0-9]{1,10}", hops) and int(hops) <= 255):
        raise _Refused(400, "Bad Max-Forwards")
    _check_request_uri(request.uri)
    if request.method == "INVITE":
        _check_contact(headers.get("contact"))
        _check_accept(headers)


def _check_request_uri(uri: str) -> None:
    scheme = _SCHEME.match(uri)
    if not scheme:
        raise _Refused(400, "Bad Request-URI")
    kind, rest = scheme[1].lower(), uri[scheme.end() :]
    if kind == "tel":
        if not re.fullmatch(r"\+?[0-9A-Fa-f*#().\-]{1,64}(;.*)?", rest):
            raise _Refused(400, "Bad Request-URI")
        return
    if kind not in ("sip", "sips"):
        raise _Refused(416, "Unsupported URI Scheme")
    if not sip_uri_ok(uri):
        raise _Refused(400, "Bad Request-URI")
    if "?" in rest.rpartition("@")[2]:
        raise _Refused(400, "Headers In Request-URI")


def sip_uri_ok(uri: str) -> bool:
    """Whether a ``sip:`` or ``sips:`` URI names a host (and a port that exists), so that it can be routed."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() not in ("sip", "sips"):
        return False
    # only userinfo may hold an @, and it may hold ; and ? too: so the last @ ends it
    _, _, host_part = rest.rpartition("@")
    match = _HOST_PORT.fullmatch(re.split("[;?]", host_part, maxsplit=1)[0])
    return bool(match) and not (match and match[2] and int(match[2]) > 65535)


def _check_contact(values: list[str]) -> None:
    """An INVITE gives the one address its dialog is reached at (RFC 3261 section 8.1.1.8)."""
    if not values:
        raise _Refused(400, "Missing Contact")
    address = parse_name_addr(values[0])
    if address is None or not sip_uri_ok(address.uri):
        raise _Refused(400, "Bad Contact")


def _check_accept(headers: CaseInsensitiveDict) -> None:
    if "accept" not in headers:
        return
    types = {value.split(";")[0].strip().lower() for value in headers.get("accept")}
    if not types & {"application/sdp", "application/*", "*/*"}:
        raise _Refused(406, "Not Acceptable")


# -- both ----------------------------------------------------------------------------------------------------


def _check_common(message: SipRequest | SipResponse, method: str) -> None:
    headers = message.headers
    for name in _MANDATORY:
        if not headers.get_first(name):
            raise _Refused(400, f"Missing {name}")
    if not _CALL_ID.fullmatch(headers.get_first("call-id") or ""):
        raise _Refused(400, "Bad Call-ID")
    cseq = _CSEQ.fullmatch(headers.get_first("cseq") or "")
    if not cseq or int(cseq[1]) > MAX_CSEQ:
        raise _Refused(400, "Bad CSeq")
    if not TOKEN.fullmatch(cseq[2]) or method not in ("", cseq[2]):
        raise _Refused(400, "CSeq Method Does Not Match")
    for name in _ADDRESSES:
        for value in headers.get(name):
            if not _address_ok(name, value):
                raise _Refused(400, f"Bad {name.title()}")
    message.body = _cut_body(headers.get_first("content-length"), message.body)


def _address_ok(name: str, value: str) -> bool:
    if name == "contact" and value == "*":
        return True
    address = parse_name_addr(value)
    if address is None or not _SCHEME.match(address.uri):
        return False
    # without brackets a ? cannot be told from the header's own text (RFC 3261 section 20)
    if "<" not in value and "?" in address.uri.rpartition("@")[2]:
        return False
    if name in ("route", "record-route") or address.uri[:5].lower().startswith(("sip:", "sips:")):
        return sip_uri_ok(address.uri)
    return True


def _cut_body(declared: str | None, body: bytes) -> bytes:
    """The body as Content-Length says; what follows it in a datagram is not ours (RFC 3261 section 18.3)."""
    if declared is None:
        return body
    if not re.fullmatch("[0-9]{1,10}", declared):
        raise _Refused(400, "Bad Content-Length")
    if int(declared) > len(body):
        raise _Refused(400, "Content-Length Beyond The Datagram")
    return body[: int(declared)]


# -- bodies --------------------------------------------------------------------------------------------------


def _check_body(message: SipRequest | SipResponse) -> None:
    """Leave a session description, or nothing, in the body. Raises _Refused (415)."""
    if isinstance(message, SipRequest) and message.method not in BODY_METHODS:
        return
    headers = message.headers
    description = _session_description(headers, message.body) if message.body else b""
    if description is None:
        optional = "handling=optional" in (headers.get_first("content-disposition") or "").replace(" ", "").lower()
        if not optional and isinstance(message, SipRequest) and message.method != "ACK":
            raise _Refused(415, "Unsupported Media Type")
        # an ACK, or an answer, must still end its transaction: only what it carries is lost
        description = b""
    message.body = description
    if description:
        headers.set_single("Content-Type", "application/sdp")
    else:
        headers.remove("content-type")


def _session_description(headers: CaseInsensitiveDict, body: bytes) -> bytes | None:
    """The session description that a body is or holds; None when there is none we can read."""
    if (headers.get_first("content-encoding") or "identity").strip().lower() != "identity":
        return None
    content_type = headers.get_first("content-type")
    if content_type is None:
        return body if body.startswith(b"v=") else None
    kind, *params = split_outside_quotes(content_type, ";")
    if kind.lower() == "application/sdp":
        return body
    if kind.lower().startswith("multipart/"):
        for param in params:
            name, _, value = param.partition("=")
            if name.strip().lower() == "boundary" and value.strip(' "'):
                return _part(body, value.strip().strip('"').encode("utf-8", "replace"))
    return None


def _part(body: bytes, boundary: bytes) -> bytes | None:
    """The first ``application/sdp`` part of a multipart body (RFC 5621; RFC 2046 section 5.1)."""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        end = _END_OF_HEAD.search(part)
        if part.startswith(b"--") or not end:
            continue
        headers, _ = _read_headers(_LINE_END.split(part[: end.start()])[1:])
        kind = (headers.get_first("content-type") or "").split(";")[0].strip().lower()
        coding = (headers.get_first("content-transfer-encoding") or "8bit").strip().lower()
        if kind == "application/sdp" and coding in ("7bit", "8bit", "binary"):
            return part[end.end() :]
    return None


# -- answers -------------------------------------------------------------------------------------------------


def _check_response(start_line: str, headers: CaseInsensitiveDict, body: bytes, problem: str) -> Checked:
    match = _STATUS_LINE.fullmatch(start_line)
    if not match:
        return Checked(drop="answer with a bad status line")
    response = SipResponse(headers=headers, body=body, status_code=int(match[1]), reason_phrase=match[2] or "")
    if problem:
        return Checked(drop=f"answer: {problem}")
    if not all(_tidy_vias(headers)):
        return Checked(drop="answer: Bad Via")
    try:
        _check_common(response, "")
        _check_body(response)
    except _Refused as refused:
        return Checked(drop=f"answer: {refused.reason}")
    return Checked(message=response)
