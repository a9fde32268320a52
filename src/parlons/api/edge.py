"""What every request meets before a route does: how many, how big, and headers that keep answers from being run.

Plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parlons.knowledge.reading.process import MAX_BYTES

from . import problems
from .access import COOKIE
from .problems import SECURITY_HEADERS, TooLarge, TooManyRequests
from .throttle import Standing, Throttle

PREFIX = "/v1/"
UNCOUNTED = frozenset({"/v1/health", "/v1/metrics"})
"""Asked every few seconds by machines that hold no key."""
_DOCUMENTS = re.compile(r"/v1/data-sources/[^/]+/documents")
"""Where files are sent, that never are in memory as a whole."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask of the process.

    Args:
        known_per_minute: requests with one key or session.
        strangers_per_minute: from one address without either, and first ones with either: guesses are these.
        body_bytes: of one request; an agent with 10 000 described destinations has under 6 MB.
        files_bytes: of a request that sends documents: one of the biggest, and what the form adds to it.
    """

    known_per_minute: int = 1200
    strangers_per_minute: int = 240
    body_bytes: int = 8_388_608
    files_bytes: int = MAX_BYTES + 65_536


class Edge:
    """Counts, measures and labels; everything under ``/v1/``."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._known = Throttle(limits.known_per_minute, 60)
        self._strangers = Throttle(limits.strangers_per_minute, 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        who = _credential(headers)
        state = scope.setdefault("state", {})  # where the application notes who it found a request to be from
        standing = None if scope["path"] in UNCOUNTED else self._count(scope, who)

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                if who is not None and state.get("principal") is not None and not self._known.knows(who):
                    self._known.take(who)
                _label(MutableHeaders(scope=message), standing)
            await send(message)

        most = self._limits.files_bytes if _DOCUMENTS.fullmatch(scope["path"]) else self._limits.body_bytes
        refusal = self._refusal(headers, standing, most)
        if refusal is not None:
            await problems.response(*problems.of_error(refusal))(scope, receive, labelled)
            return
        await self._app(scope, _measured(receive, most), labelled)

    def _count(self, scope: Scope, who: str | None) -> Standing:
        if who is not None and self._known.knows(who):
            return self._known.take(who)
        client = scope.get("client")
        return self._strangers.take(client[0] if client else "")

    @staticmethod
    def _refusal(headers: Headers, standing: Standing | None, most: int) -> problems.HttpProblem | None:
        if standing is not None and not standing.allowed:
            wait = {"Retry-After": str(max(1, standing.retry_seconds))}
            return TooManyRequests(
                f"more than {standing.limit} requests in a minute.", hint="Wait as Retry-After says.", headers=wait
            )
        if int(headers.get("content-length", "0") or 0) > most:
            return _too_large(most, headers={"Connection": "close"})
        return None


def _too_large(most: int, headers: dict[str, str] | None = None) -> TooLarge:
    hint = "A document has 50 MB at most; send several one by one." if most > MAX_BYTES else ""
    return TooLarge(f"the body is over {most:,} bytes.", hint=hint, headers=headers)


def _measured(receive: Receive, most: int) -> Receive:
    seen = 0

    async def measured() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:  # inside the application, whose handlers make a problem of it
            raise _too_large(most)
        return message

    return measured


def _credential(headers: Headers) -> str | None:
    """What a request says that it is from, not to be found again from here."""
    sent = headers.get("authorization")
    if sent is None and "cookie" in headers:
        try:
            cookie = SimpleCookie(headers["cookie"]).get(COOKIE)
        except CookieError:
            cookie = None
        sent = cookie.value if cookie is not None else None
    return None if sent is None else hashlib.sha256(sent.encode("utf-8", "replace")).hexdigest()


def _label(headers: MutableHeaders, standing: Standing | None) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if standing is not None:
        headers["RateLimit-Limit"] = str(standing.limit)
        headers["RateLimit-Remaining"] = str(standing.remaining)
        headers["RateLimit-Reset"] = str(standing.reset_seconds)
