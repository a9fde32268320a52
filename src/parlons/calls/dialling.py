"""From whom to ring and a SIP connection to an outgoing INVITE: formats, identities, headers, next hop. Pure.

Who is shown to the destination (specification, section 4.1, "Caller id") is decided here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote as percent_encode

import phonenumbers

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.errors import ConfigurationError, ParlonsError
from parlons.telephony.sip.headers import MAX_UUI_OCTETS, name_problem, value_problem
from parlons.telephony.types import OutboundInvite

MAX_USER_CHARACTERS = 200
"""Of whom to ring."""
MAX_SHOWN_CHARACTERS = 64
"""Of a caller's number; a longer one is none, and not shown."""

Header = tuple[str, str]
Render = Callable[[str, str], Awaitable[str]]
"""(template, where it stands) to its text for this call; may raise TemplateError."""

_SIP_URI = re.compile(r"^sip:([^@;?\s]+)@([^:;?\s]+)(?::(\d{1,5}))?$")
_E164 = re.compile(r"\+[0-9]{2,15}")
_DIGITS = re.compile(r"\+?[0-9]{1,32}")
_UNESCAPED_IN_USER = "-_.!~*'()+"


# -- numbers -------------------------------------------------------------------------------------------------------


def format_number(e164: str, form: str, country: str | None = None) -> str:
    """An E.164 number in a connection's ``number_format``; anything else comes back as it is.

    Args:
        country: where ``national`` numbers are dialled (ISO 3166). A number of another country is then written with
            the international prefix of this one: its national form would ring somebody else. None: each number's own.
    """
    if not _E164.fullmatch(e164):
        return e164
    if form == "digits":
        return e164.removeprefix("+")
    if form == "00":
        return "00" + e164.removeprefix("+")
    if form == "national":
        return _national(e164, country)
    return e164


