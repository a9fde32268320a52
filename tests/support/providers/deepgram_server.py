"""Deepgram's protocol: ``/v1/listen`` and ``/v1/speak`` over websockets, and ``/v1/speak`` over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from .base import ProviderServer, Reply, pieces, tone


class DeepgramServer(ProviderServer):
    """Services: ``listen`` (a reply each ``heard_seconds`` of audio, or when told to finalize) and ``speak``."""

    heard_seconds = 0.5

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/listen", self._listen),
            web.get("/v1/speak", self._speak),
            web.post("/v1/speak", self._say),
        ]

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self.allowed(request.headers.get("Authorization", "").removeprefix("Token ")):
            return web.json_response({"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}, status=401)
        return None

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        asked = self.note("listen", request, b"")
        reply = self.next("listen", Reply(text="bonjour"))
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        enough = int(self.heard_seconds * int(request.query["sample_rate"])) * 2
        told = 0
        async for message in socket:
            if message.type == WSMsgType.BINARY:
                asked.body += message.data
                if reply.cut_after is not None and len(asked.body) >= enough:
                    await socket.close(code=1011)
                elif len(asked.body) - told >= enough and not told:
                    told = len(asked.body)
                    await self._transcript(socket, reply)
            elif message.type == WSMsgType.TEXT and "CloseStream" in message.data:
                await socket.send_json({"type": "Metadata", "request_id": "r1"})
                await socket.close()
        return socket

    async def _transcript(self, socket: web.WebSocketResponse, reply: Reply) -> None:
        if reply.malformed:
            await socket.send_str("{not json")
            return
        await socket.send_json({"type": "SpeechStarted", "channel": [0], "timestamp": 0.0})
        for final in (False, True):
            text = reply.text if final else reply.text.split(" ")[0]
            words = [{"word": w, "start": 0.0, "end": 0.3, "confidence": 0.9} for w in text.split()]
            alternative = {"transcript": text, "confidence": 0.9, "words": words}
            results: dict[str, Any] = {"type": "Results", "is_final": final, "speech_final": final, "start": 0.0}
            results |= {"duration": 0.5, "channel_index": [0, 1], "metadata": {"request_id": "r1"}}
            await socket.send_json({**results, "channel": {"alternatives": [alternative]}})
            await asyncio.sleep(reply.piece_delay)

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        asked = self.note("speak", request, "")
        reply = self.next("speak", Reply())
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            spoken = message.json() if message.type == WSMsgType.TEXT else {}
            if spoken.get("type") == "Speak":
                asked.body += spoken["text"]
            elif spoken.get("type") == "Flush":
                if reply.malformed:
                    await socket.send_str("{not json")
                for number, piece in enumerate(pieces(tone(reply.seconds, int(request.query["sample_rate"])))):
                    if reply.cut_after is not None and number >= reply.cut_after:
                        await socket.close(code=1011)
                        return socket
                    await socket.send_bytes(piece)
                    await asyncio.sleep(reply.piece_delay)
                await socket.send_json({"type": "Flushed", "sequence_id": 0})
            elif spoken.get("type") == "Close":
                await socket.close()
        return socket

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self.note("speak", request, (await request.json())["text"])
        reply = self.next("speak", Reply())
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        audio = tone(reply.seconds, int(request.query["sample_rate"]))
        return await self.stream(request, reply, "audio/l16", pieces(audio))
