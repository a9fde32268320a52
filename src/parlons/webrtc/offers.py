"""Session descriptions of browsers (RFC 8829), read before anything acts on them. Pure.

An offer comes from outside: it may open one audio stream and no more, and everything else is refused by name.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from parlons.errors import InvalidDocument

MAX_CANDIDATES = 40
_CANDIDATE = "a=candidate:"
_HOST = re.compile(r"a=candidate:(\S+) 1 udp (\d+) (\S+) (\d+) typ host.*", re.IGNORECASE)


def checked(offer: str) -> str:
    """The offer with the candidates that can be used, one line ending throughout.

    Raises:
        InvalidDocument: it is none, or not one that a call can be made of; names ``sdp``.
    """
    lines = offer.splitlines()
    problem = _problem(lines)
    if problem:
        raise InvalidDocument("the request", [("sdp", problem)])
    usable = [line for line in lines if line.startswith(_CANDIDATE) and _usable(line)]
    plain = [line for line in usable if ".local " not in line]  # those are asked of the whole network, by multicast
    kept = set(plain or usable)
    return "".join(f"{line}\r\n" for line in lines if not line.startswith(_CANDIDATE) or line in kept)


def _problem(lines: list[str]) -> str:
    """What is wrong with it; empty when nothing is."""
    media = [line for line in lines if line.startswith("m=")]
    if not lines or lines[0] != "v=0" or not media:
        return "is not a session description (RFC 8866)"
    if len(media) > 1 or not media[0].startswith("m=audio "):
        return "must offer one audio stream and nothing else"
    if any(line in ("a=recvonly", "a=sendonly", "a=inactive") for line in lines):
        return "must offer audio both ways: a=sendrecv"
    if not any(re.match(r"a=rtpmap:\d+ opus/48000/2", line, re.IGNORECASE) for line in lines):
        return "must offer Opus"
    for needed in ("a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:"):
        if not any(line.startswith(needed) for line in lines):
            return f"has no {needed.removesuffix(':')}"
    candidates = [line for line in lines if line.startswith(_CANDIDATE)]
    if len(candidates) > MAX_CANDIDATES:
        return f"holds more than {MAX_CANDIDATES} candidates"
    if not any(_usable(line) for line in candidates):
        return "holds no UDP candidate: gather all of them before the offer is sent, none can follow it"
    return ""


def _usable(candidate: str) -> bool:
    parts = candidate.split()
    return len(parts) >= 8 and parts[1] == "1" and parts[2].lower() == "udp"


def with_public_address(answer: str, address: str) -> str:
    """The answer with each host candidate repeated at the address that a one-to-one NAT has outside (RFC 8445, a
    server-reflexive one): the ports are the same on both sides of it.
    """
    try:
        public = ip_address(address)
    except ValueError:  # none, or a name: browsers take addresses
        return answer
    lines: list[str] = []
    for line in answer.splitlines():
        lines.append(line)
        found = _HOST.match(line)
        if found is None or ip_address(found[3]).version != public.version or ip_address(found[3]) == public:
            continue
        foundation, priority, inside, port = found.groups()
        below = max(1, int(priority) - (26 << 24))  # type preference 100 in place of 126
        lines.append(f"{_CANDIDATE}{foundation}0 1 udp {below} {public} {port} typ srflx raddr {inside} rport {port}")
    return "".join(f"{line}\r\n" for line in lines)
