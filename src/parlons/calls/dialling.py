"""From a number and a SIP connection to an outgoing INVITE: formats, identities, next hop. Pure."""

from __future__ import annotations

import re

import phonenumbers

from parlons.agents.common import header_value
from parlons.agents.connections import SipConnection
from parlons.errors import ConfigurationError
from parlons.telephony.types import OutboundInvite

_SIP_URI = re.compile(r"^sip:([^@;?\s]+)@([^:;?\s]+)(?::(\d{1,5}))?$")


def format_number(e164: str, form: str) -> str:
    """An E.164 number in a connection's ``number_format``."""
    if form == "digits":
        return e164.removeprefix("+")
    if form == "00":
        return "00" + e164.removeprefix("+")
    if form == "national":
        national = phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.NATIONAL)
        return re.sub(r"\D", "", national)
    return e164


def to_connection(
    connection: SipConnection, user: str, *, shown: str, password: str = "", ring_seconds: float = 20.0
) -> OutboundInvite:
    """An INVITE over a configured connection.

    Args:
        user: the number (E.164 is put in the connection's format) or extension to ring.
        shown: the agent's own number or name, put in From and P-Asserted-Identity.
        password: the connection's password in clear.
    """
    number = format_number(user, connection.number_format) if user.startswith("+") else user
    identity = connection.caller_id or (
        format_number(shown, connection.number_format) if shown.startswith("+") else shown
    )
    host = connection.host.strip("[]")
    literal = f"[{host}]" if ":" in host else host
    return OutboundInvite(
        target=f"sip:{number}@{literal}:{connection.port}",
        next_hop=(host, connection.port),
        from_user=identity,
        from_domain=literal if connection.username else "",
        asserted=identity if identity.lstrip("+").isdigit() else "",
        headers=tuple((h.name, header_value(h.value)) for h in connection.headers),
        username=connection.username or "",
        password=password,
        ring_seconds=ring_seconds,
    )


def to_uri(uri: str, *, shown: str, ring_seconds: float = 20.0) -> OutboundInvite:
    """An INVITE straight to ``sip:user@host[:port]``. Raises ConfigurationError when it is not one."""
    match = _SIP_URI.match(uri)
    if match is None or not 0 < int(match[3] or 5060) < 65536:
        raise ConfigurationError(f"{uri!r} is not a SIP address.", hint="Write sip:user@host or sip:user@host:port.")
    port = int(match[3] or 5060)
    return OutboundInvite(target=uri, next_hop=(match[2], port), from_user=shown, ring_seconds=ring_seconds)
