"""The process put together: store, media, SIP, calls, HTTP. What ``parlons serve`` runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from . import __version__, configuration, logs, memory
from .agents.connections import InstallationSettings, SipConnection
from .agents.models import Agent
from .api.app import control_app, public_app
from .calls.directory import Directory, LiveAgent
from .calls.equipment import Equipment
from .calls.limits import OutboundLimits
from .calls.messages import MessageBank
from .calls.retention import purge_daily
from .calls.ringing import Exchange
from .calls.service import CallService
from .control import socket_path
from .conversation.providers import registry
from .conversation.stored_speech import StoredSpeech
from .conversation.warmup import WARM_UP_AGENT, warm_up
from .errors import ConfigurationError, ParlonsError
from .installation import open_store
from .metrics import Metrics
from .settings import Settings
from .store import Store
from .store.writer import CallWriter
from .telephony.media.crossing import early_media
from .telephony.media.engine import MediaEngine
from .telephony.media.relay import Relay
from .telephony.sip.endpoint import Endpoint
from .telephony.sip.resolver import Resolver
from .trunks import Trunks
from .workflows.http_client import HttpClient

WRITER_BEHIND = 50_000
"""Events not stored yet from which on no new call is taken."""
RELOAD_SECONDS = 5.0
"""How often a change made by another process is looked for."""

log = logs.get(__name__)


class Server:
    """One running Parlons. ``async with Server.start(settings)`` answers calls until the block ends."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.metrics = Metrics()
        self.writer = CallWriter(store.calls)
        self.media = MediaEngine(
            host=settings.sip_host,
            public_address=settings.public_address or "",
            port_min=settings.rtp_port_min,
            port_max=settings.rtp_port_max,
        )
        self.resolver = Resolver()
        self.endpoint = Endpoint(
            host=settings.sip_host,
            port=settings.sip_port,
            public_address=settings.public_address or "",
            resolver=self.resolver,
        )
        self.messages = MessageBank(settings.data_dir / "messages", StoredSpeech(os.environ, self._build))
        equipment = Equipment(
            media=self.media,
            writer=self.writer,
            messages=self.messages,
            metrics=self.metrics,
            build_providers=self._build,
            unavailable=lambda _agent: "",
            recordings=settings.data_dir / "recordings",
            exchange=Exchange(
                invite=self.endpoint.invite,
                open_media=self.media.open,
                limits=OutboundLimits(asyncio.get_running_loop().time),
                relay=Relay,
                early=early_media,
            ),
            log_words=settings.log_words,
        )
        self.http = HttpClient(allow_private=lambda: self.service.directory.settings.allow_private_addresses)
        self.service = CallService(
            self.endpoint, equipment, max_calls=settings.max_calls, http=self.http, runs=self.writer
        )
        self.trunks = Trunks(self.endpoint, self.resolver)
        self._loaded: object = None
        self._ready = False

    @staticmethod
    def _build(agent: Agent, sample_rate: int) -> registry.Built:
        return registry.build(agent, environ=os.environ, sample_rate=sample_rate)

    # -- configuration -----------------------------------------------------------------------------------------

    async def apply_folder(self, folder: Path) -> None:
        """Apply a configuration folder: only what changed since it was last applied."""
        loaded = await asyncio.to_thread(configuration.load, folder)
        for change in await configuration.apply(self.store, loaded):
            log.info("configuration", change=str(change))

    async def reload(self) -> None:
        """Read the live configuration and make it what the next call meets."""
        stored = await self.store.agents.live_all()
        agents = {key: LiveAgent(key, version, agent) for key, (agent, version) in stored.items()}
        connections = await self.store.connections.list()
        installation = await self.store.settings.get()
        workflows = await self.store.workflows.all_in_clear()
        self.service.workflow_secrets = await self.store.secrets.all_in_clear()
        picture = (agents, connections, installation)
        if picture != self._loaded:
            await self._configure(agents, connections, installation)
            self._loaded = picture
            log.info("configuration_live", agents=sorted(agents), connections=sorted(connections))
        directory = Directory.build(agents.values(), connections, installation, self.trunks.addresses(), workflows)
        if directory != self.service.directory:
            self.service.directory = directory

    async def _configure(
        self,
        agents: Mapping[str, LiveAgent],
        connections: Mapping[str, SipConnection],
        installation: InstallationSettings,
    ) -> None:
        await self.messages.prepare([live.agent for live in agents.values()], installation)
        for live in agents.values():
            await self._prepare(live.agent)
        passwords = {key: await self.store.connections.credentials(key) for key in connections}
        self.service.inbound_passwords = {
            key: {connection.inbound_username: passwords[key].inbound_password or ""}
            for key, connection in connections.items()
            if connection.inbound_username
        }
        self.service.outbound_passwords = {key: p.password or "" for key, p in passwords.items()}
        await self.trunks.configure(connections, self.service.outbound_passwords)

    @staticmethod
    async def _prepare(agent: Agent) -> None:
        """Build ahead what an agent's calls need, and say now what would make them fail."""
        try:
            await registry.build(agent, environ=os.environ).aclose()
            await registry.prepare(agent)
        except ParlonsError as error:
            log.error("agent_unavailable", agent=agent.name, error=error.message, fix=error.hint)

    async def _watch(self) -> None:
        """Notice changes made by other processes, and hosts that moved."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            try:
                await self.reload()
            except ParlonsError as error:
                log.error("reload_failed", error=error.message, fix=error.hint)

    # -- life --------------------------------------------------------------------------------------------------

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, settings: Settings) -> AsyncIterator[Server]:
        """Bring everything up in order, and take it down in the reverse order."""
        async with contextlib.AsyncExitStack() as stack:
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            lost = await store.calls.close_unfinished("the process stopped during the call")
            if lost:
                log.warning("calls_closed_after_restart", count=lost)
            server = cls(settings, store)
            stack.push_async_callback(server.http.aclose)
            if settings.config is not None:
                await server.apply_folder(settings.config)
            server.writer.start()
            stack.push_async_callback(server.writer.close)
            registry.prewarm()
            stack.push_async_callback(registry.close_shared)
            await warm_up(registry.build(WARM_UP_AGENT, environ={}))
            await server.messages.start()
            await server.media.start()
            stack.push_async_callback(server.media.stop)
            await server._listen_for_sip()
            stack.push_async_callback(server.endpoint.stop)
            stack.push_async_callback(server.trunks.stop)
            await server.reload()
            server.endpoint.on_invite = server.service.on_invite
            gauges: dict[str, Callable[[], Mapping[str, float]]] = {
                "calls": server.service.gauges,
                "sip": server.endpoint.gauges,
                "media": server.media.gauges,
                "writer": server.writer_gauges,
                "trunks": server.trunks.gauges,
            }
            for owner, read in gauges.items():
                server.metrics.watch(owner, read)
            jobs = (
                server._watch(),
                server.messages.keep_trying(),
                purge_daily(store, settings.data_dir / "recordings"),
                memory.keep(lambda: server.service.active, lambda: server.service.ended),
            )
            for work in jobs:
                stack.push_async_callback(_cancel, asyncio.ensure_future(work))
            memory.settle()
            server._ready = True
            yield server

    async def _listen_for_sip(self) -> None:
        try:
            await self.endpoint.start()
        except OSError as error:
            where = f"{self.settings.sip_host}:{self.settings.sip_port}"
            raise ConfigurationError(
                f"SIP cannot listen on {where}/udp: {error.strerror}.",
                hint="Stop what uses the port, or set PARLONS_SIP_PORT and PARLONS_SIP_HOST.",
            ) from None

    def writer_gauges(self) -> dict[str, float]:
        """What is not stored yet, and what was lost."""
        return {"pending": self.writer.pending, "dropped_total": self.writer.dropped}

    def problems(self) -> list[str]:
        """Why calls cannot be taken, for the health check."""
        if not self._ready:
            return ["starting"]
        found = []
        if not self.service.ready:
            found.append("draining or full")
        if self.writer.pending > WRITER_BEHIND:
            found.append("the database cannot be written")
        return found


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
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
    memory.few_arenas()
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
        unix = _unix(control_path)
        stack.callback(lambda: control_path.unlink(missing_ok=True))
        listeners = [
            _listen(public_app(server.metrics, server.problems), tcp),
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
