"""A language model for many calls at a time: OpenAI's protocol; one script and one record of requests an agent."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from tests.support.providers.base import Reply, Request
from tests.support.providers.openai_server import OpenAIServer

FINE = "Très bien."
"""What an agent without a script says to everything."""


def prompt(agent: str) -> str:
    """A prompt by which the model knows whose call it is."""
    return f"You are the agent <{agent}>."


class AgentsModel(OpenAIServer):
    """``script`` and ``requests`` go by agent. Every agent uses the same ``base_url``."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        known = re.search(r"You are the agent <([\w-]+)>", json.dumps(body["messages"]))
        agent = known.group(1) if known else ""
        self.note(agent, request, body)
        reply = self.next(agent, Reply(text=FINE))
        if refused := await self.misbehave(reply):
            return refused
        return await self.stream(request, reply, "text/event-stream", self._completion(reply, body))


def tool_results(request: Request) -> list[str]:
    """What the tools called so far gave back, as this request has it."""
    return [str(m["content"]) for m in request.body["messages"] if m["role"] == "tool"]


def told(request: Request) -> dict[str, Any]:
    """What the model was told by the last tool, as JSON."""
    given: dict[str, Any] = json.loads(tool_results(request)[-1])
    return given


def tools(request: Request) -> dict[str, dict[str, Any]]:
    """The functions offered in a request, by name."""
    return {tool["function"]["name"]: tool["function"] for tool in request.body.get("tools", [])}
