"""Who may use the API: keys, users, sessions. Only hashes of secrets come here; how they are made is the API's.

A key's secret is 256 random bits, so a plain SHA-256 of it is enough: there is nothing to guess, and every request can
afford it. Passwords are people's, so their hashes are Argon2's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import Conflict, NotFound
from .database import Database
from .tables import api_keys, sessions, users

Role = Literal["admin", "editor", "viewer"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret.

    Args:
        hint: the first characters of the newest secret, for a person to tell keys apart.
        rotating: the secret before is still accepted.
        expires_at, revoked_at: from then on it opens nothing; None for never.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    hint: str
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    rotating: bool


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in."""

    id: str
    name: str
    role: Role
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """A user who is signed in; ``hash`` is of the cookie."""

    hash: str
    user: User
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class KeyStore:
    """API keys. One key has one secret, or two while it is rotated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, key: ApiKey, secret_hash: str) -> None:
        """Store a new key."""
        values = {name: getattr(key, name) for name in ApiKey.__slots__ if name != "rotating"}
        async with self._database.write() as connection:
            await connection.execute(
                api_keys.insert().values(hash=secret_hash, **values | {"scopes": list(key.scopes)})
            )

    async def create_first(self, key: ApiKey, secret_hash: str) -> bool:
        """Store the first key of an installation; False when there is, or was, one already."""
        async with self._database.write() as connection:
            await self._database.lock(connection, api_keys)
            if (await connection.execute(sa.select(sa.func.count()).select_from(api_keys))).scalar():
                return False
            await self.create(key, secret_hash)
        return True

    async def list(self) -> Sequence[ApiKey]:
        """Every key, revoked ones too, by id."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(api_keys).order_by(api_keys.c.id))).all()
        return [_key(row) for row in rows]

    async def get(self, key_id: str) -> ApiKey:
        """One key. Raises NotFound."""
        async with self._database.read() as connection:
            return _key(await _key_row(connection, key_id))

    async def find(self, secret_hash: str) -> ApiKey | None:
        """The key that a secret, new or rotated, belongs to; revoked and expired ones too."""
        query = sa.select(api_keys).where(
            sa.or_(api_keys.c.hash == secret_hash, api_keys.c.previous_hash == secret_hash)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _key(row)

    async def rotate(self, key_id: str, secret_hash: str, hint: str) -> ApiKey:
        """Give a key a second secret.

        Raises:
            NotFound.
            Conflict: it has two already, or is revoked.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, api_keys)
            row = await _key_row(connection, key_id)
            if row.revoked_at is not None:
                raise Conflict(f"the key {row.name!r} is revoked.", hint="Make a new key.")
            if row.previous_hash is not None:
                raise Conflict(
                    f"the key {row.name!r} has two secrets already.", hint="Retire the older one first, then rotate."
                )
            values = {"hash": secret_hash, "previous_hash": row.hash, "hint": hint, "rotated_at": datetime.now(UTC)}
            await connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(values))
            return _key(await _key_row(connection, key_id))

    async def retire_previous(self, key_id: str) -> ApiKey:
        """From now on only a key's newest secret opens anything. Raises NotFound."""
        return await self._change(key_id, {"previous_hash": None})

    async def revoke(self, key_id: str) -> ApiKey:
        """From now on a key opens nothing. Raises NotFound."""
        async with self._database.write() as connection:
            row = await _key_row(connection, key_id)
            values = {"revoked_at": row.revoked_at or datetime.now(UTC)}
            await connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(values))
            return _key(await _key_row(connection, key_id))

    async def used(self, key_id: str, at: datetime) -> None:
        """Note that a key was used. Raises NotFound."""
        await self._change(key_id, {"last_used_at": at})

    async def _change(self, key_id: str, values: dict[str, Any]) -> ApiKey:
        async with self._database.write() as connection:
            await connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(values))
            return _key(await _key_row(connection, key_id))


