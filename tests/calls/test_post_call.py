"""Post-call deliveries: sent when the call is over, tried again, never twice once confirmed; a real site receives."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls.post_call import KIND, LOOK_SECONDS, PostCall
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.errors import StoreError
from parlons.store import CallWriter, SecretKey, Store
from parlons.store.deliveries import Delivery, delivery_id
from parlons.workflows import webhook
from parlons.workflows.delivery import BackOff
from parlons.workflows.http_client import HttpClient
from tests.workflows.site import Site, answer, drop, hang, in_turn, moved, site

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = "signs what is sent"


class Resources:
    """What the service of all calls gives."""

    def __init__(self, writer: CallWriter) -> None:
        self.workflow_secrets: Mapping[str, str] = {"CRM_KEY": "k3y of the crm"}
        self.http = HttpClient(allow_private=lambda: True)
        self.runs = writer


class Desk:
    """A store with a workflow and calls that ended, and a clock that tests move."""

    def __init__(self, store: Store, crm: Site) -> None:
        self.store = store
        self.crm = crm
        self.writer = CallWriter(store.calls)
        self.resources = Resources(self.writer)
        self.now = datetime.now(UTC)
        self.jobs: list[tuple[str, str, Mapping[str, Any]]] = []
        self.open: set[str] = set()
        self.post_call = PostCall(
            store,
            self.resources,
            self._submit,
            open=lambda call_id: call_id in self.open,
            back_off=BackOff((10, 60), chance=lambda: 0.0),
            attempt_seconds=0.5,
            clock=lambda: self.now,
        )

    async def _submit(self, kind: str, job_id: str, payload: Mapping[str, Any]) -> None:
        self.jobs.append((kind, job_id, payload))

    async def publish(self, key: str = "crm", **changes: Any) -> None:
        document = {
            "name": "CRM",
            "trigger": "post_call",
            "status": "published",
            "kind": "webhook",
            "url": self.crm.url("/calls"),
            "secret": SECRET,
            **changes,
        }
        await self.store.workflows.put(key, Workflow.model_validate(document))

    async def call(self, call_id: str = "c", events: list[Event] | None = None, **changes: Any) -> None:
        given: dict[str, Any] = {
            "direction": "inbound",
            "started_at": START,
            "answered_at": START + timedelta(seconds=1),
            "ended_at": START + timedelta(seconds=61),
            "status": CallStatus.COMPLETED,
            "ended_by": "caller",
            "caller": "+33612345678",
            "context": {"order": "A1", "path": {"ask": {"order": "A1"}}},
        }
        said = events or [Event(5, "caller", Kind.TRANSCRIPT, {"text": "Où est ma commande ?"})]
        await self.store.calls.write_batch([CallRecord(id=call_id, **(given | changes))], [(call_id, e) for e in said])

    async def deliver(self, call_id: str = "c", workflow: str = "crm") -> float | None:
        found = await self.store.deliveries.get(delivery_id(call_id, workflow))
        return await self.post_call.deliver(found.id, found.round)

    async def delivery(self, call_id: str = "c", workflow: str = "crm") -> Delivery:
        return await self.store.deliveries.get(delivery_id(call_id, workflow))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await Store.open(f"sqlite:///{tmp_path}/parlons.db", SecretKey("a key for tests only, long enough"))
    async with site() as crm:
        made = Desk(store, crm)
        made.writer.start()
        yield made
        await made.resources.http.aclose()
        await made.writer.close()
    await store.close()


async def test_the_receiver_is_told_the_whole_call(desk: Desk) -> None:
    agent = Agent.model_validate({"name": "Laboratoire", "language": "fr-FR", "prompt": "x"})
    await desk.store.agents.save_draft("lab", agent)
    version = await desk.store.agents.publish("lab")
    desk.crm.pages["/calls"] = answer(status=204)
    await desk.publish(input=[{"name": "order", "type": "string", "required": True}])
    await desk.call(agent_id="lab", agent_version=version, language="fr-FR")
    assert await desk.deliver() is None
    (asked,) = desk.crm.asked
    body = asked.json()
    assert set(body) == {"trigger", "call", "agent", "context", "input"}
    assert (body["trigger"], body["agent"]) == ("post_call", {"id": "lab", "name": "Laboratoire", "language": "fr-FR"})
    assert (body["call"]["id"], body["call"]["status"], body["call"]["duration_seconds"]) == ("c", "completed", 60.0)
    assert body["call"]["transcript"] == [{"at_ms": 5, "who": "caller", "text": "Où est ma commande ?"}]
    assert (body["context"]["order"], body["input"]) == ("A1", {"order": "A1"})
    assert body["context"]["system"]["phone"] == "06 12 34 56 78"
    assert body["context"]["system"]["now"] == "2026-11-20T10:01:01+01:00"
    assert asked.headers["x-parlons-delivery"] == (await desk.delivery()).id == body["call"]["delivery_id"]
    assert webhook.verify(SECRET, asked.headers["x-parlons-signature"], asked.body, now=time.time())
    assert (await desk.delivery()).status == "delivered"
    await desk.writer.drain()
    (run,) = (await desk.store.runs.list(call_id="c")).runs
    assert (run.workflow_id, run.trigger, run.status) == ("crm", "post_call", "ok")


async def test_a_workflow_of_steps_reads_the_same(desk: Desk) -> None:
    desk.crm.pages["/calls"] = answer(status=200)
    body = {
        "who": "{{ call.caller }}",
        "first": "{{ call.transcript[0].text }}",
        "order": "{{ call.path.ask.order }}",
        "again": "{{ path.ask.order }}{{ order }}",
        "lost": "{% if call.truncated %}some{% else %}none{% endif %}",
        "delivery": "{{ call.delivery_id }}",
    }
    send = {
        "id": "send",
        "type": "http",
        "method": "POST",
        "url": desk.crm.url("/calls"),
        "headers": {"X-Key": "{{ secrets.CRM_KEY }}"},
        "body": body,
    }
    await desk.publish(kind="steps", steps=[send], url=None, secret=None)
    await desk.call()
    assert await desk.deliver() is None
    (asked,) = desk.crm.asked
    assert asked.headers["x-key"] == "k3y of the crm"
    assert asked.json() == {
        "who": "+33612345678",
        "first": "Où est ma commande ?",
        "order": "A1",
        "again": "A1A1",
        "lost": "none",
        "delivery": delivery_id("c", "crm"),
    }
    await desk.writer.drain()
    (run,) = (await desk.store.runs.list()).runs
    assert "k3y" not in json.dumps((await desk.store.runs.get(run.id)).document)


@pytest.mark.parametrize(
    "page",
    [answer(status=500), answer(status=404), hang, drop, moved("/login", 302)],
    ids=["500", "404", "hang", "drop", "a page"],
)
async def test_a_receiver_that_fails_is_tried_again_and_confirms_once(desk: Desk, page: Any) -> None:
    desk.crm.pages["/calls"] = in_turn(page, answer(status=200))
    desk.crm.pages["/login"] = answer(status=200)  # which was told nothing
    await desk.publish()
    await desk.call()
    assert await desk.deliver() == 10
    waiting = await desk.delivery()
    assert (waiting.status, waiting.attempts, waiting.next_at) == ("due", 1, desk.now + timedelta(seconds=10))
    assert waiting.error
    assert await desk.deliver() == 10  # too early: nothing is sent
    assert len(desk.crm.asked) == 1
    desk.now += timedelta(seconds=10)
    assert await desk.deliver() is None
    done = await desk.delivery()
    assert (done.status, done.attempts, done.error) == ("delivered", 2, "")
    assert await desk.deliver() is None
    assert len({asked.headers["x-parlons-delivery"] for asked in desk.crm.asked}) == 1
    assert len(desk.crm.asked) == 2
    await desk.writer.drain()
    assert len((await desk.store.runs.list(call_id="c")).runs) == 2


async def test_after_72_hours_it_is_kept_as_failed_and_can_be_sent_again(desk: Desk) -> None:
    desk.crm.pages["/calls"] = answer(status=503)
    await desk.publish()
    await desk.call()
    began = desk.now
    while (pause := await desk.deliver()) is not None:
        desk.now += timedelta(seconds=pause) if desk.now - began < timedelta(minutes=5) else timedelta(hours=10)
    given_up = await desk.delivery()
    assert (given_up.status, given_up.next_at) == ("failed", None)
    assert timedelta(hours=72) <= desk.now - began < timedelta(hours=83)
    assert "503" in given_up.error
    sent = len(desk.crm.asked)
    desk.crm.pages["/calls"] = answer(status=200)
    await desk.store.deliveries.resend(given_up.id, desk.now)
    await desk.post_call.hand_over()
    assert desk.jobs[-1][2] == {"delivery": given_up.id, "round": 1}
    assert await desk.post_call.deliver(given_up.id, 0) is None  # the job of the round before
    assert await desk.deliver() is None
    assert (await desk.delivery()).status == "delivered"
    assert len(desk.crm.asked) == sent + 1
    assert len({asked.headers["x-parlons-delivery"] for asked in desk.crm.asked}) == 1


@pytest.mark.parametrize("changes", [{"status": "disabled"}, {"status": "draft"}, {"trigger": "failover"}, None])
async def test_a_workflow_that_was_unpublished_meanwhile_is_not_run(desk: Desk, changes: dict[str, str] | None) -> None:
    await desk.publish()
    await desk.call()
    if changes is None:
        await desk.store.workflows.delete("crm")
    else:
        await desk.publish(**changes)
    assert await desk.deliver() is None
    kept = await desk.delivery()
    assert kept.status == "failed"
    assert "nothing was sent" in kept.error
    assert desk.crm.asked == []


async def test_a_workflow_that_was_changed_meanwhile_runs_as_it_is_now(desk: Desk) -> None:
    desk.crm.pages |= {"/calls": answer(status=500), "/moved": answer(status=200)}
    await desk.publish()
    await desk.call()
    assert await desk.deliver() == 10
    await desk.publish(url=desk.crm.url("/moved"))
    desk.now += timedelta(seconds=10)
    assert await desk.deliver() is None
    assert [asked.target for asked in desk.crm.asked] == ["/calls", "/moved"]


async def test_a_call_that_was_deleted_meanwhile_is_not_told_of(desk: Desk) -> None:
    await desk.publish()
    await desk.call()
    await desk.store.calls.delete("c")
    assert await desk.post_call.deliver(delivery_id("c", "crm"), 0) is None
    assert desk.crm.asked == []


async def test_two_jobs_for_one_delivery_send_it_once(desk: Desk) -> None:
    desk.crm.pages["/calls"] = answer(status=200)
    await desk.publish()
    await desk.call()
    both = await asyncio.gather(desk.deliver(), desk.deliver())
    assert None in both  # one sends it, whichever it is; the other looks again, or finds it sent already
    assert set(both) <= {None, LOOK_SECONDS}
    assert await desk.deliver() is None
    assert len(desk.crm.asked) == 1


async def test_sent_again_by_a_person_while_an_attempt_is_made(desk: Desk) -> None:
    desk.crm.pages["/calls"] = in_turn(hang, answer(status=200))
    await desk.publish()
    await desk.call()
    attempt = asyncio.ensure_future(desk.deliver())
    await asyncio.wait_for(desk.crm.came.wait(), 5)
    again = await desk.store.deliveries.resend(delivery_id("c", "crm"), desk.now)
    assert await desk.post_call.deliver(again.id, again.round) == LOOK_SECONDS
    await attempt
    assert await desk.post_call.deliver(again.id, again.round) is None
    assert (await desk.delivery()).status == "delivered"


async def test_a_delivery_that_cannot_be_made_is_given_up_like_any_other(desk: Desk) -> None:
    await desk.publish()
    await desk.call(language="not a language at all")
    assert await desk.deliver() == 10
    assert "inside Parlons (ValueError)" in (await desk.delivery()).error
    desk.now += timedelta(hours=73)
    assert await desk.deliver() is None
    assert (await desk.delivery()).status == "failed"


async def test_a_confirmation_is_noted_however_long_the_database_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the receiver would get it again."""
    desk.crm.pages["/calls"] = answer(status=200)
    await desk.publish()
    await desk.call()
    monkeypatch.setattr("parlons.calls.post_call.NOTE_AGAIN_SECONDS", 0.01)
    really, away = desk.store.deliveries.succeeded, [1, 2, 3]

    async def away_for_a_while(*values: Any) -> None:
        if away:
            away.pop()
            raise StoreError("away")
        await really(*values)

    monkeypatch.setattr(desk.store.deliveries, "succeeded", away_for_a_while)
    assert await desk.deliver() is None
    assert (await desk.delivery()).status == "delivered"
    assert len(desk.crm.asked) == 1


