"""``/v1/users``: people who sign in to the console, and what each may do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StringConstraints, model_validator

from parlons.store.access import Role
from parlons.store.access import User as Stored

from .. import credentials
from ..access import Admin
from ..bodies import Body, Cursor, Id, Limit, Shape, Wanted, answer, nothing, page, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route)

UserName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$"),
    Field(description="signed in with, whatever its case", examples=["reception"]),
]
Password = Annotated[str, Field(min_length=credentials.MIN_PASSWORD, max_length=credentials.MAX_PASSWORD)]
UserRole = Annotated[Role, Field(description="viewer: sees; editor: also changes and calls; admin: everything")]


class User(Shape):
    """Somebody who signs in."""

    id: str
    name: str
    role: UserRole
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None


class UserPage(Shape):
    """Users, by id."""

    items: list[User]
    next_cursor: str | None


class NewUser(Wanted):
    """A user to make."""

    name: UserName
    role: UserRole
    password: Password


class UserChange(Wanted):
    """What to change of a user; what is left out stays."""

    role: UserRole | None = None
    password: Annotated[Password | None, Field(description="a new one ends every session of the user")] = None

    @model_validator(mode="after")
    def _something(self) -> UserChange:
        if self.role is None and self.password is None:
            raise ValueError("give a role or a password")
        return self


def shape_of(stored: Stored) -> User:
    """A user as they are shown."""
    return User(**{name: getattr(stored, name) for name in User.model_fields})


@router.get("", **returns(UserPage))
async def list_users(_who: Admin, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every user."""
    found = {user.id: user for user in await parts.store.users.list()}
    ids, following = page("users", found, limit, cursor)
    return await answer(UserPage(items=[shape_of(found[i]) for i in ids], next_cursor=following))


@router.post("", **returns(User, 201, 409))
async def create_user(who: Admin, parts: Parts, body: Annotated[NewUser, Depends(Body(NewUser))]) -> Response:
    """Make a user."""
    hashed = await parts.passwords.hash(body.password)
    now = parts.clock()
    stored = Stored(credentials.new_id(), body.name, body.role, now, now, None)
    async with parts.store.transaction():
        await parts.store.users.create(stored, hashed)
        await note(parts, who, "user.create", ("user", stored.id), None, {"name": stored.name, "role": stored.role})
    return await answer(shape_of(stored), 201, location=f"/v1/users/{stored.id}")


@router.get("/{user_id}", **returns(User))
async def get_user(_who: Admin, parts: Parts, user_id: Id) -> Response:
    """One user."""
    return await answer(shape_of(await parts.store.users.get(user_id)))


@router.patch("/{user_id}", **returns(User, 200, 409))
async def change_user(
    who: Admin, parts: Parts, user_id: Id, body: Annotated[UserChange, Depends(Body(UserChange))]
) -> Response:
    """Change a user's role or password. There is always one administrator left."""
    hashed = None if body.password is None else await parts.passwords.hash(body.password)
    async with parts.store.transaction():
        before = await parts.store.users.get(user_id)
        after = await parts.store.users.change(user_id, role=body.role, password_hash=hashed)
        told = {"role": after.role} | ({"password": "changed"} if hashed else {})
        await note(parts, who, "user.change", ("user", user_id), {"role": before.role}, told)
    return await answer(shape_of(after))


@router.delete("/{user_id}", **nothing(409))
async def delete_user(who: Admin, parts: Parts, user_id: Id) -> Response:
    """Delete a user and end their sessions. There is always one administrator left."""
    async with parts.store.transaction():
        before = await parts.store.users.get(user_id)
        await parts.store.users.delete(user_id)
        await note(parts, who, "user.delete", ("user", user_id), {"name": before.name, "role": before.role})
    return Response(status_code=204)
