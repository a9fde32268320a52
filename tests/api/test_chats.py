"""An agent in text over HTTP, with the built-in rules: what is refused, what happens, how it ends, what stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.api.routes import chats as routes
from parlons.calls import chats, chatting
from parlons.calls.directory import Directory, LiveAgent
from parlons.calls.handing_over import Holder
from parlons.store.sealing import KEPT
from tests.support import streams

from .stage import Stage
from .test_events import address, until

__all__ = ["address"]

PROMPT = """Tu réponds pour une boutique.
- horaires, ouvert : Nous sommes ouverts de neuf heures à dix-huit heures.
"""
SHOP: dict[str, Any] = {"name": "Boutique", "language": "fr-FR", "greeting": "Bonjour.", "prompt": PROMPT}
HANG_UP = {"type": "hang_up", "name": "Raccrocher", "description": "L'appelant dit au revoir."}
TRANSFER = {
    "type": "transfer",
    "name": "Support",
    "description": "L'appelant veut le support technique.",
    "destinations": [{"phone": "+33123456780", "description": "Technicien"}],
}


async def started(stage: Stage, agent: str = "boutique", **wanted: Any) -> str:
    """A chat's id."""
    answer = await stage.http.post("/v1/chats", json={"agent_id": agent, **wanted})
    assert answer.status_code == 201, answer.text
    chat_id = str(answer.json()["id"])
    assert answer.headers["location"] == f"/v1/chats/{chat_id}"
    return chat_id


async def say(stage: Stage, chat_id: str, text: str) -> httpx.Response:
    return await stage.http.post(f"/v1/chats/{chat_id}/messages", json={"text": text})


def words(stage: Stage, chat_id: str, actor: str = "agent") -> list[str]:
    events = stage.chats.get(chat_id).timeline.events
    return [e.payload["text"] for e in events if e.kind == "transcript" and e.actor == actor]


def payloads(stage: Stage, chat_id: str, kind: str) -> list[dict[str, Any]]:
    return [e.payload for e in stage.chats.get(chat_id).timeline.events if e.kind == kind]


async def over(stage: Stage, chat_id: str) -> str:
    """How it ended."""
    await until(lambda: stage.chats.get(chat_id).over)
    return stage.chats.get(chat_id).reason


def live(stage: Stage, settings: InstallationSettings | None = None, **agents: dict[str, Any]) -> None:
    """What the process uses now: the stage has no loop that reads it from the store."""
    found = [LiveAgent(key, 1, Agent.model_validate(document)) for key, document in agents.items()]
    stage.line.directory = Directory.build(found, {}, settings or InstallationSettings(), {})


async def followed(address: str, path: str, headers: dict[str, str]) -> AsyncIterator[tuple[str, Any]]:
    """What happens, as another client than ``stage.http`` is told it."""
    async with httpx.AsyncClient(headers=headers, timeout=20) as client:
        async for item in streams.followed(client, f"{address}{path}"):
            yield item


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "agent_id"),
        ({"agent_id": "a b"}, "agent_id"),
        ({"agent_id": "boutique", "draft": "maybe"}, "draft"),
        ({"agent_id": "boutique", "caller": "\r\nX: 1"}, "caller"),
        ({"agent_id": "boutique", "caller": "1" * 33}, "caller"),
        ({"agent_id": "boutique", "sdp": "v=0"}, "sdp"),
    ],
)
async def test_a_wrong_value_is_named(stage: Stage, body: dict[str, Any], path: str) -> None:
    await stage.agent("boutique", **SHOP)
    answer = await stage.http.post("/v1/chats", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert stage.chats.active == 0


async def test_an_agent_that_is_not_there_or_not_published_or_not_active(stage: Stage) -> None:
    assert (await stage.http.post("/v1/chats", json={"agent_id": "boutique"})).status_code == 404
    assert (await stage.http.post("/v1/chats", json={"agent_id": "boutique", "draft": True})).status_code == 404
    await stage.agent("boutique", publish=False, **SHOP)
    answer = await stage.http.post("/v1/chats", json={"agent_id": "boutique"})
    assert (answer.status_code, "draft" in answer.json()["hint"]) == (409, True)
    await stage.agent("asleep", **SHOP | {"active": False})
    answer = await stage.http.post("/v1/chats", json={"agent_id": "asleep"})
    assert (answer.status_code, "active" in answer.json()["hint"]) == (409, True)
    await started(stage, "asleep", draft=True)


async def test_a_draft_that_could_not_be_published_is_refused_by_its_fields(stage: Stage) -> None:
    workflow = {"type": "workflow", "name": "Chercher", "description": "Chercher.", "workflow_id": "gone"}
    await stage.agent("boutique", publish=False, **SHOP | {"actions": [workflow]})
    answer = await stage.http.post("/v1/chats", json={"agent_id": "boutique", "draft": True})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["actions[0].workflow_id"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, None, 1])
