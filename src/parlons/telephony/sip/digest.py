"""Digest authentication, both sides (RFC 2617, RFC 7616, RFC 8760): MD5 and SHA-256, ``qop=auth``.

Knows messages, names and passwords. Knows nothing of connections, transactions or where a message came from.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiosipua.message import SipRequest, SipResponse

from parlons.telephony.types import Credentials

from .headers import quote, split_outside_quotes, unquote

MAX_NONCES = 10_000
"""Nonces in use that a server remembers the count of. Older ones are then refused as stale, never replayed."""

_ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_STRENGTH = list(_ALGORITHMS)
_SCHEME = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+)\s+([A-Za-z0-9\-.!%*_+`'~]+\s*=.*)", re.DOTALL)
_CLOCK_STEP = 1000
"""Nonces carry milliseconds."""


class Verdict(enum.StrEnum):
    """What a request's credentials are worth."""

    OK = "ok"
    STALE = "stale"
    """Right name and password, but a nonce that is not ours, has expired, or was used: challenge with ``stale``."""
    WRONG = "wrong"
    ABSENT = "absent"


def _digest(algorithm: str, username: str, realm: str, password: str, method: str, params: Mapping[str, str]) -> str:
    """The ``response`` of RFC 7616 section 3.4.1, or of RFC 2069 when ``params`` has no ``qop``."""

    def h(text: str) -> str:
        return _ALGORITHMS[algorithm](text.encode("utf-8", "replace")).hexdigest()

    a1, a2 = h(f"{username}:{realm}:{password}"), h(f"{method}:{params['uri']}")
    if "qop" in params:
        return h(f"{a1}:{params['nonce']}:{params['nc']}:{params['cnonce']}:{params['qop']}:{a2}")
    return h(f"{a1}:{params['nonce']}:{a2}")


def _read(values: list[str]) -> list[dict[str, str]]:
    """Every Digest challenge (or set of credentials), one a header or several in one; keys lower-cased."""
    found: list[dict[str, str]] = []
    current: dict[str, str] | None = None
    for value in values:
        for part in split_outside_quotes(value, ","):
            scheme = _SCHEME.fullmatch(part)
            if scheme:
                current = {} if scheme[1].lower() == "digest" else None
                if current is not None:
                    found.append(current)
                part = scheme[2]
            name, equals, content = part.partition("=")
            if current is not None and equals:
                current.setdefault(name.strip().lower(), unquote(content))
    return found


# -- as a client ---------------------------------------------------------------------------------------------


