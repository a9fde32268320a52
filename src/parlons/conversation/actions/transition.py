"""A transition as the model sees it: one tool, whose arguments are the values to take along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit.agents import RunContext, StopResponse

from ...agents.extraction import check, schema
from ...agents.path import Transition
from ...calls.timeline import Kind
from ..host import Host
from .base import ToolSpec

Take = Callable[[Transition, dict[str, Any]], bool]
"""Leaves the step by this transition, with these values; False when it is being left already."""


def transition_tool(host: Host, transition: Transition, take: Take) -> ToolSpec:
    """The tool of one transition. It changes nothing before every value was checked, and then all at once."""

    async def body(raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str:
        values, problems = check(transition.extract, raw_arguments)
        if problems:
            host.timeline.add(
                "agent",
                Kind.ACTION_FINISHED,
                action=transition.name,
                type="transition",
                outcome="refused",
                duration_ms=0,
                missing=[problem.split(" ")[0] for problem in problems],
            )
            return (
                "This was not done yet: " + "; ".join(problems) + ". Ask the other person for what is missing, one "
                "thing at a time, then call this again. Never make a value up."
            )
        take(transition, values)
        raise StopResponse  # the next step speaks

    return ToolSpec(
        name=transition.name,
        description=transition.description,
        parameters=schema(transition.extract),
        body=body,
        fills=False,
    )
