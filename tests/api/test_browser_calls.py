"""Browser calls over HTTP, as far as no sound is needed: what is refused, and whose calls these are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webrtc.test_offers import OFFER

from .stage import Stage

PATH = "/v1/browser-calls"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"sdp": OFFER}, "agent_id"),
        ({"agent_id": "accueil"}, "sdp"),
        ({"agent_id": "accueil", "sdp": ""}, "sdp"),
        ({"agent_id": "accueil", "sdp": "hello"}, "sdp"),
        ({"agent_id": "accueil", "sdp": "v=0\r\n" * 5000}, "sdp"),
        ({"agent_id": "accueil", "sdp": OFFER.replace("m=audio", "m=video")}, "sdp"),
        ({"agent_id": "accueil", "sdp": OFFER, "caller": "<sip:x>"}, "caller"),
        ({"agent_id": "accueil", "sdp": OFFER, "to": "+33123456789"}, "to"),
    ],
)
async def test_a_wrong_value_is_named(stage: Stage, body: dict[str, Any], path: str) -> None:
    await stage.agent()
    answer = await stage.http.post(PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert [error["path"] for error in answer.json()["errors"]] == [path]


async def test_an_agent_that_is_not_there_or_not_published(stage: Stage) -> None:
    assert (await stage.http.post(PATH, json={"agent_id": "accueil", "sdp": OFFER})).status_code == 404
    await stage.agent(publish=False)
    answer = await stage.http.post(PATH, json={"agent_id": "accueil", "sdp": OFFER})
    assert (answer.status_code, "draft" in answer.json()["hint"]) == (409, True)


async def test_a_draft_that_could_not_be_published_is_refused_by_its_fields(stage: Stage) -> None:
    missing = {"type": "workflow", "name": "Chercher", "description": "Chercher.", "workflow_id": "gone"}
    await stage.agent(publish=False, actions=[missing])
    answer = await stage.http.post(PATH, json={"agent_id": "accueil", "draft": True, "sdp": OFFER})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["actions[0].workflow_id"]


async def test_no_call_begins_while_none_can_be_taken(stage: Stage) -> None:
    await stage.agent()
    stage.line.ready = False
    answer = await stage.http.post(PATH, json={"agent_id": "accueil", "sdp": OFFER})
    assert (answer.status_code, answer.json()["detail"]) == (409, "No more calls can be taken right now.")


async def test_a_telephones_call_is_not_a_browsers(stage: Stage) -> None:
    stage.line.begin("c")
    assert (await stage.http.delete(f"{PATH}/c")).status_code == 409
    assert (await stage.http.post(f"{PATH}/c/digits", json={"digits": "1"})).status_code == 409
    assert stage.line.live["c"].stopped == []
    stage.line.end("c")
    assert (await stage.http.delete(f"{PATH}/c")).status_code == 204, "over already"
    assert (await stage.http.post(f"{PATH}/c/digits", json={"digits": "1"})).status_code == 409
    assert (await stage.http.delete(f"{PATH}/none")).status_code == 404
    assert (await stage.http.post(f"{PATH}/none/digits", json={"digits": "1"})).status_code == 404
    wrong = await stage.http.post(f"{PATH}/c/digits", json={"digits": "A"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "digits")