def answer(response: SipResponse, request: SipRequest, credentials: Credentials) -> bool:
    """Put credentials on ``request`` for the challenges of a 401 or 407, replacing those for the same realm.

    Of several challenges for a realm the strongest is answered. The caller then sends the request anew, with the
    next CSeq and another branch. False when no challenge can be answered, or when these credentials were refused
    already (they were on the request, and the server does not say that only the nonce was stale).
    """
    proxy = response.status_code == 407
    offered = _read(response.headers.get("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
    header = "Proxy-Authorization" if proxy else "Authorization"
    strongest: dict[str, dict[str, str]] = {}
    for challenge in offered:
        if _usable(challenge):
            best = strongest.setdefault(challenge.get("realm", ""), challenge)
            if _STRENGTH.index(_algorithm(challenge)) > _STRENGTH.index(_algorithm(best)):
                strongest[challenge.get("realm", "")] = challenge
    if not strongest:
        return False
    kept: list[str] = []
    counts: dict[str, int] = {}
    for value in request.headers.get(header):
        sent = next(iter(_read([value])), {})
        if sent.get("realm", "") not in strongest:
            kept.append(value)
            continue
        counts[sent.get("nonce", "")] = _count(sent.get("nc", ""))
        challenge = strongest[sent.get("realm", "")]
        if sent.get("username") == credentials.username and challenge.get("stale", "").lower() != "true":
            return False
    request.headers.remove(header)
    for value in kept:
        request.headers.append(header, value)
    for challenge in strongest.values():
        count = counts.get(challenge["nonce"], 0) + 1
        request.headers.append(header, _credentials(challenge, request, credentials, count))
    return True


def _algorithm(challenge: Mapping[str, str]) -> str:
    return challenge.get("algorithm", "MD5").upper()


def _usable(challenge: Mapping[str, str]) -> bool:
    qop = challenge.get("qop", "")
    return bool(challenge.get("nonce")) and _algorithm(challenge) in _ALGORITHMS and (not qop or "auth" in _words(qop))


def _words(qop: str) -> list[str]:
    return [word.strip().lower() for word in qop.split(",")]


def _count(nc: str) -> int:
    """A nonce count; 0 when it is none."""
    return int(nc, 16) if re.fullmatch("[0-9A-Fa-f]{8}", nc) else 0


def _credentials(challenge: Mapping[str, str], request: SipRequest, who: Credentials, count: int) -> str:
    realm, algorithm = challenge.get("realm", ""), _algorithm(challenge)
    params = {"nonce": challenge["nonce"], "uri": request.uri}
    if challenge.get("qop"):
        params |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": secrets.token_hex(8)}
    written = [f"username={quote(who.username)}", f"realm={quote(realm)}"]
    written += [f"{name}={value if name in ('qop', 'nc') else quote(value)}" for name, value in params.items()]
    written.append(f'response="{_digest(algorithm, who.username, realm, who.password, request.method, params)}"')
    if "algorithm" in challenge:
        written.append(f"algorithm={algorithm}")
    if "opaque" in challenge:
        written.append(f"opaque={quote(challenge['opaque'])}")
    return "Digest " + ", ".join(written)


# -- as a server ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Use:
    issued: int
    highest: int


class DigestServer:
    """Challenges and verifies. Nonces are signed and carry their time, so an unanswered challenge costs nothing.

    Args:
        realm: shown in every challenge.
        nonce_seconds: how long a nonce may be used, on the running loop's clock.
    """

    def __init__(self, realm: str, nonce_seconds: float = 60) -> None:
        self.realm = realm
        self._life = int(nonce_seconds * _CLOCK_STEP)
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[str, _Use] = OrderedDict()
        self._floor = -1
        """Nonces issued at or before this, and not in ``_used``, may have been forgotten: stale."""

    def challenge(self, stale: bool = False, *, algorithm: str = "MD5") -> str:
        """The value of a WWW-Authenticate header with a fresh nonce. Must run on the loop.

        ``algorithm`` is ``MD5`` (what every trunk and PBX answers) or ``SHA-256``; to offer both, send two headers,
        SHA-256 first (RFC 8760 section 2.3).
        """
        value = f'Digest realm={quote(self.realm)}, nonce="{self._nonce()}", algorithm={algorithm}, qop="auth"'
        return value + ", stale=true" if stale else value

    def verify(self, request: SipRequest, lookup: Callable[[str], str | None]) -> Verdict:
        """Judge the Authorization header of a request. ``lookup`` gives a user's password, None for a stranger."""
        sent = [c for c in _read(request.headers.get("Authorization")) if c.get("realm") == self.realm]
        if not sent:
            return Verdict.ABSENT
        params = sent[0]
        if not self._complete(params) or not _same_target(params["uri"], request.uri):
            return Verdict.WRONG
        username = params["username"]
        password = lookup(username)
        # a stranger costs the same work and the same time as a wrong password
        expected = _digest(_algorithm(params), username, self.realm, password or "", request.method, params)
        right = hmac.compare_digest(expected.encode(), params["response"].lower().encode("utf-8", "replace"))
        if password is None or not right:
            return Verdict.WRONG
        return Verdict.OK if self._first_use(params["nonce"], _count(params.get("nc", ""))) else Verdict.STALE

    @staticmethod
    def _complete(params: Mapping[str, str]) -> bool:
        if not all(params.get(name) for name in ("username", "nonce", "uri", "response")):
            return False
        if _algorithm(params) not in _ALGORITHMS:
            return False
        return "qop" not in params or (
            params["qop"].lower() == "auth" and _count(params.get("nc", "")) > 0 and bool(params.get("cnonce"))
        )

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() * _CLOCK_STEP)

    def _nonce(self) -> str:
        stem = f"{self._now():x}.{secrets.token_hex(6)}"
        return f"{stem}.{self._sign(stem)}"

    def _sign(self, stem: str) -> str:
        return hmac.digest(self._key, stem.encode("utf-8", "replace"), "sha256").hex()[:32]

    def _first_use(self, nonce: str, count: int) -> bool:
        """Whether the nonce is ours, young enough, and this count of it was not seen; remembers it."""
        stem, _, signature = nonce.rpartition(".")
        if not hmac.compare_digest(self._sign(stem).encode(), signature.encode("utf-8", "replace")):
            return False
        issued = int(stem.partition(".")[0], 16)
        if self._now() - issued > self._life:
            self._used.pop(nonce, None)
            return False
        use = self._used.get(nonce)
        if use is None:
            if issued <= self._floor:
                return False
            self._used[nonce] = _Use(issued, count)
            self._forget()
            return True
        # without qop (count 0) there is no telling a replay: one use
        if count <= use.highest:
            return False
        use.highest = count
        return True

    def _forget(self) -> None:
        oldest = self._now() - self._life
        while self._used:
            nonce, use = next(iter(self._used.items()))
            if use.issued >= oldest and len(self._used) <= MAX_NONCES:
                return
            del self._used[nonce]
            self._floor = max(self._floor, use.issued)


def _same_target(a: str, b: str) -> bool:
    """Whether two URIs name the same user and host; parameters may be added on the way."""

    def essence(uri: str) -> tuple[str, str, str]:
        scheme, _, rest = uri.partition(":")
        user, _, host = rest.rpartition("@")
        return scheme.lower(), user, re.split("[;?]", host, maxsplit=1)[0].lower()

    return essence(a) == essence(b)
