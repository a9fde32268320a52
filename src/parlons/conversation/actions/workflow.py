"""The workflow action: the model's values are checked, the workflow runs once, and what came of it goes to the model.

Specification, section 4.2. Once begun it runs to its end, also when the other person talks over it: asked for again
with the same values it is not begun again, so nobody orders twice because of a cough.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from livekit.agents import RunContext

from ...agents.actions import WorkflowAction
from ...agents.common import slug
from ...agents.extraction import check, schema
from ...agents.workflows import InputField
from ...calls.timeline import Kind
from ..host import Host
from ..workflows import WorkflowResult, Workflows
from .base import ToolSpec

FILLER_AFTER_SECONDS = 0.4
"""A workflow that is done sooner needs no filler; nor does one with which the model said something of its own."""
MAX_RESULT_CHARACTERS = 20_000


class WorkflowTool:
    """One workflow action of a conversation.

    Args:
        fields: the typed values that its workflow takes.
    """

    def __init__(self, host: Host, action: WorkflowAction, workflows: Workflows, fields: Sequence[InputField]) -> None:
        self._host = host
        self._action = action
        self._workflows = workflows
        self._fields = fields
        self._untold: dict[str, asyncio.Future[WorkflowResult]] = {}
        """Runs whose result the model has not seen, by their values."""

    def tool(self) -> ToolSpec:
        """The tool as the model sees it."""
        action, description = self._action, self._action.description
        if action.pre_message.enabled:
            example = action.pre_message.example
            hint = f', such as "{example}"' if example else ""
            description += f" While it runs, tell the other person in a few words of your own that you are on it{hint}."
        return ToolSpec(
            name=slug(action.name), description=description, parameters=schema(self._fields), body=self._asked
        )

    async def _asked(self, raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str:
        values, problems = check(self._fields, raw_arguments)
        if problems:
            return f"Not done: {'; '.join(problems)}. Ask the other person for what is missing. Never make a value up."
        key = json.dumps(values, sort_keys=True)
        run = self._untold.get(key) or self._begin(key, values)
        talking = asyncio.create_task(self._fill())
        try:
            result = await asyncio.shield(run)
        except asyncio.CancelledError:  # talked over: the model learns of it when it is done
            run.add_done_callback(lambda done: self._tell_later(key, done))
            raise
        finally:
            talking.cancel()
        self._untold.pop(key, None)
        return _told(result)

    def _begin(self, key: str, values: Mapping[str, Any]) -> asyncio.Future[WorkflowResult]:
        action = self._action
        run: asyncio.Future[WorkflowResult] = asyncio.get_running_loop().create_future()
        self._untold[key] = run

        async def carry_on() -> None:
            try:
                made = await carry_out(
                    self._host, self._workflows, action.name, action.workflow_id, values, action.timeout_seconds
                )
            except BaseException:
                run.cancel()
                raise
            if not run.done():
                run.set_result(made)

        self._host.spawn(carry_on())
        return run

    def _tell_later(self, key: str, run: asyncio.Future[WorkflowResult]) -> None:
        if self._untold.get(key) is run and not run.cancelled():
            del self._untold[key]
            self._host.tell_model(
                f"The {slug(self._action.name)} that was begun earlier is done: {_told(run.result())}"
            )

    async def _fill(self) -> None:
        if not self._action.pre_message.enabled:
            return
        await asyncio.sleep(FILLER_AFTER_SECONDS)
        if not self._host.busy and not self._host.over:
            self._host.say(self._action.pre_message.example or self._host.phrases.fillers[0])


async def carry_out(
    host: Host, workflows: Workflows, name: str, workflow_id: str, values: Mapping[str, Any], seconds: float
) -> WorkflowResult:
    """Run a workflow, noted on the timeline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    arguments = {} if host.sensitive else dict(values)
    host.timeline.add("agent", Kind.ACTION_STARTED, action=name, type="workflow", arguments=arguments)
    result = WorkflowResult("error", error="cancelled")
    try:
        result = await workflows.run(workflow_id, values, seconds=seconds)
        return result
    finally:
        more = {"error": result.error} if result.error else {}
        host.timeline.add(
            "agent",
            Kind.ACTION_FINISHED,
            action=name,
            type="workflow",
            outcome=result.status,
            duration_ms=round((loop.time() - began) * 1000),
            run=result.run_id,
            **more,
        )


def _told(result: WorkflowResult) -> str:
    if result.status == "ok":
        made = json.dumps(result.result, ensure_ascii=False, default=str)
        if len(made) > MAX_RESULT_CHARACTERS:
            made = json.dumps({"cut": made[:MAX_RESULT_CHARACTERS]}, ensure_ascii=False)
        told: dict[str, Any] = {"result": json.loads(made)}
    elif result.status == "timeout":
        told = {"error": "timeout", "instruction": "It took too long and was given up. Say so; do not invent a result."}
    else:
        told = {"error": "failed", "instruction": "It did not work. Say so; do not invent a result."}
    return json.dumps(told, ensure_ascii=False)
