"""OpenAI's HTTP protocol: chat completions over server-sent events with tool calls in fragments, transcriptions from
multipart audio, speech as raw PCM or events. Also a program, for tests with real telephones:

    python -m tests.support.providers.openai_server --port 15200 --script answers.json

where the file holds ``{"chat": [{"text": "…"}, {"tool_calls": [["hang_up", "{}"]]}], "transcriptions": […]}``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from .base import ProviderServer, Reply, pieces, tone

SPEECH_RATE = 24000


def _event(data: Any) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


class OpenAIServer(ProviderServer):
    """Services: ``chat``, ``transcriptions``, ``speech``. The base URL is ``url + "/v1"``."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self._chat),
            web.post("/v1/audio/transcriptions", self._transcriptions),
            web.post("/v1/audio/speech", self._speech),
            web.get("/v1/models", self._models),
        ]

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def _refused(self, request: web.Request) -> web.Response | None:
        if self.key and not self.allowed(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return web.json_response({"error": {"message": "Incorrect API key", "type": "auth"}}, status=401)
        return None

    async def _models(self, request: web.Request) -> web.Response:
        return self._refused(request) or web.json_response({"object": "list", "data": []})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.note("chat", request, body)
        said = next((m["content"] for m in reversed(body["messages"]) if m["role"] == "user"), "")
        reply = self.next("chat", Reply(text=f"You said: {said}"))
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        return await self.stream(request, reply, "text/event-stream", self._completion(reply, body))

    def _completion(self, reply: Reply, body: dict[str, Any]) -> Iterator[bytes]:
        if reply.malformed:
            yield b"data: {not json\n\n"
            return

        def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
            return _event(
                {
                    "id": "chatcmpl-1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": body["model"],
                    "choices": [choice],
                }
            )

        yield chunk({"role": "assistant", "content": ""})
        for word in reply.text.split(" ") if reply.text else []:
            yield chunk({"content": word + " "})
        for index, (name, arguments) in enumerate(reply.tool_calls):
            function: dict[str, Any] = {"name": name, "arguments": ""}
            head = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
            yield chunk({"tool_calls": [head]})
            for start in range(0, len(arguments), 5):
                part = {"index": index, "function": {"arguments": arguments[start : start + 5]}}
                yield chunk({"tool_calls": [part]})
        yield chunk({}, "tool_calls" if reply.tool_calls else "stop")
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        yield _event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": body["model"],
                "choices": [],
                "usage": usage,
            }
        )
        yield _event("[DONE]")

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        fields: dict[str, Any] = {}
        for name, value in form.items():
            fields[name] = value.file.read() if isinstance(value, web.FileField) else value
        self.note("transcriptions", request, fields)
        reply = self.next("transcriptions", Reply(text="bonjour"))
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        if reply.malformed:
            return web.Response(body=b"<html>", content_type="text/html")
        return web.json_response(self._transcript(reply, fields))

    def _transcript(self, reply: Reply, fields: dict[str, Any]) -> dict[str, Any]:
        return {"text": reply.text}

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.note("speech", request, body)
        reply = self.next("speech", Reply(seconds=max(0.2, 0.05 * len(body["input"]))))
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        audio = b"" if reply.malformed else tone(reply.seconds, SPEECH_RATE)
        if body.get("stream_format") == "sse":
            return await self.stream(request, reply, "text/event-stream", self._speech_events(audio))
        return await self.stream(request, reply, "audio/pcm", pieces(audio))

    def _speech_events(self, audio: bytes) -> Iterator[bytes]:
        for piece in pieces(audio):
            yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        yield _event({"type": "speech.audio.done", "usage": usage})


def read_script(path: Path) -> dict[str, list[Reply]]:
    """A script from a JSON file."""
    script: dict[str, list[dict[str, Any]]] = json.loads(path.read_text("utf-8"))
    read: dict[str, list[Reply]] = {}
    for service, replies in script.items():
        read[service] = [Reply(**{**r, "tool_calls": [(n, a) for n, a in r.get("tool_calls", [])]}) for r in replies]
    return read


async def serve(port: int, script: dict[str, list[Reply]]) -> None:
    """Serve until killed; any key will do."""
    async with OpenAIServer(script, port=port, key="") as server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, read_script(arguments.script) if arguments.script else {}))
