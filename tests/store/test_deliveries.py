"""Deliveries: due with the end of the call, in one transaction; changed by nobody but their own attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from parlons.agents.workflows import Workflow
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.errors import ConfigurationError, Conflict, NotFound
from parlons.store import CallWriter, Store
from parlons.store.deliveries import Delivery, delivery_id

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def call(call_id: str, **changes: Any) -> CallRecord:
    given: dict[str, Any] = {"direction": "inbound", "started_at": START, "caller": "+33612345678"}
    return CallRecord(id=call_id, **(given | changes))


def over(call_id: str, status: CallStatus = CallStatus.COMPLETED) -> CallRecord:
    return call(call_id, status=status, ended_at=START + timedelta(seconds=9), ended_by="caller")


async def publish(store: Store, *ids: str, trigger: str = "post_call", status: str = "published") -> None:
    for key in ids:
        document = {"name": key, "trigger": trigger, "status": status, "kind": "webhook", "url": "http://x/"}
        await store.workflows.put(key, Workflow.model_validate(document))


async def deliveries(store: Store) -> list[Delivery]:
    return (await store.deliveries.list(limit=500)).deliveries


async def one(store: Store) -> Delivery:
    await publish(store, "crm")
    await store.calls.write_batch([over("c")], ())
    return await store.deliveries.get(delivery_id("c", "crm"))


async def test_every_published_post_call_workflow_is_due_once_when_a_call_ends(store: Store) -> None:
    await publish(store, "crm", "mail")
    await publish(store, "draft", status="draft")
    await publish(store, "live", trigger="live_call")
    await store.calls.write_batch([call("c")], [("c", Event(0, "system", Kind.RINGING))])
    assert await deliveries(store) == []
    told: list[int] = []
    store.calls.on_due = lambda: told.append(1)
    for _ in range(2):  # the record is written again when its recording is closed
        await store.calls.write_batch([over("c")], ())
    found = await deliveries(store)
    assert {(d.call_id, d.workflow_id, d.status, d.queued, d.attempts) for d in found} == {
        ("c", "crm", "due", False, 0),
        ("c", "mail", "due", False, 0),
    }
    assert {d.id for d in found} == {delivery_id("c", "crm"), delivery_id("c", "mail")}
    assert told == [1]


@pytest.mark.parametrize("status", [s for s in CallStatus if s is not CallStatus.IN_PROGRESS])
async def test_however_it_ended(store: Store, status: CallStatus) -> None:
    await publish(store, "crm")
    await store.calls.write_batch([over("c", status)], ())
    assert [d.workflow_id for d in await deliveries(store)] == ["crm"]


async def test_a_call_that_a_crash_cut_short_is_delivered_too(store: Store) -> None:
    await publish(store, "crm")
    for name in ("open", "other"):
        await store.calls.write_batch([call(name)], ())
    await store.calls.close_unfinished("the process died")
    assert {d.call_id for d in await deliveries(store)} == {"open", "other"}


async def test_the_end_of_a_call_is_never_stored_without_its_deliveries(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: what fails takes the end of the call back with it."""
    await publish(store, "crm")
    await store.calls.write_batch([call("c")], ())
    lost = [("gone", Event(0, "system", Kind.RINGING))]
    with pytest.raises(sa.exc.IntegrityError):
        await store.calls.write_batch([over("c")], lost)
    assert (await store.calls.get("c")).ended_at is None
    assert await deliveries(store) == []


async def test_through_the_writer_many_calls_in_one_batch(store: Store) -> None:
    await publish(store, "crm", "mail")
    writer = CallWriter(store.calls)
    writer.start()
    for number in range(120):
        writer.record(over(f"c{number}"))
    assert await writer.close()
    assert len(await deliveries(store)) == 240
    assert writer.dropped == 0


async def test_the_jobs_are_handed_what_they_do_not_have(store: Store) -> None:
    delivery = await one(store)
    assert [d.id for d in await store.deliveries.unqueued(10)] == [delivery.id]
    await store.deliveries.mark_queued(delivery, LATER)
    assert await store.deliveries.unqueued(10) == []
    lost_before = datetime.now(UTC) + timedelta(days=30)
    assert [d.id for d in await store.deliveries.unqueued(10, lost_before)] == [delivery.id]
    assert await store.deliveries.unqueued(10, START) == []


async def test_from_due_to_delivered(store: Store) -> None:
    delivery = await one(store)
    await store.deliveries.failed(delivery, LATER, "no\0 answer" + "x" * 5000, LATER + timedelta(minutes=1))
    again = await store.deliveries.get(delivery.id)
    assert (again.status, again.attempts, again.next_at) == ("due", 1, LATER + timedelta(minutes=1))
    assert again.error.startswith("no answerxxx")
    await store.deliveries.mark_queued(delivery, LATER)  # late: the attempt was quicker than the mark
    assert (await store.deliveries.get(delivery.id)).next_at == again.next_at
    await store.deliveries.succeeded(again, LATER)
    done = await store.deliveries.get(delivery.id)
    assert (done.status, done.attempts, done.next_at, done.error) == ("delivered", 2, None, "")
    with pytest.raises(Conflict):
        await store.deliveries.resend(delivery.id, LATER)


async def test_a_delivery_that_was_given_up_is_sent_again_under_its_own_id(store: Store) -> None:
    delivery = await one(store)
    await store.deliveries.failed(delivery, LATER, "refused", None)
    assert (await store.deliveries.get(delivery.id)).status == "failed"
    again = await store.deliveries.resend(delivery.id, LATER)
    assert (again.id, again.status, again.round, again.attempts) == (delivery.id, "due", 1, 0)
    assert (again.began_at, again.next_at, again.queued) == (LATER, LATER, False)
    await store.deliveries.succeeded(delivery, LATER)  # of the round before: it no longer counts
    assert (await store.deliveries.get(delivery.id)).status == "due"
    with pytest.raises(NotFound):
        await store.deliveries.resend("x", LATER)


async def test_listing_with_filters_and_pages(store: Store) -> None:
    await publish(store, "crm")
    for number in range(5):
        await store.calls.write_batch([over(f"c{number}")], ())
    pages = []
    cursor = None
    while True:
        page = await store.deliveries.list(limit=2, cursor=cursor)
        pages.append([d.call_id for d in page.deliveries])
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == [["c4", "c3"], ["c2", "c1"], ["c0"]]
    assert [d.call_id for d in (await store.deliveries.list(call_id="c2")).deliveries] == ["c2"]
    assert (await store.deliveries.list(status="failed")).deliveries == []
    assert (await store.deliveries.list(workflow_id="mail")).deliveries == []
    with pytest.raises(ConfigurationError):
        await store.deliveries.list(cursor="x")


async def test_deliveries_go_with_their_call(store: Store) -> None:
    await one(store)
    await store.calls.delete("c")
    assert await deliveries(store) == []


async def test_the_timeline_of_a_long_call_is_read_whole(store: Store) -> None:
    await store.calls.create(call("c"))
    await store.calls.create(call("other"))
    events = [(name, Event(n, "system", Kind.DTMF, {"n": n})) for n in range(450) for name in ("c", "other")]
    await store.calls.write_batch((), events)
    assert [event.at_ms for event in await store.calls.events("c")] == list(range(450))
