"""Whether providers can be used, known before a call asks: checked in the background, looked up on the call path.

A provider counts as usable until a check said otherwise at most 30 s ago: a check that is stuck costs no call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from parlons import logs
from parlons.agents.models import Agent, Provider
from parlons.errors import ProviderUnusable

from . import registry
from .kinds import Service
from .probing import Prober, Target, Verdict, silent

SERVICES: tuple[Service, ...] = ("stt", "llm", "tts")

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """When providers are asked, in seconds. With these figures no verdict grows older than ``stale``: a provider that
    is asked every 16.5 s at the latest may twice take 5 s to say nothing, 1 s apart.

    Args:
        usual: between two checks, give or take a tenth, so that they do not march; also for a key that was refused.
        down: between two checks of a provider that is down.
        again: before a first failure is believed.
        answer: for one request.
        stale: the age from which a verdict counts no more.
        at_once: requests under way; a number.
        person: for a check that a person waits for, both requests and the pause between them.
    """

    usual: float = 15.0
    down: float = 5.0
    again: float = 1.0
    answer: float = 5.0
    stale: float = 30.0
    at_once: int = 64
    person: float = 10.0


@dataclass(frozen=True, slots=True)
class ProviderState:
    """How a provider stands.

    Args:
        provider, server: what it is and where, without any secret.
        state: ``unknown`` until it was checked, and when the last check is too old to count.
        since: of the last change of state; None while unknown from the start.
        last_error: what the last failed check said, kept after a recovery.
        hint: what to do about it; empty while usable.
        age_seconds: of the last check.
    """

    provider: str
    server: str
    services: tuple[Service, ...]
    agents: tuple[str, ...]
    state: Literal["unknown", "usable", "down", "refused"]
    since: datetime | None
    last_error: str
    hint: str
    age_seconds: float | None


@dataclass(slots=True)
class _Watched:
    target: Target
    services: set[Service] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    verdict: Verdict | None = None
    checked_at: float = 0.0
    since: datetime | None = None
    last_error: str = ""
    task: asyncio.Task[None] | None = None


class Readiness:
    """Keeps an eye on every provider that agents use, each once, however many agents share it.

    Args:
        environ: where keys come from; read at each look-up, as calls do.
        clock: seconds, monotonic.
    """

    def __init__(
        self, environ: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic, pace: Pace | None = None
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._pace = pace or Pace()
        self._watched: dict[Target, _Watched] = {}
        self._prober: Prober | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what calls ask ----------------------------------------------------------------------------------------

    def problem(self, agent: Agent) -> str:
        """Why an agent cannot run: for some service none of its providers can be used. Empty when it can.

        A look-up: asks nobody. What cannot even be built is not told here: ``registry.build`` raises.
        """
        for service, wanted in _targets(agent, self._environ):
            found = [self._fault(target) for target in wanted]
            if all(found):
                return f"No {service} provider can be used: {'; '.join(dict.fromkeys(found))}"
        return ""

    def _fault(self, target: Target | None) -> str:
        watched = self._watched.get(target) if target is not None else None
        if watched is None or watched.verdict is None or self._state(watched) in ("usable", "unknown"):
            return ""
        verdict = watched.verdict
        return f"{watched.target.kind} ({watched.target.server}): {verdict.error}. {verdict.hint}"

    def _state(self, watched: _Watched) -> Literal["unknown", "usable", "down", "refused"]:
        if watched.verdict is None or self._clock() - watched.checked_at > self._pace.stale:
            return "unknown"
        return watched.verdict.state

    # -- what is watched ---------------------------------------------------------------------------------------

    def watch(self, agents: Iterable[Agent]) -> None:
        """From now on, watch exactly the providers of these agents. What is known of a provider that stays, stays."""
        wanted: dict[Target, _Watched] = {}
        for agent in agents:
            for service, targets in _targets(agent, self._environ):
                for target in targets:
                    if target is not None:
                        entry = wanted.setdefault(target, _Watched(target))
                        entry.services.add(service)
                        entry.agents.add(agent.name)
        for target in self._watched.keys() - wanted.keys():
            if task := self._watched.pop(target).task:
                task.cancel()
        for target, entry in wanted.items():
            known = self._watched.setdefault(target, entry)
            known.services, known.agents = entry.services, entry.agents
            if self._prober is not None and known.task is None:
                self._start(known, self._prober)

    async def run(self) -> None:
        """Check for ever. Cancel it to end; then nothing of it is left open."""
        async with Prober(seconds=self._pace.answer, at_once=self._pace.at_once) as prober:
            self._prober = prober
            try:
                for watched in self._watched.values():
                    self._start(watched, prober)
                await asyncio.get_running_loop().create_future()
            finally:
                self._prober = None
                for watched in self._watched.values():
                    watched.task = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, watched: _Watched, prober: Prober) -> None:
        watched.task = asyncio.get_running_loop().create_task(self._keep_checking(watched, prober))
        self._tasks.add(watched.task)
        watched.task.add_done_callback(self._tasks.discard)

    # -- checking ----------------------------------------------------------------------------------------------

    async def _keep_checking(self, watched: _Watched, prober: Prober) -> None:
        while True:
            verdict = None
            try:
                verdict = await self._check(watched, prober)
            except Exception as error:  # a bug of ours or a library's: says nothing about the provider
                # only the kind of error: its text may hold the request, and so the key
                log.error("provider_check_failed", provider=watched.target.kind, error=type(error).__name__)
            if verdict is not None:
                self._judge(watched, verdict)
            unsure = verdict is None or verdict.state == "down"
            await asyncio.sleep(self._pace.down if unsure else self._pace.usual * random.uniform(0.9, 1.1))

    async def _check(self, watched: _Watched, prober: Prober) -> Verdict | None:
        verdict = await prober.ask(watched.target)
        believed = watched.verdict is not None and watched.verdict.state != "usable"
        if verdict is None or verdict.state == "usable" or believed:
            return verdict
        await asyncio.sleep(self._pace.again)
        return await prober.ask(watched.target)

    def _judge(self, watched: _Watched, verdict: Verdict) -> None:
        before = watched.verdict
        watched.verdict, watched.checked_at = verdict, self._clock()
        watched.last_error = verdict.error or watched.last_error
        if before is not None and before.state == verdict.state:
            return
        watched.since = datetime.now(UTC)
        told = {"provider": watched.target.kind, "server": watched.target.server, "services": sorted(watched.services)}
        if verdict.state == "usable":
            log.info("provider_usable", **told)
        else:
            log.warning("provider_unusable", **told, error=verdict.error, fix=verdict.hint)

    # -- for people --------------------------------------------------------------------------------------------

    async def check(self, target: Target) -> Verdict | None:
        """Ask a provider now, as the background does, for a person who waits; at most ``Pace.person`` seconds.

        The verdict on one that is watched counts from now on. None: this process's own trouble, as in ``Prober.ask``.
        """
        watched = self._watched.get(target) or _Watched(target)
        async with Prober(seconds=self._pace.answer, at_once=1) as prober:  # its own: the other may be busy
            try:
                async with asyncio.timeout(self._pace.person):
                    verdict = await self._check(watched, prober)
            except TimeoutError:
                verdict = silent(self._pace.person)
        if verdict is not None and self._watched.get(target) is watched:
            self._judge(watched, verdict)
        return verdict

    def states(self) -> list[ProviderState]:
        """How each provider stands, by name and server; embedded ones are not among them, for they always can."""
        found = [self._told(watched) for watched in self._watched.values()]
        return sorted(found, key=lambda state: (state.provider, state.server))

    def state_of(self, target: Target) -> ProviderState | None:
        """How one stands; None when it is not watched."""
        watched = self._watched.get(target)
        return self._told(watched) if watched is not None else None

    def _told(self, watched: _Watched) -> ProviderState:
        return ProviderState(
            provider=watched.target.kind,
            server=watched.target.server,
            services=tuple(service for service in SERVICES if service in watched.services),
            agents=tuple(sorted(watched.agents)),
            state=self._state(watched),
            since=watched.since,
            last_error=watched.last_error,
            hint=watched.verdict.hint if watched.verdict else "",
            age_seconds=self._clock() - watched.checked_at if watched.verdict else None,
        )

    def gauges(self) -> dict[str, float]:
        """Providers watched, those in each state, and the age of the oldest check (it grows when checking is stuck)."""
        count = Counter(self._state(watched) for watched in self._watched.values())
        checked = [watched.checked_at for watched in self._watched.values() if watched.verdict]
        return {
            "watched": len(self._watched),
            "usable": count["usable"],
            "down": count["down"],
            "refused": count["refused"],
            "unknown": count["unknown"],
            "oldest_check_seconds": self._clock() - min(checked) if checked else 0.0,
        }


def _targets(agent: Agent, environ: Mapping[str, str]) -> Iterator[tuple[Service, list[Target | None]]]:
    providers = registry.effective(agent, environ)
    for service in SERVICES:
        listed: list[Provider] = getattr(providers, service)
        yield service, [target_of(provider, environ) for provider in listed]


def target_of(provider: Provider, environ: Mapping[str, str]) -> Target | None:
    """What is asked of a provider; None when there is nothing to ask, or when it cannot be built."""
    kind = registry.kind_of(provider.type)
    if kind is None or kind.probe is None:
        return None
    try:
        credential = registry.credential(kind, provider, environ)
    except ProviderUnusable:
        return None
    return Target(kind.name, provider.base_url or "", credential.key, kind.probe, credential.variable, kind.env or "")
