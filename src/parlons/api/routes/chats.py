"""``/v1/chats``: an agent in text, from the console. Nobody is rung, nothing is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from parlons.calls.chatting import Chat
from parlons.errors import StoreError

from ..access import Caller
from ..bodies import PROBLEMS, Body, Id, Shape, Wanted, answer, nothing, returns
from ..idempotency import Route
from ..services import Parts
from ..talking import KeysPressed, TalkWanted, agent_for
from .live import ALIVE_SECONDS, frame, still_may

router = APIRouter(prefix="/v1/chats", tags=["talking"], route_class=Route)

MAX_WATCHERS = 5
"""Streams of one chat at a time."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`timeline` events as of a call, then one `end` event with the `reason`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class ChatStarted(Shape):
    """A chat that goes on."""

    id: str


class ChatMessage(Wanted):
    """What the caller writes."""

    text: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)],
        Field(examples=["Quels sont vos horaires ?"]),
    ]


@router.post("", **returns(ChatStarted, 201, 404))
async def start_chat(_who: Caller, parts: Parts, body: Annotated[TalkWanted, Depends(Body(TalkWanted))]) -> Response:
    """Begin a chat with an agent, published or as its draft is stored. The agent speaks first; follow the events.

    At most 20 go on at a time; one in which nobody writes for 15 minutes is over.
    """
    live = await agent_for(parts, body.agent_id, draft=body.draft)
    chat = parts.chats.open(live, body.caller)
    return await answer(ChatStarted(id=chat.id), 201, location=f"/v1/chats/{chat.id}")


@router.get("/{chat_id}/events", response_class=StreamingResponse, responses=_STREAM, openapi_extra={PROBLEMS: [503]})
async def stream_chat_events(
    request: Request,
    _who: Caller,
    parts: Parts,
    chat_id: Id,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,9}$", description="go on after this one")] = None,
) -> Response:
    """Server-sent events of a chat: what happened so far, then what happens, until it is over."""
    chat = parts.chats.get(chat_id)
    if chat.watching >= MAX_WATCHERS:
        raise StoreError(f"{MAX_WATCHERS} pages watch this chat.", hint="Close some of them.")
    stream = _events(request, chat, int(last_event_id or 0))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, chat: Chat, sent: int) -> AsyncIterator[str]:
    with chat.watch() as changed:
        while True:
            changed.clear()
            over = chat.over
            for number in range(sent + 1, len(chat.timeline.events) + 1):
                yield frame(number, chat.timeline.events[number - 1])
                sent = number
            if over:
                break
            try:
                async with asyncio.timeout(ALIVE_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield ": alive\n\n"
                if not await still_may(request, "calls"):
                    return
    yield f"event: end\ndata: {json.dumps({'reason': chat.reason})}\n\n"


@router.post("/{chat_id}/messages", **returns(ChatStarted, 202))
async def say_in_chat(
    _who: Caller, parts: Parts, chat_id: Id, body: Annotated[ChatMessage, Depends(Body(ChatMessage))]
) -> Response:
    """Say something; the answer is among the events. Messages are answered one after the other."""
    parts.chats.get(chat_id).say(body.text)
    return await answer(ChatStarted(id=chat_id), 202)


@router.post("/{chat_id}/digits", **returns(ChatStarted, 202))
async def press_in_chat(
    _who: Caller, parts: Parts, chat_id: Id, body: Annotated[KeysPressed, Depends(Body(KeysPressed))]
) -> Response:
    """Press keys. They are a turn two seconds after the last, or at once at ``#``."""
    parts.chats.get(chat_id).press(body.digits)
    return await answer(ChatStarted(id=chat_id), 202)


@router.delete("/{chat_id}", **nothing())
async def end_chat(_who: Caller, parts: Parts, chat_id: Id) -> Response:
    """End a chat. What happened in it can be read for five minutes more."""
    parts.chats.get(chat_id).stop()
    return Response(status_code=204)
