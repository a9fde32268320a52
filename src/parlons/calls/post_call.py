"""Post-call workflows: each one that was published when a call ended runs for that call, at least once.

That a delivery is due is stored with the end of the call (``store.deliveries``); from there it becomes a durable job,
and the job ends when its receiver has confirmed, or after 72 hours of attempts (``workflows.delivery``). Each attempt
runs the workflow **as it is published then**, so what was wrong with it can be put right; one that was unpublished or
deleted meanwhile is not run any more, and the delivery is kept as failed until a person has it sent again.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from parlons import logs
from parlons.agents.context import CallContext, system_variables
from parlons.agents.workflows import Workflow
from parlons.errors import ConfigurationError, NotFound, StoreError
from parlons.store import Store
from parlons.store.deliveries import Delivery
from parlons.workflows import runner
from parlons.workflows.delivery import BackOff
from parlons.workflows.delivery_call import describe
from parlons.workflows.http_client import HttpClient
from parlons.workflows.runs import Run

from .call_workflows import RunSink, failure
from .record import CallRecord
from .timeline import Event

KIND = "post_call"
"""Of its jobs."""
AT_ONCE = 8
"""Deliveries at the same time: receivers that hang must not hold up the others for long."""
LOOK_SECONDS = 5.0
"""How often due deliveries are looked for; those of calls of this process are found at once."""
SOON_SECONDS = 0.5
HAND_OVER_AT_ONCE = 100
ATTEMPT_SECONDS = 300.0
"""One attempt of a workflow with steps; a webhook has less (``runner.WEBHOOK_SECONDS``)."""
NOTE_AGAIN_SECONDS = 1.0
RELEASE = timedelta(seconds=5)
"""How long after its end a call may take to finish its recording and be stored whole. A peer that does not answer our
BYE takes longer, and adds nothing."""
LOST = timedelta(minutes=10)
"""A delivery this long past its time, in a process up this long, is handed over again: the jobs know nothing of it,
as after their database was removed."""
_EARLY = timedelta(seconds=1)
_FIELDS = tuple(field.name for field in dataclasses.fields(CallRecord))

Submit: TypeAlias = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""Makes a durable job of a kind, an id and a payload (``jobs.Jobs.submit``). Raises StoreError."""

log = logs.get(__name__)


class PostCallResources(Protocol):
    """What deliveries take besides the store. Implemented by ``calls.service.CallService``."""

    @property
    def workflow_secrets(self) -> Mapping[str, str]: ...

    @property
    def http(self) -> HttpClient: ...

    @property
    def runs(self) -> RunSink: ...