async def test_a_call_is_told_of_when_it_is_over_and_stored_whole(desk: Desk) -> None:
    await desk.publish()
    await desk.call("c")
    await desk.call("other")
    desk.open.add("c")
    assert await desk.post_call.hand_over() is True
    assert [job[2]["delivery"] for job in desk.jobs] == [delivery_id("other", "crm")]
    desk.open.clear()
    assert await desk.post_call.hand_over() is False
    assert [job[0] for job in desk.jobs] == [KIND, KIND]
    assert await desk.post_call.hand_over() is False
    assert len(desk.jobs) == 2
    await desk.call("stuck")
    desk.open.add("stuck")  # its peer does not answer our BYE
    desk.now += timedelta(seconds=6)
    await desk.post_call.hand_over()
    assert len(desk.jobs) == 3


async def test_what_the_jobs_have_lost_is_handed_over_again(desk: Desk) -> None:
    await desk.publish()
    await desk.call()
    await desk.post_call.hand_over()
    desk.now += timedelta(minutes=9)
    await desk.post_call.hand_over()
    assert len(desk.jobs) == 1
    desk.now += timedelta(minutes=12)
    await desk.post_call.hand_over()
    await desk.post_call.hand_over()
    assert len({job_id for _, job_id, _ in desk.jobs}) == len(desk.jobs) == 2


async def test_a_timeline_that_is_too_big_is_delivered_all_the_same(desk: Desk) -> None:
    desk.crm.pages["/calls"] = answer(status=200)
    await desk.publish()
    events = [Event(n * 1000, "caller", Kind.TRANSCRIPT, {"text": f"{n} " + "é" * 2000}) for n in range(1500)]
    await desk.call(events=events)
    assert await desk.deliver() is None
    call = desk.crm.asked[0].json()["call"]
    assert call["truncated"]["transcript"] > 1000
    assert (call["transcript"][0]["at_ms"], call["transcript"][-1]["at_ms"]) == (0, 1_499_000)
    assert len(desk.crm.asked[0].body) < 1_000_000
