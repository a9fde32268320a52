"""The workflow action and the workflow step: typed values, a filler while it runs, one run whatever the caller says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit.agents import llm

from parlons.agents.actions import WorkflowAction
from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.actions.workflow import WorkflowTool
from parlons.conversation.workflows import WorkflowResult
from tests.conversation.calls import GREETING, TestCall, call, context
from tests.conversation.test_path import path, prompt, steps, transition
from tests.support.fakes import Call, FakeWorkflows
from tests.support.virtual_time import run

FIELDS = [{"name": "order", "type": "integer", "description": "the order's number", "required": True}]


def action(**fields: Any) -> dict[str, Any]:
    return {"type": "workflow", "name": "find_order", "description": "Find.", "workflow_id": "orders", **fields}


def told(chat: llm.ChatContext) -> dict[str, Any]:
    made: dict[str, Any] = json.loads([i for i in chat.items if i.type == "function_call_output"][-1].output)
    return made


async def asked(test: TestCall, words: str = "Où est ma commande ?") -> None:
    await test.agent_quiet()
    await test.port.caller_says(words)


def test_typed_values_go_in_and_the_result_goes_to_the_model() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(fields=FIELDS)
        replies = (Call("find_order", {"order": "42", "other": 1}), "Elle est partie.")
        async with call(*replies, actions=[action()], workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Elle est partie.")
            assert workflows.runs == [("orders", {"order": 42}, 10)]
            assert told(test.model.asked[-1]) == {"result": {"state": "sent"}}
            assert test.events(Kind.ACTION_STARTED)[0]["arguments"] == {"order": 42}
            assert test.outcomes() == ["ok"]

    run(scenario())


def test_a_missing_value_is_asked_for_and_nothing_runs() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(fields=FIELDS)
        async with call(Call("find_order"), "Quel numéro ?", actions=[action()], workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Quel numéro ?")
            assert workflows.runs == []

    run(scenario())


def test_the_filler_is_said_while_it_runs() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(takes=3.0)
        actions = [action(pre_message={"enabled": True, "example": "Je regarde."})]
        async with call(Call("find_order"), "Voilà.", actions=actions, workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: "Je regarde." in test.words("agent"))
            assert workflows.finished == 0
            await test.until(lambda: test.words("agent")[-1] == "Voilà.")
            assert test.words("agent") == [GREETING, "Je regarde.", "Voilà."]

    run(scenario())


def test_words_of_the_models_own_take_the_place_of_the_filler() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(takes=2.0)
        actions = [action(pre_message={"enabled": True, "example": "Je regarde."})]
        reply = Call("find_order", text="Un instant, je cherche votre commande.")
        async with call(reply, "Voilà.", actions=actions, workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Voilà.")
            assert test.words("agent")[1:] == ["Un instant, je cherche votre commande.", "Voilà."]

    run(scenario())


def test_too_slow_and_broken_are_told_and_nothing_is_invented() -> None:
    for workflows, outcome in (
        (FakeWorkflows(takes=30.0), "timeout"),
        (FakeWorkflows(WorkflowResult("error", error="step http: 500")), "error"),
    ):

        async def scenario(workflows: FakeWorkflows = workflows, outcome: str = outcome) -> None:
            actions = [action(timeout_seconds=5)]
            async with call(Call("find_order"), "Désolé.", actions=actions, workflows=workflows) as test:
                await asked(test)
                await test.until(lambda: test.words("agent")[-1] == "Désolé.")
                assert test.outcomes() == [outcome]
                assert "do not invent" in told(test.model.asked[-1])["instruction"]
                assert "500" not in json.dumps(told(test.model.asked[-1]))

        run(scenario())


TALKED_OVER = Call("find_order", text="Un instant, je cherche votre commande dans notre système.")


def test_talked_over_and_asked_for_again_it_runs_once() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(takes=6.0)
        replies = (TALKED_OVER, Call("find_order"), "Elle est partie.")
        async with call(*replies, actions=[action()], workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: bool(workflows.runs))
            await test.port.caller_says("Dépêchez-vous.", 1.2)
            await test.until(lambda: test.words("agent")[-1] == "Elle est partie.")
            assert len(workflows.runs) == 1
            assert workflows.finished == 1
            assert told(test.model.asked[-1]) == {"result": {"state": "sent"}}
            assert "Dépêchez-vous." in test.words("caller")
            assert test.outcomes() == ["ok"]

    run(scenario())


def test_talked_over_the_model_learns_of_it_when_it_is_done() -> None:
    async def scenario() -> None:
        workflows = FakeWorkflows(takes=6.0)
        replies = (TALKED_OVER, "Oui, j'arrive.", "Elle est partie.")
        async with call(*replies, actions=[action()], workflows=workflows) as test:
            await asked(test)
            await test.until(lambda: bool(workflows.runs))
            await test.port.caller_says("Vous êtes là ?", 1.2)
            await test.until(lambda: workflows.finished == 1)
            await test.agent_quiet()
            await test.exchange("Alors ?")
            assert len(workflows.runs) == 1
            shown = [getattr(i, "output", "") or getattr(i, "text_content", "") for i in test.model.asked[-1].items]
            assert any('{"result": {"state": "sent"}}' in text for text in shown)
            assert test.words("agent")[-1] == "Elle est partie."

    run(scenario())


def test_a_workflow_that_is_not_there_is_not_offered() -> None:
    async def scenario() -> None:
        async with call("Oui ?", actions=[action(workflow_id="missing")], workflows=FakeWorkflows()) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Oui ?")
            assert test.model.tools == [["hang_up"]]

    run(scenario())


def test_the_words_of_a_step_whose_workflow_is_gone_come_before_the_next_steps() -> None:
    async def scenario() -> None:
        agents_path = path(
            prompt("a", transition("go", "look", message={"mode": "text", "text": "Je vérifie."})),
            {"id": "look", "type": "workflow", "workflow_id": "missing", "on_success": "b", "on_error": "b"},
            prompt("b"),
        )
        async with call(Call("go"), "Rien trouvé.", path=agents_path, workflows=FakeWorkflows()) as test:
            await asked(test)
            await test.until(lambda: len(test.words("agent")) == 3)
            assert test.words("agent")[1:] == ["Je vérifie.", "Rien trouvé."]

    run(scenario())


def test_a_workflow_step_takes_its_way_out() -> None:
    for result, wanted in ((WorkflowResult("ok", {}), "b"), (WorkflowResult("error", error="no"), "sorry")):

        async def scenario(result: WorkflowResult = result, wanted: str = wanted) -> None:
            workflows = FakeWorkflows(result, takes=2.0, fields=FIELDS)
            variables = context()
            variables.merge({"number": "7"})
            agents_path = path(
                prompt("a", transition("go", "look", message={"mode": "text", "text": "Je vérifie."})),
                {
                    "id": "look",
                    "type": "workflow",
                    "workflow_id": "orders",
                    "input": {"order": "{{ number }}"},
                    "on_success": "b",
                    "on_error": "sorry",
                },
                prompt("b"),
                {"id": "sorry", "type": "end", "text": "Désolé, au revoir."},
            )
            async with call(
                Call("go"), "C'est fait.", path=agents_path, workflows=workflows, variables=variables
            ) as test:
                await asked(test)
                await test.until(lambda: len(test.words("agent")) == 3)
                assert workflows.runs == [("orders", {"order": 7}, 10.0)]
                assert test.words("agent")[1] == "Je vérifie."
                assert steps(test) == ["a", "look", wanted]

        run(scenario())


def test_cancelled_by_the_runtime_it_runs_on_and_the_model_is_told() -> None:
    async def scenario() -> None:
        host = _Host()
        workflows = FakeWorkflows(takes=3.0)
        made = WorkflowAction.model_validate(action())
        tool = WorkflowTool(host, made, workflows, []).tool()  # type: ignore[arg-type]
        asking = asyncio.ensure_future(tool.body({}, None))  # type: ignore[arg-type]
        await asyncio.sleep(1)
        asking.cancel()
        await asyncio.sleep(1)
        again = asyncio.ensure_future(tool.body({}, None))  # type: ignore[arg-type]
        again.cancel()
        await asyncio.sleep(2)
        assert workflows.finished == len(workflows.runs) == 1
        assert host.told == ['The find_order that was begun earlier is done: {"result": {"state": "sent"}}']

    run(scenario())


class _Host:
    """As much of a conversation as a workflow needs."""

    sensitive = over = busy = False

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.told: list[str] = []
        self._tasks: list[asyncio.Future[None]] = []

    def spawn(self, work: Any) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    def tell_model(self, text: str) -> None:
        self.told.append(text)
