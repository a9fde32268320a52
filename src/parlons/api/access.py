"""Who a request is from, and whether they may: keys with scopes, users with roles, sessions that no other site can use.

Every route names what it needs by one of the types at the end, and by nothing else: a test goes through all of them.
"""

from __future__ import annotations

import contextlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Request

from parlons.errors import StoreError
from parlons.store.access import ApiKey, Role, Session

from .credentials import csrf_of, hash_of
from .problems import Forbidden, Unauthenticated
from .services import Services, services

Scope = Literal["read", "write", "calls", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
MEANINGS: dict[Scope, str] = {
    "read": "see agents, calls with their transcripts and recordings, connections, workflows, data sources, settings",
    "write": "change agents, connections, workflows, data sources and named secrets; publish; try a workflow",
    "calls": "place calls and hang them up; talk to agents from a browser, by voice and in text",
    "admin": "all of that; settings, keys, users, the audit log; delete calls and erase numbers",
}
ROLES: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({"read"}),
    "editor": frozenset({"read", "write", "calls"}),
    "admin": frozenset(SCOPES),
}

COOKIE = "parlons_session"
CSRF_HEADER = "X-CSRF-Token"
IDLE = timedelta(hours=12)
"""A session that nobody uses for this long is over."""
LONGEST = timedelta(days=7)
_NOTE_USE_AFTER = timedelta(minutes=1)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request is from."""

    kind: Literal["user", "key", "admin_key"]
    id: str
    name: str
    scopes: frozenset[Scope]
    session: Session | None = None

    def may(self, scope: Scope) -> bool:
        """Whether a scope is theirs; ``admin`` holds them all."""
        return scope in self.scopes or "admin" in self.scopes


async def authenticate(request: Request) -> Principal:
    """Who a request is from, looked up once a request. Raises Unauthenticated, Forbidden (a foreign page's request)."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        known = request.state.principal = await look_up(request)
    return known


async def look_up(request: Request) -> Principal:
    """As :func:`authenticate`, and anew: what was revoked meanwhile opens nothing any more."""
    parts = services(request)
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated("the Authorization header is not of the form: Bearer KEY.")
        return await _by_key(parts, secret.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise Unauthenticated("a key or a session is needed.", hint="Send the header Authorization: Bearer KEY.")
    principal = await _by_cookie(parts, cookie)
    if request.method not in _SAFE:
        _refuse_other_sites(request, cookie)
    return principal


def _refuse_other_sites(request: Request, cookie: str) -> None:
    """A browser sends cookies with whatever a page asks for: only a page of ours can also send the token."""
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), csrf_of(cookie).encode()):
        raise Forbidden(
            f"the header {CSRF_HEADER} is missing or wrong.", hint="Send the csrf_token that GET /v1/session gives."
        )


async def _by_key(parts: Services, secret: str) -> Principal:
    digest = hash_of(secret)
    if parts.admin_key_hash is not None and hmac.compare_digest(digest, parts.admin_key_hash):
        return Principal("admin_key", "environment", "PARLONS_ADMIN_KEY", frozenset(SCOPES))
    key = await parts.store.keys.find(digest)
    now = parts.clock()
    if key is None:
        raise Unauthenticated("the key is not one of this installation's.")
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Unauthenticated("the key was revoked, or is past its time.", hint="Ask an administrator for another.")
    await _note_use(parts, key, now)
    return Principal("key", key.id, key.name, frozenset(scope for scope in SCOPES if scope in key.scopes))


async def _note_use(parts: Services, key: ApiKey, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at > _NOTE_USE_AFTER:
        with contextlib.suppress(StoreError):  # whoever only reads is not told that nothing can be written
            await parts.store.keys.used(key.id, now)


async def _by_cookie(parts: Services, cookie: str) -> Principal:
    session = await parts.store.sessions.find(hash_of(cookie))
    now = parts.clock()
    if session is None or session.expires_at <= now or now - session.seen_at > IDLE:
        raise Unauthenticated("the session is over.", hint="Sign in again.")
    if now - session.seen_at > _NOTE_USE_AFTER:
        with contextlib.suppress(StoreError):  # likewise
            await parts.store.sessions.seen(session.hash, now)
    return Principal("user", session.user.id, session.user.name, ROLES[session.user.role], session)


class Needs:
    """A dependency: lets a request pass when it is from somebody with the scope (``None``: from anybody known)."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        principal = await authenticate(request)
        if self.scope is not None and not principal.may(self.scope):
            raise Forbidden(
                f"{principal.name!r} has no scope {self.scope!r}.",
                hint=f"It lets one {MEANINGS[self.scope]}. Ask an administrator.",
            )
        return principal


class Open(Needs):
    """For everybody, with a reason."""

    def __init__(self, why: str) -> None:
        super().__init__(None)
        self.why = why

    async def __call__(self, request: Request) -> Any:
        return None


Known = Annotated[Principal, Depends(Needs(None))]
Reader = Annotated[Principal, Depends(Needs("read"))]
Writer = Annotated[Principal, Depends(Needs("write"))]
Caller = Annotated[Principal, Depends(Needs("calls"))]
Admin = Annotated[Principal, Depends(Needs("admin"))]
