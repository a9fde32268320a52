"""What ``parlons serve`` runs: one server, its HTTP listeners, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from . import __version__, logs, memory
from .api import console, first_key
from .api.app import control_app, public_app
from .api.services import Services
from .app import Server
from .control import socket_path
from .errors import ConfigurationError
from .settings import Settings

log = logs.get(__name__)


class _Http(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has one idea of stopping."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(app: FastAPI, sock: socket.socket) -> tuple[_Http, asyncio.Task[None]]:
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    http = _Http(config)
    task = asyncio.create_task(http.serve(sockets=[sock]))
    return http, task


def _public(services: Services) -> FastAPI:
    app = public_app(services)
    pages = console.find()
    if pages is None:
        log.warning("no_console", fix="Build it: make console")
    else:
        console.serve(app, pages)
    return app


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer on a kept connection waits 40 ms
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used for HTTP: {error.strerror}.",
            hint="Set PARLONS_HTTP_PORT to another.",
        ) from None
    return sock


def _unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
    finally:
        os.umask(before)
    return sock


async def serve(settings: Settings) -> None:
    """Answer calls until SIGTERM or SIGINT; then drain, and stop. A second signal stops at once."""
    memory.settle_allocator()
    logs.configure(settings.log_level, words=settings.log_words)
    stopping, at_once = asyncio.Event(), asyncio.Event()

    def asked() -> None:
        (at_once if stopping.is_set() else stopping).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    control_path = socket_path(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        tcp = _tcp(settings.http_host, settings.http_port)
        stack.callback(tcp.close)
        server = await stack.enter_async_context(Server.start(settings))
        services = server.services()
        if services.admin_key_hash is None:
            await first_key.tell(server.store)
        unix = _unix(control_path)
        stack.callback(lambda: control_path.unlink(missing_ok=True))
        listeners = [
            _listen(_public(services), tcp),
            _listen(control_app(server.service, server.reload), unix),
        ]
        agents = sorted(server.service.directory.agents)
        log.info(
            "serving",
            version=__version__,
            sip=f"{settings.sip_host}:{settings.sip_port}/udp",
            http=f"{settings.http_host}:{settings.http_port}",
            agents=agents,
            call=[f"sip:{agent}@127.0.0.1:{settings.sip_port}" for agent in agents],
        )
        await stopping.wait()
        log.info("draining", calls=int(server.service.gauges()["active"]), at_most_seconds=settings.drain_seconds)
        draining = asyncio.ensure_future(server.service.drain(settings.drain_seconds))
        hurry = asyncio.ensure_future(at_once.wait())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not draining.done():
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
            await server.service.drain(0)
        hurry.cancel()
        for http, task in listeners:
            http.should_exit = True
            await asyncio.gather(task, return_exceptions=True)
    log.info("stopped")
