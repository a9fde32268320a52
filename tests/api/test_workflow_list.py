"""The list of workflows with details: who names each, and what it did last."""

from __future__ import annotations

from typing import Any

from .stage import AGENT, Stage
from .test_documents import STEPS

NAMING: dict[str, Any] = {
    "actions": [{"type": "workflow", "name": "order", "description": "d", "workflow_id": "used"}],
}


async def test_details_are_there_when_they_are_asked_for(both: Stage) -> None:
    http = both.http
    for key in ("used", "idle"):
        await http.post("/v1/workflows", json={"id": key, "document": STEPS})
    await both.agent(**NAMING)
    first = (await http.post("/v1/workflows/used/try", json={"sample": {"input": {"name": "Ada"}}})).json()
    last = (await http.post("/v1/workflows/used/try", json={})).json()
    assert (first["status"], last["status"]) == ("ok", "error")
    plain = (await http.get("/v1/workflows")).json()["items"]
    assert [(item["used_by"], item["last_run"]) for item in plain] == [(None, None), (None, None)]
    idle, used = (await http.get("/v1/workflows", params={"details": "true"})).json()["items"]
    assert (idle["id"], idle["used_by"], idle["last_run"]) == ("idle", [], None)
    use = {"kind": "agent", "id": "accueil", "name": "Accueil", "path": "actions[0].workflow_id", "live": True}
    assert used["used_by"] == [use]
    assert (used["last_run"]["id"], used["last_run"]["status"]) == (last["id"], "error")


async def test_a_draft_alone_names_it_too_and_says_so(stage: Stage) -> None:
    http = stage.http
    await http.post("/v1/workflows", json={"id": "used", "document": STEPS})
    await stage.agent()
    assert (await http.put("/v1/agents/accueil", json=AGENT | NAMING, headers={"If-Match": "*"})).status_code == 200
    (used,) = (await http.get("/v1/workflows", params={"details": "true"})).json()["items"]
    assert [use["live"] for use in used["used_by"]] == [False]


async def test_bad_details_are_refused_by_name(stage: Stage) -> None:
    refused = await stage.http.get("/v1/workflows", params={"details": "perhaps"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "query.details"
