"""Messages that no well-made peer sends, after the categories of RFC 4475, written for a server under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support import sip_text
from tests.support.phone import Phone
from tests.support.phone_call import describe


@dataclass(frozen=True, slots=True)
class Torture:
    """One datagram; ``codes`` are the answers a correct server may give, None among them when silence is right."""

    name: str
    data: bytes
    branch: str
    codes: tuple[int | None, ...]


def _invite(phone: Phone, uri: str) -> sip_text.Message:
    message = phone.new_request("INVITE", uri, body=describe(36998, ("PCMA",)))
    message.headers.append(("Content-Type", "application/sdp"))
    return message


def messages(phone: Phone, uri: str) -> Iterator[Torture]:
    """Each one new, with a branch of its own. None of them may ring."""

    def bent(
        name: str, codes: tuple[int | None, ...], *, text: Callable[[bytes], bytes] = bytes, **headers: str | None
    ) -> Torture:
        message = _invite(phone, uri)
        for header, value in headers.items():
            wire = header.replace("_", "-")
            message.headers = [(n, v) for n, v in message.headers if n.lower() != wire.lower()]
            if value is not None:
                message.headers.append((wire, value))
        return Torture(name, text(bytes(message)), message.branch, codes)

    refused = (400, None)
    yield bent("no Call-ID", refused, Call_ID=None)
    yield bent("no From", refused, From=None)
    yield bent("no To", refused, To=None)
    yield bent("no CSeq", refused, CSeq=None)
    yield bent("no Contact", (400,), Contact=None)
    yield bent("CSeq names another method", (400,), CSeq="1 OPTIONS")
    yield bent("CSeq out of range", (400,), CSeq="36893488147419103232 INVITE")
    yield bent("two From", refused, text=lambda d: d.replace(b"\r\nTo:", b"\r\nFrom: <sip:b@127.0.0.1>;tag=2\r\nTo:"))
    yield bent("two Call-ID", refused, text=lambda d: d.replace(b"\r\nTo:", b"\r\nCall-ID: other\r\nTo:"))
    yield bent("unknown version", (505, 400, None), text=lambda d: d.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1))
    yield bent(
        "Request-URI in brackets",
        (400,),
        text=lambda d: d.replace(b"INVITE sip:", b"INVITE <sip:", 1).replace(b" SIP/2.0", b"> SIP/2.0", 1),
    )
    yield bent("spaces in the Request-URI", (400,), text=lambda d: d.replace(b" SIP/2.0", b"; lr  SIP/2.0", 1))
    yield bent(
        "unknown scheme", (416, 400, 404), text=lambda d: d.replace(b"INVITE sip:", b"INVITE nobodyKnowsThisScheme:", 1)
    )
    yield bent("longer Content-Length", (400,), text=lambda d: d.replace(b"Content-Length: ", b"Content-Length: 9"))
    yield bent("negative Content-Length", (400,), text=lambda d: d.replace(b"Content-Length: ", b"Content-Length: -"))
    yield bent("words as Content-Length", (400,), text=lambda d: d.replace(b"Content-Length: ", b"Content-Length: x"))
    yield bent("open quote in From", refused, From='"Mr. J. User <sip:j.user@example.com>;tag=1')
    yield bent("unknown requirement", (420,), Require="nothingSupportsThis, nothingSupportsThisEither")
    yield bent("unknown body", (415,), Content_Type="application/unknownformat")
    yield bent(
        "body that is not SDP", (400, 488), text=lambda d: d.replace(b"v=0", b"v=x").replace(b"m=audio", b"m!audio")
    )
    yield bent("media port out of range", (400, 488), text=lambda d: d.replace(b"m=audio 36998", b"m=audio 99999"))
    yield bent("Max-Forwards of letters", (400,), Max_Forwards="many")
    yield bent("no such dialog", (481,), To=f"<{uri}>;tag=nobody")
    other = phone.new_request("NEWMETHOD", uri)
    yield Torture("unknown method", bytes(other), other.branch, (405, 501))
    stray = phone.new_request("BYE", uri)
    stray.headers = [(n, f"{v};tag=gone" if n == "To" else v) for n, v in stray.headers]
    yield Torture("BYE of no call", bytes(stray), stray.branch, (481,))
    cancel = phone.new_request("CANCEL", uri)
    yield Torture("CANCEL of nothing", bytes(cancel), cancel.branch, (481,))
    answer = bytes(_invite(phone, uri)).replace(b"INVITE " + uri.encode() + b" SIP/2.0", b"SIP/2.0 200 OK", 1)
    yield Torture("an answer to nothing", answer, "", (None,))
    whole = bytes(_invite(phone, uri))
    for cut in (1, 7, 40, whole.index(b"Call-ID"), whole.index(b"\r\n\r\n") + 2):
        yield Torture(f"cut at {cut}", whole[:cut], "", (None, 400))
    yield Torture("empty", b"", "", (None,))
    yield Torture("keep-alive", b"\r\n\r\n", "", (None,))
    yield Torture("zeros", bytes(1400), "", (None,))
    yield Torture("every byte", bytes(range(256)) * 5, "", (None,))
    yield Torture("only a request line", f"INVITE {uri} SIP/2.0\r\n\r\n".encode(), "", (None,))
    yield Torture("another protocol", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "", (None,))
    long = phone.new_request("OPTIONS", uri, headers=(("X-Long", "a" * 60_000),))
    yield Torture("a header of 60 000 letters", bytes(long), long.branch, (200, 400, 413, 513, None))