async def test_a_message_that_is_none(stage: Stage, text: object) -> None:
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    answer = await stage.http.post(f"/v1/chats/{chat}/messages", json={"text": text})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["text"]


@pytest.mark.parametrize("digits", ["", "A", "1,2", "1" * 65, "١"])
async def test_keys_that_are_none(stage: Stage, digits: str) -> None:
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    answer = await stage.http.post(f"/v1/chats/{chat}/digits", json={"digits": digits})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "digits")


async def test_a_chat_that_is_over_takes_nothing_and_can_be_read(stage: Stage, address: str) -> None:
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    await until(lambda: words(stage, chat) == ["Bonjour."])
    for _ in range(2):
        assert (await stage.http.delete(f"/v1/chats/{chat}")).status_code == 204
    assert await over(stage, chat) == "hung_up"
    assert (await say(stage, chat, "allô")).status_code == 409
    assert (await stage.http.post(f"/v1/chats/{chat}/digits", json={"digits": "1"})).status_code == 409
    told = [item async for item in followed(address, f"/v1/chats/{chat}/events", dict(stage.http.headers))]
    assert told[-1] == ("end", {"reason": "hung_up"})
    for path in ("messages", "digits"):
        assert (await stage.http.post(f"/v1/chats/none/{path}", json={"text": "x"})).status_code in (404, 422)
    assert (await stage.http.delete("/v1/chats/none")).status_code == 404
    assert (await stage.http.get("/v1/chats/none/events")).status_code == 404


async def test_chats_are_bounded_and_one_that_ends_makes_room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "MAX_CHATS", 2)
    monkeypatch.setattr(chats, "MAX_KEPT", 3)
    await stage.agent("boutique", **SHOP)
    first, _ = await started(stage), await started(stage)
    refused = await stage.http.post("/v1/chats", json={"agent_id": "boutique"})
    assert refused.status_code == 409
    assert refused.json()["hint"]
    await stage.http.delete(f"/v1/chats/{first}")
    await over(stage, first)
    second = await started(stage)
    await stage.http.delete(f"/v1/chats/{second}")
    await over(stage, second)
    await started(stage)
    assert (await stage.http.get(f"/v1/chats/{first}/events")).status_code == 404, "the oldest is forgotten"
    assert stage.chats.gauges()["active"] == 2


async def test_messages_that_wait_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chatting, "MAX_WAITING", 1)
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    codes = {(await say(stage, chat, "horaires")).status_code for _ in range(30)}
    assert codes == {202, 409}


# -- what happens --------------------------------------------------------------------------------------------------


async def test_a_conversation_in_text(stage: Stage, address: str) -> None:
    await stage.agent("boutique", **SHOP | {"actions": [HANG_UP]})
    chat = await started(stage, caller="06 12 34 56 78")
    stream = followed(address, f"/v1/chats/{chat}/events", dict(stage.http.headers))
    _, entered = await anext(stream)
    kind, first = await anext(stream)
    assert (entered["kind"], kind, first["number"], first["kind"]) == ("step_entered", "timeline", 2, "transcript")
    assert first["payload"] == {"text": "Bonjour."}
    assert (await say(stage, chat, "quels sont vos horaires")).status_code == 202
    assert (await say(stage, chat, "merci, au revoir")).status_code == 202
    rest = [item async for item in stream]
    assert rest[-1] == ("end", {"reason": "agent_hung_up"})
    said = [(e["actor"], e["payload"]["text"]) for _, e in rest[:-1] if e["kind"] == "transcript"]
    assert said[:2] == [
        ("caller", "quels sont vos horaires"),
        ("agent", "Nous sommes ouverts de neuf heures à dix-huit heures."),
    ]
    assert said[2] == ("caller", "merci, au revoir")
    assert stage.chats.get(chat).watching == 0


