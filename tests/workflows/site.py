"""A web site on loopback that misbehaves as a test asks: raw bytes over sockets, no HTTP library."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Writer = asyncio.StreamWriter


@dataclass
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Page = Callable[[Asked, Writer], Awaitable[None]]


@dataclass
class Site:
    """``pages`` by path; ``asked`` is all that came, in order."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    opened: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.opened += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(method, target, headers, body)
                self.asked.append(asked)
                self.came.set()
                await self.pages[target.split("?")[0]](asked, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


@contextlib.asynccontextmanager
async def site(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    made = Site()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await made.serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(
    body: object = None, status: int = 200, headers: Sequence[tuple[str, str]] = (), type: str = "application/json"
) -> Page:
    """A page that answers at once. Bytes are sent as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    async def page(_asked: Asked, writer: Writer) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", f"Content-Type: {type}"]
        lines += [f"{name}: {value}" for name, value in headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    return page


def moved(to: str, status: int = 301) -> Page:
    return answer(b"", status, [("Location", to)])


def in_turn(*pages: Page) -> Page:
    """Each page once; the last one for ever."""
    left = list(pages)

    async def page(asked: Asked, writer: Writer) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, writer)

    return page


async def hang(_asked: Asked, _writer: Writer) -> None:
    await asyncio.sleep(60)


async def drop(_asked: Asked, writer: Writer) -> None:
    """Close without a byte."""
    writer.close()


async def drip(_asked: Asked, writer: Writer) -> None:
    """A byte now and then, each sooner than any read would time out."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(_asked: Asked, writer: Writer) -> None:
    """A body with no end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


def raw(data: bytes, *, close: bool = True) -> Page:
    async def page(_asked: Asked, writer: Writer) -> None:
        writer.write(data)
        if close:
            await writer.drain()
            writer.close()

    return page
