"""SIP as text and session descriptions: just enough for a caller that behaves. No socket here (RFC 3261, RFC 4566)."""

from __future__ import annotations

from dataclasses import dataclass

CRLF = "\r\n"
_G711 = {"PCMA": "8", "PCMU": "0"}


@dataclass(frozen=True, slots=True)
class Message:
    """One SIP message. ``first`` is its first line; header names are lower-cased; repeated ones keep all values."""

    first: str
    headers: dict[str, list[str]]
    body: str

    @property
    def code(self) -> int:
        """The status code; 0 for a request."""
        return int(self.first.split(" ", 2)[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The request's method, or the method that a response answers."""
        return self.header("cseq").split()[-1] if self.code else self.first.split(" ", 1)[0]

    def header(self, name: str) -> str:
        """The first value, or an empty string."""
        values = self.headers.get(name)
        return values[0] if values else ""


_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}


def parse(datagram: bytes) -> Message | None:
    """A message, or None for what is not SIP (keep-alives)."""
    head, _, body = datagram.decode("utf-8", "replace").partition(CRLF * 2)
    first, *lines = head.split(CRLF)
    if "SIP/2.0" not in first:
        return None
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers.setdefault(_COMPACT.get(key, key), []).append(value.strip())
    return Message(first, headers, body)


def tag(value: str) -> str:
    """The tag parameter of a From or To header; empty when it has none."""
    for parameter in value.rpartition(">")[2].split(";"):
        name, _, given = parameter.strip().partition("=")
        if name.lower() == "tag":
            return given
    return ""


def uri(value: str) -> str:
    """The URI of a Contact header."""
    return value.partition("<")[2].partition(">")[0] if "<" in value else value.partition(";")[0].strip()


def session(host: str, port: int, version: int = 1, codec: str = "PCMA") -> str:
    """An offer or answer for one law of G.711 at 20 ms, with telephone-event."""
    number = _G711[codec]
    lines = [
        "v=0", f"o=- {version} {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP {number} 101", f"a=rtpmap:{number} {codec}/8000",
        "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv", "",
    ]  # fmt: skip
    return CRLF.join(lines)


def media_address(body: str, codec: str = "PCMA") -> tuple[str, int]:
    """Where a session description wants its audio. ValueError when it takes no audio in that codec."""
    host, port, formats = "", 0, ""
    for line in body.replace("\r", "").split("\n"):
        if line.startswith("c=IN IP4 "):
            host = line.split()[2]
        elif line.startswith("m=audio ") and not port:
            _, number, _, formats = line.split(" ", 3)
            port = int(number)
    if not host or not port or _G711[codec] not in formats.split():
        raise ValueError(f"no {codec} audio in the answer: {body!r}")
    return host, port


def respond(request: Message, code: int, reason: str, extra: str = "", body: str = "", to_tag: str = "") -> bytes:
    """A response that copies what a response must copy (RFC 3261, section 8.2.6)."""
    to = request.header("to")
    if to_tag and not tag(to):
        to += f";tag={to_tag}"
    lines = [f"SIP/2.0 {code} {reason}", *(f"Via: {via}" for via in request.headers.get("via", []))]
    lines += [f"From: {request.header('from')}", f"To: {to}", f"Call-ID: {request.header('call-id')}"]
    lines += [f"CSeq: {request.header('cseq')}"]
    if extra:
        lines.append(extra)
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body.encode())}")
    return (CRLF.join(lines) + CRLF * 2 + body).encode()
