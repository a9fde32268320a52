"""Drafts, publishing, versions, the failover tab; two editors at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parlons.errors import StoreError

from .stage import AGENT, Stage

MESSAGE = {"type": "message", "text": "Rappelez plus tard.", "language": "fr-FR"}


async def test_an_agent_from_nothing_to_live(both: Stage) -> None:
    made = await both.http.post("/v1/agents", json={"document": AGENT | {"name": "Standard d'été"}})
    assert made.status_code == 201
    assert made.json()["id"] == "standard-d-ete"
    assert made.headers["location"] == "/v1/agents/standard-d-ete"
    assert made.headers["etag"] == '"1"'
    assert made.json()["live_version"] is None
    again = await both.http.post("/v1/agents", json={"document": AGENT | {"name": "Standard d'été"}})
    assert again.json()["id"].startswith("standard-d-ete-")
    assert both.reloads == 0
    published = await both.http.post("/v1/agents/standard-d-ete/publish")
    assert published.json() == {"id": "standard-d-ete", "live_version": 1}
    assert both.reloads == 1, "saved is live before the answer is sent"
    draft = (await both.http.get("/v1/agents/standard-d-ete")).json()
    assert (draft["live_version"], draft["unpublished"]) == (1, False)
    listed = (await both.http.get("/v1/agents")).json()
    assert [item["id"] for item in listed["items"]] == sorted([again.json()["id"], "standard-d-ete"])


async def test_a_taken_id_is_refused(stage: Stage) -> None:
    await stage.agent()
    answer = await stage.http.post("/v1/agents", json={"id": "accueil", "document": AGENT})
    assert answer.status_code == 409
    assert "accueil" in answer.json()["detail"]


async def test_two_editors_of_one_draft_and_nothing_is_lost(both: Stage) -> None:
    await both.agent(publish=False)
    tag = (await both.http.get("/v1/agents/accueil")).headers["etag"]
    first = await both.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "one"}, headers={"If-Match": tag})
    assert first.status_code == 200
    second = await both.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "two"}, headers={"If-Match": tag})
    assert second.status_code == 412
    problem = second.json()
    assert (problem["current_revision"], problem["your_revision"]) == (2, 1)
    assert "Nothing was saved" in problem["hint"]
    stored = await both.http.get("/v1/agents/accueil")
    assert stored.json()["document"]["prompt"] == "one"
    redone = await both.http.put(
        "/v1/agents/accueil", json=AGENT | {"prompt": "two"}, headers={"If-Match": stored.headers["etag"]}
    )
    assert redone.status_code == 200
    wilful = await both.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "3"}, headers={"If-Match": "*"})
    assert wilful.json()["document"]["prompt"] == "3"


async def test_of_five_saves_at_once_one_is_kept(both: Stage) -> None:
    await both.agent(publish=False)
    saves = [
        both.http.put("/v1/agents/accueil", json=AGENT | {"prompt": f"p{i}"}, headers={"If-Match": '"1"'})
        for i in range(5)
    ]
    answers = await asyncio.gather(*saves)
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412, 412]


async def test_a_save_without_its_revision_is_refused(stage: Stage) -> None:
    await stage.agent()
    assert (await stage.http.put("/v1/agents/accueil", json=AGENT)).status_code == 428
    odd = await stage.http.put("/v1/agents/accueil", json=AGENT, headers={"If-Match": "banana"})
    assert odd.status_code == 422
    assert odd.json()["errors"][0]["path"] == "header.If-Match"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"silence_check_seconds": 2}, "silence_check_seconds"),
        ({"actions": [{"type": "transfer", "name": "T", "max_ring_seconds": 90}]}, "actions[0].max_ring_seconds"),
        ({"phone_numbers": ["0123"]}, "phone_numbers[0]"),
        ({"nmae": "x"}, "nmae"),
        ({"greeting": "{{ unclosed"}, "greeting"),
    ],
)
async def test_a_bad_value_is_named(stage: Stage, changes: dict[str, Any], path: str) -> None:
    answer = await stage.http.post("/v1/agents", json={"document": AGENT | changes})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"document.{path}" in [e["path"] for e in answer.json()["errors"]]


async def test_checking_says_what_stands_in_the_way_and_saves_nothing(stage: Stage) -> None:
    await stage.agent(phone_numbers=["+33123456789"])
    document = AGENT | {
        "phone_numbers": ["+33123456789"],
        "actions": [{"type": "workflow", "name": "w", "description": "d", "workflow_id": "gone"}],
    }
    found = (await stage.http.post("/v1/agents/check", json={"document": document})).json()
    assert not found["publishable"]
    assert [e["path"] for e in found["errors"]] == ["actions[0].workflow_id", "phone_numbers[0]"]
    own = {"id": "accueil", "document": AGENT | {"phone_numbers": ["+33123456789"]}}
    assert (await stage.http.post("/v1/agents/check", json=own)).json() == {"publishable": True, "errors": []}
    bad = (await stage.http.post("/v1/agents/check", json={"document": {}})).json()
    assert bad["errors"] == [{"path": "name", "message": "is required"}]


async def test_publishing_what_names_nothing_is_refused(stage: Stage) -> None:
    document = AGENT | {"pre_call": {"workflow_id": "gone"}}
    await stage.http.post("/v1/agents", json={"id": "a", "document": document})
    answer = await stage.http.post("/v1/agents/a/publish")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "pre_call.workflow_id", "message": "there is no workflow 'gone'"}]
    assert stage.reloads == 0


async def test_a_number_on_two_active_agents_is_refused(stage: Stage) -> None:
    await stage.agent("a", phone_numbers=["+33123456789"])
    await stage.agent("b", publish=False, phone_numbers=["+33123456789"])
    answer = await stage.http.post("/v1/agents/b/publish")
    assert answer.status_code == 409
    assert "+33123456789" in answer.json()["detail"]


async def test_versions_are_listed_read_and_restored(stage: Stage) -> None:
    await stage.agent(prompt="one")
    await stage.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "two"}, headers={"If-Match": "*"})
    await stage.http.post("/v1/agents/accueil/publish")
    found = (await stage.http.get("/v1/agents/accueil/versions")).json()["items"]
    assert [(v["version"], v["live"]) for v in found] == [(2, True), (1, False)]
    assert (await stage.http.get("/v1/agents/accueil/versions/1")).json()["document"]["prompt"] == "one"
    stale = await stage.http.post("/v1/agents/accueil/versions/1/restore", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    restored = await stage.http.post("/v1/agents/accueil/versions/1/restore", headers={"If-Match": '"2"'})
    assert restored.json()["document"]["prompt"] == "one"
    assert restored.json()["unpublished"]
    assert (await stage.http.get("/v1/agents/accueil/versions/9")).status_code == 404


async def test_the_failover_tab_is_live_on_save_and_publishes_nothing_else(both: Stage) -> None:
    await both.agent(prompt="live")
    await both.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "not yet"}, headers={"If-Match": "*"})
    tab = {"failover": {"enabled": True, "action": MESSAGE}, "default_error_message": None}
    reloads = both.reloads
    saved = await both.http.put("/v1/agents/accueil/failover", json=tab)
    assert saved.status_code == 200
    assert saved.json()["live_version"] == 2
    assert both.reloads == reloads + 1
    live = await both.store.agents.live("accueil")
    assert live is not None
    assert (live[0].prompt, live[0].failover.enabled) == ("live", True)
    assert (await both.http.get("/v1/agents/accueil/failover")).json() == saved.json()
    draft = (await both.http.get("/v1/agents/accueil")).json()
    assert draft["document"]["failover"]["enabled"]
    assert draft["document"]["prompt"] == "not yet"
    named = {"failover": {"enabled": True, "action": {"type": "workflow", "workflow_id": "gone"}}}
    refused = await both.http.put("/v1/agents/accueil/failover", json=named)
    assert refused.json()["errors"][0]["path"] == "failover.action.workflow_id"


async def test_an_agent_that_something_names_is_not_deleted(stage: Stage) -> None:
    await stage.agent("accueil")
    connection = {"name": "Trunk", "host": "192.0.2.1", "default_agent_id": "accueil"}
    await stage.http.post("/v1/sip-connections", json={"id": "trunk", "document": connection})
    refused = await stage.http.delete("/v1/agents/accueil")
    assert refused.status_code == 409
    assert refused.json()["used_by"] == [
        {"kind": "sip_connection", "id": "trunk", "name": "Trunk", "path": "default_agent_id", "live": True}
    ]
    await stage.http.delete("/v1/sip-connections/trunk")
    assert (await stage.http.delete("/v1/agents/accueil")).status_code == 204
    assert (await stage.http.get("/v1/agents/accueil")).status_code == 404


async def test_a_providers_key_never_comes_back_and_is_kept(stage: Stage) -> None:
    providers = {"llm": [{"type": "openai", "api_key": "sk-very-secret"}]}
    made = await stage.http.post("/v1/agents", json={"id": "a", "document": AGENT | {"providers": providers}})
    assert "sk-very-secret" not in made.text
    document = made.json()["document"]
    assert document["providers"]["llm"][0]["api_key"] == "********"
    saved = await stage.http.put("/v1/agents/a", json=document | {"prompt": "x"}, headers={"If-Match": '"1"'})
    assert saved.status_code == 200
    await stage.http.post("/v1/agents/a/publish")
    live = await stage.store.agents.live("a")
    assert live is not None
    assert live[0].providers.llm[0].api_key == "sk-very-secret"
    assert "sk-very-secret" not in (await stage.http.get("/v1/audit")).text


async def test_pages_of_agents_lose_and_repeat_none(stage: Stage) -> None:
    for number in range(7):
        await stage.agent(f"a{number}", publish=False)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = (
            await stage.http.get("/v1/agents", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [item["id"] for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"a{number}" for number in range(7)]


async def test_saved_and_not_live_is_said(stage: Stage) -> None:
    await stage.agent(publish=False)
    stage.reload_fails = StoreError("the database does not do its work now.")
    answer = await stage.http.post("/v1/agents/accueil/publish")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:parlons:problem:saved-not-live"
    assert "retry-after" in answer.headers
