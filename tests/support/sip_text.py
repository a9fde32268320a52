"""SIP messages as text, for the test peers: read, write, digest. Deliberately shares no code with Parlons."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

COMPACT = {
    "v": "via", "f": "from", "t": "to", "m": "contact", "i": "call-id", "l": "content-length",
    "c": "content-type", "s": "subject", "k": "supported", "e": "content-encoding",
}  # fmt: skip


@dataclass(slots=True)
class Message:
    """A request or a response, header order kept."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @property
    def method(self) -> str:
        """The request's method; empty for a response."""
        return "" if self.start.startswith("SIP/") else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        """The Request-URI."""
        return self.start.split(" ")[1]

    @property
    def code(self) -> int:
        """The response's status code; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/") else 0

    @property
    def reason(self) -> str:
        """The response's phrase."""
        return self.start.split(" ", 2)[2] if self.code else ""

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        low = name.lower()
        return [v for n, v in self.headers if COMPACT.get(n.lower(), n.lower()) == low]

    def get(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        return next(iter(self.all(name)), default)

    @property
    def cseq(self) -> int:
        return int(self.get("CSeq").split()[0])

    @property
    def cseq_method(self) -> str:
        return self.get("CSeq").split()[1]

    @property
    def branch(self) -> str:
        """The topmost Via's branch."""
        found = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        return found.group(1) if found else ""

    def tag(self, name: str) -> str:
        """The tag of From or To; empty when there is none."""
        found = re.search(r";\s*tag=([^;\s]+)", self.get(name))
        return found.group(1) if found else ""

    def __bytes__(self) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{n}: {v}" for n, v in self.headers), f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body


def parse(data: bytes) -> Message:
    """Read a datagram. Raises ValueError when it is not SIP."""
    head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if "SIP/2.0" not in lines[0]:
        raise ValueError(f"not SIP: {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"not a header: {line!r}")
        if name.strip().lower() not in ("content-length", "l"):
            headers.append((name.strip(), value.strip()))
    return Message(lines[0], headers, body)


def address(value: str) -> str:
    """The URI inside a From, To or Contact."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def host_port(uri: str) -> tuple[str, int]:
    """Where a sip: URI points."""
    found = re.match(r"sips?:(?:[^@]*@)?([^:;?>]+)(?::(\d+))?", uri)
    if not found:
        raise ValueError(f"not a SIP URI: {uri!r}")
    return found.group(1), int(found.group(2) or 5060)


def new_branch() -> str:
    return "z9hG4bK" + secrets.token_hex(8)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def challenge_fields(value: str) -> dict[str, str]:
    """The parameters of a WWW-Authenticate, Proxy-Authenticate or Authorization header."""
    pairs = re.findall(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', value.partition(" ")[2])
    return {name.lower(): quoted or plain for name, quoted, plain in pairs}


def digest_response(fields: dict[str, str], user: str, password: str, method: str, uri: str) -> str:
    """RFC 2617 with MD5: the ``response`` for these parameters, with or without qop."""
    first = _md5(f"{user}:{fields['realm']}:{password}")
    second = _md5(f"{method}:{uri}")
    if fields.get("qop"):
        return _md5(f"{first}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{second}")
    return _md5(f"{first}:{fields['nonce']}:{second}")


def authorization(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization value that answers a challenge."""
    fields = challenge_fields(challenge)
    qop = "auth" if "auth" in fields.get("qop", "").split(",") else ""
    mine = {"realm": fields["realm"], "nonce": fields["nonce"], "qop": qop, "nc": "00000001"}
    mine["cnonce"] = secrets.token_hex(8)
    response = digest_response(mine, user, password, method, uri)
    text = f'Digest username="{user}", realm="{mine["realm"]}", nonce="{mine["nonce"]}", uri="{uri}", '
    text += f'response="{response}", algorithm=MD5'
    if qop:
        text += f', qop={qop}, nc={mine["nc"]}, cnonce="{mine["cnonce"]}"'
    if "opaque" in fields:
        text += f', opaque="{fields["opaque"]}"'
    return text
