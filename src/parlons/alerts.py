"""Tells the operator's ``alert_url`` when calls fail and when a trunk is down, and when that is over.

One POST of JSON for each change: ``{"id", "kind", "state", "since", "details", "text"}``. ``text`` is for people, and
where the incoming webhooks of chat rooms look; nothing says who called. What cannot be delivered within ten minutes is
dropped, and so is what waits when the process stops: this is a bell, not a record. A lost reply may ring it twice, with
the same ``id``.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from . import logs
from .agents.connections import InstallationSettings
from .calls.record import CallRecord
from .calls.timeline import CallStatus
from .errors import Conflict
from .workflows.failures import AddressRefused, UnexpectedStatus, WorkflowError
from .workflows.http_client import HttpClient, Request, json_body
from .workflows.webhook import DELIVERY_HEADER

FAILING = frozenset({CallStatus.FAILOVER, CallStatus.FAILED})
RETRIED_STATUSES = frozenset({408, 425, 429})
"""Refusals that may pass; others of 400 to 499 will not."""
MAX_WAITING = 200
SHOWN = 20
"""Causes and agents that a POST names, the most frequent first."""

Kind = Literal["calls_failing", "trunk_down", "test"]
State = Literal["firing", "recovered", "test"]

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """When to ring, in seconds.

    Args:
        calls, window: so many calls that fail within so long ring; so long without any is the recovery.
        trunk_down: how long a trunk is down before it rings.
        check: how often conditions and the address are looked at.
        answer: for one POST.
        retries: pauses between attempts.
        give_up: the age from which a POST that failed is not tried again.
    """

    calls: int = 3
    window: float = 300.0
    trunk_down: float = 60.0
    check: float = 2.0
    answer: float = 10.0
    retries: tuple[float, ...] = (5.0, 15.0, 45.0, 120.0, 240.0)
    give_up: float = 600.0


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    when: datetime
    cause: str
    agent: str


@dataclass(slots=True)
class _Condition:
    """Something that is wrong. ``told`` is the address that heard of it."""

    kind: Kind
    began: float
    since: datetime
    connection: str = ""
    told: str = ""
    calls: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)

    def add(self, failure: _Failure) -> None:
        self.calls += 1
        self.causes[failure.cause] += 1
        self.agents[failure.agent] += 1


@dataclass(frozen=True, slots=True)
class _Post:
    url: str = field(repr=False)
    id: str
    made: float
    kind: Kind
    state: State
    body: bytes = field(repr=False)

    def request(self) -> Request:
        headers = {"Content-Type": "application/json", DELIVERY_HEADER: self.id}
        return Request("POST", self.url, headers, body=self.body, any_reply=True, as_it_is=True)


class Alerts:
    """Watches calls and trunks, and rings. Nothing is kept across restarts, so none sends a recovery of what it never
    saw; a trunk that is still down rings again.

    Args:
        settings: read at each look: a changed ``alert_url`` counts at once, and hears of what is wrong by then.
        http: refuses private addresses unless ``allow_private_addresses`` is set.
        trunks: SIP connection to whether it is up; None while that is not known, which changes nothing.
        clock: seconds, monotonic.
        now: the time of day, aware.
    """

    def __init__(
        self,
        settings: Callable[[], InstallationSettings],
        http: HttpClient,
        trunks: Callable[[], Mapping[str, bool | None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: Policy | None = None,
    ) -> None:
        self._settings, self._http, self._trunks = settings, http, trunks
        self._clock, self._now = clock, now
        self._policy = policy or Policy()
        self._failures: deque[_Failure] = deque(maxlen=self._policy.calls)
        self._down: dict[str, tuple[float, datetime]] = {}
        self._firing: dict[tuple[Kind, str], _Condition] = {}
        self._outbox: asyncio.Queue[_Post] = asyncio.Queue(MAX_WAITING)
        self._lost = 0

    def call_ended(self, record: CallRecord) -> None:
        """Count a call that ended; not of a draft that somebody tries from the browser."""
        if record.status not in FAILING or (record.from_browser and record.agent_version is None):
            return
        cause = record.trigger or record.status.value
        failure = _Failure(self._clock(), self._now(), cause, record.agent_id or "")
        self._failures.append(failure)
        if condition := self._firing.get(("calls_failing", "")):
            condition.add(failure)
            return
        first = self._failures[0]
        if len(self._failures) == self._policy.calls and failure.at - first.at <= self._policy.window:
            condition = _Condition("calls_failing", first.at, first.when)
            for one in self._failures:
                condition.add(one)
            self._firing["calls_failing", ""] = condition

    async def run(self) -> None:
        """Look and ring for ever. Cancel it to end; what was not delivered by then is not."""
        sender = asyncio.get_running_loop().create_task(self._send_all())
        try:
            while True:
                try:
                    self._look()
                except Exception as error:  # the bell must outlive a bug in what it watches
                    log.error("alerts_check_failed", error=type(error).__name__)
                await asyncio.sleep(self._policy.check)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def test(self) -> str:
        """Send ``alert_url`` one POST now, of the kind ``test``, and once only: how it answered.

        Raises:
            Conflict: there is no ``alert_url``.
            WorkflowError: it was not taken; the hint says what to do.
        """
        url = self._settings().alert_url
        if not url:
            raise Conflict("no alert_url is set.", hint="Set one in the settings, save it, and try again.")
        text = "Parlons: this is a test, asked for by an administrator. Alerts arrive here."
        request = self._made(url, "test", "test", self._now(), {}, text).request()
        try:
            reply = await self._http.send(request, timeout=self._policy.answer)
        except WorkflowError as error:
            error.hint = _fix(error)
            raise
        return f"HTTP {reply.status}"

    def gauges(self) -> dict[str, float]:
        """What is wrong now, what waits to be delivered, and what never was."""
        return {"firing": len(self._firing), "waiting": self._outbox.qsize(), "lost_total": self._lost}

    # -- conditions --------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now, url = self._clock(), self._settings().alert_url or ""
        if ("calls_failing", "") in self._firing and now - self._failures[-1].at >= self._policy.window:
            self._over("calls_failing", "", url)
        self._look_at_trunks(now, url)
        for condition in self._firing.values():
            if url and condition.told != url:
                condition.told = url
                self._post(url, condition, "firing", condition.since)

    def _look_at_trunks(self, now: float, url: str) -> None:
        trunks = self._trunks()
        for connection, up in trunks.items():
            if up:
                self._down.pop(connection, None)
                self._over("trunk_down", connection, url)
            elif up is False:
                began, since = self._down.setdefault(connection, (now, self._now()))
                if now - began >= self._policy.trunk_down:
                    condition = _Condition("trunk_down", began, since, connection)
                    self._firing.setdefault(("trunk_down", connection), condition)
        for connection in self._down.keys() - trunks.keys():
            del self._down[connection]
            self._over("trunk_down", connection, url, removed=True)

    def _over(self, kind: Kind, connection: str, url: str, *, removed: bool = False) -> None:
        condition = self._firing.pop((kind, connection), None)
        if condition is not None and url and condition.told == url:
            self._post(url, condition, "recovered", self._now(), removed=removed)

    def _post(self, url: str, condition: _Condition, state: State, since: datetime, *, removed: bool = False) -> None:
        seconds = round(self._clock() - condition.began)
        details: dict[str, Any] = {"began": _iso(condition.since), "seconds": seconds}
        if condition.kind == "trunk_down":
            details |= {"connection": condition.connection, "removed": removed}
            text = _trunk_text(condition, state, seconds, removed)
        else:
            causes, agents = dict(condition.causes.most_common(SHOWN)), dict(condition.agents.most_common(SHOWN))
            details |= {"calls": condition.calls, "triggers": causes, "agents": agents}
            text = _calls_text(condition, state, self._policy)
        post = self._made(url, condition.kind, state, since, details, text)
        try:
            self._outbox.put_nowait(post)
        except asyncio.QueueFull:
            self._lose(post, "too many alerts wait already", "Check that alert_url answers.")

    def _made(self, url: str, kind: Kind, state: State, since: datetime, details: dict[str, Any], text: str) -> _Post:
        delivery = uuid.uuid4().hex
        whole = {"id": delivery, "kind": kind, "state": state, "since": _iso(since), "details": details, "text": text}
        return _Post(url, delivery, self._clock(), kind, state, json_body(whole))

    # -- delivery ----------------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        """One after the other: a recovery never overtakes, and a chat room's rate limit is not met at once."""
        while True:
            post = await self._outbox.get()
            try:
                await self._deliver(post)
            except Exception as error:  # the next one may get through
                self._lose(post, type(error).__name__, "")

    async def _deliver(self, post: _Post) -> None:
        request = post.request()
        for pause in (*self._policy.retries, None):
            if self._settings().alert_url != post.url:
                return  # whoever is to hear of it now is told anew
            try:
                await self._http.send(request, timeout=self._policy.answer)
                return
            except WorkflowError as error:
                late = self._clock() - post.made + (pause or 0) > self._policy.give_up
                if pause is None or late or not _may_pass(error):
                    self._lose(post, error.message, _fix(error))
                    return
                log.warning("alert_delayed", **_about(post), error=error.message, again_in_seconds=pause)
            await self._pause(pause, post.url)

    async def _pause(self, seconds: float, url: str) -> None:
        """Wait, unless ``alert_url`` becomes another meanwhile."""
        while seconds > 0 and self._settings().alert_url == url:
            step = min(seconds, self._policy.check)
            await asyncio.sleep(step)
            seconds -= step

    def _lose(self, post: _Post, error: str, fix: str) -> None:
        self._lost += 1
        log.error("alert_lost", **_about(post), error=error, fix=fix)