class UserStore:
    """Users. There is always an administrator left once there was one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user: User, password_hash: str) -> None:
        """Store a new user. Raises Conflict when the name is taken."""
        await self._create(user, password_hash, first=False)

    async def create_first(self, user: User, password_hash: str) -> None:
        """Store the first user. Raises Conflict when there is one already."""
        await self._create(user, password_hash, first=True)

    async def _create(self, user: User, password_hash: str, *, first: bool) -> None:
        values = {name: getattr(user, name) for name in User.__slots__}
        async with self._database.write() as connection:
            await self._database.lock(connection, users)
            there = (await connection.execute(sa.select(users.c.login))).scalars().all()
            if first and there:
                raise Conflict("The first sign-in was made already.", hint="Sign in with a user name and password.")
            if _login(user.name) in there:
                raise Conflict(f"there is a user {user.name!r} already.", hint="Choose another name.")
            await connection.execute(
                users.insert().values(login=_login(user.name), password_hash=password_hash, **values)
            )

    async def list(self) -> Sequence[User]:
        """Every user, by id."""
        async with self._database.read() as connection:
            return [_user(row) for row in (await connection.execute(sa.select(users).order_by(users.c.id))).all()]

    async def count(self) -> int:
        """How many there are."""
        async with self._database.read() as connection:
            return int((await connection.execute(sa.select(sa.func.count()).select_from(users))).scalar() or 0)

    async def get(self, user_id: str) -> User:
        """One user. Raises NotFound."""
        async with self._database.read() as connection:
            return _user(await _user_row(connection, user_id))

    async def password(self, name: str) -> tuple[User, str] | None:
        """A user by the name they sign in with, whatever its case, with the hash of their password."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(users).where(users.c.login == _login(name)))).one_or_none()
        return None if row is None else (_user(row), row.password_hash)

    async def change(self, user_id: str, *, role: Role | None = None, password_hash: str | None = None) -> User:
        """Change a role or a password; a new password ends every session of the user.

        Raises:
            NotFound.
            Conflict: nobody would be an administrator any more.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, users)
            row = await _user_row(connection, user_id)
            values: dict[str, Any] = {"updated_at": datetime.now(UTC)}
            if role is not None and role != row.role:
                await _keep_an_administrator(connection, row)
                values["role"] = role
            if password_hash is not None:
                values["password_hash"] = password_hash
                await connection.execute(sessions.delete().where(sessions.c.user_id == user_id))
            await connection.execute(users.update().where(users.c.id == user_id).values(values))
            return _user(await _user_row(connection, user_id))

    async def signed_in(self, user_id: str, at: datetime) -> None:
        """Note when a user signed in last."""
        async with self._database.write() as connection:
            await connection.execute(users.update().where(users.c.id == user_id).values(last_sign_in_at=at))

    async def delete(self, user_id: str) -> None:
        """Remove a user and their sessions.

        Raises:
            NotFound.
            Conflict: nobody would be an administrator any more.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, users)
            await _keep_an_administrator(connection, await _user_row(connection, user_id))
            await connection.execute(users.delete().where(users.c.id == user_id))


class SessionStore:
    """Who is signed in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, session: Session) -> None:
        """Store a new session, and forget those that are over."""
        values = {name: getattr(session, name) for name in ("hash", "created_at", "seen_at", "expires_at")}
        async with self._database.write() as connection:
            await connection.execute(sessions.delete().where(sessions.c.expires_at < session.created_at))
            await connection.execute(sessions.insert().values(user_id=session.user.id, **values))

    async def find(self, session_hash: str) -> Session | None:
        """A session, over or not, with its user as they are now."""
        query = sa.select(sessions, users).join(users, users.c.id == sessions.c.user_id)
        query = query.where(sessions.c.hash == session_hash).set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        user = User(*(row[f"users_{name}"] for name in User.__slots__))
        return Session(
            row["sessions_hash"], user, row["sessions_created_at"], row["sessions_seen_at"], row["sessions_expires_at"]
        )

    async def seen(self, session_hash: str, at: datetime) -> None:
        """Note that a session was used."""
        async with self._database.write() as connection:
            await connection.execute(sessions.update().where(sessions.c.hash == session_hash).values(seen_at=at))

    async def delete(self, session_hash: str) -> None:
        """End a session; nothing happens when it is over already."""
        async with self._database.write() as connection:
            await connection.execute(sessions.delete().where(sessions.c.hash == session_hash))


def _login(name: str) -> str:
    return name.casefold()


def _key(row: Any) -> ApiKey:
    values = {name: getattr(row, name) for name in ApiKey.__slots__ if name != "rotating"}
    return ApiKey(**values | {"scopes": tuple(row.scopes), "rotating": row.previous_hash is not None})


def _user(row: Any) -> User:
    return User(*(cast("Any", getattr(row, name)) for name in User.__slots__))


async def _key_row(connection: AsyncConnection, key_id: str) -> Any:
    row = (await connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id))).one_or_none()
    if row is None:
        raise NotFound(f"there is no key {key_id!r}.")
    return row


async def _user_row(connection: AsyncConnection, user_id: str) -> Any:
    row = (await connection.execute(sa.select(users).where(users.c.id == user_id))).one_or_none()
    if row is None:
        raise NotFound(f"there is no user {user_id!r}.")
    return row


async def _keep_an_administrator(connection: AsyncConnection, leaving: Any) -> None:
    if leaving.role != "admin":
        return
    others = sa.select(sa.func.count()).where(users.c.role == "admin", users.c.id != leaving.id)
    if not (await connection.execute(others)).scalar():
        raise Conflict(
            f"{leaving.name!r} is the only administrator.", hint="Make somebody else an administrator first."
        )
