"""Every provider, for the people who look after them: those that agents use, and those that an agent could name.

No key is told, nor can one be worked out from an id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from parlons.agents.models import Agent, Provider
from parlons.errors import NotFound, ParlonsError, ProviderError, ProviderUnusable

from . import registry
from .kinds import Service
from .probing import Target
from .readiness import SERVICES, Readiness, target_of

State = Literal["usable", "down", "refused", "unknown", "not_configured"]

ALWAYS = "it is part of Parlons: nothing outside is needed"
ANSWERED = "it answered"

_Place = tuple[str, str, str]
"""Kind, base_url, and the key or why there is none: what makes two providers of agents one."""


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as it is shown.

    Args:
        id: its type where it is the installation's own; else good for as long as the process runs.
        type: its name in an agent's document.
        server: where it is, without any secret; empty for one that is in the process.
        services: what agents use it for; what it offers when none does.
        agents: names of the active agents that use it.
        configured: everything is there to use it: its key, and its plug-in.
        state: ``unknown`` while it was not asked; one that no agent uses is asked by people alone.
        last_error: what the last failed check said, kept after a recovery; or what is not configured.
        hint: what to do about it; empty when there is nothing to do.
    """

    id: str
    type: str
    server: str
    services: tuple[Service, ...]
    agents: tuple[str, ...]
    configured: bool
    state: State
    since: datetime | None = None
    last_error: str = ""
    hint: str = ""
    checked_at: datetime | None = None


@dataclass(slots=True)
class _Entry:
    provider: Provider
    fault: ProviderUnusable | None
    target: Target | None = None
    services: set[Service] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)


class Overview:
    """Lists providers, and asks one when a person wants to know.

    Args:
        environ: where keys come from; read at each look.
        agents: those that take or place calls now.
    """

    def __init__(self, environ: Mapping[str, str], readiness: Readiness, agents: Callable[[], Iterable[Agent]]) -> None:
        self._environ, self._readiness, self._agents = environ, readiness, agents
        self._salt = secrets.token_bytes(32)

    def views(self) -> list[ProviderView]:
        """Every provider: those in use first, each group by name and server. Asks nobody."""
        views = [self._view(place, entry) for place, entry in self._entries().items()]
        return sorted(views, key=lambda view: (not view.agents, view.type, view.server, view.id))

    async def check(self, provider_id: str) -> str:
        """Ask a provider now, within ten seconds: what it said.

        Raises:
            NotFound: no provider has this id.
            ProviderUnusable, ProviderError: it cannot be used, with what to do.
        """
        entry = next((entry for place, entry in self._entries().items() if self._id(place) == provider_id), None)
        if entry is None:
            raise NotFound(f"there is no provider {provider_id!r}.", hint="Load the list again.")
        if entry.fault is not None:
            raise entry.fault
        if entry.target is None:
            return ALWAYS
        verdict = await self._readiness.check(entry.target)
        if verdict is None:
            raise ParlonsError("this machine could not ask.", hint="It has no file or memory left: see its log.")
        if verdict.state != "usable":
            raise ProviderError(f"{verdict.error}.", hint=verdict.hint)
        return ANSWERED

    def _entries(self) -> dict[_Place, _Entry]:
        found: dict[_Place, _Entry] = {}
        known: dict[tuple[str | None, ...], tuple[_Place, _Entry]] = {}  # a thousand agents name the same few
        for agent in self._agents():
            providers = registry.effective(agent, self._environ)
            for service in SERVICES:
                for provider in getattr(providers, service):
                    named = (service, provider.type, provider.base_url, provider.api_key)
                    if named not in known:
                        known[named] = self._look(service, provider)
                    place, entry = known[named]
                    entry = found.setdefault(place, entry)
                    entry.services.add(service)
                    entry.agents.add(agent.name)
        for kind in registry.known().values():
            place, entry = self._look(kind.services[0], Provider(type=kind.name))
            if found.setdefault(place, entry) is entry:
                entry.services.update(kind.services)
        return found

    def _look(self, service: Service, provider: Provider) -> tuple[_Place, _Entry]:
        try:
            kind, found = registry.required(service, provider, self._environ)
        except ProviderUnusable as error:
            return (provider.type, provider.base_url or "", f"\0{error}"), _Entry(provider, error)
        key = "" if found.variable and found.variable == kind.env else found.key
        return (kind.name, provider.base_url or "", key), _Entry(provider, None, target_of(provider, self._environ))

    def _view(self, place: _Place, entry: _Entry) -> ProviderView:
        known = self._readiness.state_of(entry.target) if entry.target is not None else None
        state: State = "not_configured" if entry.fault else "usable" if entry.target is None else "unknown"
        error, hint = (entry.fault.message, entry.fault.hint) if entry.fault else ("", "")
        return ProviderView(
            id=self._id(place),
            type=entry.provider.type,
            server=_server(entry),
            services=tuple(service for service in SERVICES if service in entry.services),
            agents=tuple(sorted(entry.agents)),
            configured=entry.fault is None,
            state=known.state if known else state,
            since=known.since if known else None,
            last_error=known.last_error if known else error,
            hint=known.hint if known else hint,
            checked_at=_ago(known.age_seconds) if known else None,
        )

    def _id(self, place: _Place) -> str:
        kind, base_url, key = place
        if not base_url and not key:
            return kind
        told = "\0".join((base_url, key)).encode()
        return f"{kind}-{hmac.new(self._salt, told, hashlib.sha256).hexdigest()[:12]}"


def _server(entry: _Entry) -> str:
    return entry.target.server if entry.target is not None else ""


def _ago(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.now(UTC) - timedelta(seconds=seconds)
