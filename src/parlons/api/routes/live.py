"""``/v1/calls/{id}/events`` and ``/recording``: a call as it happens, as server-sent events, and as it sounded."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from parlons.calls.timeline import Event
from parlons.errors import Conflict, NotFound, ParlonsError, StoreError

from ..access import Reader, Scope, look_up
from ..bodies import PROBLEMS, Id
from ..feed import MAX_WATCHERS
from ..idempotency import Route
from ..problems import RangeNotSatisfiable
from ..services import Parts, Services
from .calls import find, shape_of, summary_of

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Route)

ALIVE_SECONDS = 15.0
"""Between two signs of life; at each one it is looked again whether the watcher still may."""
ENDING_SECONDS = 0.2
_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`timeline` events as in GET …/timeline, then one `end` event with the call",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Both sides, in stereo or mixed as it was recorded",
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    },
    206: {
        "description": "The part that Range asks for",
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    },
}


@router.get("/{call_id}/events", response_class=StreamingResponse, responses=_STREAM, openapi_extra={PROBLEMS: [503]})
async def stream_call_events(
    request: Request,
    _who: Reader,
    parts: Parts,
    call_id: Id,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,9}$", description="go on after this one")] = None,
) -> Response:
    """Server-sent events of a call: what happened so far, then what happens, until it is over. A call that is over is
    told from its beginning to its end.
    """
    await find(parts, call_id)
    if parts.feed.watching >= MAX_WATCHERS:
        raise StoreError(f"{MAX_WATCHERS} calls are being watched.", hint="Close some of those pages.")
    stream = _events(request, parts, call_id, int(last_event_id or 0))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, parts: Services, call_id: str, sent: int) -> AsyncIterator[str]:
    with parts.feed.watch(call_id) as changed:
        while (call := parts.calls.get(call_id)) is not None:
            changed.clear()
            for number in range(sent + 1, len(call.timeline.events) + 1):
                yield frame(number, call.timeline.events[number - 1])
                sent = number
            try:
                async with asyncio.timeout(ENDING_SECONDS if call.record.ended_at else ALIVE_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield ": alive\n\n"
                if not await still_may(request, "read"):
                    return
    await parts.flush()
    try:
        record = await parts.store.calls.get(call_id)
        stored = await parts.store.calls.events(call_id)
    except ParlonsError:  # deleted meanwhile, or the database is away: the watcher asks again and is told
        return
    for number in range(sent + 1, len(stored) + 1):
        yield frame(number, stored[number - 1])
    yield f"event: end\ndata: {summary_of(record).model_dump_json()}\n\n"


def frame(number: int, event: Event) -> str:
    """One event (WHATWG HTML, section 9.2). JSON holds no line break, so it is one line of data."""
    data = json.dumps(shape_of(number, event).model_dump(mode="json"), default=str)
    return f"id: {number}\nevent: timeline\ndata: {data}\n\n"


async def still_may(request: Request, scope: Scope) -> bool:
    """Whether whoever began to watch may go on: their key or session still holds what it held then."""
    try:
        return (await look_up(request)).may(scope)
    except StoreError:
        return True
    except ParlonsError:
        return False


@router.get("/{call_id}/recording", response_class=FileResponse, responses=_AUDIO, openapi_extra={PROBLEMS: [409, 416]})
async def get_call_recording(
    request: Request,
    _who: Reader,
    parts: Parts,
    call_id: Id,
    range: Annotated[str | None, Header(description="a part of it, as a player asks for", max_length=100)] = None,
) -> Response:
    """What was recorded, once the call is over. Players may ask for parts of it (``Range``)."""
    record = await find(parts, call_id)
    if record.recording is None:
        raise NotFound("the call has no recording.", hint="See record_audio of its agent, and the retention settings.")
    if parts.calls.get(call_id) is not None:
        raise Conflict("the call is still being recorded.", hint="Ask again when it is over.")
    path = parts.recordings / Path(record.recording).name  # whatever is stored, nothing outside the folder is read
    size = await asyncio.to_thread(_size, path)
    if size is None:
        raise NotFound("the recording is gone from the disk.")
    if not _satisfiable(range, size):
        raise RangeNotSatisfiable(f"the recording has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
    if range is not None and not _RANGE.fullmatch(range):
        headers = [item for item in request.scope["headers"] if item[0] != b"range"]
        request.scope["headers"] = headers  # several parts, or no range at all: the whole, as RFC 9110 allows
    return FileResponse(path, media_type="audio/wav", filename=f"{call_id}.wav", content_disposition_type="inline")


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _satisfiable(wanted: str | None, size: int) -> bool:
    """Whether a range (RFC 9110 section 14.1.2) begins inside the file; what is not one range is not looked at."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None:
        return True
    first, last = found.groups()
    if first is None:
        return last is not None and int(last) > 0
    return int(first) < size and (last is None or int(last) >= int(first))
