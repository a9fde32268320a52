"""``/v1/sip-connections``: trunks and PBXs. Passwords go in and never come out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from parlons.agents.common import Identifier
from parlons.agents.connections import SipConnection
from parlons.configuration.kinds import CONNECTIONS
from parlons.errors import InvalidDocument, ParlonsError
from parlons.store.sealing import KEPT

from ..access import Reader, Writer
from ..bodies import Body, Cursor, Id, Limit, MaybeRevision, Revision, Shape, Wanted, answer, nothing, returns
from ..documents import Documents
from ..idempotency import Route
from ..services import ConnectionState, Parts, Services

router = APIRouter(prefix="/v1/sip-connections", tags=["sip-connections"], route_class=Route)


class SipConnectionState(Shape):
    """How a connection stands now."""

    up: Annotated[bool, Field(description="nothing that is known says that calls cannot pass")]
    registered: Annotated[bool | None, Field(description="null: it does not register")]
    reachable: Annotated[bool | None, Field(description="it answers OPTIONS; null: not asked yet")]
    last_error: str


class SipConnectionResource(Shape):
    """A SIP connection. A password that is stored is shown as ``********``; saving that keeps it."""

    id: str
    revision: int
    document: SipConnection
    state: Annotated[SipConnectionState | None, Field(description="null: not watched")]


class SipConnectionPage(Shape):
    """SIP connections, by id."""

    items: list[SipConnectionResource]
    next_cursor: str | None


class NewSipConnection(Wanted):
    """A SIP connection to make."""

    id: Annotated[Identifier | None, Field(description="made of the name when there is none")] = None
    document: SipConnection


class SipConnectionTest(Shape):
    """How a connection answered just now."""

    ok: bool
    detail: Annotated[str, Field(examples=["200 OK", "no answer to OPTIONS"])]
    hint: str
    state: SipConnectionState | None


def _documents(parts: Services) -> Documents[SipConnection]:
    return Documents(parts, parts.store.connections, CONNECTIONS)


def _states(parts: Services) -> dict[str, SipConnectionState]:
    return {state.id: _state(state) for state in parts.connection_states()}


def _state(state: ConnectionState) -> SipConnectionState:
    return SipConnectionState(
        up=state.up, registered=state.registered, reachable=state.reachable, last_error=state.last_error
    )


async def _one(parts: Services, connection_id: str, status: int = 200) -> Response:
    revision, document = await _documents(parts).get(connection_id)
    state = _states(parts).get(connection_id)
    shape = SipConnectionResource(id=connection_id, revision=revision, document=document, state=state)
    location = f"/v1/sip-connections/{connection_id}" if status == 201 else None
    return await answer(shape, status, revision=revision, location=location)


@router.get("", **returns(SipConnectionPage))
async def list_sip_connections(_who: Reader, parts: Parts, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every SIP connection with its state, by id."""
    found, following = await _documents(parts).page(limit, cursor)
    states = _states(parts)
    items = [SipConnectionResource(id=i, revision=r, document=d, state=states.get(i)) for i, r, d in found]
    return await answer(SipConnectionPage(items=items, next_cursor=following))


@router.post("", **returns(SipConnectionResource, 201, 409))
async def create_sip_connection(
    who: Writer, parts: Parts, body: Annotated[NewSipConnection, Depends(Body(NewSipConnection))]
) -> Response:
    """Make a SIP connection; it registers and is watched from now on."""
    new_id, _ = await _documents(parts).create(who, body.id, body.document.name, body.document)
    return await _one(parts, new_id, 201)


@router.get("/{connection_id}", **returns(SipConnectionResource))
async def get_sip_connection(_who: Reader, parts: Parts, connection_id: Id) -> Response:
    """One SIP connection with its state."""
    return await _one(parts, connection_id)


@router.put("/{connection_id}", **returns(SipConnectionResource))
async def save_sip_connection(
    who: Writer,
    parts: Parts,
    connection_id: Id,
    revision: Revision,
    body: Annotated[SipConnection, Depends(Body(SipConnection))],
) -> Response:
    """Save a SIP connection; it counts from the next call. With another host a password has to be entered again."""
    _, before = await _documents(parts).get(connection_id)
    if body.password == KEPT and body.host.lower() != before.host.lower():
        fault = "password", "enter it again: a kept password is not sent to another host"
        raise InvalidDocument("the request", [fault])
    await _documents(parts).save(who, connection_id, body, revision)
    return await _one(parts, connection_id)


@router.delete("/{connection_id}", **nothing(409))
async def delete_sip_connection(who: Writer, parts: Parts, connection_id: Id, revision: MaybeRevision) -> Response:
    """Delete a SIP connection that nothing names; calls under way go on."""
    await _documents(parts).delete(who, connection_id, revision)
    return Response(status_code=204)


@router.post("/{connection_id}/test", **returns(SipConnectionTest))
async def ask_sip_connection(_who: Writer, parts: Parts, connection_id: Id) -> Response:
    """Send the connection an OPTIONS now, and say how it answered. Takes up to ten seconds."""
    await parts.store.connections.get(connection_id)
    try:
        ok, detail, hint = True, await parts.ask_connection(connection_id), ""
    except ParlonsError as error:
        ok, detail, hint = False, error.message, error.hint
    state = _states(parts).get(connection_id)
    return await answer(SipConnectionTest(ok=ok, detail=detail, hint=hint, state=state))
