"""``/v1/secrets``: named values for workflows, as in ``{{ secrets.CRM_KEY }}``. They go in and never come out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from .. import references
from ..access import Reader, Writer
from ..bodies import Body, Shape, Wanted, answer, nothing, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/secrets", tags=["secrets"], route_class=Route)

_Name = Annotated[str, Path(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]


class SecretNames(Shape):
    """What there is; never the values."""

    items: list[str]


class SecretValue(Wanted):
    """A value to keep."""

    value: Annotated[str, Field(min_length=1, max_length=10_000)]


@router.get("", **returns(SecretNames))
async def list_secrets(_who: Reader, parts: Parts) -> Response:
    """The names of the secrets."""
    return await answer(SecretNames(items=await parts.store.secrets.names()))


@router.put("/{name}", **nothing())
async def save_secret(
    who: Writer, parts: Parts, name: _Name, body: Annotated[SecretValue, Depends(Body(SecretValue))]
) -> Response:
    """Keep a value under a name, in place of the one it had; runs have it from now on."""
    async with parts.store.transaction():
        await parts.store.secrets.put(name, body.value)
        await note(parts, who, "secret.save", ("secret", name))
    await parts.make_live()
    return Response(status_code=204)


@router.delete("/{name}", **nothing(409))
async def delete_secret(who: Writer, parts: Parts, name: _Name) -> Response:
    """Delete a secret that no workflow names."""
    async with parts.store.transaction():
        found = await references.uses_of_secret(parts.store, name)
        references.refuse_if_used(f"the secret {name!r}", found)
        await parts.store.secrets.delete(name)
        await note(parts, who, "secret.delete", ("secret", name))
    await parts.make_live()
    return Response(status_code=204)
