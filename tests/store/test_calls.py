"""Calls and timelines: stored, found, closed after a crash, erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.errors import ConfigurationError, NotFound
from parlons.store import Store
from parlons.store.call_pages import CallFilter

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def call(call_id: str, **changes: Any) -> CallRecord:
    given: dict[str, Any] = {"direction": "inbound", "started_at": START, "caller": "+33612345678"}
    return CallRecord(id=call_id, **(given | changes))


async def test_a_call_comes_back_as_it_was(store: Store) -> None:
    record = call(
        "c1", agent_id="a", agent_version=3, context={"name": "Zoé", "n": [1, {"x": None}]}, sip_call_id="x@y"
    )
    await store.calls.create(record)
    assert await store.calls.get("c1") == record
    record.status = CallStatus.COMPLETED
    record.ended_at = START + timedelta(seconds=61, milliseconds=5)
    record.ended_by = "caller"
    await store.calls.update(record)
    assert await store.calls.get("c1") == record


async def test_a_call_that_is_not_there(store: Store) -> None:
    for attempt in (store.calls.get("x"), store.calls.update(call("x")), store.calls.delete("x")):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(IntegrityError):
        await store.calls.append_events("x", [Event(0, "system", Kind.RINGING)])


async def test_events_keep_their_order(store: Store) -> None:
    await store.calls.create(call("c1"))
    first = [Event(0, "system", Kind.RINGING), Event(5, "caller", Kind.TRANSCRIPT, {"text": "été"})]
    late = [Event(3, "agent", Kind.DTMF, {"digits": "12"})]
    await store.calls.append_events("c1", first)
    await store.calls.append_events("c1", late)
    assert await store.calls.events("c1") == first + late


async def test_what_a_peer_sends_never_breaks_the_row(store: Store) -> None:
    await store.calls.create(call("c1", caller="a\0b\udcff" + "x" * 5000, sip_call_id="\0"))
    found = await store.calls.get("c1")
    assert found.caller.startswith("ab?xxx")
    assert len(found.caller) <= 1000
    assert found.sip_call_id == ""


async def test_calls_left_open_by_a_crash_are_closed_at_their_last_event(store: Store) -> None:
    await store.calls.create(call("open"))
    await store.calls.append_events("open", [Event(0, "system", Kind.RINGING), Event(4200, "system", Kind.ANSWERED)])
    await store.calls.create(call("silent"))
    await store.calls.create(call("over", status=CallStatus.COMPLETED, ended_at=START))
    assert await store.calls.close_unfinished("the process died") == 2
    closed = await store.calls.get("open")
    assert (closed.status, closed.ended_at) == (CallStatus.FAILED, START + timedelta(milliseconds=4200))
    assert (closed.ended_by, closed.end_reason) == ("system", "the process died")
    assert (await store.calls.get("silent")).ended_at == START
    assert (await store.calls.get("over")).status == CallStatus.COMPLETED
    assert await store.calls.close_unfinished("again") == 0


async def test_pages_hold_every_call_once_also_at_the_same_instant(store: Store) -> None:
    for index in range(7):
        await store.calls.create(call(f"c{index}", started_at=START + timedelta(seconds=index // 3)))
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.calls.list(limit=2, cursor=cursor)
        seen += [c.id for c in page.calls]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]
    with pytest.raises(ConfigurationError, match="cursor"):
        await store.calls.list(cursor="nonsense")


async def test_filters(store: Store) -> None:
    await store.calls.create(call("a", agent_id="x", called="+33123456789"))
    await store.calls.create(call("b", direction="outbound", called="+33699999999", caller="+33123456789"))
    await store.calls.create(
        call("c", status=CallStatus.BUSY, trigger="agent_unavailable", started_at=START + timedelta(hours=1))
    )

    async def found(**filters: Any) -> set[str]:
        return {c.id for c in (await store.calls.list(CallFilter(**filters))).calls}

    assert await found() == {"a", "b", "c"}
    assert await found(agent_id="x") == {"a"}
    assert await found(direction="outbound") == {"b"}
    assert await found(status=CallStatus.BUSY) == {"c"}
    assert await found(trigger="agent_unavailable") == {"c"}
    assert await found(trigger="operator_forced") == set()
    assert await found(number="+33123456789") == {"a", "b"}
    assert await found(since=START + timedelta(minutes=1)) == {"c"}
    assert await found(until=START + timedelta(minutes=1)) == {"a", "b"}


async def test_a_call_is_deleted_with_its_timeline(store: Store) -> None:
    await store.calls.create(call("c1", recording="c1.wav"))
    await store.calls.append_events("c1", [Event(0, "system", Kind.RINGING)])
    assert (await store.calls.delete("c1")).recordings == ["c1.wav"]
    assert await store.calls.events("c1") == []


async def test_erasing_a_number_takes_its_calls_and_no_other(store: Store) -> None:
    person, own = "+33612345678", "+33123456789"
    await store.calls.create(call("in", caller=person, called=own, recording="in.wav"))
    await store.calls.create(call("out", direction="outbound", caller=own, called=person))
    await store.calls.create(call("other", caller="+33699999999", called=own))
    erased = await store.calls.erase_number(person)
    assert (erased.calls, erased.recordings) == (2, ["in.wav"])
    assert [c.id for c in (await store.calls.list()).calls] == ["other"]
    assert (await store.calls.erase_number(own)).calls == 0


async def test_purge_forgets_recordings_first_then_calls_and_spares_calls_under_way(store: Store) -> None:
    done = CallStatus.COMPLETED
    for name, days in (("old", 400), ("middle", 40), ("new", 1)):
        at = START - timedelta(days=days)
        await store.calls.create(call(name, started_at=at, status=done, recording=f"{name}.wav"))
    await store.calls.create(call("open", started_at=START - timedelta(days=400), recording="open.wav"))
    erased = await store.calls.purge(START - timedelta(days=30), START - timedelta(days=365))
    assert erased.calls == 1
    assert sorted(erased.recordings) == ["middle.wav", "old.wav"]
    left = {c.id: c.recording for c in (await store.calls.list()).calls}
    assert left == {"middle": None, "new": "new.wav", "open": "open.wav"}
