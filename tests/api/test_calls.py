"""Calls: lists, one with what was said, recordings in parts, placing, hanging up, forgetting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind

from .stage import STARTED, Stage

SOUND = bytes(range(256)) * 40


async def stored(stage: Stage, call_id: str, minutes: int = 0, **values: Any) -> None:
    record = CallRecord(
        **{
            "id": call_id, "direction": "inbound", "started_at": STARTED + timedelta(minutes=minutes),
            "status": CallStatus.COMPLETED, "agent_id": "accueil", "caller": "+33612345678", "called": "+33123456789",
            "ended_at": STARTED + timedelta(minutes=minutes + 1), **values,
        }
    )  # fmt: skip
    await stage.store.calls.create(record)


async def recorded(stage: Stage, call_id: str, name: str | None = None) -> None:
    name = name or f"{call_id}.wav"
    await stored(stage, call_id, recording=name)
    (stage.recordings / name.rpartition("/")[2]).write_bytes(SOUND)


async def test_a_list_with_filters_and_pages(both: Stage) -> None:
    for number in range(5):
        await stored(both, f"c{number}", number)
    await stored(both, "f", 9, status=CallStatus.FAILOVER, trigger="pre_call_timeout", caller="+33611111111")

    async def ids(**params: Any) -> list[str]:
        answer = await both.http.get("/v1/calls", params=params)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids() == ["f", "c4", "c3", "c2", "c1", "c0"]
    assert await ids(status="failover") == ["f"]
    assert await ids(agent_id="other") == []
    assert await ids(direction="outbound") == []
    assert await ids(number="06 11 11 11 11") == ["f"], "national, in the default country"
    assert await ids(since="2026-05-04T11:32:00+02:00", until="2026-05-04T09:34:00Z") == ["c3", "c2"]
    first = (await both.http.get("/v1/calls", params={"limit": 4})).json()
    second = (await both.http.get("/v1/calls", params={"limit": 4, "cursor": first["next_cursor"]})).json()
    assert [i["id"] for i in second["items"]] == ["c1", "c0"]
    assert second["next_cursor"] is None


async def test_one_call_with_its_timeline_and_transcript(both: Stage) -> None:
    await stored(both, "c", context={"queue": "a"})
    events = [
        Event(0, "system", Kind.RINGING),
        Event(900, "agent", Kind.TRANSCRIPT, {"text": "Bonjour.", "interrupted": True}),
        Event(2000, "caller", Kind.TRANSCRIPT, {"text": "<script>alert(1)</script>"}),
        Event(3000, "caller", Kind.HANG_UP, {"who": "caller", "why": "bye"}),
    ]
    await both.store.calls.append_events("c", events)
    one = (await both.http.get("/v1/calls/c")).json()
    assert (one["context"], one["has_recording"]) == ({"queue": "a"}, False)
    timeline = (await both.http.get("/v1/calls/c/timeline")).json()["items"]
    assert [(e["number"], e["kind"]) for e in timeline] == [
        (1, "ringing"), (2, "transcript"), (3, "transcript"), (4, "hang_up"),
    ]  # fmt: skip
    transcript = await both.http.get("/v1/calls/c/transcript")
    assert transcript.json()["items"] == [
        {"at_ms": 900, "actor": "agent", "text": "Bonjour.", "interrupted": True},
        {"at_ms": 2000, "actor": "caller", "text": "<script>alert(1)</script>", "interrupted": False},
    ]
    assert transcript.headers["content-type"] == "application/json"
    assert transcript.headers["x-content-type-options"] == "nosniff"
    for path in ("", "/timeline", "/transcript", "/recording", "/events"):
        assert (await both.http.get(f"/v1/calls/gone{path}")).status_code == 404


async def test_a_live_call_is_told_as_it_stands(stage: Stage) -> None:
    call = stage.line.begin("live")
    call.timeline.add("agent", Kind.TRANSCRIPT, text="Bonjour.")
    assert (await stage.http.get("/v1/calls/live")).json()["status"] == "in_progress"
    found = (await stage.http.get("/v1/calls/live/transcript")).json()["items"]
    assert [u["text"] for u in found] == ["Bonjour."]
    assert (await stage.http.delete("/v1/calls/live")).status_code == 409
    assert (await stage.http.post("/v1/calls/live/hang-up")).status_code == 202
    assert call.stopped == ["ended through the API"]
    await stored(stage, "over")
    assert (await stage.http.post("/v1/calls/over/hang-up")).status_code == 409
    assert (await stage.http.post("/v1/calls/gone/hang-up")).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        (None, 200, SOUND), ("bytes=0-9", 206, SOUND[:10]), ("bytes=100-", 206, SOUND[100:]),
        ("bytes=-7", 206, SOUND[-7:]), ("bytes=0-99999999", 206, SOUND), ("banana", 200, SOUND),
        ("bytes=0-1,5-6", 200, SOUND), ("bytes=9-2", 416, b""), ("bytes=99999999-", 416, b""),
        ("bytes=-0", 416, b""), ("bytes=-", 416, b""), ("bytes=-99999999", 206, SOUND),
    ],
)  # fmt: skip
async def test_a_recording_in_parts(stage: Stage, wanted: str | None, status: int, part: bytes) -> None:
    await recorded(stage, "c")
    headers = {"Range": wanted} if wanted else {}
    answer = await stage.http.get("/v1/calls/c/recording", headers=headers)
    assert answer.status_code == status, answer.text[:200]
    if status == 416:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-range"] == f"bytes */{len(SOUND)}"
    else:
        assert answer.content == part
        assert answer.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize("name", ["../secret.key", "/etc/passwd", "a/../../secret.key", "..", ".", "gone.wav"])
async def test_a_recording_is_never_read_from_elsewhere(stage: Stage, name: str) -> None:
    (stage.recordings.parent / "secret.key").write_text("the key")
    await stored(stage, "c", recording=name)
    answer = await stage.http.get("/v1/calls/c/recording")
    assert answer.status_code == 404
    assert "the key" not in answer.text


async def test_a_call_being_recorded_is_not_played(stage: Stage) -> None:
    stage.line.begin("live", recording="live.wav")
    assert (await stage.http.get("/v1/calls/live/recording")).status_code == 409
    await stored(stage, "c")
    assert (await stage.http.get("/v1/calls/c/recording")).status_code == 404


async def test_placing_a_call(stage: Stage) -> None:
    calls = await stage.key("calls")
    made = await stage.http.post("/v1/calls", json={"agent_id": "accueil", "to": "+33612345678"}, headers=calls)
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/calls/{made.json()['id']}"
    unknown = await stage.http.post("/v1/calls", json={"agent_id": "gone", "to": "+33612345678"}, headers=calls)
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["path"] == "agent_id"
    uri = {"agent_id": "accueil", "to": "sip:100@192.0.2.1"}
    assert (await stage.http.post("/v1/calls", json=uri, headers=calls)).status_code == 403
    assert (await stage.http.post("/v1/calls", json=uri)).status_code == 201
    for to in ("", "a\r\nb", "x" * 301, " 1"):
        answer = await stage.http.post("/v1/calls", json={"agent_id": "accueil", "to": to})
        assert answer.status_code == 422, to
    assert [to for _, to in stage.line.placed] == ["+33612345678", "sip:100@192.0.2.1"]


async def test_deleting_and_erasing_take_the_recordings_along(both: Stage) -> None:
    await recorded(both, "one")
    await recorded(both, "two")
    await stored(both, "three", caller="+33611111111")
    assert (await both.http.delete("/v1/calls/one")).status_code == 204
    assert not (both.recordings / "one.wav").exists()
    assert (await both.http.get("/v1/calls/one")).status_code == 404
    erased = await both.http.post("/v1/erasures", json={"number": "06 12 34 56 78"})
    assert erased.json() == {"number": "06 12 34 56 78", "calls": 0, "recordings": 0}, "no default country is stored"
    erased = await both.http.post("/v1/erasures", json={"number": "+33 6 12 34 56 78"})
    assert erased.json() == {"number": "+33612345678", "calls": 1, "recordings": 1}
    assert not (both.recordings / "two.wav").exists()
    assert [c["id"] for c in (await both.http.get("/v1/calls")).json()["items"]] == ["three"]
    assert "+33612345678" not in (await both.http.get("/v1/audit")).text


async def test_a_number_on_the_phone_is_not_erased_half(stage: Stage) -> None:
    stage.line.begin("live", caller="+33612345678")
    await stored(stage, "old")
    refused = await stage.http.post("/v1/erasures", json={"number": "+33612345678"})
    assert refused.status_code == 409
    stage.line.end("live")
    erased = await stage.http.post("/v1/erasures", json={"number": "+33612345678"})
    assert erased.json()["calls"] == 2
    assert (await stage.http.get("/v1/calls/live")).status_code == 404


async def test_cursors_of_others_are_refused(stage: Stage) -> None:
    for number in range(3):
        await stored(stage, f"c{number}", number)
        await stage.agent(f"a{number}", publish=False)
    agents = (await stage.http.get("/v1/agents", params={"limit": 1})).json()["next_cursor"]
    calls = (await stage.http.get("/v1/calls", params={"limit": 1})).json()["next_cursor"]

    async def ask(path: str, cursor: str) -> httpx.Response:
        return await stage.http.get(path, params={"cursor": cursor})

    for cursor in (agents, "é", "!", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHx4", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMA=="):
        assert (await ask("/v1/calls", cursor)).status_code == 422, cursor
    for cursor in (calls, agents, "-1", "99999999999999999999999", "²"):
        assert (await ask("/v1/audit", cursor)).status_code == 422, cursor
    for cursor in (calls, "a1", "é", "YWdlbnRz"):
        assert (await ask("/v1/agents", cursor)).status_code == 422, cursor
    assert (await ask("/v1/workflows", agents)).status_code == 422
