"""An installation's API without telephone: a real store and the real application; only calls are stood in for."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from fastapi import FastAPI

from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent
from parlons.api.app import public_app
from parlons.api.credentials import hash_of
from parlons.api.edge import Limits
from parlons.api.feed import CallFeed
from parlons.api.services import Services
from parlons.calls.chat_world import ChatWorld
from parlons.calls.chats import Chats
from parlons.calls.directory import Directory
from parlons.calls.knowledge import CallKnowledge
from parlons.calls.parts import CallResources
from parlons.calls.record import CallRecord
from parlons.calls.rehearsal import Rehearsals
from parlons.calls.service import CallService
from parlons.calls.timeline import Timeline
from parlons.conversation.providers import registry
from parlons.errors import NotFound, ParlonsError, TelephonyError
from parlons.knowledge.embedding import EmbeddingSetup
from parlons.knowledge.library import Library
from parlons.knowledge.service import KnowledgeService
from parlons.metrics import Metrics
from parlons.store import CallWriter, Store
from parlons.telephony.sip.trunks import TrunkStatus
from parlons.webrtc.service import BrowserCalls
from parlons.workflows.http_client import HttpClient

ADMIN_KEY = "the-administrators-key-of-tests"
BEARER = {"Authorization": f"Bearer {ADMIN_KEY}"}
STARTED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
AGENT: dict[str, Any] = {"name": "Accueil", "prompt": "Bonjour", "greeting": "Bonjour."}


def _model(agent: Agent, sample_rate: int) -> registry.Built:
    """The built-in rules: no network, no key."""
    return registry.build(agent, environ={}, sample_rate=sample_rate, services=("llm",))


async def _prepared(_agent: Agent) -> None:
    """Nothing is needed: no call is taken here."""


@dataclass
class LiveCall:
    """A call under way, as the API sees one."""

    record: CallRecord
    timeline: Timeline
    stopped: list[str] = field(default_factory=list)

    def stop(self, why: str) -> None:
        self.stopped.append(why)


class Line:
    """What stands in for ``calls.service.CallService``."""

    def __init__(self, writer: CallWriter) -> None:
        self.live: dict[str, LiveCall] = {}
        self.knowledge: CallKnowledge
        self.directory = Directory(settings=InstallationSettings(default_country="FR", allow_private_addresses=True))
        self.http = HttpClient(allow_private=lambda: True)
        self.feed = CallFeed(writer)
        self.placed: list[tuple[str, str]] = []
        self.agents = {"accueil"}
        self.workflow_secrets: dict[str, str] = {}
        self.ready = True

    async def place(
        self, agent_id: str, to: str, context: Mapping[str, Any] | None = None, connection_id: str | None = None
    ) -> LiveCall:
        if agent_id not in self.agents:
            raise NotFound(f"No active agent is called {agent_id!r}.")
        self.placed.append((agent_id, to))
        placed: dict[str, Any] = {"direction": "outbound", "agent_id": agent_id, "called": to}
        placed |= {"context": dict(context or {}), "connection_id": connection_id}
        return self.begin(f"placed{len(self.placed)}", **placed)

    def begin(self, call_id: str, **values: Any) -> LiveCall:
        """A call that is under way from now on."""
        record = CallRecord(**{"id": call_id, "direction": "inbound", "started_at": STARTED, **values})
        self.feed.record(record)
        self.live[call_id] = LiveCall(record, Timeline(lambda event: self.feed.event(call_id, event)))
        return self.live[call_id]

    def end(self, call_id: str, **values: Any) -> None:
        """It is over."""
        call = self.live[call_id]
        ended = {"status": "completed", "ended_at": STARTED + timedelta(minutes=1), "ended_by": "caller", **values}
        self.feed.record(dataclasses.replace(call.record, **ended))
        call.record.ended_at = STARTED
        del self.live[call_id]

    def get(self, call_id: str) -> LiveCall | None:
        return self.live.get(call_id)


def knowledge_of(store: Store, folder: Path, jobs: list[Mapping[str, Any]]) -> KnowledgeService:
    """Documents as the server has them; their reading is a job in the list until a test carries it out."""

    async def fetch(_address: str) -> bytes:
        return b"<html><head><title>Page</title></head><body>Open from nine to five.</body></html>"

    async def embedding() -> EmbeddingSetup | None:
        return None

    async def submit(_kind: str, _job_id: str, payload: Mapping[str, Any]) -> None:
        jobs.append(payload)

    library = Library(store.knowledge, store.data_sources.list, folder, fetch, embedding, submit)
    return KnowledgeService(library, store.knowledge.statuses, embedding)


class Stage:
    """One installation. ``http`` sends requests as its administrator; ``client()`` as nobody."""

    def __init__(self, store: Store, folder: Path, limits: Limits | None = None) -> None:
        self.store = store
        self.writer = CallWriter(store.calls)
        self.line = Line(self.writer)
        self.recordings = folder / "recordings"
        self.recordings.mkdir()
        self.reloads = 0
        self.reload_fails: ParlonsError | None = None
        self.states: list[TrunkStatus] = []
        self.now: datetime | None = None
        self.reading: list[Mapping[str, Any]] = []
        self.knowledge = knowledge_of(store, folder / "knowledge", self.reading)
        self.line.knowledge = CallKnowledge(self.knowledge.searches)
        self.chats = Chats(
            ChatWorld(_model, cast("CallResources", self.line), lambda key, run: self.writer.run(key, None, run))
        )
        self.services = Services(
            store=store,
            calls=cast("CallService", self.line),
            feed=self.line.feed,
            metrics=Metrics(),
            problems=list,
            recordings=self.recordings,
            reload=self._reload,
            flush=lambda: self.writer.drain(5),
            connection_states=lambda: self.states,
            ask_connection=self._ask,
            knowledge=self.knowledge,
            providers=list,
            check_provider=self._ask,
            test_alert=lambda: self._ask("alert_url"),
            chats=self.chats,
            browser_calls=BrowserCalls(cast("CallService", self.line), "127.0.0.1", "", _prepared),
            rehearsals=Rehearsals(cast("CallService", self.line), "127.0.0.1"),
            admin_key_hash=hash_of(ADMIN_KEY),
            clock=lambda: self.now or datetime.now(UTC),
        )
        self.app: FastAPI = public_app(self.services, limits)
        self.http = self.client(headers=BEARER)

    async def _reload(self) -> None:
        if self.reload_fails is not None:
            raise self.reload_fails
        self.reloads += 1
        await self.knowledge.refresh()

    async def _ask(self, connection_id: str) -> str:
        if connection_id == "silent":
            raise TelephonyError("it does not answer.", hint="Check it.")
        return "200 OK"

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A client of its own, with its own cookies; http, as behind no proxy."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://parlons.test", **options)

    async def key(self, *scopes: str) -> dict[str, str]:
        """Headers with a new key that has these scopes."""
        answer = await self.http.post("/v1/keys", json={"name": "test", "scopes": list(scopes)})
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['secret']}"}

    async def user(self, role: str, name: str = "somebody", password: str = "a long enough password") -> str:
        """A user's id."""
        body = {"name": name, "role": role, "password": password}
        answer = await self.http.post("/v1/users", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def signed_in(self, role: str, name: str = "somebody") -> httpx.AsyncClient:
        """A client with the session of a new user, that sends the CSRF token."""
        await self.user(role, name)
        client = self.client()
        answer = await client.post("/v1/session", json={"name": name, "password": "a long enough password"})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    async def read_documents(self) -> None:
        """Carry out the jobs that read documents."""
        while self.reading:
            assert await self.knowledge.ingest(self.reading.pop(0), 1) is None

    async def agent(self, agent_id: str = "accueil", *, publish: bool = True, **changes: Any) -> None:
        """Store an agent."""
        answer = await self.http.post("/v1/agents", json={"id": agent_id, "document": AGENT | changes})
        assert answer.status_code == 201, answer.text
        if publish:
            answer = await self.http.post(f"/v1/agents/{agent_id}/publish")
            assert answer.status_code == 200, answer.text


@contextlib.asynccontextmanager
async def opened(store: Store, folder: Path, limits: Limits | None = None) -> AsyncIterator[Stage]:
    """A stage that is cleaned up."""
    stage = Stage(store, folder, limits)
    stage.writer.start()
    try:
        yield stage
    finally:
        await stage.chats.close()
        await stage.http.aclose()
        await stage.line.http.aclose()
        await stage.knowledge.close()
        await stage.writer.close()
