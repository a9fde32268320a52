"""Answers to requests with an ``Idempotency-Key``, so that one sent twice is carried out once.

Follows draft-ietf-httpapi-idempotency-key-header. Answers are sealed: one may show a new key, which is shown once.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..errors import Conflict, InvalidDocument
from .crypto import SecretKey
from .database import Database
from .tables import idempotency_keys

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class IdempotencyStore:
    """One row for each request that may be sent again."""

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._database = database
        self._key = key

    async def begin(self, request_id: str, fingerprint: str, now: datetime) -> Answer | None:
        """Begin a request, or give the answer that it got before.

        Args:
            request_id: of whom it is from, where it goes to, and its key; at most 64 characters.
            fingerprint: of its content.

        Raises:
            InvalidDocument: the key was used for another content.
            Conflict: the same request has begun, and has no answer yet.
        """
        table = idempotency_keys.c
        async with self._database.write() as connection:
            await self._database.lock(connection, idempotency_keys)
            await connection.execute(idempotency_keys.delete().where(table.created_at < now - KEPT_FOR))
            query = sa.select(idempotency_keys).where(table.id == request_id)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                values = {"id": request_id, "fingerprint": fingerprint, "created_at": now}
                await connection.execute(idempotency_keys.insert().values(values))
                return None
        if row.fingerprint != fingerprint:
            raise InvalidDocument(
                "the request", [("header.Idempotency-Key", "was used for another request: use a new key")]
            )
        if row.sealed is None:
            raise Conflict(
                "the first request with this Idempotency-Key has no answer yet.",
                hint="Wait and ask again; if it never ends, see what it did and use a new key.",
            )
        return await asyncio.to_thread(self._open, row.sealed)

    async def answered(self, request_id: str, answer: Answer) -> None:
        """Keep an answer for as long as the key counts."""
        sealed = await asyncio.to_thread(self._seal, answer)
        change = idempotency_keys.update().where(idempotency_keys.c.id == request_id).values(sealed=sealed)
        async with self._database.write() as connection:
            await connection.execute(change)

    async def forget(self, request_id: str) -> None:
        """The request was refused and did nothing: its key may be used again."""
        async with self._database.write() as connection:
            await connection.execute(idempotency_keys.delete().where(idempotency_keys.c.id == request_id))

    def _seal(self, answer: Answer) -> str:
        body = base64.b64encode(answer.body).decode()
        return self._key.seal(json.dumps([answer.status, answer.headers, body]))

    def _open(self, sealed: str) -> Answer:
        status, headers, body = json.loads(self._key.open(sealed))
        return Answer(status, headers, base64.b64decode(body))
