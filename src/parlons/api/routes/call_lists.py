"""``/v1/calls`` and ``/v1/calls/export.csv``: calls that filters choose, newest first, in pages or as one file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BeforeValidator

from parlons.calls.directory import as_e164
from parlons.calls.failover_table import Trigger
from parlons.calls.timeline import CallStatus
from parlons.errors import InvalidDocument
from parlons.store.call_pages import CallFilter
from parlons.store.calls import CallPage as Stored

from ..access import Reader
from ..bodies import Cursor, Limit, answer, returns
from ..csv_export import Separator, rows_of, table
from ..idempotency import Route
from ..services import Parts, Services
from .calls import CallPage, summary_of
from .numbers import CSV

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Route)

AT_ONCE = 500
"""Calls that an export holds in memory at a time."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _written_out(value: object) -> object:
    """A time as RFC 3339 writes one: bare numbers would be read as seconds since 1970."""
    if isinstance(value, str) and not _DATE.match(value):
        raise ValueError("write a time as in 2026-05-04T09:30:00+02:00")
    return value


_Number = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$", description="caller or called")]
_Moment = Annotated[
    AwareDatetime | None, BeforeValidator(_written_out), Query(description="of the start, with an offset")
]
_Agent = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_Separator = Annotated[Separator, Query(description="semicolon where Excel is French")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row a call, in UTF-8 with a byte order mark",
        "content": {CSV: {"schema": {"type": "string", "format": "binary"}}},
    }
}


def wanted(
    parts: Parts,
    agent_id: _Agent = None,
    status: Annotated[CallStatus | None, Query()] = None,
    direction: Annotated[Literal["inbound", "outbound"] | None, Query()] = None,
    since: _Moment = None,
    until: _Moment = None,
    number: _Number = None,
    trigger: Annotated[Trigger | None, Query()] = None,
) -> CallFilter:
    """A dependency: the filters of a request."""
    country = parts.calls.directory.settings.default_country
    try:
        return CallFilter(
            agent_id=agent_id,
            status=status,
            direction=direction,
            since=since and since.astimezone(UTC),
            until=until and until.astimezone(UTC),
            number=number and (as_e164(number, country) or number),
            trigger=trigger,
        )
    except OverflowError:  # year 1 or 9999, in another time zone
        raise InvalidDocument("the request", [("query", "a time is out of range")]) from None


Wanted = Annotated[CallFilter, Depends(wanted)]


@router.get("", **returns(CallPage))
async def list_calls(_who: Reader, parts: Parts, filters: Wanted, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Calls, newest first."""
    found = await parts.store.calls.list(filters, limit=limit, cursor=cursor, context=False)
    return await answer(CallPage(items=[summary_of(record) for record in found.calls], next_cursor=found.cursor))


@router.get("/export.csv", response_class=StreamingResponse, responses=_FILE)
async def export_calls(_who: Reader, parts: Parts, filters: Wanted, separator: _Separator = "comma") -> Response:
    """The calls that the filters choose, newest first, as a CSV file; times are in UTC (ISO 8601). What callers sent is
    written so that no spreadsheet runs it: a cell that begins like a formula gets an apostrophe before it, but a number
    such as +33123456789 stays as it is.
    """
    first = await parts.store.calls.list(filters, limit=AT_ONCE, context=False)  # here a fault is still a problem
    headers = {"Content-Disposition": 'attachment; filename="calls.csv"'}
    return StreamingResponse(_file(parts, filters, first, separator), media_type=CSV, headers=headers)


async def _file(parts: Services, filters: CallFilter, page: Stored, separator: Separator) -> AsyncIterator[bytes]:
    yield table([], separator, heading=True)
    while True:
        yield await asyncio.to_thread(lambda records: table(rows_of(records), separator), page.calls)
        if page.cursor is None:
            return
        page = await parts.store.calls.list(filters, limit=AT_ONCE, cursor=page.cursor, context=False)
