"""What every action's tool shares: how the model sees it, and being woken when the conversation closes.

Knows no particular action.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from livekit.agents import RunContext, function_tool, llm

ToolBody = Callable[[dict[str, Any], RunContext[Any]], Awaitable[str | llm.ToolResult | None]]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool.

    Args:
        name: ``[a-z0-9_]``, what the model calls it.
        parameters: JSON schema of the arguments. The runtime does not check them: ``body`` must.
        body: does it; what it returns goes to the model, ``None`` or StopResponse leaves the agent silent.
        fills: while it runs, fillers are spoken so that the other person is not left in silence.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    body: ToolBody
    fills: bool = True


_inside: ContextVar[Toolbox | None] = ContextVar("inside_toolbox", default=None)


class Toolbox:
    """The running tools of one conversation.

    Args:
        started, ended: called around each tool that ``fills``.
    """

    def __init__(self, started: Callable[[], None], ended: Callable[[], None]) -> None:
        self._started = started
        self._ended = ended
        self._running: set[asyncio.Task[Any]] = set()

    def build(self, specs: Iterable[ToolSpec]) -> list[llm.Tool | llm.Toolset]:
        """The runtime's tools."""
        return [self._tool(spec) for spec in specs]

    def inside(self) -> bool:
        """Whether the code that asks runs in one of this conversation's tools."""
        return _inside.get() is self

    def wake(self) -> None:
        """Cancel every running tool: closing a session waits for its tools."""
        for task in self._running:
            task.cancel()

    def _tool(self, spec: ToolSpec) -> llm.RawFunctionTool[..., Any]:
        async def run(raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str | llm.ToolResult | None:
            task = asyncio.current_task()
            assert task is not None
            _inside.set(self)  # the task is this tool's own, and ends with it
            self._running.add(task)
            if spec.fills:
                self._started()
            try:
                return await spec.body(raw_arguments, ctx)
            finally:
                self._running.discard(task)
                if spec.fills:
                    self._ended()

        schema = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
        return function_tool(run, raw_schema=schema)