def _national(e164: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    if country is None or phonenumbers.country_code_for_region(country) == number.country_code:
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    else:
        written = phonenumbers.format_out_of_country_calling_number(number, country)
    return re.sub(r"[^0-9]", "", written) or e164


def country_of(e164: str) -> str | None:
    """The ISO 3166 country of a number; None when it cannot be told."""
    try:
        region: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None
    return region if region and region.isalpha() else None


def agent_number(agent: Agent, agent_id: str, called: str = "") -> str:
    """The number an agent is known by: of its own, the one that was called; else its first; else what was called when
    that is a number; else its id.

    Args:
        called: the number of an incoming call; empty for an outgoing one.
    """
    if called in agent.phone_numbers or (not agent.phone_numbers and _E164.fullmatch(called)):
        return called
    return agent.phone_numbers[0] if agent.phone_numbers else agent_id


# -- over which connection -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """A connection to dial over, with its password in clear."""

    connection_id: str
    connection: SipConnection
    password: str = field(default="", repr=False)


def choose_route(
    wanted: str | None,
    agent: Agent,
    settings: InstallationSettings,
    own: str | None,
    connections: Mapping[str, SipConnection],
    passwords: Mapping[str, str],
) -> Route | str:
    """The connection that an order names, else the agent's, else the settings', else the one the call came in on.

    The first that is named counts: one that does not exist is never replaced by the next, on which the same extension
    may be somebody else. Returns why there is none, with the fix.

    Args:
        own: the call's own connection; None for a call from loopback with nothing configured.
    """
    chosen = wanted or agent.sip_connection_id or settings.outbound_connection_id or own
    if chosen is None:
        return (
            "There is no SIP connection to call over: set the action's or the agent's sip_connection_id, "
            "or outbound_connection_id in the settings."
        )
    connection = connections.get(chosen)
    if connection is None:
        return f"There is no SIP connection named {chosen!r}: create it, or choose another."
    return Route(chosen, connection, passwords.get(chosen, ""))


# -- who is shown --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """On whose behalf a destination is rung.

    Args:
        agent: the agent's own number, see ``agent_number``.
        caller: the other side of the call: E.164, or as it came (letters, nothing).
        withheld: the caller does not want to be known.
    """

    agent: str
    caller: str = ""
    caller_name: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What an INVITE says of who calls; the fields of ``OutboundInvite``."""

    from_user: str
    from_name: str = ""
    asserted: str = ""
    diversion: str = ""
    anonymous: bool = False


def identity(connection: SipConnection, party: Party, country: str | None = None) -> Identity:
    """Who is shown over a connection.

    ``from_mode`` ``agent``: the agent's number (or the connection's ``caller_id``, as it is written there); ``caller``:
    the caller's when there is one, else the same. Both name the agent's number as where the call was diverted. A
    withheld caller is anonymous in either, with no number at all.
    """
    if party.withheld:
        return Identity("", anonymous=True)
    own = _shown(party.agent, connection, country)
    shown, name = connection.caller_id or own, ""
    if connection.from_mode == "caller" and 0 < len(party.caller) <= MAX_SHOWN_CHARACTERS:
        shown, name = _shown(party.caller, connection, country), party.caller_name
    return Identity(
        from_user=shown,
        from_name=name,
        asserted=shown if _DIGITS.fullmatch(shown) else "",  # a name is no identity that a network can check
        diversion=own if _DIGITS.fullmatch(own) else "",
    )


def own_identity(connection: SipConnection, shown: str, country: str | None = None) -> Identity:
    """Who is shown when an agent places a call of its own: its number (or its name), or the connection's
    ``caller_id``."""
    name = connection.caller_id or _shown(shown, connection, country)
    return Identity(name, asserted=name if _DIGITS.fullmatch(name) else "")


def _shown(number: str, connection: SipConnection, country: str | None) -> str:
    return format_number(number, connection.number_format, country)


# -- headers -------------------------------------------------------------------------------------------------------


async def connection_headers(connection: SipConnection, render: Render) -> tuple[list[Header], list[str]]:
    """A connection's own headers, rendered for this call; and what is wrong with those that cannot be."""
    made: list[Header] = []
    problems: list[str] = []
    for header in connection.headers:
        try:
            made.append((header.name, await render(header.value, f"headers.{header.name}")))
        except ParlonsError as error:
            problems.append(f"{header.name}: {error.message}")
    return made, problems


def merge_headers(of_connection: Iterable[Header], of_order: Iterable[Header]) -> tuple[list[Header], list[str]]:
    """Both together, an order's in place of a connection's of the same name; and what is wrong with those left out.

    A header that may not go on the wire is left out: a caller matters more than a label.
    """
    merged: dict[str, Header] = {}
    problems: list[str] = []
    for name, value in (*of_connection, *of_order):
        merged[name.lower()] = (name, value)
    for key, (name, value) in list(merged.items()):
        if problem := name_problem(name) or value_problem(value):
            problems.append(f"{name[:64]}: {problem}")
            del merged[key]
    return list(merged.values()), problems


# -- the INVITE ----------------------------------------------------------------------------------------------------


def target(connection: SipConnection, user: str, country: str | None = None) -> str:
    """The Request-URI for a number (put in the connection's format), an extension or a destination id."""
    return uri(connection, format_number(user, connection.number_format, country))


def uri(connection: SipConnection, user: str) -> str:
    """The address of a user at a connection: every character that is not plain is escaped (RFC 3261 section 25.1)."""
    escaped = percent_encode(user, safe=_UNESCAPED_IN_USER, errors="replace")
    return f"sip:{escaped}@{_literal(connection)}:{connection.port}"


def over(
    route: Route,
    user: str,
    shown: Identity,
    *,
    country: str | None = None,
    headers: Iterable[Header] = (),
    user_to_user: str = "",
    ring_seconds: float = 20.0,
) -> OutboundInvite:
    """An INVITE over a configured connection, all of it decided."""
    connection = route.connection
    return OutboundInvite(
        target=target(connection, user, country),
        next_hop=(connection.host.strip("[]"), connection.port),
        from_user=shown.from_user,
        from_domain=_literal(connection) if connection.username else "",
        from_name=shown.from_name,
        anonymous=shown.anonymous,
        asserted=shown.asserted,
        diversion=shown.diversion,
        user_to_user=user_to_user,
        headers=tuple(headers),
        username=connection.username or "",
        password=route.password,
        ring_seconds=ring_seconds,
    )


def user_to_user_problem(text: str) -> str:
    """Why a text cannot be sent as User-to-User; empty when it can."""
    octets = len(text.encode("utf-8", "replace"))
    return f"User-to-User: {octets} octets, at most {MAX_UUI_OCTETS}" if octets > MAX_UUI_OCTETS else ""


def _literal(connection: SipConnection) -> str:
    host = connection.host.strip("[]")
    return f"[{host}]" if ":" in host else host


def to_uri(uri: str, *, shown: str, ring_seconds: float = 20.0) -> OutboundInvite:
    """An INVITE straight to ``sip:user@host[:port]``. Raises ConfigurationError when it is not one."""
    match = _SIP_URI.match(uri)
    if match is None or not 0 < int(match[3] or 5060) < 65536:
        raise ConfigurationError(f"{uri!r} is not a SIP address.", hint="Write sip:user@host or sip:user@host:port.")
    port = int(match[3] or 5060)
    return OutboundInvite(target=uri, next_hop=(match[2], port), from_user=shown, ring_seconds=ring_seconds)
