"""``/v1/data-sources``: knowledge bases as documents. What is in them comes with the knowledge room."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.agents.common import Identifier
from parlons.agents.workflows import DataSource
from parlons.configuration.kinds import DATA_SOURCES

from ..access import Reader, Writer
from ..bodies import Body, Cursor, Id, Limit, MaybeRevision, Revision, Shape, Wanted, answer, nothing, returns
from ..documents import Documents
from ..idempotency import Route
from ..services import Parts, Services

router = APIRouter(prefix="/v1/data-sources", tags=["data-sources"], route_class=Route)


class DataSourceResource(Shape):
    """A data source."""

    id: str
    revision: int
    document: DataSource


class DataSourcePage(Shape):
    """Data sources, by id."""

    items: list[DataSourceResource]
    next_cursor: str | None


class NewDataSource(Wanted):
    """A data source to make."""

    id: Annotated[Identifier | None, Field(description="made of the name when there is none")] = None
    document: DataSource


def _documents(parts: Services) -> Documents[DataSource]:
    return Documents(parts, parts.store.data_sources, DATA_SOURCES)


async def _one(parts: Services, source_id: str, status: int = 200) -> Response:
    revision, document = await _documents(parts).get(source_id)
    shape = DataSourceResource(id=source_id, revision=revision, document=document)
    location = f"/v1/data-sources/{source_id}" if status == 201 else None
    return await answer(shape, status, revision=revision, location=location)


@router.get("", **returns(DataSourcePage))
async def list_data_sources(_who: Reader, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every data source, by id."""
    found, following = await _documents(parts).page(limit, cursor)
    items = [DataSourceResource(id=i, revision=r, document=d) for i, r, d in found]
    return await answer(DataSourcePage(items=items, next_cursor=following))


@router.post("", **returns(DataSourceResource, 201, 409))
async def create_data_source(
    who: Writer, parts: Parts, body: Annotated[NewDataSource, Depends(Body(NewDataSource))]
) -> Response:
    """Make a data source."""
    new_id, _ = await _documents(parts).create(who, body.id, body.document.name, body.document)
    return await _one(parts, new_id, 201)


@router.get("/{source_id}", **returns(DataSourceResource))
async def get_data_source(_who: Reader, parts: Parts, source_id: Id) -> Response:
    """One data source."""
    return await _one(parts, source_id)


@router.put("/{source_id}", **returns(DataSourceResource))
async def save_data_source(
    who: Writer,
    parts: Parts,
    source_id: Id,
    revision: Revision,
    body: Annotated[DataSource, Depends(Body(DataSource))],
) -> Response:
    """Save a data source."""
    await _documents(parts).save(who, source_id, body, revision)
    return await _one(parts, source_id)


@router.delete("/{source_id}", **nothing(409))
async def delete_data_source(who: Writer, parts: Parts, source_id: Id, revision: MaybeRevision) -> Response:
    """Delete a data source that no agent names."""
    await _documents(parts).delete(who, source_id, revision)
    return Response(status_code=204)
