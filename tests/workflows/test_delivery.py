"""When a delivery is tried again, and what a post-call workflow is told of a call, however long it was."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from parlons.calls.record import CallRecord
from parlons.calls.timeline import Actor, CallStatus, Event, Kind
from parlons.workflows.delivery import GIVE_UP_SECONDS, BackOff
from parlons.workflows.delivery_call import describe
from parlons.workflows.http_client import MAX_BODY
from parlons.workflows.rendering import render

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_the_pauses_grow_and_the_last_attempt_is_at_the_very_end() -> None:
    back_off = BackOff(chance=lambda: 0.0)
    elapsed = 0.0
    pauses: list[float] = []
    while (pause := back_off.pause(len(pauses) + 1, elapsed)) is not None:
        pauses.append(pause)
        elapsed += pause
    assert pauses[:4] == [10, 30, 60, 300]
    assert all(first <= second for first, second in pairwise(pauses[:-1]))
    assert elapsed == GIVE_UP_SECONDS
    assert 30 < len(pauses) < 60


def test_what_failed_together_is_not_sent_together_for_ever() -> None:
    assert BackOff(chance=lambda: 1.0).pause(1, 0) == 11
    assert BackOff((1,), give_up=10, chance=lambda: 0.0).pause(99, 9.5) == 0.5
    assert BackOff((1,), give_up=10).pause(1, 10) is None


def told(events: list[Event], **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    given: dict[str, Any] = {
        "id": "c",
        "direction": "inbound",
        "started_at": START,
        "answered_at": START + timedelta(seconds=2),
        "ended_at": START + timedelta(seconds=12.5),
        "status": CallStatus.COMPLETED,
        "ended_by": "caller",
        "end_reason": "hung up",
        "end_code": "hung_up",
        "caller": "+33612345678",
    }
    record = CallRecord(**(given | changes))
    return describe("d", dataclasses.asdict(record), [dataclasses.asdict(event) for event in events])


def said(at_ms: int, who: Actor, text: str) -> Event:
    return Event(at_ms, who, Kind.TRANSCRIPT, {"text": text})


def test_the_whole_call() -> None:
    events = [
        Event(0, "system", Kind.RINGING),
        said(2100, "agent", "Bonjour"),
        said(4000, "caller", "Où est ma commande ?"),
        Event(12_500, "caller", Kind.HANG_UP, {"who": "caller", "why": "hung up"}),
    ]
    context = {"order": "A1", "path": {"ask": {"order": "A1"}}}
    call, kept = told(events, context=context, agent_id="lab", agent_version=3, recording="c.wav")
    assert (call["id"], call["delivery_id"], call["status"], call["ended_by"]) == ("c", "d", "completed", "caller")
    assert (call["duration_seconds"], call["answered_at"]) == (10.5, "2026-11-20T09:00:02.000+00:00")
    assert call["transcript"] == [
        {"at_ms": 2100, "who": "agent", "text": "Bonjour"},
        {"at_ms": 4000, "who": "caller", "text": "Où est ma commande ?"},
    ]
    assert [event["kind"] for event in call["timeline"]] == ["ringing", "transcript", "transcript", "hang_up"]
    assert call["path"] == {"ask": {"order": "A1"}}
    assert kept == context
    assert (call["failover"], call["truncated"]) == (None, None)
    assert json.loads(json.dumps(call)) == call


def test_a_call_that_failed_over_and_one_that_nobody_answered() -> None:
    call, _ = told([], trigger="pre_call_timeout", failover_action="message", failover_outcome="played")
    assert call["failover"] == {"trigger": "pre_call_timeout", "action": "message", "outcome": "played"}
    call, _ = told([], status=CallStatus.NO_ANSWER, answered_at=None)
    assert (call["duration_seconds"], call["answered_at"], call["status"]) == (0.0, None, "no_answer")


def test_a_call_of_four_hours_keeps_its_beginning_and_its_end_and_says_what_is_missing() -> None:
    events = [said(n * 3000, "agent" if n % 2 else "caller", f"{n} " + "é" * 150) for n in range(4800)]
    call, _ = told(events)
    transcript, timeline = call["transcript"], call["timeline"]
    assert (transcript[0]["text"][:2], transcript[-1]["text"][:5]) == ("0 ", "4799 ")
    assert (timeline[0]["at_ms"], timeline[-1]["at_ms"]) == (0, 4799 * 3000)
    assert call["truncated"] == {
        "transcript": 4800 - len(transcript),
        "timeline": 4800 - len(timeline),
        "context": [],
    }
    assert [turn["at_ms"] for turn in transcript] == sorted(turn["at_ms"] for turn in transcript)
    assert 300 < len(transcript) < 4800


async def test_a_template_can_loop_over_what_is_left_of_a_call_of_many_short_turns() -> None:
    call, _ = told([said(n * 1000, "caller", "oui") for n in range(9000)])
    assert (call["timeline"][0]["at_ms"], call["timeline"][-1]["at_ms"]) == (0, 8_999_000)
    looped = {"text": "{% for turn in call.transcript %}{{ turn.text }}{% endfor %}", "all": "{{ call.timeline }}"}
    made = await render("send", looped, {"call": call}, values=True)
    assert made["text"] == "oui" * len(call["transcript"])
    assert made["all"] == call["timeline"]
    assert call["truncated"]["transcript"] == 9000 - len(call["transcript"])


def test_the_biggest_that_can_be_told_fits_into_a_request() -> None:
    passages = {"passages": ["𝄞" * 3000] * 40, "query": "x" * 10_000}
    events = [Event(n, "agent", Kind.ACTION_FINISHED, passages) for n in range(500)]
    events += [said(1000 + n, "caller", "\u2028" * 20_000) for n in range(300)]
    context = {f"k{n}": "é" * 60_000 for n in range(5)} | {"path": {"s": {"v": "x" * 300_000}}, "name": "Zoé"}
    call, kept = told(events, context=context, end_reason="é" * 1000, called="x" * 1000)
    body = {"trigger": "post_call", "call": call, "agent": {}, "context": kept, "input": {}}
    assert len(json.dumps(body, ensure_ascii=False).encode()) < MAX_BODY * 0.9
    assert "path" in call["truncated"]["context"]
    call_, kept_ = told([], context={"path": {"s": {"v": "x" * 149_000}}})
    assert (call_["path"], call_["truncated"]) == (kept_["path"], None)
    assert (kept["name"], kept["path"], call["path"]) == ("Zoé", {}, {})
    assert context["path"] != {}
    assert len(call["transcript"][0]["text"]) <= 4000
