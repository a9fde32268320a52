"""Session descriptions of one audio stream: reading a peer's, writing ours (RFC 8866, RFC 3264, RFC 3551).

Knows no socket and no packet. aiosipua parses and serialises; what it lets through although it is wrong is refused
here, and what it leaves out (session-level direction, several audio lines, profiles) is read here.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiosipua.sdp import ConnectionData, MediaDescription, Origin, SdpMessage, parse_sdp, serialize_sdp

from parlons.errors import SdpError
from parlons.telephony.media.codecs import STATIC_PAYLOAD_TYPES

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

TELEPHONE_EVENT = 101
"""The payload type that our offers give to telephone-event."""

_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_MIRROR: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_PROFILES = ("RTP/AVP", "RTP/AVPF")
"""RTP/AVPF is mirrored: its feedback is optional to send (RFC 4585), and peers that offer it mean ordinary audio."""

_LARGEST_BODY = 16384
_HELD: dict[Direction, Direction] = {"sendrecv": "sendonly", "recvonly": "inactive"}


def not_acceptable(why: str) -> SdpError:
    """488 with a reason for the log."""
    return SdpError(488, "Not Acceptable Here", hint=why)


def _malformed(why: str) -> SdpError:
    return SdpError(400, "Bad Session Description", hint=why)


@dataclass(frozen=True, slots=True)
class RemoteAudio:
    """What a peer's description says about the one audio stream that we use.

    ``address`` is None while the peer wants nothing sent (hold as of RFC 2543) or names a host: then we wait for its
    first packet. ``codecs`` holds (payload type, name) of those codecs that we allow, in the peer's order.
    ``media`` is every m-line as (kind, profile, formats), for the answer.
    """

    address: tuple[str, int] | None
    rtcp_address: tuple[str, int] | None
    direction: Direction
    codecs: tuple[tuple[int, str], ...]
    telephone_event: int | None
    index: int
    media: tuple[tuple[str, str, tuple[str, ...]], ...] = field(default=())

    @property
    def answer_direction(self) -> Direction:
        """Ours, mirrored (RFC 3264 section 6.1)."""
        return _MIRROR[self.direction]


def parse(body: bytes, allowed: Sequence[str], *, ipv6: bool = False) -> RemoteAudio:
    """Read a peer's description.

    Raises SdpError: 400 when it is not a session description, 488 when no m-line suits (no audio, no codec of
    ``allowed``, no plain RTP profile, another address family).
    """
    message = _parse_strictly(body)
    reason = "it offers no audio"
    media = tuple((m.media, m.proto, tuple(m.formats)) for m in message.media)
    for index, line in enumerate(message.media):
        if line.media != "audio" or line.port == 0:
            continue
        if line.proto.upper() not in _PROFILES:
            reason = f"profile {line.proto} is not supported; encrypted media belongs to the SIP edge"
            continue
        codecs, event = _codecs(line, allowed)
        if not codecs:
            reason = "none of its codecs is allowed here"
            continue
        address, held = _address(message, line, ipv6=ipv6)
        direction = _direction(message, line)
        if held:  # RFC 2543: "0.0.0.0" is how old peers say hold
            direction = _HELD.get(direction, direction)
        return RemoteAudio(address, _rtcp_address(line, address), direction, codecs, event, index, media)
    raise not_acceptable(reason)


def _parse_strictly(body: bytes) -> SdpMessage:
    if len(body) > _LARGEST_BODY:
        raise _malformed("larger than any real one")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]
    if not lines or lines[0].strip() != "v=0":
        raise _malformed("the first line is not v=0")
    for line in lines:
        if not re.match(r"\s*[a-z]=", line):
            raise _malformed("a line is not of the form x=...")
    if not any(re.match(r"o=(\S+\s+){5}\S+", line) for line in lines):
        raise _malformed("the o= line is missing or short")
    for line in lines:
        if line.startswith("m=") and len(line.split()) < 4:
            raise _malformed("an m= line is short")
        if line.startswith("c=") and len(line.split()) != 3:
            raise _malformed("a c= line does not have three fields")
    try:
        # "49170/2" asks for several ports; only the first matters to audio
        message = parse_sdp("\n".join(re.sub(r"^(m=\S+ \d+)/\d+ ", r"\1 ", line) for line in lines))
    except (ValueError, IndexError) as error:
        raise _malformed("a number in it is not a number") from error
    if any(not 0 <= line.port <= 65535 for line in message.media):
        raise _malformed("a port is out of range")
    return message


def _codecs(line: MediaDescription, allowed: Sequence[str]) -> tuple[tuple[tuple[int, str], ...], int | None]:
    codecs: list[tuple[int, str]] = []
    event = None
    for codec in line.codecs:
        name, rate = codec.encoding_name.upper(), codec.clock_rate
        if not 0 <= codec.payload_type <= 127 or rate != 8000 or codec.channels not in (None, 1):
            continue
        if name in allowed:
            codecs.append((codec.payload_type, name))
        elif name == "TELEPHONE-EVENT" and event is None:
            event = codec.payload_type
    return tuple(codecs), event


def _direction(message: SdpMessage, line: MediaDescription) -> Direction:
    for attributes in (line.attributes, message.attributes):
        for direction in _DIRECTIONS:
            if direction in attributes:
                return direction
    return "sendrecv"


def _address(message: SdpMessage, line: MediaDescription, *, ipv6: bool) -> tuple[tuple[str, int] | None, bool]:
    connection = line.connection or message.connection
    if connection is None:
        raise _malformed("no c= line for the audio")
    try:
        address = ipaddress.ip_address(connection.address.split("/")[0])
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", connection.address):
            raise _malformed("the c= address is neither an address nor a name") from None
        return None, False
    if address.is_unspecified:
        return None, True
    if address.is_multicast or (address.version == 6) != ipv6:
        raise not_acceptable(f"cannot send to {address}")
    return (str(address), line.port), False


def _rtcp_address(line: MediaDescription, address: tuple[str, int] | None) -> tuple[str, int] | None:
    """RFC 3605; the next port when the attribute is missing or unusable."""
    if address is None:
        return None
    value = (line.attributes.get("rtcp") or [""])[0].split()
    port = int(value[0]) if value and value[0].isdecimal() and 0 < int(value[0]) <= 65535 else address[1] + 1
    return (address[0], port) if port <= 65535 else None


class LocalDescription:
    """Our descriptions of one stream: the o= version grows only when something changed."""

    def __init__(self, address: str, port: int) -> None:
        self.advertise(address)
        self._port = port
        self._session = str(secrets.randbelow(1 << 31) + (1 << 31))
        self._version = int(self._session)
        self._last: SdpMessage | None = None

    def advertise(self, address: str) -> None:
        """The address that the next description gives."""
        self._address = address
        self._family = "IP6" if ":" in address else "IP4"

    def offer(self, codecs: Sequence[str]) -> bytes:
        """Every codec of ``codecs``, in order, and telephone-event; both directions."""
        mapped = [(STATIC_PAYLOAD_TYPES[name], name) for name in codecs]
        return self._write([self._audio("RTP/AVP", mapped, TELEPHONE_EVENT, "sendrecv")])

    def answer(self, remote: RemoteAudio, codec: tuple[int, str]) -> bytes:
        """The answer to ``remote``: one codec, telephone-event if it was offered, every other m-line refused."""
        lines = []
        for index, (kind, profile, formats) in enumerate(remote.media):
            if index == remote.index:
                lines.append(self._audio(profile, [codec], remote.telephone_event, remote.answer_direction))
            else:
                lines.append(MediaDescription(media=kind, port=0, proto=profile, formats=list(formats)))
        return self._write(lines)

    def _audio(
        self, profile: str, codecs: Sequence[tuple[int, str]], event: int | None, direction: Direction
    ) -> MediaDescription:
        attributes = {"rtpmap": [f"{number} {name}/8000" for number, name in codecs]}
        formats = [str(number) for number, _name in codecs]
        if event is not None:
            formats.append(str(event))
            attributes["rtpmap"].append(f"{event} telephone-event/8000")
            attributes["fmtp"] = [f"{event} 0-15"]
        attributes["ptime"] = ["20"]
        attributes[direction] = []
        return MediaDescription(media="audio", port=self._port, proto=profile, formats=formats, attributes=attributes)

    def _write(self, media: list[MediaDescription]) -> bytes:
        message = SdpMessage(
            origin=Origin("-", self._session, str(self._version), "IN", self._family, self._address),
            session_name="-",
            connection=ConnectionData("IN", self._family, self._address),
            media=media,
        )
        if self._last is not None and message != self._last:
            self._version += 1
            message.origin.session_version = str(self._version)
        self._last = message
        return serialize_sdp(message).encode()