class PostCall:
    """Hands due deliveries to the jobs (:meth:`watch`), and carries them out (:meth:`deliver`).

    Args:
        open: whether a call is still being released, or not stored whole yet.
        clock: the time, in UTC.

    Attributes:
        delivered, failed: deliveries confirmed, and attempts that failed, since the start.
    """

    def __init__(
        self,
        store: Store,
        resources: PostCallResources,
        submit: Submit,
        *,
        open: Callable[[str], bool],
        back_off: BackOff | None = None,
        attempt_seconds: float = ATTEMPT_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._resources = resources
        self._submit = submit
        self._open = open
        self._back_off = back_off or BackOff()
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        self._wake = asyncio.Event()
        self._sending: set[str] = set()
        self._began = clock()
        self.delivered = 0
        self.failed = 0

    # -- from due to a job -------------------------------------------------------------------------------------

    def look(self) -> None:
        """Deliveries have become due: do not wait to look for them."""
        self._wake.set()

    async def watch(self) -> None:
        """Hand over what is due, for as long as the process takes calls."""
        while True:
            self._wake.clear()
            try:
                waiting = await self.hand_over()
            except Exception as error:  # whatever it is, deliveries that are due later must still be found
                waiting = False
                log.warning("deliveries_not_handed_over", error=str(error) or type(error).__name__)
            try:
                async with asyncio.timeout(SOON_SECONDS if waiting else LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def hand_over(self) -> bool:
        """Make jobs of due deliveries; whether there are more, as of calls not quite over. Raises StoreError."""
        lost = self._clock() - LOST
        found = await self._store.deliveries.unqueued(HAND_OVER_AT_ONCE, lost if lost > self._began else None)
        waiting = len(found) == HAND_OVER_AT_ONCE
        for delivery in found:
            if self._clock() - delivery.created_at < RELEASE and self._open(delivery.call_id):
                waiting = True
                continue
            # The same id when this is cut short before it is marked; another one when the jobs have lost it.
            job_id = f"{delivery.id}:{delivery.round}"
            if delivery.queued:
                job_id += f":{self._clock().timestamp() // LOST.total_seconds():.0f}"
            await self._submit(KIND, job_id, {"delivery": delivery.id, "round": delivery.round})
            await self._store.deliveries.mark_queued(delivery, self._clock())
        return waiting

    # -- the job -----------------------------------------------------------------------------------------------

    async def deliver(self, delivery_id: str, round: int) -> float | None:
        """Make one attempt, if it is time; seconds to the next one, None when there is none. Raises StoreError."""
        try:
            delivery = await self._store.deliveries.get(delivery_id)
        except NotFound:
            return None  # its call was deleted
        if delivery.status != "due" or delivery.round != round:
            return None
        if delivery_id in self._sending:
            return LOOK_SECONDS  # what becomes of it is not known yet
        if delivery.next_at is not None and (early := delivery.next_at - self._clock()) > _EARLY:
            return early.total_seconds()  # the process died between an attempt and the making of the next
        self._sending.add(delivery_id)
        try:
            return await self._attempt(delivery)
        finally:
            self._sending.discard(delivery_id)

    async def _attempt(self, delivery: Delivery) -> float | None:
        again = True
        try:
            workflow = await self._workflow(delivery.workflow_id)
            problem = failure(await self._run(delivery, workflow))
        except _NotAnyMore as error:
            problem, again = str(error), False
        except NotFound:
            return None  # its call was deleted meanwhile
        except ConfigurationError as error:  # a secret that cannot be read
            problem = str(error)
        except StoreError:
            raise
        except Exception as error:  # a bug of ours must not have it tried for ever
            log.error("delivery_impossible", delivery=delivery.id, error=type(error).__name__)
            problem = f"the delivery failed inside Parlons ({type(error).__name__})."
        now = self._clock()
        told = {"delivery": delivery.id, "call_id": delivery.call_id, "workflow": delivery.workflow_id}
        attempts = delivery.attempts + 1
        if not problem:
            self.delivered += 1
            await self._noted(self._store.deliveries.succeeded, delivery, now)
            log.info("delivered", attempts=attempts, **told)
            return None
        self.failed += 1
        pause = self._back_off.pause(attempts, (now - delivery.began_at).total_seconds()) if again else None
        next_at = None if pause is None else now + timedelta(seconds=pause)
        await self._noted(self._store.deliveries.failed, delivery, now, problem, next_at)
        log.warning("delivery_failed", attempts=attempts, again_in=pause, error=problem, **told)
        return pause

    @staticmethod
    async def _noted(note: Callable[..., Awaitable[None]], *values: Any) -> None:
        """Store how it went, however long the database is away: what is not stored would be sent again."""
        while True:
            try:
                return await note(*values)
            except StoreError as error:
                log.warning("delivery_not_noted", error=error.message)
                await asyncio.sleep(NOTE_AGAIN_SECONDS)

    async def _workflow(self, workflow_id: str) -> Workflow:
        """The workflow as it is published now. Raises _NotAnyMore."""
        try:
            workflow = await self._store.workflows.in_clear(workflow_id)
        except NotFound:
            raise _NotAnyMore(f"the workflow {workflow_id} was deleted: nothing was sent.") from None
        if workflow.trigger != "post_call" or workflow.status != "published":
            raise _NotAnyMore(f"the workflow {workflow_id} is no longer published for post_call: nothing was sent.")
        return workflow

    async def _run(self, delivery: Delivery, workflow: Workflow) -> Run:
        record = await self._store.calls.get(delivery.call_id)
        events = await self._store.calls.events(delivery.call_id)
        call, kept = await asyncio.to_thread(_described, delivery.id, record, events)
        agent, timezone = await self._agent(record)
        context = _variables(record, kept, timezone)

        def ended(run: Run) -> None:
            self._resources.runs.run(delivery.workflow_id, record.id, run)

        return await runner.run(
            workflow,
            context=context,
            input={field.name: context[field.name] for field in workflow.input if field.name in context},
            trigger="post_call",
            call=call,
            agent=agent,
            secrets=self._resources.workflow_secrets.get,
            http=self._resources.http,
            deadline=self._attempt_seconds,
            delivery=delivery.id,
            on_end=ended,
        )

    async def _agent(self, record: CallRecord) -> tuple[dict[str, Any], str]:
        """The agent the call began with, as workflows are told of it, and its time zone; its id alone once it is
        deleted."""
        told: dict[str, Any] = {"id": record.agent_id or "", "name": "", "language": record.language}
        if record.agent_id is None:
            return told, "UTC"
        try:
            if record.agent_version is None:  # a draft, tried from the browser
                agent, _ = await self._store.agents.get_draft(record.agent_id)
            else:
                agent = await self._store.agents.get_version(record.agent_id, record.agent_version)
        except NotFound:
            return told, "UTC"
        return {**told, "name": agent.name, "language": agent.language}, agent.timezone


class _NotAnyMore(Exception):
    """The workflow of a delivery is not to be run."""


def _described(delivery_id: str, record: CallRecord, events: Sequence[Event]) -> tuple[dict[str, Any], dict[str, Any]]:
    told = [{"at_ms": e.at_ms, "actor": e.actor, "kind": e.kind, "payload": e.payload} for e in events]
    return describe(delivery_id, {name: getattr(record, name) for name in _FIELDS}, told)


def _variables(record: CallRecord, kept: Mapping[str, Any], timezone: str) -> dict[str, Any]:
    """The call's variables as they were at its end; ``system.now`` is that moment, the same at every attempt."""
    system = system_variables(
        call_id=record.id,
        agent_id=record.agent_id or "",
        direction=record.direction,
        language=record.language or "en-GB",
        timezone=timezone,
        phone=record.caller if record.direction == "inbound" else record.called,
        anonymous=record.anonymous,
        now=record.ended_at or record.started_at,
    )
    variables = CallContext(system=system).variables()
    return {**kept, **variables, "path": kept.get("path", {})}
