"""The built-in language model: a plug-in that answers by rule, so that a call can be held with no key and no network.

Knows the conversation and its tools. The rules themselves are in ``rules``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from livekit.agents import APIConnectOptions, llm, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from .rules import Reply, decide, tool_of

_PIECE = re.compile(r"\S+\s*")


class EmbeddedModel(llm.LLM[str]):
    """Answers from the ``- keyword, keyword : Answer.`` lines of its instructions, and calls tools by their words.

    Deterministic; cheap to make, safe to share between calls in one language.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    @property
    def model(self) -> str:
        return "rules"

    @property
    def provider(self) -> str:
        return "embedded"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        usable = [] if tool_choice == "none" else tools or []
        return _Answer(self, chat_ctx=chat_ctx, tools=usable, conn_options=conn_options)


class _Answer(llm.LLMStream):
    _llm: EmbeddedModel

    async def _run(self) -> None:
        schemas = llm.ToolContext(self._tools).parse_function_tools("openai", strict=False)
        reply = decide(self._chat_ctx.items, [tool_of(schema) for schema in schemas], self._llm.language)
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        answer_id = utils.shortuuid("embedded_")
        for piece in _PIECE.findall(reply.text):
            self._event_ch.send_nowait(
                llm.ChatChunk(id=answer_id, delta=llm.ChoiceDelta(role="assistant", content=piece))
            )
        if reply.call is not None:
            name, arguments = reply.call
            call = llm.FunctionToolCall(
                name=name, arguments=json.dumps(arguments, ensure_ascii=False), call_id=utils.shortuuid("call_")
            )
            self._event_ch.send_nowait(
                llm.ChatChunk(id=answer_id, delta=llm.ChoiceDelta(role="assistant", tool_calls=[call]))
            )
