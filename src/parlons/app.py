"""The process put together: store, media, SIP, calls, jobs. HTTP and signals are ``serving``'s."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from . import configuration, logs, memory
from .agents.connections import InstallationSettings, SipConnection
from .agents.models import Agent
from .alerts import Alerts
from .api import credentials
from .api.feed import CallFeed
from .api.services import Services
from .calls import post_call
from .calls.chat_world import ChatWorld
from .calls.chats import Chats
from .calls.directory import Directory, LiveAgent
from .calls.equipment import Equipment
from .calls.knowledge import CallKnowledge
from .calls.limits import OutboundLimits
from .calls.messages import MessageBank
from .calls.rehearsal import Rehearsals
from .calls.retention import purge_daily
from .calls.ringing import Exchange
from .calls.service import CallService
from .commands.knowledge import service_of
from .conversation.providers import registry
from .conversation.providers.overview import Overview
from .conversation.providers.readiness import Readiness
from .conversation.stored_speech import StoredSpeech
from .conversation.warmup import WARM_UP_AGENT, warm_up
from .errors import ConfigurationError, NotFound, ParlonsError, TelephonyError
from .installation import open_store
from .jobs import Job, Jobs, database_url
from .knowledge import library
from .metrics import Metrics
from .settings import Settings
from .store import Store
from .store.documents import Credentials
from .store.writer import CallWriter
from .telephony.media.crossing import early_media
from .telephony.media.engine import MediaEngine
from .telephony.media.relay import Relay
from .telephony.sip.endpoint import Endpoint
from .telephony.sip.resolver import Resolver
from .trunks import Trunks
from .webrtc.service import BrowserCalls
from .workflows.delivery import BackOff
from .workflows.http_client import HttpClient

WRITER_BEHIND = 50_000
"""Events not stored yet from which on no new call is taken."""
ASK_SECONDS = 10.0
"""How long a SIP connection may take to answer when a person asks."""
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
        self.feed = CallFeed(self.writer)
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
        self.messages = MessageBank(settings.data_dir / "messages", StoredSpeech(os.environ, self._build_voices))
        self.readiness = Readiness(os.environ)
        self.providers = Overview(os.environ, self.readiness, self._active_agents)
        self.http = HttpClient(allow_private=lambda: self.service.directory.settings.allow_private_addresses)
        self.alerts = Alerts(lambda: self.service.directory.settings, self.http, lambda: self.trunks.up())
        equipment = Equipment(
            media=self.media,
            writer=self.feed,
            messages=self.messages,
            metrics=self.metrics,
            build_providers=self._build,
            build_voices=self._build_voices,
            unavailable=self.readiness.problem,
            ended=self.alerts.call_ended,
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
        self.jobs = Jobs(database_url(settings.store_url, settings.data_dir))
        self.knowledge = service_of(store, settings, self.http, self.jobs.submit)
        self.service = CallService(
            self.endpoint,
            equipment,
            max_calls=settings.max_calls,
            http=self.http,
            runs=self.writer,
            knowledge=CallKnowledge(self.knowledge.searches),
        )
        self.chats = Chats(ChatWorld(self._build_model, self.service, lambda key, run: self.writer.run(key, None, run)))
        self.rehearsals = Rehearsals(self.service, settings.sip_host)
        self.browser_calls = BrowserCalls(self.service, settings.sip_host, settings.public_address or "", self._prepare)
        self.post_call = post_call.PostCall(
            store,
            self.service,
            self.jobs.submit,
            open=lambda call_id: self.service.get(call_id) is not None or self.writer.holds(call_id),
            back_off=BackOff(settings.delivery_pauses),
        )
        self.jobs.handle(post_call.KIND, self._deliver, at_once=post_call.AT_ONCE)
        self.jobs.handle(library.KIND, self._ingest, at_once=library.AT_ONCE)
        store.calls.on_due = self.post_call.look
        self.trunks = Trunks(self.endpoint, self.resolver)
        self._loaded: object = None
        self._reloading = asyncio.Lock()
        self._ready = False

    @staticmethod
    def _build(agent: Agent, sample_rate: int) -> registry.Built:
        return registry.build(agent, environ=os.environ, sample_rate=sample_rate)

    @staticmethod
    def _build_voices(agent: Agent, sample_rate: int) -> registry.Built:
        return registry.build(agent, environ=os.environ, sample_rate=sample_rate, services=("tts",))

    @staticmethod
    def _build_model(agent: Agent, sample_rate: int) -> registry.Built:
        return registry.build(agent, environ=os.environ, sample_rate=sample_rate, services=("llm",))

    async def _deliver(self, job: Job) -> float | None:
        return await self.post_call.deliver(job.payload["delivery"], job.payload["round"])

    async def _ingest(self, job: Job) -> float | None:
        return await self.knowledge.ingest(job.payload, job.attempt)

    # -- configuration -----------------------------------------------------------------------------------------

    async def apply_folder(self, folder: Path) -> None:
        """Apply a configuration folder: only what changed since it was last applied."""
        loaded = await asyncio.to_thread(configuration.load, folder)
        for change in await configuration.apply(self.store, loaded):
            log.info("configuration", change=str(change))

    async def reload(self) -> None:
        """Read the live configuration and make it what the next call meets."""
        async with self._reloading:
            await self._reload()

    async def _reload(self) -> None:
        stored = await self.store.agents.live_all()
        agents = {key: LiveAgent(key, version, agent) for key, (agent, version) in stored.items()}
        connections = await self.store.connections.list()
        installation = await self.store.settings.get()
        workflows = await self.store.workflows.all_in_clear()
        self.service.workflow_secrets = await self.store.secrets.all_in_clear()
        passwords = {key: await self.store.connections.credentials(key) for key in connections}
        picture = (agents, connections, installation, passwords)
        if picture != self._loaded:
            await self._configure(agents, connections, installation, passwords)
            self._loaded = picture
            log.info("configuration_live", agents=sorted(agents), connections=sorted(connections))
        directory = Directory.build(agents.values(), connections, installation, self.trunks.addresses(), workflows)
        if directory != self.service.directory:
            self.service.directory = directory
        if self._ready:
            await self.knowledge.refresh()

    async def _configure(
        self,
        agents: Mapping[str, LiveAgent],
        connections: Mapping[str, SipConnection],
        installation: InstallationSettings,
        passwords: Mapping[str, Credentials],
    ) -> None:
        await self.messages.prepare([live.agent for live in agents.values()], installation)
        for live in agents.values():
            await self._prepare(live.agent)
        self.readiness.watch(live.agent for live in agents.values() if live.agent.active)
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

    # -- the API -----------------------------------------------------------------------------------------------

    def services(self) -> Services:
        """What the API works with. Raises ConfigurationError: ``PARLONS_ADMIN_KEY`` cannot be used."""
        return Services(
            store=self.store,
            calls=self.service,
            feed=self.feed,
            metrics=self.metrics,
            problems=self.problems,
            recordings=self.settings.data_dir / "recordings",
            reload=self.reload,
            flush=lambda: self.writer.drain(2.0),
            connection_states=self.trunks.statuses,
            ask_connection=self._ask_connection,
            knowledge=self.knowledge,
            providers=self.providers.views,
            check_provider=self.providers.check,
            test_alert=self.alerts.test,
            chats=self.chats,
            browser_calls=self.browser_calls,
            rehearsals=self.rehearsals,
            admin_key_hash=credentials.admin_key_hash(self.settings.admin_key),
        )

    def conversations_ended(self) -> int:
        """Calls, chats and rehearsals that are over: each leaves memory to be collected."""
        return self.service.ended + self.chats.ended + self.rehearsals.ended

    def _active_agents(self) -> list[Agent]:
        return [live.agent for live in self.service.directory.agents.values() if live.agent.active]

    async def _ask_connection(self, connection_id: str) -> str:
        """Send a SIP connection one OPTIONS. Raises NotFound, and TelephonyError when nobody answers."""
        connection = self.service.directory.connections.get(connection_id)
        if connection is None:
            raise NotFound(f"there is no SIP connection {connection_id!r}.")
        host = connection.host.strip("[]")
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await self.endpoint.ping(await self.resolver.resolve(host, connection.port))
        except TimeoutError:
            raise TelephonyError(
                f"{connection.host} does not answer.", hint="Check its host and port, and the firewall between."
            ) from None
        return f"{answer.status_code} {answer.reason_phrase}".strip()

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
            stack.push_async_callback(server.chats.close)
            stack.push_async_callback(server.browser_calls.close)
            await server._listen_for_sip()
            stack.push_async_callback(server.endpoint.stop)
            stack.push_async_callback(server.trunks.stop)
            await server.reload()
            if await store.data_sources.list():
                await server.knowledge.searches.load()
            stack.push_async_callback(server.knowledge.close)
            await server.jobs.start()
            stack.push_async_callback(server.jobs.stop)
            await server.knowledge.refresh()
            server.endpoint.on_invite = server.service.on_invite
            gauges: dict[str, Callable[[], Mapping[str, float]]] = {
                "calls": server.service.gauges,
                "chats": server.chats.gauges,
                "browser_calls": server.browser_calls.gauges,
                "sip": server.endpoint.gauges,
                "media": server.media.gauges,
                "writer": server.writer_gauges,
                "trunks": server.trunks.gauges,
                "providers": server.readiness.gauges,
                "alerts": server.alerts.gauges,
                "jobs": server.job_gauges,
                "knowledge": server.knowledge.gauges,
            }
            for owner, read in gauges.items():
                server.metrics.watch(owner, read)
            jobs = (
                server._watch(),
                server.readiness.run(),
                server.alerts.run(),
                server.post_call.watch(),
                server.messages.keep_trying(),
                purge_daily(store, settings.data_dir / "recordings"),
                memory.keep(lambda: server.service.active, server.conversations_ended),
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

    def job_gauges(self) -> dict[str, float]:
        """Background work, and how deliveries of post-call workflows went."""
        return {
            "running": self.jobs.running,
            "delivered_total": self.post_call.delivered,
            "delivery_failures_total": self.post_call.failed,
        }

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
