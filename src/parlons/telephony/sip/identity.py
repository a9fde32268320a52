"""Who calls, whom they call, and how we present ourselves: INVITE headers to ``InviteInfo`` and back.

Works on messages that ``checks`` let through. Knows no agent, no dialog and no socket.
"""

from __future__ import annotations

import re
from urllib.parse import quote as percent_encode
from urllib.parse import unquote_to_bytes

from aiosipua.message import SipRequest
from aiosipua.utils import bracket_ipv6

from parlons.errors import HeaderRefused
from parlons.telephony.types import InviteInfo, OutboundInvite

from .headers import (
    FORBIDDEN_IN_VALUES,
    NameAddr,
    check_name,
    check_value,
    decode_uui,
    encode_uui,
    parse_name_addr,
    quote,
    split_outside_quotes,
)

ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""RFC 3323 section 4.1.1.3."""

MAX_NAME_CHARACTERS = 100

_WITHHELD = frozenset({"id", "user", "header"})
_UNESCAPED_IN_USER = "-_.!~*'()+"
_SEPARATORS = re.compile(r"[-.()]")
_TARGET = re.compile(r"(?:sips?|tel):[^\s<>\"\x00-\x20\x7f-\xa0\u2028\u2029]+", re.IGNORECASE)
_DOMAIN = re.compile(r"[A-Za-z0-9_.:\[\]\-]{1,253}")


# -- in ------------------------------------------------------------------------------------------------------


def invite_info(request: SipRequest, source: tuple[str, int]) -> InviteInfo:
    """Read an INVITE. The number comes from P-Asserted-Identity (RFC 3325), Remote-Party-ID or From, in that order.

    A withheld caller (RFC 3323: From anonymous, Privacy id, user or header; or Remote-Party-ID with privacy) has
    neither number nor name, whatever the other headers hold.
    """
    sender, callee = (parse_name_addr(request.headers.get_first(name) or "") for name in ("from", "to"))
    party = _first(request, "remote-party-id")
    anonymous = _withheld(request, sender, party)
    number = name = ""
    if not anonymous:
        asserted = _all(request, "p-asserted-identity")
        numbers = [found for a in asserted if (found := user_part(a.uri))]
        numbers.sort(key=lambda found: not found.lstrip("+").isdigit())
        number = next(iter(numbers), "") or _user(party) or _user(sender)
        name = next((a.display_name for a in (*asserted, party, sender) if a and a.display_name), "")
    called = [user_part(request.uri), _user(_first(request, "p-called-party-id")), _user(callee)]
    return InviteInfo(
        call_id=request.call_id or "",
        source=source,
        called=tuple(dict.fromkeys(filter(None, called))),
        caller_number=number,
        caller_name=_clean(name),
        anonymous=anonymous,
        user_to_user=_clean(decode_uui(request.headers.get_first("user-to-user") or "")),
        headers={
            name.lower(): _clean(", ".join(values))
            for name, values in request.headers.items()
            if name.lower().startswith("x-")
        },
        diversion=_user(_first(request, "diversion")),
    )


def user_part(uri: str) -> str:
    """The user of a ``sip:`` URI or the number of a ``tel:`` URI: parameters cut, escapes decoded, else as it came."""
    scheme, colon, rest = uri.strip().partition(":")
    if not colon:
        return ""
    if scheme.lower() == "tel":
        return _SEPARATORS.sub("", _decode(rest.split(";")[0]))
    if scheme.lower() not in ("sip", "sips"):
        return ""
    user, at, _ = rest.rpartition("@")
    return _decode(re.split("[;:]", user, maxsplit=1)[0]) if at else ""


def _decode(text: str) -> str:
    """%-escapes resolved, as UTF-8 or else Latin-1, and without what must never reach a template or a log."""
    octets = unquote_to_bytes(text)
    try:
        return _clean(octets.decode())
    except UnicodeDecodeError:
        return _clean(octets.decode("latin-1"))


def _clean(text: str) -> str:
    return FORBIDDEN_IN_VALUES.sub(" ", text).strip()


def _all(request: SipRequest, name: str) -> list[NameAddr]:
    """Every address in a header; those that do not parse are passed over (RFC 3261 section 8.2)."""
    parts = [part for value in request.headers.get(name) for part in split_outside_quotes(value, ",")]
    return [address for part in parts if (address := parse_name_addr(part)) and ":" in address.uri]


def _first(request: SipRequest, name: str) -> NameAddr | None:
    return next(iter(_all(request, name)), None)


def _user(address: NameAddr | None) -> str:
    return user_part(address.uri) if address else ""


def _withheld(request: SipRequest, sender: NameAddr | None, party: NameAddr | None) -> bool:
    if sender and (
        user_part(sender.uri).lower() == "anonymous" or sender.uri.lower().rpartition("@")[2] == "anonymous.invalid"
    ):
        return True
    wishes = {w.strip().lower() for value in request.headers.get("privacy") for w in re.split("[;,]", value)}
    if wishes & _WITHHELD:
        return True
    return party is not None and party.params.get("privacy", "off").lower() not in ("off", "no", "none")


# -- out -----------------------------------------------------------------------------------------------------


def outbound_headers(invite: OutboundInvite, local: tuple[str, int]) -> list[tuple[str, str]]:
    """The headers of an INVITE that say who calls whom, and the configured ones: (name, value), From without tag.

    Everything rendered from a template is checked again here. Raises HeaderRefused.
    """
    domain = invite.from_domain or bracket_ipv6(local[0])
    if not _DOMAIN.fullmatch(domain):
        raise HeaderRefused("The domain of the caller's identity cannot be sent: not a host name or address.")
    if not _TARGET.fullmatch(invite.target):
        raise HeaderRefused("The destination cannot be called: not a sip: or tel: address.")
    headers = [("To", f"<{invite.target}>")]
    if invite.anonymous:
        # no number anywhere: neither the caller's nor, by P-Asserted-Identity or Diversion, one that leads to them
        headers += [("From", ANONYMOUS), ("Privacy", "id")]
    else:
        name = invite.from_name[:MAX_NAME_CHARACTERS].strip()
        shown = f"{quote(name)} " if name else ""
        headers.append(("From", f"{shown}<{_identity(invite.from_user, domain)}>"))
        if invite.asserted:
            headers.append(("P-Asserted-Identity", f"<{_identity(invite.asserted, domain)}>"))
        if invite.diversion:
            headers.append(("Diversion", f"<{_identity(invite.diversion, domain)}>;reason=unconditional"))
    if invite.user_to_user:
        headers.append(("User-to-User", encode_uui(invite.user_to_user)))
    headers += [(check_name(name), check_value(value, name)) for name, value in invite.headers]
    return headers


def _identity(user: str, domain: str) -> str:
    escaped = percent_encode(user, safe=_UNESCAPED_IN_USER, errors="replace")
    return f"sip:{escaped}@{domain}" if escaped else f"sip:{domain}"