def _about(post: _Post) -> dict[str, str]:
    """For the log; of the URL only the host, for the path of a chat room's webhook is its key."""
    return {"host": urlsplit(post.url).hostname or "", "kind": post.kind, "state": post.state}


def _may_pass(error: WorkflowError) -> bool:
    if isinstance(error, UnexpectedStatus) and 400 <= error.reply.status < 500:
        return error.reply.status in RETRIED_STATUSES
    return error.retryable


def _fix(error: WorkflowError) -> str:
    if isinstance(error, AddressRefused):
        return "Turn on allow_private_addresses in the settings, or give alert_url a public address."
    if isinstance(error, UnexpectedStatus):
        return "Check that alert_url is the whole address, and still valid."
    return error.hint or "Check alert_url in the settings."


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="seconds")


def _calls_text(condition: _Condition, state: State, policy: Policy) -> str:
    minutes = f"{policy.window / 60:g} minutes"
    if state == "recovered":
        text = f"Parlons: no call failed for {minutes}. Since {_iso(condition.since)}, {condition.calls} had."
    else:
        text = f"Parlons: {condition.calls} calls failed or failed over within {minutes}."
    return f"{text} Causes: {_listed(condition.causes)}. Agents: {_listed(condition.agents)}."


def _listed(counts: Counter[str]) -> str:
    named = [f"{name or '(none)'} {count}" for name, count in counts.most_common(SHOWN)]
    return ", ".join(named + (["and others"] if len(counts) > SHOWN else []))


def _trunk_text(condition: _Condition, state: State, seconds: int, removed: bool) -> str:
    which = f"Parlons: the SIP connection {condition.connection}"
    if state == "firing":
        return f"{which} has been down for {_long(seconds)}: it does not register, or does not answer."
    if removed:
        return f"{which}, which was down, is no longer configured."
    return f"{which} is up again, after {_long(seconds)}."


def _long(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"
