"""The wire's own rules for header names and values, and the few header forms Parlons writes or takes apart itself.

Pure: knows neither agents nor sockets, keeps no state. What may stand in a header is decided here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from parlons.errors import HeaderRefused

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""RFC 3261 section 25.1, ``token``."""

FORBIDDEN_IN_VALUES = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
"""C0 controls but tab, DEL, NEL and the Unicode line separators: none may be in a header value."""

MAX_VALUE_CHARACTERS = 256
MAX_UUI_OCTETS = 128
"""User data of one User-to-User header, before encoding."""

CORE_HEADERS = frozenset(
    "via from to contact call-id cseq route record-route max-forwards authorization require supported allow "
    "unsupported expires min-expires session-expires min-se refer-to referred-by replaces event "
    "subscription-state accept accept-encoding accept-language allow-events www-authenticate "
    "authentication-info rack rseq date retry-after user-agent server warning timestamp in-reply-to "
    "p-asserted-identity p-preferred-identity privacy diversion user-to-user reason identity "
    # the compact forms, RFC 3261 section 7.3.3 and later documents
    "v f t m i k l c e s o u r b x j d a n y".split()
)
CORE_PREFIXES = ("content-", "proxy-")

_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ISDN_DISCRIMINATORS = (0x00, 0x04)
"""Octets that ISDN gateways put before the text (user-specific, IA5); neither ever begins a text."""


# -- what may be written -------------------------------------------------------------------------------------


def name_problem(name: str) -> str:
    """What is wrong with a custom header's name; empty when nothing is."""
    if not TOKEN.fullmatch(name):
        return "not a header name: letters, digits and - . ! % * _ + ` ' ~ only"
    low = name.lower()
    if low in CORE_HEADERS or low.startswith(CORE_PREFIXES):
        return "this header belongs to the call set-up and cannot be overridden: use an X- header"
    return ""


def value_problem(value: str) -> str:
    """What is wrong with a header's value; empty when nothing is."""
    if len(value) > MAX_VALUE_CHARACTERS:
        return f"longer than {MAX_VALUE_CHARACTERS} characters"
    if FORBIDDEN_IN_VALUES.search(value):
        return "holds a line break or a control character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    return ""


def check_name(name: str) -> str:
    """Return ``name`` if a custom header may have it. Raises HeaderRefused."""
    if problem := name_problem(name):
        raise HeaderRefused(f"The header name {name[:64]!r} cannot be sent: {problem}.")
    return name


def check_value(value: str, name: str = "header") -> str:
    """Return ``value`` if it may go on the wire. Raises HeaderRefused (which names the header, not the value)."""
    if problem := value_problem(value):
        raise HeaderRefused(f"The value of {name} cannot be sent: {problem}.")
    return value


def quote(text: str) -> str:
    """``text`` as a quoted-string (RFC 3261 section 25.1); characters no header may hold become spaces."""
    clean = FORBIDDEN_IN_VALUES.sub(" ", text).encode("utf-8", "replace").decode()
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The text of a quoted-string, quoted pairs resolved; anything else comes back as it is, trimmed."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", text[1:-1])
    return text


# -- Reason (RFC 3326) and User-to-User (RFC 7433) -------------------------------------------------------------


def reason_header(code: int, text: str = "", *, protocol: str = "SIP") -> tuple[str, str]:
    """The Reason header of a BYE or a CANCEL, as (name, value). ``protocol`` is ``SIP`` or ``Q.850``."""
    value = f"{protocol};cause={code}"
    if text:
        value += f";text={quote(text[:MAX_VALUE_CHARACTERS])}"
    return "Reason", value


def encode_uui(text: str) -> str:
    """The value of a User-to-User header carrying ``text`` as UTF-8. Raises HeaderRefused over 128 octets."""
    octets = text.encode("utf-8", "replace")
    if len(octets) > MAX_UUI_OCTETS:
        raise HeaderRefused(
            f"User-to-User holds {len(octets)} octets.", hint=f"At most {MAX_UUI_OCTETS} can be sent: shorten it."
        )
    return octets.hex() + ";encoding=hex"


def decode_uui(value: str) -> str:
    """The text a User-to-User header carries: hex decoded (UTF-8, else Latin-1), other encodings as they came."""
    data, *rest = split_outside_quotes(value, ";")
    params = _params(rest)
    data = unquote(data)
    if params.get("encoding", "").lower() != "hex":
        return data
    try:
        octets = bytes.fromhex(data)
    except ValueError:
        return data
    if octets[:1] and octets[0] in _ISDN_DISCRIMINATORS:
        octets = octets[1:]
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


# -- taking apart what came ------------------------------------------------------------------------------------


def split_outside_quotes(value: str, separator: str) -> list[str]:
    """Split at ``separator`` outside quoted strings and angle brackets. Escaped quotes do not end a string.

    The library's own splitter stops at an escaped quote, so names such as ``"a \\" b"`` fall apart there.
    """
    parts: list[str] = []
    start = 0
    quoted = bracketed = escaped = False
    for index, character in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            if character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"' and not bracketed:
            quoted = True
        elif character == "<":
            bracketed = True
        elif character == ">":
            bracketed = False
        elif character == separator and not bracketed:
            parts.append(value[start:index].strip())
            start = index + 1
    parts.append(value[start:].strip())
    return parts


def quotes_balanced(value: str) -> bool:
    """Whether every quoted string in ``value`` ends."""
    quoted = escaped = False
    for character in value:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
    return not quoted


def _params(parts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), unquote(value))
    return found


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A name-addr or addr-spec (RFC 3261 section 20.10). ``params`` are the header's, keys lower-cased."""

    display_name: str
    uri: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The dialog tag; empty when there is none."""
        return self.params.get("tag", "")


def parse_name_addr(value: str) -> NameAddr | None:
    """Take apart ``"Name" <uri>;params`` or ``uri;params``; None when it cannot be told what is what."""
    if not quotes_balanced(value):
        return None
    opening = _first_outside_quotes(value, "<")
    if opening < 0:
        uri, *rest = value.split(";")
        uri = uri.strip()
        if not uri or ">" in uri or '"' in uri or any(c.isspace() for c in uri):
            return None
        return NameAddr("", uri, _params(rest))
    closing = value.find(">", opening)
    if closing < 0:
        return None
    uri, after = value[opening + 1 : closing].strip(), value[closing + 1 :].strip()
    if not uri or "<" in uri or any(c.isspace() for c in uri) or (after and not after.startswith(";")):
        return None
    return NameAddr(unquote(value[:opening]), uri, _params(split_outside_quotes(after[1:], ";")))


def _first_outside_quotes(value: str, wanted: str) -> int:
    quoted = escaped = False
    for index, character in enumerate(value):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == wanted and not quoted:
            return index
    return -1
