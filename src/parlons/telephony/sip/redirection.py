"""Whom a 3xx asks to call instead (RFC 3261 section 8.1.3.4), as far as that is safe to follow. Pure.

A Contact is the peer's word: only one that leads back to the peer itself is looked at, so that no answer can make us
call, and tell about the caller, somewhere that nobody configured.
"""

from __future__ import annotations

import re

from aiosipua.message import SipResponse

from parlons.telephony.sip.headers import parse_name_addr, split_outside_quotes
from parlons.telephony.sip.identity import user_part
from parlons.telephony.sip.transport import Address

MAX_CONTACTS = 10
DEFAULT_PORT = 5060

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?")


def user_at_peer(response: SipResponse, *peer: Address) -> str:
    """The user part of the first Contact that is a plain ``sip:`` address at the peer; empty when there is none.

    Args:
        peer: the host and port that the peer goes by: its configured name, the address it has.
    """
    known = {(host.strip("[]").lower(), port) for host, port in peer}
    contacts = [part for value in response.headers.get("contact") for part in split_outside_quotes(value, ",")]
    for contact in contacts[:MAX_CONTACTS]:
        address = parse_name_addr(contact)
        if address is None:
            continue
        scheme, _, rest = address.uri.partition(":")
        host, *params = rest.rpartition("@")[2].partition("?")[0].split(";")
        found = _HOST_PORT.fullmatch(host)
        if scheme.lower() != "sip" or found is None or not _over_udp(params):
            continue
        if (found[1].strip("[]").lower(), int(found[2] or DEFAULT_PORT)) in known and (user := user_part(address.uri)):
            return user
    return ""


def _over_udp(params: list[str]) -> bool:
    given = dict(param.lower().partition("=")[::2] for param in params)
    return given.get("transport", "udp") == "udp" and "maddr" not in given
