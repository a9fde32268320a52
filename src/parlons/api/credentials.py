"""Making secrets and checking them: keys, session cookies, passwords.

A key or a cookie is 256 random bits: its SHA-256 is stored and looked up, and there is nothing in it to guess. A
password is a person's: Argon2id with the parameters of RFC 9106 section 4 (argon2-cffi's defaults), in a thread, two at
a time, because each takes 64 MiB.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from parlons.errors import ConfigurationError

PREFIX = "parlons_"
"""Of every key, so that scanners for leaked secrets find one."""
MIN_ADMIN_KEY = 16
MIN_PASSWORD = 12
MAX_PASSWORD = 200
_AT_ONCE = 2


def new_key() -> str:
    """A key's secret, shown to a person once."""
    return PREFIX + secrets.token_urlsafe(32)


def new_cookie() -> str:
    """What a session's cookie holds."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """An id for a key or a user."""
    return secrets.token_hex(8)


def hash_of(secret: str) -> str:
    """What is stored of a key or a cookie."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def hint_of(secret: str) -> str:
    """The first characters of a key, which tell it from others and open nothing."""
    return secret[: len(PREFIX) + 4]


def csrf_of(cookie: str) -> str:
    """The token that a page of ours, and no other site's, can send with a session: made from what only we can read."""
    return hashlib.sha256(f"parlons csrf {cookie}".encode()).hexdigest()


def admin_key_hash(key: str | None) -> str | None:
    """Of ``PARLONS_ADMIN_KEY``. Raises ConfigurationError when it is too short to be a key."""
    if not key:
        return None
    if len(key) < MIN_ADMIN_KEY:
        raise ConfigurationError(
            f"PARLONS_ADMIN_KEY is shorter than {MIN_ADMIN_KEY} characters.",
            hint="Use a long random text, for example from: openssl rand -base64 32",
        )
    return hash_of(key)


class Passwords:
    """Hashes and checks passwords, without ever holding up the loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether this is the password. Takes as long for a user that does not exist (``None``)."""
        async with self._turn:
            if stored is None:
                if self._nobody is None:
                    self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe())
                await asyncio.to_thread(self._verify, self._nobody, password)
                return False
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
