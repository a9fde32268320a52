"""``/v1/session``: signing in to the console, and out. The cookie is out of reach of scripts and of other sites."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from parlons.store.access import Session as StoredSession
from parlons.store.access import User as StoredUser

from .. import credentials
from ..access import COOKIE, LONGEST, ROLES, SCOPES, Known, Open, Principal, Scope, look_up
from ..bodies import Body, Shape, Wanted, answer, nothing, returns
from ..changes import note
from ..idempotency import Route
from ..problems import Forbidden, TooManyRequests, Unauthenticated
from ..services import Parts, Services
from .users import Password, User, UserName, shape_of

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=Route)

SignInPassword = Annotated[str, Field(min_length=1, max_length=credentials.MAX_PASSWORD)]


class SessionState(Shape):
    """Who is asking, and what the console shows first."""

    signed_in: bool
    user: Annotated[User | None, Field(description="null for a key")]
    scopes: list[Scope]
    csrf_token: Annotated[str | None, Field(description="of a session: send it as X-CSRF-Token with every change")]
    first_sign_in: Annotated[bool, Field(description="nobody can sign in yet: see POST /v1/session/first")]


class SignIn(Wanted):
    """A user name and a password."""

    name: UserName
    password: SignInPassword


class FirstSignIn(Wanted):
    """The administrator's key opens the first sign-in, which sets a password."""

    admin_key: Annotated[str, Field(min_length=1, max_length=500)]
    name: UserName
    password: Password


class PasswordChange(Wanted):
    """One's own new password."""

    current_password: SignInPassword
    new_password: Password


@router.get("", **returns(SessionState))
async def get_session(
    request: Request,
    parts: Parts,
    _open: Annotated[None, Depends(Open("the console asks before anybody has signed in"))],
) -> Response:
    """Who is asking; the console's first request."""
    try:
        who = await look_up(request)
    except Unauthenticated:
        return await _nobody(parts)
    token = credentials.csrf_of(request.cookies[COOKIE]) if who.session is not None else None
    return await answer(_state(who, token))


async def _nobody(parts: Services) -> Response:
    first = not await parts.store.users.count()
    return await answer(SessionState(signed_in=False, user=None, scopes=[], csrf_token=None, first_sign_in=first))


def _state(who: Principal, token: str | None) -> SessionState:
    return SessionState(
        signed_in=True,
        user=shape_of(who.session.user) if who.session is not None else None,
        scopes=[scope for scope in SCOPES if who.may(scope)],
        csrf_token=token,
        first_sign_in=False,
    )


@router.post("", **returns(SessionState, 200, 401))
async def sign_in(
    request: Request,
    parts: Parts,
    body: Annotated[SignIn, Depends(Body(SignIn))],
    _open: Annotated[None, Depends(Open("it is how one gets a session"))],
) -> Response:
    """Sign in. Ten wrong passwords in five minutes, for one name or from one address, and it has to wait."""
    guess = _Guess(request, parts, body.name)
    found = await parts.store.users.password(body.name)
    if not await parts.passwords.matches(body.password, found[1] if found else None) or found is None:
        raise Unauthenticated("the user name or the password is wrong.")
    guess.right()
    return await _begin(request, parts, found[0])


@router.post("/first", **returns(SessionState, 200, 401, 409))
async def first_sign_in(
    request: Request,
    parts: Parts,
    body: Annotated[FirstSignIn, Depends(Body(FirstSignIn))],
    _open: Annotated[None, Depends(Open("it takes the administrator's key in its body"))],
) -> Response:
    """Make the first administrator, once, with the key that ``parlons serve`` printed at its first start (or that
    ``PARLONS_ADMIN_KEY`` holds).
    """
    guess = _Guess(request, parts, "")
    if not await _is_admin_key(parts, body.admin_key):
        raise Unauthenticated("the administrator's key is wrong.")
    guess.right()
    hashed = await parts.passwords.hash(body.password)
    now = parts.clock()
    user = StoredUser(credentials.new_id(), body.name, "admin", now, now, None)
    who = Principal("user", user.id, user.name, ROLES["admin"])
    async with parts.store.transaction():
        await parts.store.users.create_first(user, hashed)
        await note(parts, who, "user.create", ("user", user.id), None, {"name": user.name, "role": user.role})
    return await _begin(request, parts, user)


async def _is_admin_key(parts: Services, secret: str) -> bool:
    digest = credentials.hash_of(secret)
    if parts.admin_key_hash is not None and hmac.compare_digest(digest, parts.admin_key_hash):
        return True
    key = await parts.store.keys.find(digest)
    now = parts.clock()
    alive = key is not None and key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
    return alive and key is not None and "admin" in key.scopes


class _Guess:
    """A secret that somebody has tried: counted before it is checked, so that many at once are counted too.

    Raises TooManyRequests when there were too many wrong ones.
    """

    def __init__(self, request: Request, parts: Services, name: str) -> None:
        address = request.client.host if request.client else ""
        self._counted = [(parts.guesses_by_address, address)]
        if name:
            self._counted.append((parts.guesses_by_name, name.casefold()))
        for throttle, key in self._counted:
            standing = throttle.take(key)
            if not standing.allowed:
                wait = {"Retry-After": str(max(1, standing.retry_seconds))}
                raise TooManyRequests("too many wrong passwords.", hint="Wait as Retry-After says.", headers=wait)

    def right(self) -> None:
        """It was no wrong one."""
        for throttle, key in self._counted:
            throttle.give_back(key)


async def _begin(request: Request, parts: Services, user: StoredUser) -> Response:
    """A new session, always: one that was there before is nobody's way in."""
    cookie = credentials.new_cookie()
    now = parts.clock()
    session = StoredSession(credentials.hash_of(cookie), user, now, now, now + LONGEST)
    async with parts.store.transaction():
        await parts.store.users.signed_in(user.id, now)
        await parts.store.sessions.create(session)
    user = await parts.store.users.get(user.id)
    who = Principal("user", user.id, user.name, ROLES[user.role], StoredSession(session.hash, user, now, now, now))
    response = await answer(_state(who, credentials.csrf_of(cookie)))
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return response


@router.delete("", **nothing())
async def sign_out(who: Known, parts: Parts) -> Response:
    """End the session."""
    if who.session is not None:
        await parts.store.sessions.delete(who.session.hash)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.put("/password", **returns(SessionState))
async def change_password(
    request: Request, who: Known, parts: Parts, body: Annotated[PasswordChange, Depends(Body(PasswordChange))]
) -> Response:
    """Change one's own password. Every other session of the user ends, and this one begins anew."""
    if who.session is None:
        raise Forbidden("a key has no password.", hint="Rotate it: POST /v1/keys/{key_id}/rotate.")
    guess = _Guess(request, parts, who.name)
    found = await parts.store.users.password(who.name)
    if found is None or not await parts.passwords.matches(body.current_password, found[1]):
        raise Forbidden("the current password is wrong.")
    guess.right()
    hashed = await parts.passwords.hash(body.new_password)
    async with parts.store.transaction():
        user = await parts.store.users.change(who.id, password_hash=hashed)
        await note(parts, who, "user.change", ("user", who.id), None, {"password": "changed"})
    return await _begin(request, parts, user)
