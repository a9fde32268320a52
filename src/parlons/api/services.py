"""What the routes work with: put together by the process, found by each request in its application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request

from parlons import logs
from parlons.calls.chats import Chats
from parlons.calls.rehearsal import Rehearsals
from parlons.calls.service import CallService
from parlons.errors import ParlonsError
from parlons.knowledge.service import KnowledgeService
from parlons.metrics import Metrics
from parlons.store import Store
from parlons.webrtc.service import BrowserCalls

from .credentials import Passwords
from .feed import CallFeed
from .problems import NotLive
from .throttle import Throttle

log = logs.get(__name__)


class ConnectionState(Protocol):
    """How a SIP connection stands. Implemented by ``telephony.sip.trunks.TrunkStatus``."""

    @property
    def id(self) -> str: ...
    @property
    def registered(self) -> bool | None: ...
    @property
    def reachable(self) -> bool | None: ...
    @property
    def up(self) -> bool: ...
    @property
    def last_error(self) -> str: ...


class ProviderView(Protocol):
    """A provider of speech or language. Implemented by ``conversation.providers.overview.ProviderView``."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def services(self) -> Sequence[Literal["stt", "llm", "tts"]]: ...
    @property
    def agents(self) -> Sequence[str]: ...
    @property
    def configured(self) -> bool: ...
    @property
    def state(self) -> Literal["usable", "down", "refused", "unknown", "not_configured"]: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def last_error(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def checked_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Services:
    """Of one process.

    Args:
        problems: why calls cannot be taken right now; empty when they can.
        reload: makes what is stored what the next call meets.
        flush: returns when what happened in calls so far is stored, or soon after.
        connection_states: of every configured SIP connection.
        ask_connection: sends a SIP connection one OPTIONS: how it was answered; raises TelephonyError when it was not.
        providers: every provider of speech and language; asks nobody.
        check_provider: asks one now: what it said; raises NotFound, or another ParlonsError when it cannot be used.
        test_alert: rings ``alert_url`` once: how it answered; raises Conflict when there is none, WorkflowError.
        rehearsals: of the failover.
        chats: agents in text.
        browser_calls: calls that come from a browser's page.
        admin_key_hash: of ``PARLONS_ADMIN_KEY``; None when it is not set.
    """

    store: Store
    calls: CallService
    feed: CallFeed
    metrics: Metrics
    problems: Callable[[], list[str]]
    recordings: Path
    reload: Callable[[], Awaitable[None]]
    flush: Callable[[], Awaitable[object]]
    connection_states: Callable[[], Iterable[ConnectionState]]
    ask_connection: Callable[[str], Awaitable[str]]
    knowledge: KnowledgeService
    providers: Callable[[], Iterable[ProviderView]]
    check_provider: Callable[[str], Awaitable[str]]
    test_alert: Callable[[], Awaitable[str]]
    rehearsals: Rehearsals
    chats: Chats
    browser_calls: BrowserCalls
    admin_key_hash: str | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    passwords: Passwords = field(default_factory=Passwords)
    guesses_by_name: Throttle = field(default_factory=lambda: Throttle(10, 300))
    guesses_by_address: Throttle = field(default_factory=lambda: Throttle(50, 300))
    """Wrong passwords in five minutes."""

    async def make_live(self) -> None:
        """What was just stored counts from the next call on. Raises NotLive: it is stored, and does not count yet."""
        try:
            await self.reload()
        except ParlonsError as error:
            log.error("reload_failed", error=error.message, fix=error.hint)
            raise NotLive(
                f"The change is saved, and calls do not use it yet: {error.message}",
                hint=error.hint or "It is tried again every few seconds.",
                headers={"Retry-After": "5"},
            ) from error


def services(request: Request) -> Services:
    """Those of the application that a request came to."""
    found: Services = request.app.state.services
    return found


Parts = Annotated[Services, Depends(services)]