async def test_the_draft_is_what_is_stored_with_its_keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.agent("boutique", **SHOP)
    stored = (await stage.http.get("/v1/agents/boutique")).json()["document"]
    key = {"type": "openai", "api_key": "sk-of-the-draft"}
    changed = stored | {"greeting": "Bonsoir.", "providers": {"llm": [key]}}
    answer = await stage.http.put("/v1/agents/boutique", json=changed, headers={"If-Match": "*"})
    assert answer.json()["document"]["providers"]["llm"][0]["api_key"] == KEPT
    assert (await stage.store.agents.draft_in_clear("boutique")).providers.llm[0].api_key == "sk-of-the-draft"
    await stage.http.put("/v1/agents/boutique", json=stored | {"greeting": "Bonsoir."}, headers={"If-Match": "*"})
    draft, published = await started(stage, draft=True), await started(stage)
    await until(lambda: bool(words(stage, draft) and words(stage, published)))
    assert (words(stage, draft), words(stage, published)) == (["Bonsoir."], ["Bonjour."])


async def test_a_transfer_says_who_would_be_rung(stage: Stage) -> None:
    await stage.agent("boutique", **SHOP | {"actions": [TRANSFER]})
    chat = await started(stage)
    await say(stage, chat, "je voudrais le support technique")
    assert await over(stage, chat) == "transferred"
    (leg,) = payloads(stage, chat, "leg")
    assert (leg["event"], leg["user"]) == ("would_ring", "+33123456780")
    assert stage.line.placed == []


async def test_another_agent_takes_over(stage: Stage) -> None:
    to_night = {
        "type": "transfer",
        "name": "Nuit",
        "description": "L'appelant veut le support.",
        "target_agent_id": "nuit",
    }
    night = SHOP | {"greeting": "Ici la nuit.", "actions": [HANG_UP]}
    await stage.agent("nuit", **night)
    await stage.agent("boutique", **SHOP | {"actions": [to_night]})
    live(stage, nuit=night)
    chat = await started(stage)
    await say(stage, chat, "je voudrais le support")
    await say(stage, chat, "quels sont vos horaires")  # before there is another agent, and for it
    await until(lambda: len(words(stage, chat)) >= 3)
    assert words(stage, chat)[-2:] == ["Ici la nuit.", "Nous sommes ouverts de neuf heures à dix-huit heures."]
    assert payloads(stage, chat, "agent")[0]["agent"] == "nuit"
    await say(stage, chat, "merci, au revoir")
    assert await over(stage, chat) == "agent_hung_up"


async def test_keys_are_a_turn(stage: Stage) -> None:
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    await until(lambda: words(stage, chat) == ["Bonjour."])
    answer = await stage.http.post(f"/v1/chats/{chat}/digits", json={"digits": "12#"})
    assert answer.status_code == 202
    await until(lambda: len(words(stage, chat)) == 2)
    assert "".join(p["digits"] for p in payloads(stage, chat, "dtmf")) == "12#"


async def test_an_idle_chat_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chatting, "IDLE_SECONDS", 0.3)
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    assert await over(stage, chat) == "idle"


async def test_an_agent_that_cannot_think_says_why(stage: Stage) -> None:
    await stage.agent("boutique", **SHOP | {"providers": {"llm": [{"type": "openai"}]}})
    chat = await started(stage)
    assert await over(stage, chat) == "could_not_start"
    assert any("OPENAI_API_KEY" in p.get("error", "") for p in payloads(stage, chat, "provider"))


# -- workflows, knowledge, failover --------------------------------------------------------------------------------


def pre_call(*steps: dict[str, Any]) -> Workflow:
    document = {"name": "Avant", "trigger": "pre_call", "status": "published", "kind": "steps", "steps": steps}
    return Workflow.model_validate(document)


