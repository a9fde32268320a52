"""What every stand-in provider has: scripted answers, misbehaviour on demand, and a record of what was asked."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

CUT = -1


@dataclass
class Reply:
    """One scripted answer.

    Args:
        text: words of a chat answer or a transcript; for speech, unused (a tone is sent).
        tool_calls: (name, arguments as JSON), for a chat answer.
        status: an HTTP status other than 200 refuses the request.
        hang: never answer.
        delay: seconds before the first byte.
        piece_delay: seconds between pieces of a stream.
        cut_after: pieces after which the connection is dropped.
        malformed: send bytes that are not the protocol.
        seconds: of speech.
    """

    text: str = ""
    tool_calls: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200
    hang: bool = False
    delay: float = 0.0
    piece_delay: float = 0.0
    cut_after: int | None = None
    malformed: bool = False
    seconds: float = 0.4


@dataclass
class Request:
    """What was asked: the service, the path and query, the headers, and the body as JSON, form fields or audio."""

    service: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


def tone(seconds: float, rate: int) -> bytes:
    """A quiet 440 Hz tone, s16le."""
    count = int(seconds * rate)
    return struct.pack(f"<{count}h", *(int(6000 * math.sin(2 * math.pi * 440 * i / rate)) for i in range(count)))


def pieces(audio: bytes, count: int = 8) -> Iterator[bytes]:
    """Audio in about that many pieces of whole samples."""
    size = max(2, len(audio) // count // 2 * 2)
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


class ProviderServer:
    """A stand-in provider: an async context manager.

    ``script[service]`` is a list of replies, used in order; the last stays. ``requests`` records everything asked.
    """

    def __init__(self, script: dict[str, list[Reply]] | None = None, *, port: int = 0, key: str = "test-key") -> None:
        self.script: dict[str, list[Reply]] = script or {}
        self.requests: list[Request] = []
        self.key = key
        self._port = port
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The paths this provider answers."""
        return []

    @property
    def url(self) -> str:
        """``http://127.0.0.1:port``."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=50_000_000)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def of(self, service: str) -> list[Request]:
        """What was asked of one service."""
        return [r for r in self.requests if r.service == service]

    def note(self, service: str, request: web.Request, body: Any = None) -> Request:
        """Record a request."""
        asked = Request(service, request.path, dict(request.query), dict(request.headers), body)
        self.requests.append(asked)
        return asked

    def next(self, service: str, default: Reply) -> Reply:
        """The next scripted reply."""
        replies = self.script.get(service, [])
        if not replies:
            return default
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def misbehave(self, reply: Reply) -> web.Response | None:
        """Wait, hang or refuse as the reply says; None to go on."""
        if reply.hang:
            await self._stopping.wait()
            return web.Response(status=503)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.status != 200:
            return web.json_response({"error": {"message": "scripted failure", "type": "test"}}, status=reply.status)
        return None

    def allowed(self, given: str) -> bool:
        """Whether this key is the one."""
        return given == self.key

    async def stream(
        self, request: web.Request, reply: Reply, content_type: str, chunks: Iterator[bytes]
    ) -> web.StreamResponse:
        """Send pieces as they come, cut or slowed as the reply says."""
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        for number, chunk in enumerate(chunks):
            if reply.cut_after is not None and number >= reply.cut_after:
                if request.transport is not None:
                    request.transport.abort()
                return response
            if number and reply.piece_delay:
                await asyncio.sleep(reply.piece_delay)
            await response.write(chunk)
        await response.write_eof()
        return response
