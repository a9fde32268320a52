"""What the caller gets when the agent does not speak, on virtual time; see also ``tests/sip/test_failover``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parlons.agents.connections import InstallationSettings
from parlons.agents.workflows import Workflow
from parlons.calls.failover_table import MEANINGS, MOVES, OUTCOMES, Event, Phase, Trigger
from parlons.calls.messages import BUILT_IN
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Kind
from tests.calls.test_call import Scene, after
from tests.support.fakes import Fail, FakeLLM, FakeVAD
from tests.support.virtual_time import run

ON = InstallationSettings(failover_enabled=True)
MESSAGE = {"type": "message", "text": "Fermé ce matin.", "language": "fr-FR"}
ASKS = {"type": "workflow", "workflow_id": "decides"}
LAST = BUILT_IN["fr"].text


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _end_of_speech_ms: FakeVAD())


def scene_of(folder: Path, action: dict[str, Any] | None = None, *, on: bool = True, **fields: Any) -> Scene:
    fields.setdefault("failover", {"enabled": action is not None, "action": action})
    scene = Scene(folder, **fields)
    scene.settings = ON if on else InstallationSettings()
    scene.unusable = True
    return scene


def decides(scene: Scene, *steps: dict[str, Any], **fields: Any) -> Scene:
    document = {"name": "w", "trigger": "failover", "status": "published", "steps": list(steps), **fields}
    scene.workflows["decides"] = Workflow.model_validate(document)
    return scene


def back(value: Any) -> dict[str, Any]:
    return {"id": "back", "type": "return", "value": value}


def spoken(scene: Scene) -> list[str]:
    return [e.payload["text"] for e in scene.writer.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"]


def told(scene: Scene, event: str) -> list[dict[str, Any]]:
    return [e.payload for e in scene.writer.events if e.kind is Kind.FAILOVER and e.payload["event"] == event]


def came_to(record: CallRecord) -> tuple[CallStatus, str | None, str | None, str | None]:
    return record.status, record.trigger, record.failover_action, record.failover_outcome


# -- the table -----------------------------------------------------------------------------------------------------


def test_every_phase_can_be_reached_and_left() -> None:
    reached = set(MOVES.values())
    assert reached == set(Phase) - {Phase.BEGUN}
    assert {phase for phase, _ in MOVES} == set(Phase) - {Phase.OVER}
    assert {phase for (phase, _), to in MOVES.items() if to is Phase.OVER} == set(OUTCOMES)
    assert set(MEANINGS) == set(Trigger)


def test_every_fault_ends_in_the_default_error_message() -> None:
    faults = {phase: to for (phase, event), to in MOVES.items() if event is Event.FAILED}
    assert faults.pop(Phase.LAST_RESORT) is Phase.OVER
    assert set(faults.values()) == {Phase.LAST_RESORT}
    assert set(faults) == {Phase.WORKFLOW, Phase.SAYING, Phase.RINGING}


# -- message -------------------------------------------------------------------------------------------------------


def test_the_message_is_said_to_its_last_sample(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, MESSAGE)
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "message", "played")
    assert spoken(scene) == ["Fermé ce matin."]
    assert len(scene.port.spoken) == 50
    assert scene.leg.did == ["ring", "answer", "hang up"]


def test_a_message_whose_audio_is_lost_leaves_the_default_error_message(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, MESSAGE)
    scene.tamper = lambda messages: messages._audio.clear()
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "message", "default_error_message")
    assert spoken(scene) == [LAST]


@pytest.mark.parametrize("switch", ["agent", "installation"])
def test_failover_off_is_the_default_error_message_and_a_failed_call(tmp_path: Path, switch: str) -> None:
    off = {"enabled": switch != "agent", "action": MESSAGE}
    scene = scene_of(tmp_path, None, on=switch != "installation", failover=off)
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILED, "agent_unavailable", None, None)
    assert spoken(scene) == [LAST]


def test_the_caller_leaves_during_the_message(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, MESSAGE)
    record = run(scene.call(after(0.5, lambda _call: scene.leg.peer_hangs_up())))
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "message", "caller_left")
    assert record.ended_by == "caller"
    assert len(scene.port.spoken) < 50


@pytest.mark.parametrize("on", [True, False])
def test_the_caller_who_heard_it_all_has_not_left(tmp_path: Path, on: bool) -> None:
    scene = scene_of(tmp_path, MESSAGE if on else None)
    record = run(scene.call(after(1.1, lambda _call: scene.leg.peer_hangs_up())))
    assert (record.status, record.failover_outcome) == (
        (CallStatus.FAILOVER, "played") if on else (CallStatus.FAILED, None)
    )
    assert len(scene.port.spoken) == 50


def test_a_telephone_that_takes_no_audio_heard_nothing(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, MESSAGE)
    scene.port.on_hold = True
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "message", "nothing_heard")
    assert spoken(scene) == []


def test_a_shutdown_ends_it(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, MESSAGE)
    record = run(scene.call(after(0.5, lambda call: call.stop("the server is shutting down"))))
    assert (record.failover_outcome, record.end_reason) == ("stopped", "the server is shutting down")


# -- triggers ------------------------------------------------------------------------------------------------------


def test_forced_by_the_operator_nothing_else_is_asked(tmp_path: Path) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scene = scene_of(
        tmp_path,
        failover={"enabled": True, "action": MESSAGE, "forced_until": until},
        pre_call={"workflow_id": "crm"},
    )
    scene.unusable = False
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "operator_forced", "message", "played")
    assert Kind.PRE_CALL not in scene.kinds()


def test_maintenance_that_is_over_is_over(tmp_path: Path) -> None:
    until = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    scene = scene_of(tmp_path, failover={"enabled": True, "action": MESSAGE, "forced_until": until})
    scene.unusable = False
    record = run(scene.call(after(3, lambda _call: scene.leg.peer_hangs_up())))
    assert (record.status, record.trigger) == (CallStatus.COMPLETED, None)
    assert spoken(scene) == ["Bonjour."]


BROKEN = {
    "an undefined variable": "Bonjour {{ name }}.",
    "a loop over nothing": "{% for line in lines %}{{ line }}{% endfor %}",
    "too many rounds": "{% for i in (1..1000000) %}{% for j in (1..1000000) %}x{% endfor %}{% endfor %}",
    "too much text": "{% for i in (1..100000) %}" + "x" * 200 + "{% endfor %}",
}


@pytest.mark.parametrize("where", ["greeting", "announcement", "prompt", "step"])
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_text_that_cannot_be_rendered_is_never_spoken(tmp_path: Path, where: str, text: str) -> None:
    fields: dict[str, Any] = {where: text}
    if where == "step":
        steps = [
            {"id": "open", "type": "say", "text": "Bonjour.", "to": "which"},
            {
                "id": "which",
                "type": "branch",
                "branches": [{"variable": "vip", "operator": "is_set", "to": "other"}],
                "else": "talk",
            },
            {"id": "talk", "type": "prompt", "prompt": text},
            {"id": "other", "type": "prompt", "prompt": "{{ never.needed }}"},
        ]
        fields = {"path": {"start": "open", "steps": steps}}
    scene = scene_of(tmp_path, MESSAGE, **fields)
    scene.unusable = False
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "prompt_unrenderable", "message", "played")
    assert told(scene, "begun")[0]["detail"].startswith("path.talk.prompt: " if where == "step" else f"{where}: ")


@pytest.mark.parametrize("text", list(BROKEN.values())[2:], ids=list(BROKEN)[2:])
def test_in_degraded_mode_a_text_that_can_never_be_rendered_costs_the_call(tmp_path: Path, text: str) -> None:
    scene = scene_of(tmp_path, None, greeting=text)
    scene.unusable = False
    record = run(scene.call())
    assert (record.status, record.trigger) == (CallStatus.FAILED, "prompt_unrenderable")
    assert spoken(scene) == [LAST]


def test_in_degraded_mode_an_undefined_variable_is_empty(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, None, greeting="Bonjour {{ name }}!")
    scene.unusable = False
    record = run(scene.call(after(3, lambda _call: scene.leg.peer_hangs_up())))
    assert (record.status, record.trigger) == (CallStatus.COMPLETED, None)
    assert spoken(scene) == ["Bonjour !"]
    assert Kind.VARIABLE_UNDEFINED in scene.kinds()


@pytest.mark.parametrize("on", [True, False])
def test_providers_that_the_background_check_saw_down(tmp_path: Path, on: bool) -> None:
    scene = scene_of(tmp_path, MESSAGE if on else None)
    scene.unusable, scene.unavailable = False, "openai (llm): connection refused"
    record = run(scene.call())
    assert record.trigger == "agent_unavailable"
    assert record.status is (CallStatus.FAILOVER if on else CallStatus.FAILED)
    assert spoken(scene) == ["Fermé ce matin." if on else LAST]
    assert not any(voice.said for voice in scene.voices)


@pytest.mark.parametrize("during", [True, False])
def test_a_conversation_that_breaks_down(tmp_path: Path, during: bool) -> None:
    scene = scene_of(tmp_path, failover={"enabled": True, "action": MESSAGE, "during_call": during})
    scene.unusable = False
    scene.model = FakeLLM(*[Fail()] * 50, otherwise=Fail())

    async def talk(_call: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(5)
            await scene.port.caller_says("Quels sont vos horaires ?")

    record = run(scene.call(talk))
    assert record.trigger == "during_call"
    if during:
        assert (record.status, record.failover_outcome) == (CallStatus.FAILOVER, "played")
    else:
        assert (record.status, record.failover_outcome) == (CallStatus.FAILED, None)
    assert spoken(scene)[-1] == ("Fermé ce matin." if during else LAST)
    assert scene.leg.did.count("answer") == 1


def test_an_outbound_call_knows_no_failover(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, None, direction="outbound")
    record = run(scene.call())
    assert (record.status, record.trigger) == (CallStatus.FAILED, "agent_unavailable")
    assert "dial" not in scene.leg.did


# -- workflow ------------------------------------------------------------------------------------------------------


def test_a_workflow_without_an_action_keeps_the_caller_until_it_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = decides(scene_of(tmp_path, ASKS), {"id": "wait", "type": "delay", "seconds": 20})
        began = asyncio.get_running_loop().time()
        record = await scene.call()
        assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "workflow", "ended")
        assert 19.9 <= asyncio.get_running_loop().time() - began < 21
        assert len(scene.port.spoken) > 900, "ringback all the while"
        assert spoken(scene) == []
        assert scene.leg.did == ["ring", "answer", "hang up"]

    run(scenario())


def test_a_workflow_knows_the_trigger_and_its_message_is_rendered(tmp_path: Path) -> None:
    scene = decides(
        scene_of(tmp_path, ASKS),
        back({"failover_action": {"type": "message", "text": "Motif {{ failover.trigger }}: {{ failover.detail }}"}}),
    )
    scene.unusable, scene.unavailable = False, "the model is down"
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "workflow", "played")
    assert spoken(scene) == ["Motif agent_unavailable: the model is down"]
    assert record.context["failover"] == {"trigger": "agent_unavailable", "detail": "the model is down"}


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([back("{{ nothing.here }}")], "back"),
        ([back({"failover_action": {"type": "sing"}})], "failover_action"),
        ([back({"failover_action": {"type": "transfer"}})], "exactly one of phone and sip_connection_id"),
        ([{"id": "wait", "type": "delay", "seconds": 119}, {"id": "more", "type": "delay", "seconds": 60}], "120 s"),
    ],
)
def test_a_workflow_that_fails_leaves_the_default_error_message(
    tmp_path: Path, steps: list[dict[str, Any]], why: str
) -> None:
    scene = decides(scene_of(tmp_path, ASKS), *steps)
    record = run(scene.call())
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "workflow", "default_error_message")
    assert spoken(scene) == [LAST]
    assert why in told(scene, "failed")[0]["detail"]


@pytest.mark.parametrize("fault", ["missing", "draft", "other trigger"])
def test_a_workflow_that_is_not_there(tmp_path: Path, fault: str) -> None:
    scene = scene_of(tmp_path, ASKS)
    if fault != "missing":
        decides(scene, back({}), **({"status": "draft"} if fault == "draft" else {"trigger": "live_call"}))
    record = run(scene.call())
    assert record.failover_outcome == "default_error_message"
    assert scene.leg.did == ["ring", "answer", "hang up"]


def test_a_live_message_that_cannot_be_spoken(tmp_path: Path) -> None:
    scene = decides(
        scene_of(tmp_path, ASKS), back({"failover_action": {"type": "message", "text": "Rappelez demain."}})
    )
    record = run(scene.call())  # no usable provider
    assert record.failover_outcome == "default_error_message"
    assert spoken(scene) == [LAST]


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_the_caller_leaves_while_the_workflow_runs(tmp_path: Path, seconds: float) -> None:
    scene = decides(scene_of(tmp_path, ASKS), {"id": "wait", "type": "delay", "seconds": 60})
    record = run(scene.call(after(seconds, lambda _call: scene.leg.peer_hangs_up())))
    assert came_to(record) == (CallStatus.FAILOVER, "agent_unavailable", "workflow", "caller_left")
    assert spoken(scene) == []
