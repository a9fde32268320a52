"""Variables that whoever places a call gives: bounded, and what templates and the pre-call workflow see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parlons.agents.connections import SipConnection
from parlons.agents.context import RESERVED
from parlons.agents.workflows import Workflow
from parlons.calls import initial_context
from parlons.calls.timeline import Kind
from parlons.telephony.types import Outcome
from tests.calls.test_call import Scene, after
from tests.support.fakes import FakeVAD
from tests.support.virtual_time import run


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _end_of_speech_ms: FakeVAD())


def nested(depth: int) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = [made]
    return made


def test_names_that_only_parlons_writes() -> None:
    assert initial_context.variable_name("first_name") == "first_name"
    for name in RESERVED:
        with pytest.raises(ValueError, match="reserved"):
            initial_context.variable_name(name)


def test_values_that_a_call_can_keep() -> None:
    for value in (None, True, 1, 1.5, "été", [1, {"a": None}], nested(initial_context.MAX_DEPTH)):
        assert initial_context.value(value) is value
    for wrong in (
        float("inf"),
        float("nan"),
        {"a": [float("-inf")]},
        nested(initial_context.MAX_DEPTH + 1),
        nested(5000),
    ):
        with pytest.raises(ValueError, match=r"too big|inside each other"):
            initial_context.value(wrong)


def test_all_of_them_have_a_size() -> None:
    room = initial_context.MAX_BYTES - len('{"a": ""}')
    assert initial_context.variables({"a": "x" * room})
    with pytest.raises(ValueError, match="bytes"):
        initial_context.variables({"a": "x" * (room + 1)})
    with pytest.raises(ValueError, match="bytes"):
        initial_context.variables({"a": "é" * (room // 2 + 1)})


def placed(folder: Path, **fields: Any) -> Scene:
    """A call that was placed with an order, and is hung up after a while."""
    headers = [{"name": "X-Order", "value": "{{ order }}"}, {"name": "X-Name", "value": "{{ person.name }}"}]
    scene = Scene(folder, direction="outbound", greeting="Bonjour {{ person.name }}, commande {{ order }}.", **fields)
    scene.record.context = {"order": "A1", "person": {"name": "Zoé"}}
    scene.record.connection_id = "t"
    scene.connection = SipConnection.model_validate({"name": "t", "host": "192.0.2.1", "headers": headers})
    return scene


def said(scene: Scene) -> list[str]:
    return [e.payload["text"] for e in scene.writer.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"]


def test_templates_and_headers_see_them(tmp_path: Path) -> None:
    scene = placed(tmp_path)
    record = run(scene.call(after(5, lambda _call: scene.leg.peer_hangs_up())))
    assert dict(scene.leg.labels) == {"X-Order": "A1", "X-Name": "Zoé"}
    assert said(scene)[0].startswith("Bonjour Zoé, commande A1")
    assert record.context == {"order": "A1", "person": {"name": "Zoé"}}
    assert not [e for e in scene.writer.events if e.kind is Kind.VARIABLE_UNDEFINED]


def test_the_pre_call_workflow_sees_them_and_wins(tmp_path: Path) -> None:
    scene = placed(tmp_path, pre_call={"workflow_id": "crm"})
    back = {"id": "back", "type": "return", "value": {"order": "{{ order }}-checked"}}
    document = {"name": "w", "trigger": "pre_call", "status": "published", "steps": [back]}
    scene.workflows = {"crm": Workflow.model_validate(document)}
    record = run(scene.call(after(5, lambda _call: scene.leg.peer_hangs_up())))
    assert dict(scene.leg.labels) == {"X-Order": "A1-checked", "X-Name": "Zoé"}
    assert record.context["order"] == "A1-checked"


def test_a_call_that_nobody_answers_keeps_them(tmp_path: Path) -> None:
    scene = placed(tmp_path)
    scene.leg.outcome = Outcome.BUSY
    assert run(scene.call()).context == {"order": "A1", "person": {"name": "Zoé"}}
