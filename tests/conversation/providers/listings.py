"""A stand-in provider that is only asked whether it can be used: scripted answers, and a record of the requests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.providers.base import ProviderServer, Reply

ASKED = "listing"


class ListingServer(ProviderServer):
    """Answers every GET. ``body`` goes with refusals; ``peak`` is the most requests there were at once."""

    body = '{"error": "scripted"}'
    under_way = 0
    peak = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/{path:.*}", self._listing)]

    @property
    def count(self) -> int:
        """Requests so far."""
        return len(self.requests)

    def now(self, *replies: Reply) -> None:
        """What it answers from now on; the last stays."""
        self.script[ASKED] = list(replies)

    async def _listing(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.note(ASKED, request)
        reply = self.next(ASKED, Reply())
        if reply.status in (401, 403):
            return web.Response(status=reply.status, text=self.body, content_type="application/json")
        if reply.cut_after is not None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return await self.misbehave(reply) or web.json_response({"data": []})


def free_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def deaf() -> AsyncIterator[str]:
    """A server that accepts connections and says nothing."""
    held: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in held:
            writer.close()
        server.close()
        await server.wait_closed()
