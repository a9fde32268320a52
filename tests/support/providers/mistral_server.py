"""Mistral's HTTP protocol: near OpenAI's for chat, with whole tool calls; its own shape for transcriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .base import Reply
from .openai_server import OpenAIServer


class MistralServer(OpenAIServer):
    """Services: ``chat``, ``transcriptions``. The base URL is ``url``."""

    @property
    def base_url(self) -> str:
        return self.url

    def _completion(self, reply: Reply, body: dict[str, Any]) -> Iterator[bytes]:
        if reply.malformed:
            yield b"data: {not json\n\n"
            return

        def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            whole: dict[str, Any] = {"id": "cmpl-1", "object": "chat.completion.chunk", "created": 1}
            whole |= {"model": body["model"], "choices": [choice]}
            if finish:
                whole["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            return f"data: {json.dumps(whole)}\n\n".encode()

        yield chunk({"role": "assistant", "content": ""})
        for word in reply.text.split(" ") if reply.text else []:
            yield chunk({"content": word + " "})
        if reply.tool_calls:
            calls = [
                {"id": f"call0000{i}", "index": i, "function": {"name": name, "arguments": arguments}}
                for i, (name, arguments) in enumerate(reply.tool_calls)
            ]
            yield chunk({"content": "", "tool_calls": calls}, "tool_calls")
        else:
            yield chunk({"content": ""}, "stop")
        yield b"data: [DONE]\n\n"

    def _transcript(self, reply: Reply, fields: dict[str, Any]) -> dict[str, Any]:
        usage = {"prompt_audio_seconds": 1, "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"model": fields["model"], "text": reply.text, "language": "fr", "segments": [], "usage": usage}
