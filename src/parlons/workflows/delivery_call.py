"""A whole call as a post-call workflow is told of it: ``call`` of the payload and of templates. Pure.

A call of hours does not fit into a request: then the middle of its timeline and of its transcript is left out, and
``call.truncated`` says how much. What is said of a call is the same whenever it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

MAX_TRANSCRIPT_BYTES = 250_000
MAX_TIMELINE_BYTES = 250_000
MAX_CONTEXT_BYTES = 150_000
"""Its ``path`` is sent twice; all together stays below what one request may carry (``http_client.MAX_BODY``)."""
MAX_ENTRIES = 1_900
"""Of a transcript or timeline: what a template can still loop over (``templates.MAX_ITEMS``)."""
MAX_TEXT = 4_000
"""Characters of one text in a timeline, a transcript or an extracted value that is over its bound."""

_SPEAKERS = ("agent", "caller", "destination")


def describe(
    delivery_id: str, record: Mapping[str, Any], events: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``call``, and the context kept with the call.

    Args:
        record: ``calls.record.CallRecord`` as a mapping.
        events: ``calls.timeline.Event`` as mappings, in order.
    """
    context, left_out = _bounded(dict(record["context"]))
    spoken = [_spoken(event) for event in events if event["kind"] == "transcript" and event["actor"] in _SPEAKERS]
    transcript, unsaid = _ends(spoken, MAX_TRANSCRIPT_BYTES)
    timeline, untold = _ends([_event(event) for event in events], MAX_TIMELINE_BYTES)
    truncated = {"transcript": unsaid, "timeline": untold, "context": left_out}
    failover = {
        "trigger": record["trigger"],
        "action": record["failover_action"],
        "outcome": record["failover_outcome"],
    }
    call = {
        "id": record["id"],
        "delivery_id": delivery_id,
        "direction": record["direction"],
        "caller": record["caller"],
        "called": record["called"],
        "anonymous": record["anonymous"],
        "from_browser": record["from_browser"],
        "status": str(record["status"]),
        "ended_by": record["ended_by"],
        "end_reason": record["end_reason"],
        "end_code": record["end_code"],
        "failover": failover if record["trigger"] else None,
        "started_at": _time(record["started_at"]),
        "answered_at": _time(record["answered_at"]),
        "ended_at": _time(record["ended_at"]),
        "duration_seconds": _seconds(record["answered_at"], record["ended_at"]),
        "agent_id": record["agent_id"],
        "agent_version": record["agent_version"],
        "language": record["language"],
        "connection_id": record["connection_id"],
        "sip_call_id": record["sip_call_id"],
        "recording": record["recording"],
        "path": context.get("path", {}),
        "transcript": transcript,
        "timeline": timeline,
        "truncated": truncated if unsaid or untold or left_out else None,
    }
    return call, context


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


def _seconds(start: datetime | None, end: datetime | None) -> float:
    """How long the call lasted, from its answer; 0 when nobody answered."""
    return 0.0 if start is None or end is None else round((end - start).total_seconds(), 3)


def _spoken(event: Mapping[str, Any]) -> dict[str, Any]:
    text = event["payload"].get("text")
    return {"at_ms": event["at_ms"], "who": event["actor"], "text": _cut(text if isinstance(text, str) else "")}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    payload = event["payload"]
    if _size(payload) > MAX_TEXT:
        payload = _shortened(payload)
    return {"at_ms": event["at_ms"], "actor": event["actor"], "kind": str(event["kind"]), "payload": payload}


def _shortened(payload: Mapping[str, Any]) -> dict[str, Any]:
    """An event's payload whose long values are texts cut short."""
    room = max(100, MAX_TEXT // max(1, len(payload)))
    return {
        key[:100]: value if _size(value) <= room else _cut(value if isinstance(value, str) else _json(value), room)
        for key, value in list(payload.items())[:50]
    }


def _cut(text: str, most: int = MAX_TEXT) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _ends(items: list[dict[str, Any]], room: int) -> tuple[list[dict[str, Any]], int]:
    """The beginning and the end of a list, together within so many bytes; and how many are left out between."""
    sizes = [_size(item) + 2 for item in items]
    if sum(sizes) <= room and len(items) <= MAX_ENTRIES:
        return items, 0
    first, last = 0, len(items)
    begin = end = 0
    while first < last:
        if begin <= end:
            begin += sizes[first]
            first += 1
        else:
            last -= 1
            end += sizes[last]
        if begin + end > room or first + len(items) - last >= MAX_ENTRIES:
            break
    return items[:first] + items[last:], last - first


def _bounded(context: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The context without its biggest values, if it is too big; and the names of those left out (null in it)."""
    sizes = {name: _size(value) for name, value in context.items()}
    total = sum(sizes.values())
    left_out: list[str] = []
    for name in sorted(sizes, key=lambda key: sizes[key], reverse=True):
        if total <= MAX_CONTEXT_BYTES:
            break
        context[name] = {} if name == "path" else None
        left_out.append(name)
        total -= sizes[name]
    return context, left_out


def _size(value: Any) -> int:
    return len(_json(value).encode("utf-8", "replace"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
