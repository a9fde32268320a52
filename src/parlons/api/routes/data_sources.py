"""``/v1/data-sources``: knowledge bases as documents. What is in them is under ``documents``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.agents.common import Identifier
from parlons.agents.workflows import DataSource
from parlons.configuration.kinds import DATA_SOURCES

from .. import references
from ..access import Reader, Writer
from ..bodies import Body, Cursor, Id, Limit, MaybeRevision, Revision, Shape, Wanted, answer, nothing, returns
from ..documents import Documents
from ..idempotency import Route
from ..problems import Use
from ..services import Parts, Services

router = APIRouter(prefix="/v1/data-sources", tags=["data-sources"], route_class=Route)


class DataSourceState(Shape):
    """How what is in a data source stands."""

    state: Annotated[
        Literal["empty", "indexing", "ready", "error"], Field(description="ready: something in it can be searched")
    ]
    documents: int
    passages: Annotated[int, Field(description="that searches find")]
    pending: Annotated[int, Field(description="documents that are not read yet")]
    refused: Annotated[int, Field(description="documents that could not be read")]


class DataSourceResource(Shape):
    """A data source."""

    id: str
    revision: int
    document: DataSource
    state: DataSourceState


class DataSourceUses(Shape):
    """The agents that answer from a data source."""

    items: list[Use]


class DataSourcePage(Shape):
    """Data sources, by id."""

    items: list[DataSourceResource]
    next_cursor: str | None


_EMPTY = DataSourceState(state="empty", documents=0, passages=0, pending=0, refused=0)


class NewDataSource(Wanted):
    """A data source to make."""

    id: Annotated[Identifier | None, Field(description="made of the name when there is none")] = None
    document: DataSource


def _documents(parts: Services) -> Documents[DataSource]:
    return Documents(parts, parts.store.data_sources, DATA_SOURCES)


async def _states(parts: Services) -> dict[str, DataSourceState]:
    statuses = await parts.store.knowledge.statuses()
    return {
        source_id: DataSourceState(**{name: getattr(status, name) for name in DataSourceState.model_fields})
        for source_id, status in statuses.items()
    }


async def _one(parts: Services, source_id: str, status: int = 200) -> Response:
    revision, document = await _documents(parts).get(source_id)
    state = (await _states(parts)).get(source_id, _EMPTY)
    shape = DataSourceResource(id=source_id, revision=revision, document=document, state=state)
    location = f"/v1/data-sources/{source_id}" if status == 201 else None
    return await answer(shape, status, revision=revision, location=location)


@router.get("", **returns(DataSourcePage))
async def list_data_sources(_who: Reader, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every data source, by id."""
    found, following = await _documents(parts).page(limit, cursor)
    states = await _states(parts)
    items = [DataSourceResource(id=i, revision=r, document=d, state=states.get(i, _EMPTY)) for i, r, d in found]
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
    """Delete a data source that no agent names, with its documents."""
    await _documents(parts).delete(who, source_id, revision)
    return Response(status_code=204)


@router.get("/{source_id}/uses", **returns(DataSourceUses))
async def list_data_source_uses(_who: Reader, parts: Parts, source_id: Id) -> Response:
    """Who answers from a data source."""
    await parts.store.data_sources.get(source_id)
    return await answer(DataSourceUses(items=await references.uses(parts.store, DATA_SOURCES, source_id)))
