"""A language model behind the OpenAI chat protocol that fails in the way its address asks for.

``http://127.0.0.1:<port>/<behaviour>/v1``. It fails on the wire only; that the plug-in understands the protocol is
tested elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Self

ANSWER = "Le laboratoire ouvre à neuf heures du matin, tous les jours de la semaine."
BEHAVIOURS = ("answer", "error", "hang", "slow", "empty", "empty_once", "cut", "garbage", "refuse")


class FailingModel:
    """``async with FailingModel(port) as model``; ``model.asked`` counts requests by behaviour."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while line := await reader.readline():
                length = 0
                while (header := await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                await reader.readexactly(length)
                if not line.startswith(b"POST "):  # the client warms its connection with a GET of the base URL
                    await self._status(writer, 404, "Not Found")
                    continue
                behaviour = line.split()[1].decode().split("/")[1]
                self.asked[behaviour] += 1
                if not await self._behave(behaviour, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client gave up, which is what it should do; or the test is over
        finally:
            self._serving.discard(task)
            writer.close()

    async def _behave(self, behaviour: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection goes on."""
        if behaviour == "hang":
            await asyncio.sleep(60)
            return False
        if behaviour == "error":
            return await self._status(writer, 500, "Internal Server Error")
        if behaviour == "refuse":
            return await self._status(writer, 401, "Unauthorized")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        if behaviour == "garbage":
            self._part(writer, b"data: {this is not JSON\n\n")
            writer.write(b"0\r\n\r\n")
            return True
        silent = behaviour == "empty" or (behaviour == "empty_once" and self.asked[behaviour] == 1)
        words = [] if silent else ANSWER.split(" ")
        for number, word in enumerate(words):
            if behaviour == "cut" and number == 4:
                await writer.drain()
                return False
            self._event(writer, {"content": word + " "}, None)
            await writer.drain()
            if behaviour == "slow":
                await asyncio.sleep(0.7)
        self._event(writer, {}, "stop")
        self._part(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    @staticmethod
    async def _status(writer: asyncio.StreamWriter, code: int, reason: str) -> bool:
        body = json.dumps({"error": {"message": reason, "type": "server_error", "code": None}}).encode()
        head = f"HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True

    def _event(self, writer: asyncio.StreamWriter, delta: dict[str, str], finish: str | None) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self._part(writer, b"data: " + json.dumps(event).encode() + b"\n\n")

    @staticmethod
    def _part(writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
