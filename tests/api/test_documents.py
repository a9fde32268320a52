"""Connections, workflows, data sources, secrets, settings: saved, live, guarded, and what is in use stays."""

from __future__ import annotations

from typing import Any

import pytest

from parlons.telephony.sip.trunks import TrunkStatus

from .stage import AGENT, Stage

TRUNK: dict[str, Any] = {"name": "Trunk", "host": "sip.example.net", "username": "u", "password": "hunter22"}
STEPS: dict[str, Any] = {
    "name": "Order",
    "trigger": "live_call",
    "status": "published",
    "steps": [{"id": "r", "type": "return", "value": {"hello": "{{ input.name }}"}}],
    "input": [{"name": "name", "required": True}],
}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("sip-connections", TRUNK),
    ("workflows", STEPS),
    ("data-sources", {"name": "FAQ"}),
]


@pytest.mark.parametrize(("kind", "document"), KINDS, ids=[kind for kind, _ in KINDS])
async def test_the_life_of_a_document(both: Stage, kind: str, document: dict[str, Any]) -> None:
    http, path = both.http, f"/v1/{kind}"
    made = await http.post(path, json={"id": "one", "document": document})
    assert made.status_code == 201, made.text
    assert (made.headers["etag"], made.headers["location"]) == ('"1"', f"{path}/one")
    assert both.reloads == 1
    assert (await http.post(path, json={"id": "one", "document": document})).status_code == 409
    named = (await http.post(path, json={"document": document | {"name": "Été"}})).json()
    assert named["id"] == "ete"
    listed = (await http.get(path, params={"limit": 1})).json()
    assert [i["id"] for i in listed["items"]] == ["ete"]
    rest = (await http.get(path, params={"cursor": listed["next_cursor"]})).json()
    assert ([i["id"] for i in rest["items"]], rest["next_cursor"]) == (["one"], None)
    changed = made.json()["document"] | {"name": "Changed"}
    assert (await http.put(f"{path}/one", json=changed)).status_code == 428
    saved = await http.put(f"{path}/one", json=changed, headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')
    stale = await http.put(f"{path}/one", json=changed | {"name": "Lost?"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (stale.json()["current_revision"], stale.json()["your_revision"]) == (2, 1)
    assert (await http.get(f"{path}/one")).json()["document"]["name"] == "Changed"
    assert (await http.put(f"{path}/gone", json=changed, headers={"If-Match": "*"})).status_code == 404
    assert (await http.delete(f"{path}/one", headers={"If-Match": '"1"'})).status_code == 412
    assert (await http.delete(f"{path}/one")).status_code == 204
    assert (await http.get(f"{path}/one")).status_code == 404
    assert (await http.delete(f"{path}/one")).status_code == 404


async def test_a_password_goes_in_and_never_comes_out(both: Stage) -> None:
    made = await both.http.post("/v1/sip-connections", json={"id": "t", "document": TRUNK})
    shown = made.json()["document"]
    assert shown["password"] == "********"
    saved = await both.http.put("/v1/sip-connections/t", json=shown | {"port": 5070}, headers={"If-Match": '"1"'})
    assert saved.status_code == 200
    assert (await both.store.connections.credentials("t")).password == "hunter22"
    moved = await both.http.put("/v1/sip-connections/t", json=shown | {"host": "evil.test"}, headers={"If-Match": "*"})
    assert moved.status_code == 422, "a kept password is not sent to a host that somebody else chose"
    assert moved.json()["errors"][0]["path"] == "password"
    await both.http.put("/v1/sip-connections/t", json=shown | {"password": "second"}, headers={"If-Match": "*"})
    for path in ("/v1/sip-connections", "/v1/sip-connections/t", "/v1/audit"):
        text = (await both.http.get(path)).text
        assert "hunter22" not in text
        assert "second" not in text
    changes = (await both.http.get("/v1/audit")).json()["items"][0]["changes"]
    assert {"path": "password", "before": "********", "after": "(new secret)"} in changes


async def test_the_state_of_a_connection_and_a_test(stage: Stage) -> None:
    for key in ("t", "silent"):
        await stage.http.post("/v1/sip-connections", json={"id": key, "document": TRUNK})
    assert (await stage.http.get("/v1/sip-connections/t")).json()["state"] is None
    stage.states = [TrunkStatus("t", registered=True, reachable=False, last_error="no answer to OPTIONS")]
    state = (await stage.http.get("/v1/sip-connections/t")).json()["state"]
    assert (state["registered"], state["reachable"]) == (True, False)
    assert (await stage.http.post("/v1/sip-connections/t/test")).json()["detail"] == "200 OK"
    silent = (await stage.http.post("/v1/sip-connections/silent/test")).json()
    assert (silent["ok"], silent["hint"]) == (False, "Check it.")
    assert (await stage.http.post("/v1/sip-connections/gone/test")).status_code == 404


async def test_what_an_agent_names_is_not_deleted(both: Stage) -> None:
    http = both.http
    await http.post("/v1/sip-connections", json={"id": "t", "document": TRUNK})
    await http.post("/v1/workflows", json={"id": "w", "document": STEPS})
    await http.post("/v1/data-sources", json={"id": "d", "document": {"name": "FAQ"}})
    await both.agent(
        sip_connection_id="t",
        actions=[
            {"type": "workflow", "name": "order", "description": "d", "workflow_id": "w"},
            {"type": "rag", "name": "faq", "description": "d", "data_source_id": "d"},
        ],
    )
    await http.put("/v1/agents/accueil", json=AGENT, headers={"If-Match": "*"})  # the draft names them no more
    paths = {
        "sip-connections/t": "sip_connection_id",
        "workflows/w": "actions[0].workflow_id",
        "data-sources/d": "actions[1].data_source_id",
    }
    for path, where in paths.items():
        refused = await http.delete(f"/v1/{path}")
        assert refused.status_code == 409
        use = {"kind": "agent", "id": "accueil", "name": "Accueil", "path": where, "live": True}
        assert refused.json()["used_by"] == [use]
    assert (await http.post("/v1/agents/accueil/publish")).status_code == 200
    for path in paths:
        assert (await http.delete(f"/v1/{path}")).status_code == 204


async def test_trying_a_workflow_shows_its_steps_and_keeps_the_run(both: Stage) -> None:
    await both.http.post("/v1/workflows", json={"id": "w", "document": STEPS})
    tried = await both.http.post("/v1/workflows/w/try", json={"sample": {"input": {"name": "Ada"}}})
    assert tried.status_code == 200, tried.text
    run = tried.json()
    assert (run["status"], run["result"], run["call_id"]) == ("ok", {"hello": "Ada"}, None)
    unsaved = STEPS | {"steps": [{"id": "r", "type": "return", "value": "other"}]}
    body = {"document": unsaved, "sample": {"input": {"name": "Ada"}}}
    assert (await both.http.post("/v1/workflows/w/try", json=body)).json()["result"] == "other"
    missing = (await both.http.post("/v1/workflows/w/try", json={})).json()
    assert missing["status"] == "error"
    assert missing["error"]["code"]
    runs = (await both.http.get("/v1/workflows/w/runs")).json()["items"]
    assert [r["status"] for r in runs] == ["error", "ok", "ok"]
    assert (await both.http.get("/v1/workflows/w/runs", params={"status": "error"})).json()["items"] == runs[:1]
    again = (await both.http.get(f"/v1/workflows/w/runs/{run['id']}")).json()
    assert again["result"] == {"hello": "Ada"}
    assert (await both.http.get(f"/v1/workflows/other/runs/{run['id']}")).status_code == 404
    reserved = await both.http.post("/v1/workflows/w/try", json={"sample": {"context": {"system": {}}}})
    assert reserved.json()["errors"][0]["path"] == "sample.context"


async def test_a_secret_goes_in_and_never_comes_out(both: Stage) -> None:
    assert (await both.http.put("/v1/secrets/CRM_KEY", json={"value": "s3cr3t-value"})).status_code == 204
    await both.http.post("/v1/workflows", json={"id": "w", "document": STEPS | {
        "steps": [{"id": "r", "type": "return", "value": "{{ secrets.CRM_KEY }}"}]}})  # fmt: skip
    listed = await both.http.get("/v1/secrets")
    assert listed.json() == {"items": ["CRM_KEY"]}
    tried = await both.http.post("/v1/workflows/w/try", json={"sample": {"input": {"name": "x"}}})
    for answer in (listed, tried, await both.http.get("/v1/audit"), await both.http.get("/v1/workflows/w/runs")):
        assert "s3cr3t-value" not in answer.text
    refused = await both.http.delete("/v1/secrets/CRM_KEY")
    assert refused.json()["used_by"][0]["id"] == "w"
    await both.http.delete("/v1/workflows/w")
    assert (await both.http.delete("/v1/secrets/CRM_KEY")).status_code == 204
    assert (await both.http.delete("/v1/secrets/CRM_KEY")).status_code == 404
    assert (await both.http.put("/v1/secrets/not-a-name", json={"value": "x"})).status_code == 422


async def test_the_address_to_alert_is_whole_for_administrators_alone(stage: Stage) -> None:
    url = "https://user:pass@hooks.example.com:8443/T0/secret"
    found = (await stage.http.get("/v1/settings")).json()
    document = found["document"] | {"alert_url": url}
    saved = await stage.http.put("/v1/settings", json=document, headers={"If-Match": "*"})
    assert saved.json()["document"]["alert_url"] == url
    for scope in ("read", "write", "calls"):
        told = await stage.http.get("/v1/settings", headers=await stage.key("read", scope))
        assert told.json()["document"]["alert_url"] == "https://hooks.example.com/********"
    reader = await stage.key("read")
    for odd, shown in (("http://[hook/x", "********"), ("http://:80/x", "http://********/********")):
        await stage.http.put("/v1/settings", json=document | {"alert_url": odd}, headers={"If-Match": "*"})
        told = await stage.http.get("/v1/settings", headers=reader)
        assert told.json()["document"]["alert_url"] == shown, told.text


async def test_settings_are_one_document(both: Stage) -> None:
    found = await both.http.get("/v1/settings")
    assert (found.json()["revision"], found.headers["etag"]) == (0, '"0"')
    document = found.json()["document"] | {"failover_enabled": True}
    saved = await both.http.put("/v1/settings", json=document, headers={"If-Match": '"0"'})
    assert saved.json()["document"]["failover_enabled"]
    assert both.reloads == 1
    assert (await both.http.put("/v1/settings", json=document, headers={"If-Match": '"0"'})).status_code == 412
    named = document | {"outbound_connection_id": "gone"}
    refused = await both.http.put("/v1/settings", json=named, headers={"If-Match": "*"})
    assert refused.json()["errors"] == [
        {"path": "outbound_connection_id", "message": "there is no SIP connection 'gone'"}
    ]


async def test_the_audit_log_says_who_changed_what(both: Stage) -> None:
    client = await both.signed_in("editor", "Bea")
    await client.post("/v1/agents", json={"id": "a", "document": AGENT})
    await client.put("/v1/agents/a", json=AGENT | {"prompt": "Autre"}, headers={"If-Match": '"1"'})
    await client.post("/v1/agents/a/publish")
    found = (await both.http.get("/v1/audit", params={"target_kind": "agent", "target_id": "a"})).json()["items"]
    assert [(e["action"], e["actor_kind"], e["actor_name"]) for e in found] == [
        ("agent.publish", "user", "Bea"), ("agent.save", "user", "Bea"), ("agent.create", "user", "Bea"),
    ]  # fmt: skip
    assert found[1]["changes"] == [{"path": "prompt", "before": "Bonjour", "after": "Autre"}]
    page = (await both.http.get("/v1/audit", params={"limit": 2})).json()
    rest = (await both.http.get("/v1/audit", params={"limit": 50, "cursor": page["next_cursor"]})).json()
    ids = [e["id"] for e in page["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == len(ids) == 4


async def test_a_refused_change_is_not_in_the_audit_log(stage: Stage) -> None:
    await stage.agent(publish=False)
    before = (await stage.http.get("/v1/audit")).json()
    await stage.http.put("/v1/agents/accueil", json=AGENT | {"prompt": "x"}, headers={"If-Match": '"7"'})
    await stage.http.delete("/v1/agents/gone")
    assert (await stage.http.get("/v1/audit")).json() == before


async def test_a_header_that_may_hold_a_token_is_hidden_in_the_audit_log(stage: Stage) -> None:
    hook = {"name": "Hook", "trigger": "post_call", "kind": "webhook", "url": "https://crm.example.net/h",
            "headers": {"Authorization": "Bearer tok-123", "X-Team": "blue"}, "secret": "sign-456"}  # fmt: skip
    assert (await stage.http.post("/v1/workflows", json={"id": "h", "document": hook})).status_code == 201
    text = (await stage.http.get("/v1/audit")).text
    assert "tok-123" not in text
    assert "sign-456" not in text
    assert "blue" in text
