"""While the phone rings: what a pre-call workflow gives, and what the caller gets when it gives nothing in time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls.call import Call
from parlons.calls.timeline import CallStatus, Kind
from parlons.conversation.providers.registry import Built
from parlons.errors import ProviderUnusable
from tests.calls.test_call import Scene, after
from tests.support.fakes import FakeVAD
from tests.support.virtual_time import run

GREETING = "Bonjour {{ name | default: 'à vous' }}."


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _end_of_speech_ms: FakeVAD())


def scene_of(folder: Path, *steps: dict[str, Any], **fields: Any) -> Scene:
    scene = Scene(
        folder, greeting=GREETING, pre_call={"workflow_id": "crm", "timeout_seconds": 2}, **{"name": "a", **fields}
    )
    document = {"name": "CRM", "trigger": "pre_call", "status": "published", "steps": list(steps)}
    scene.workflows = {"crm": Workflow.model_validate(document)}
    return scene


def answers(value: Any) -> dict[str, Any]:
    return {"id": "back", "type": "return", "value": value}


WAITS = {"id": "wait", "type": "delay", "seconds": 60}


def leaves(seconds: float = 3.0) -> Any:
    def leave(scene: Scene) -> Any:
        return after(seconds, lambda _call: scene.leg.peer_hangs_up())

    return leave


def spoken(scene: Scene) -> list[str]:
    return [e.payload["text"] for e in scene.writer.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"]


def pre_call(scene: Scene) -> dict[str, Any]:
    (event,) = [e.payload for e in scene.writer.events if e.kind is Kind.PRE_CALL]
    return event


def test_its_context_is_there_for_the_first_word(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, answers({"context": {"name": "Zoé"}}))
    record = run(scene.call(leaves()(scene)))
    assert spoken(scene) == ["Bonjour Zoé."]
    assert (pre_call(scene)["outcome"], record.trigger) == ("ok", None)
    assert record.context == {"name": "Zoé"}


@pytest.mark.parametrize(
    ("steps", "trigger"),
    [
        ([WAITS], "pre_call_timeout"),
        ([answers("{{ nothing.here }}")], "pre_call_error"),
        ([answers(["not", "an", "object"])], "pre_call_invalid"),
        ([answers({"context": {"system": 1}})], "pre_call_invalid"),
        ([answers({"context": {"name": "Zoé"}, "unknown": 1})], "pre_call_invalid"),
        ([answers({"context": {}, "agent_configuration": {"max_call_seconds": 1}})], "pre_call_invalid"),
    ],
)
def test_a_failure_is_named_and_the_caller_is_answered_all_the_same(
    tmp_path: Path, steps: list[dict[str, Any]], trigger: str
) -> None:
    scene = scene_of(tmp_path, *steps)
    record = run(scene.call(leaves(5.0)(scene)))
    assert spoken(scene) == ["Bonjour à vous."]
    assert (pre_call(scene)["outcome"], record.trigger) == (trigger, trigger)
    assert record.status is CallStatus.COMPLETED
    assert scene.leg.did[:2] == ["ring", "answer"]


def test_the_phone_rings_no_longer_than_its_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = scene_of(tmp_path, WAITS)
        loop = asyncio.get_running_loop()
        began = loop.time()
        answered: list[float] = []

        async def meanwhile(_call: Call) -> None:
            while "answer" not in scene.leg.did:  # noqa: ASYNC110 (virtual time)
                await asyncio.sleep(0.01)
            answered.append(loop.time() - began)
            scene.leg.peer_hangs_up()

        await scene.call(meanwhile)
        assert 1.9 <= answered[0] <= 2.25

    run(scenario())


def test_a_workflow_that_is_not_published_is_an_error(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, answers({}))
    scene.workflows = {}
    assert run(scene.call(leaves()(scene))).trigger == "pre_call_error"
    assert "no published pre-call workflow 'crm'" in pre_call(scene)["detail"]


def test_asked_for_failover_the_caller_gets_the_default_error_message(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, answers({"failover": True}))
    record = run(scene.call())
    assert (record.status, record.trigger) == (CallStatus.FAILED, "pre_call_requested")
    assert scene.leg.did[:2] == ["ring", "answer"]
    assert len(spoken(scene)) == 1
    assert "Bonjour" not in spoken(scene)[0]


def test_the_agent_may_be_configured_for_one_call(tmp_path: Path) -> None:
    asked = {"greeting": "Hello Zoe.", "language": "en-GB", "max_call_seconds": 10, "actions": ["Fin"]}
    actions = [
        {"type": "hang_up", "name": "Fin", "description": "Fin."},
        {"type": "transfer", "name": "T", "description": "T.", "destinations": [{"phone": "+33123456789"}]},
    ]
    scene = scene_of(tmp_path, answers({"context": {"name": "Zoe"}, "agent_configuration": asked}), actions=actions)

    async def meanwhile(_call: Call) -> None:
        await asyncio.sleep(3)
        await scene.port.caller_says("Hello.")

    record = run(scene.call(meanwhile))
    assert spoken(scene)[0] == "Hello Zoe."
    assert record.end_reason == "max_call_seconds"
    assert scene.model.tools == [["fin"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"greeting": "Hello.", "actions": ["Unknown"]},
        {"greeting": "Hello.", "data_source_ids": ["faq"]},
        {"greeting": "Hello.", "voice": "nobody"},
    ],
)
def test_what_cannot_be_applied_is_refused_whole_and_the_context_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    scene = scene_of(tmp_path, answers({"context": {"name": "Zoé"}, "agent_configuration": asked}))
    build = scene.providers

    def providers(agent: Agent, rate: int) -> Any:
        if agent.providers.tts[0].voice.id == "nobody":
            raise ProviderUnusable("No such voice.", hint="Choose another.")
        return build(agent, rate)

    monkeypatch.setattr(scene, "providers", providers)
    record = run(scene.call(leaves()(scene)))
    assert record.trigger == "configuration_rejected"
    assert spoken(scene) == ["Bonjour Zoé."]


def test_the_caller_leaves_while_it_runs(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, WAITS)
    record = run(scene.call(leaves(1.0)(scene)))
    assert "answer" not in scene.leg.did
    assert pre_call(scene)["outcome"] == "cancelled"
    assert record.ended_by == "caller"


def test_providers_of_a_call_that_is_never_answered_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scene_of(tmp_path, answers({}))
    scene.leg.left_before_answer = True
    closed: list[Built] = []
    close = Built.aclose

    async def aclose(built: Built) -> None:
        closed.append(built)
        await close(built)

    monkeypatch.setattr(Built, "aclose", aclose)
    assert run(scene.call()).status is CallStatus.CANCELED
    assert len(closed) == 1


def test_an_outbound_call_that_must_not_be_made_is_not_dialled(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, answers({"failover": True}), direction="outbound")
    record = run(scene.call())
    assert "dial" not in scene.leg.did
    assert (record.status, record.trigger) == (CallStatus.FAILED, "pre_call_requested")
