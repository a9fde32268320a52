"""Deliveries of post-call workflows: listed, and sent again by a person."""

from __future__ import annotations

from datetime import timedelta

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus

from .stage import STARTED, Stage

HOOK = {
    "name": "CRM", "trigger": "post_call", "status": "published", "kind": "webhook", "url": "https://crm.example.net/h",
}  # fmt: skip


async def test_a_failed_delivery_is_seen_and_sent_again(both: Stage) -> None:
    await both.http.post("/v1/workflows", json={"id": "crm", "document": HOOK})
    for name in ("one", "two"):
        ended = CallRecord(
            id=name, direction="inbound", started_at=STARTED, status=CallStatus.COMPLETED,
            ended_at=STARTED + timedelta(minutes=1),
        )  # fmt: skip
        await both.store.calls.write_batch([ended], [])
    listed = (await both.http.get("/v1/deliveries")).json()["items"]
    assert {(d["call_id"], d["workflow_id"], d["status"]) for d in listed} == {
        ("one", "crm", "due"),
        ("two", "crm", "due"),
    }
    stored = await both.store.deliveries.get(listed[0]["id"])
    await both.store.deliveries.failed(stored, both.services.clock(), "HTTP 500", None)
    failed = (await both.http.get("/v1/deliveries", params={"status": "failed"})).json()["items"]
    assert [(d["id"], d["error"]) for d in failed] == [(listed[0]["id"], "HTTP 500")]
    resent = await both.http.post(f"/v1/deliveries/{listed[0]['id']}/resend")
    assert (resent.status_code, resent.json()["status"], resent.json()["attempts"]) == (200, "due", 0)
    stored = await both.store.deliveries.get(listed[0]["id"])
    await both.store.deliveries.succeeded(stored, both.services.clock())
    assert (await both.http.post(f"/v1/deliveries/{listed[0]['id']}/resend")).status_code == 409
    assert (await both.http.post("/v1/deliveries/gone/resend")).status_code == 404
    page = (await both.http.get("/v1/deliveries", params={"limit": 1})).json()
    rest = (await both.http.get("/v1/deliveries", params={"cursor": page["next_cursor"]})).json()
    assert len({d["id"] for d in page["items"] + rest["items"]}) == 2
