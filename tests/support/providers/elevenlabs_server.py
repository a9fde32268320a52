"""ElevenLabs' protocol: many-context speech over a websocket, speech over HTTP, and Scribe over a websocket."""

from __future__ import annotations

import asyncio
import base64

from aiohttp import WSMsgType, web

from .base import ProviderServer, Reply, pieces, tone


class ElevenLabsServer(ProviderServer):
    """Services: ``speech`` (body: the text of each context) and ``scribe`` (body: the audio)."""

    heard_seconds = 0.5

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/text-to-speech/{voice}/multi-stream-input", self._speech),
            web.post("/v1/text-to-speech/{voice}/stream", self._say),
            web.get("/v1/speech-to-text/realtime", self._scribe),
        ]

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self.allowed(request.headers.get("xi-api-key", "")):
            return web.json_response({"detail": {"status": "invalid_api_key"}}, status=401)
        return None

    @staticmethod
    def _rate(name: str) -> int:
        return int(name.removeprefix("pcm_"))

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        asked = self.note("speech", request, {})
        reply = self.next("speech", Reply())
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        audio = tone(reply.seconds, self._rate(request.query["output_format"]))
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            packet = message.json()
            context = packet.get("context_id", "")
            asked.body[context] = asked.body.get(context, "") + packet.get("text", "")
            if packet.get("close_context"):
                if reply.malformed:
                    await socket.send_json({"error": "scripted failure", "context_id": context})
                    continue
                for number, piece in enumerate(pieces(audio)):
                    if reply.cut_after is not None and number >= reply.cut_after:
                        await socket.close(code=1011)
                        return socket
                    await socket.send_json({"audio": base64.b64encode(piece).decode(), "contextId": context})
                    await asyncio.sleep(reply.piece_delay)
                await socket.send_json({"isFinal": True, "contextId": context})
        return socket

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self.note("speech", request, await request.json())
        reply = self.next("speech", Reply())
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        audio = tone(reply.seconds, self._rate(request.query["output_format"]))
        return await self.stream(request, reply, "audio/pcm", pieces(audio))

    async def _scribe(self, request: web.Request) -> web.StreamResponse:
        asked = self.note("scribe", request, b"")
        reply = self.next("scribe", Reply(text="bonjour"))
        if refused := self._refused(request) or await self.misbehave(reply):
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"message_type": "session_started", "session_id": "s1"})
        enough = int(self.heard_seconds * self._rate(request.query["audio_format"])) * 2
        done = False
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            packet = message.json()
            asked.body += base64.b64decode(packet["audio_base_64"])
            if len(asked.body) >= enough and not done:
                done = True
                if reply.cut_after is not None:
                    await socket.close(code=1011)
                elif reply.malformed:
                    await socket.send_json({"message_type": "transcriber_error", "error": "scripted failure"})
                else:
                    first = reply.text.split(" ")[0]
                    await socket.send_json({"message_type": "partial_transcript", "text": first})
                    await socket.send_json({"message_type": "committed_transcript", "text": reply.text})
        return socket
