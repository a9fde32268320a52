"""Live-call workflows of a call: run with its variables, their context merged into it, refused when not live."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from parlons.agents.context import CallContext
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls.directory import Directory, LiveAgent
from parlons.calls.live_call import LiveCallWorkflows
from parlons.calls.record import CallRecord
from tests.support.virtual_time import run


def workflow(*steps: dict[str, Any], **fields: Any) -> Workflow:
    document = {"name": "w", "trigger": "live_call", "status": "published", "steps": list(steps), **fields}
    return Workflow.model_validate(document)


def live_call(**workflows: Workflow) -> tuple[LiveCallWorkflows, CallContext]:
    context = CallContext(system={"call_id": "c"})
    context.merge({"city": "Lyon"})
    resources = SimpleNamespace(
        directory=Directory(workflows=workflows),
        workflow_secrets={"TOKEN": "s3cret"},
        http=None,
        runs=SimpleNamespace(run=lambda *_: None),
    )
    record = CallRecord(id="c", direction="inbound", started_at=datetime.now(UTC), caller="+33123456789")
    live = LiveAgent("a", 1, Agent.model_validate({"name": "a"}))
    return LiveCallWorkflows(cast("Any", resources), record, lambda: live, lambda: context), context


def test_input_context_and_result() -> None:
    value = {"result": "{{ input.order }} {{ city }} {{ system.call_id }}", "context": {"found": "{{ input.order }}"}}
    made, context = live_call(
        orders=workflow({"id": "back", "type": "return", "value": value}, input=[{"name": "order", "type": "integer"}])
    )
    fields = made.input_of("orders")
    assert fields is not None
    assert [field.name for field in fields] == ["order"]
    result = run(made.run("orders", {"order": 42}, seconds=5))
    assert (result.status, result.result) == ("ok", "42 Lyon c")
    assert context.variables()["found"] == 42


@pytest.mark.parametrize("fields", [{"status": "draft"}, {"status": "disabled"}, {"trigger": "pre_call"}])
def test_only_published_live_call_workflows_run(fields: dict[str, Any]) -> None:
    made, _ = live_call(orders=workflow({"id": "back", "type": "return", "value": 1}, **fields))
    assert made.input_of("orders") is None
    assert made.input_of("unknown") is None
    assert run(made.run("orders", {}, seconds=5)).status == "error"


def test_a_slow_one_is_given_up_and_a_broken_one_says_where() -> None:
    slow = workflow({"id": "wait", "type": "delay", "seconds": 60})
    broken = workflow({"id": "back", "type": "return", "value": "{{ nothing.here }}"})
    reserved = workflow({"id": "back", "type": "return", "value": {"context": {"system": 1}}})
    made, context = live_call(slow=slow, broken=broken, reserved=reserved)
    assert run(made.run("slow", {}, seconds=5)).status == "timeout"
    result = run(made.run("broken", {}, seconds=5))
    assert result.status == "error"
    assert result.error.startswith("step back")
    assert run(made.run("reserved", {}, seconds=5)).status == "error"
    assert context.kept() == {"city": "Lyon"}
