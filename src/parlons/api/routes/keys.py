"""``/v1/keys``: keys of programs. A key is shown once; while it is rotated it has two secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.store.access import ApiKey as Stored

from .. import credentials
from ..access import MEANINGS, SCOPES, Admin, Scope
from ..bodies import Body, Cursor, Id, Limit, Shape, Wanted, answer, page, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=Route)

_SCOPES = "; ".join(f"{scope}: {meaning}" for scope, meaning in MEANINGS.items())


class ApiKey(Shape):
    """A key without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    hint: Annotated[str, Field(description="the first characters of the newest secret", examples=["parlons_Xy4k"])]
    rotating: Annotated[bool, Field(description="the secret before is still accepted")]
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyPage(Shape):
    """Keys, revoked ones too."""

    items: list[ApiKey]
    next_cursor: str | None


class NewApiKey(Wanted):
    """A key to make."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Order system"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES), description=_SCOPES)]
    expires_in_days: Annotated[int | None, Field(ge=1, le=3650, description="none: until it is revoked")] = None


class ApiKeySecret(Shape):
    """A key with its secret, this one time."""

    key: ApiKey
    secret: Annotated[str, Field(description="for the header Authorization: Bearer; it is not shown again")]


def _shape(stored: Stored) -> ApiKey:
    values = {name: getattr(stored, name) for name in ApiKey.model_fields}
    return ApiKey(**values | {"scopes": [scope for scope in SCOPES if scope in stored.scopes]})


@router.get("", **returns(ApiKeyPage))
async def list_keys(_who: Admin, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every key, revoked ones too."""
    found = {key.id: key for key in await parts.store.keys.list()}
    ids, following = page("keys", found, limit, cursor)
    return await answer(ApiKeyPage(items=[_shape(found[i]) for i in ids], next_cursor=following))


@router.post("", **returns(ApiKeySecret, 201))
async def create_key(who: Admin, parts: Parts, body: Annotated[NewApiKey, Depends(Body(NewApiKey))]) -> Response:
    """Make a key. Its secret is in this answer and nowhere else."""
    secret = credentials.new_key()
    now = parts.clock()
    stored = Stored(
        id=credentials.new_id(),
        name=body.name,
        scopes=tuple(dict.fromkeys(body.scopes)),
        hint=credentials.hint_of(secret),
        created_at=now,
        created_by=who.name,
        rotated_at=None,
        expires_at=None if body.expires_in_days is None else now + timedelta(days=body.expires_in_days),
        last_used_at=None,
        revoked_at=None,
        rotating=False,
    )
    async with parts.store.transaction():
        await parts.store.keys.create(stored, credentials.hash_of(secret))
        made = {"name": stored.name, "scopes": list(stored.scopes)}
        await note(parts, who, "key.create", ("key", stored.id), None, made)
    return await answer(ApiKeySecret(key=_shape(stored), secret=secret), 201, location=f"/v1/keys/{stored.id}")


@router.get("/{key_id}", **returns(ApiKey))
async def get_key(_who: Admin, parts: Parts, key_id: Id) -> Response:
    """One key."""
    return await answer(_shape(await parts.store.keys.get(key_id)))


@router.post("/{key_id}/rotate", **returns(ApiKeySecret, 200, 409))
async def rotate_key(who: Admin, parts: Parts, key_id: Id) -> Response:
    """Give a key a new secret. The one before goes on working until it is retired; there are never more than two."""
    secret = credentials.new_key()
    async with parts.store.transaction():
        stored = await parts.store.keys.rotate(key_id, credentials.hash_of(secret), credentials.hint_of(secret))
        await note(parts, who, "key.rotate", ("key", key_id))
    return await answer(ApiKeySecret(key=_shape(stored), secret=secret))


@router.delete("/{key_id}/previous", **returns(ApiKey))
async def retire_key(who: Admin, parts: Parts, key_id: Id) -> Response:
    """From now on only the key's newest secret is accepted."""
    async with parts.store.transaction():
        stored = await parts.store.keys.retire_previous(key_id)
        await note(parts, who, "key.retire_previous", ("key", key_id))
    return await answer(_shape(stored))


@router.post("/{key_id}/revoke", **returns(ApiKey))
async def revoke_key(who: Admin, parts: Parts, key_id: Id) -> Response:
    """From now on the key opens nothing. It stays in the list, for the audit log."""
    async with parts.store.transaction():
        stored = await parts.store.keys.revoke(key_id)
        await note(parts, who, "key.revoke", ("key", key_id))
    return await answer(_shape(stored))