async def test_the_pre_call_workflow_runs_and_is_kept(stage: Stage) -> None:
    step = {"id": "fin", "type": "return", "value": {"context": {"prenom": "Ada", "tel": "{{ system.phone_e164 }}"}}}
    document = pre_call(step)
    body = {"id": "avant", "document": document.model_dump(mode="json", by_alias=True, exclude_none=True)}
    made = await stage.http.post("/v1/workflows", json=body)
    assert made.status_code == 201, made.text
    stage.line.directory = Directory.build([], {}, InstallationSettings(default_country="FR"), {}, {"avant": document})
    agent = SHOP | {"greeting": "Bonjour {{ prenom }}, {{ tel }}.", "pre_call": {"workflow_id": "avant"}}
    await stage.agent("boutique", **agent)
    chat = await started(stage, caller="06 12 34 56 78")
    await until(lambda: bool(words(stage, chat)))
    assert words(stage, chat) == ["Bonjour Ada, +33612345678."]
    assert payloads(stage, chat, "pre_call")[0]["outcome"] == "ok"
    await stage.writer.drain(5)
    (run,) = (await stage.http.get("/v1/workflows/avant/runs")).json()["items"]
    assert (run["status"], run["call_id"]) == ("ok", None)


async def test_a_failover_is_told_and_not_done(stage: Stage) -> None:
    failover = {"enabled": True, "action": {"type": "transfer", "phone": "+33123456780", "max_ring_seconds": 20}}
    agent = SHOP | {"pre_call": {"workflow_id": "gone"}, "failover": failover}
    stage.line.directory = Directory.build([], {}, InstallationSettings(failover_enabled=True), {})
    await stage.store.agents.save_draft("boutique", Agent.model_validate(agent))
    await stage.store.agents.publish("boutique")
    chat = await started(stage)
    assert await over(stage, chat) == "failover"
    assert payloads(stage, chat, "failover")[0]["trigger"] == "pre_call_error"
    assert words(stage, chat) == []


# -- what stays ----------------------------------------------------------------------------------------------------


async def test_who_is_revoked_reads_no_more(stage: Stage, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ALIVE_SECONDS", 0.05)
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    await until(lambda: words(stage, chat) == ["Bonjour."])
    stream = followed(address, f"/v1/chats/{chat}/events", await stage.key("calls"))
    for _ in stage.chats.get(chat).timeline.events:
        await anext(stream)
    key = (await stage.http.get("/v1/keys")).json()["items"][0]["id"]
    await stage.http.post(f"/v1/keys/{key}/revoke")
    assert [item async for item in stream] == []


async def test_watchers_are_bounded(stage: Stage, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MAX_WATCHERS", 1)
    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    stream = followed(address, f"/v1/chats/{chat}/events", dict(stage.http.headers))
    await anext(stream)
    assert (await stage.http.get(f"/v1/chats/{chat}/events")).status_code == 503
    await stream.aclose()  # type: ignore[attr-defined]
    await until(lambda: stage.chats.get(chat).watching == 0)


async def test_a_provider_that_cannot_be_closed_keeps_no_chat_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: Holder) -> None:
        raise RuntimeError("the plug-in is broken")

    await stage.agent("boutique", **SHOP)
    chat = await started(stage)
    await until(lambda: words(stage, chat) == ["Bonjour."])
    monkeypatch.setattr(Holder, "aclose", broken)
    await stage.http.delete(f"/v1/chats/{chat}")
    assert await over(stage, chat) == "hung_up"
    await until(lambda: stage.chats.ended == 1)


async def test_closing_ends_all_and_leaves_no_task(stage: Stage) -> None:
    await stage.agent("boutique", **SHOP)
    before = asyncio.all_tasks()
    ids = [await started(stage) for _ in range(5)]
    found = [stage.chats.get(chat_id) for chat_id in ids]
    await stage.chats.close()
    assert {chat.reason for chat in found} == {"shut_down"}
    await until(lambda: not {t for t in asyncio.all_tasks() - before if "chat" in t.get_name()})
    assert stage.chats.gauges()["active"] == 0
