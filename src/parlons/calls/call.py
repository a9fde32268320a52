"""The life of one call, from its first INVITE to its record: media, conversation, recording, and one place of release.

A call acquires things (ports, leg, session, file); ``run`` releases every one of them, whatever happened.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from parlons import logs
from parlons.agents.connections import SipConnection
from parlons.conversation.providers.registry import Built
from parlons.errors import LegClosed, ParlonsError, PortsExhausted, SdpError
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.types import Leg, LegEnd, LegEvents, Outcome

from . import ending
from .directory import LiveAgent
from .equipment import Equipment
from .failover import Failover, switched_on
from .failover_table import Trigger
from .parts import CallParts, CallResources, Unanswered
from .placing import headers_of
from .preparing import Prepared, prepare
from .record import CallRecord
from .recording import Recording
from .talking import Talking
from .timeline import Actor, CallStatus, EndCode, Event, Kind, Timeline
from .variables import call_context, sip_variables

CANCELLED = 487
"""RFC 3261 section 9: the code of an INVITE that its caller gave up."""

_OUTCOME_STATUS = {
    Outcome.BUSY: CallStatus.BUSY,
    Outcome.NO_ANSWER: CallStatus.NO_ANSWER,
    Outcome.DECLINED: CallStatus.REJECTED,
    Outcome.UNREACHABLE: CallStatus.UNREACHABLE,
    Outcome.INVALID_DESTINATION: CallStatus.UNREACHABLE,
    Outcome.REFUSED_BY_POLICY: CallStatus.REJECTED,
    Outcome.CALLER_LEFT: CallStatus.CANCELED,
}

log = logs.get(__name__)


def new_call_id() -> str:
    """An id for a call: unique, and safe in a file name and a header."""
    return uuid.uuid4().hex


class Call:
    """One call. Make it, then ``await run_inbound`` or ``await run_outbound``; both return when all is released.

    Args:
        connection: the one it came in on, or is placed over.
        rehearsed: a rehearsal of the failover: the agent does not speak, because of this; see ``rehearsal``.
    """

    def __init__(
        self,
        equipment: Equipment,
        live: LiveAgent,
        leg: Leg,
        record: CallRecord,
        resources: CallResources,
        connection: SipConnection | None,
        *,
        rehearsed: Trigger | None = None,
    ) -> None:
        self._equipment = equipment
        self._live = live
        self._leg = leg
        self._resources = resources
        self._connection = connection
        self._rehearsed = rehearsed
        self.record = record
        self._log = log.bind(call_id=record.id)
        self.timeline = Timeline(self._noted)
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._gone: asyncio.Future[LegEnd] = self._loop.create_future()
        self._stop: asyncio.Future[str] = self._loop.create_future()
        self._media: RtpMedia | None = None
        self._recording: Recording | None = None
        self._releases: list[Callable[[], None]] = []
        self._context = call_context(live, record, sip_variables(leg.info))
        self._context.merge(record.context)  # what it was placed with
        self._built: Built | None = None
        """Providers that no conversation has taken yet."""
        leg.events.ended = self._leg_ended
        leg.events.hold = self._held

    # -- what happens around us ------------------------------------------------------------------------------

    def _noted(self, event: Event) -> None:
        self._equipment.writer.event(self.record.id, event)
        if event.kind is Kind.LATENCY and isinstance(event.payload.get("total_ms"), (int, float)):
            self._equipment.metrics.turn.observe(event.payload["total_ms"] / 1000)
        self._log.info("call_event", kind=event.kind, actor=event.actor, at_ms=event.at_ms, **_named(event.payload))

    def _leg_ended(self, end: LegEnd) -> None:
        if not self._gone.done():
            self._gone.set_result(end)

    def _held(self, on: bool) -> None:
        self.timeline.add("caller", Kind.LEG, leg="caller", event="hold" if on else "resumed")

    def stop(self, why: str) -> None:
        """Ask the call to end, politely: whoever ran it hangs up."""
        if not self._stop.done():
            self._stop.set_result(why)

    # -- both directions -------------------------------------------------------------------------------------

    async def run_inbound(self) -> None:
        """Ring, answer, talk, end. Never raises: a fault is the call's outcome."""
        with structlog.contextvars.bound_contextvars(call_id=self.record.id):
            self._equipment.writer.record(self.record)
            try:
                await self._inbound()
            except LegClosed:
                self._left_early()
            except SdpError as error:
                self._leg.refuse(error.code, error.reason)
                self._finish(CallStatus.REJECTED, "system", f"no common media: {error.message}", ending.of_error(error))
            except PortsExhausted as error:
                self._leg.refuse(503, "Service Unavailable", (("Retry-After", "10"),))
                self._finish(CallStatus.FAILED, "system", error.message, ending.of_error(error))
            except Exception as error:  # a bug of ours must cost one call, never the process or its record
                self._broken(error)
            finally:
                await self._release()

    def when_released(self, release: Callable[[], None]) -> None:
        """Call this when everything else is let go of."""
        self._releases.append(release)

    async def run_outbound(self, *, refusal: str = "", code: EndCode = EndCode.REFUSED_BY_POLICY) -> None:
        """Dial, talk, end. Never raises.

        Args:
            refusal: why it may not be dialled: then that is its outcome, with this code.
        """
        with structlog.contextvars.bound_contextvars(call_id=self.record.id):
            self._equipment.writer.record(self.record)
            try:
                if refusal:
                    self._finish(CallStatus.REJECTED, "system", refusal, code)
                else:
                    await self._outbound()
            except ParlonsError as error:
                self._finish(CallStatus.FAILED, "system", error.message, ending.of_error(error))
            except Exception as error:  # a bug of ours must cost one call, never the process or its record
                self._broken(error)
            finally:
                await self._release()

    async def _inbound(self) -> None:
        parts = self._open_media()
        self._leg.ring()
        self.timeline.add("system", Kind.RINGING)
        failover = switched_on(self._live.agent, self._resources.directory.settings)
        prepared = await self._prepared(parts, failover=failover)
        if prepared.providers is None:
            assert prepared.trigger is not None
            if prepared.trigger is Trigger.DURING_CALL:  # only a rehearsal's: the conversation is left out
                await self.answer()
                await self._broke_down(parts, prepared.live, prepared.detail)
                return
            await self._fail_over(parts, prepared.trigger, prepared.detail, on=failover, unanswered=self)
            return
        await self.answer()
        await self._talk(parts, prepared)

    def _left_early(self) -> None:
        end = self._leg.end
        if end is not None and end.code == CANCELLED:
            self._finish(CallStatus.CANCELED, "caller", "left before the answer", EndCode.LEFT_BEFORE_ANSWER)
        else:  # our 200 had left: a call that was answered, however briefly
            self._finish(CallStatus.COMPLETED, "caller", "hung up as it was answered", EndCode.HUNG_UP)

    async def _outbound(self) -> None:
        parts = self._open_media()
        prepared = await self._prepared(parts, failover=False)
        if prepared.providers is None:
            self.record.trigger = prepared.trigger
            self._finish(CallStatus.FAILED, "system", prepared.detail, EndCode.COULD_NOT_START)
            return  # nothing is dialled for an agent that cannot run
        if self._connection is not None and self._connection.headers:
            self._leg.label(await headers_of(self._connection, prepared.context, self.timeline))
        self._leg.events.ringing = lambda: void(self.timeline.add("destination", Kind.RINGING))
        dialling = asyncio.ensure_future(self._leg.dial())
        waiting: set[asyncio.Future[Any]] = {dialling, self._stop}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not dialling.done():
            await self._leg.hang_up(self._stop.result())
        outcome = await dialling
        if outcome is not Outcome.ANSWERED:
            code = self._leg.end.code if self._leg.end else None
            who: Actor = "destination" if self._leg.end is not None and self._leg.end.by == "peer" else "system"
            why = outcome.value + (f" ({code})" if code else "")
            stopped = self._stop.result() if self._stop.done() else None
            self._finish(_OUTCOME_STATUS[outcome], who, why, ending.of_outcome(outcome, stopped))
            return
        self._answered(self._loop.time() - self._started)
        await self._talk(parts, prepared)

    def _open_media(self) -> CallParts:
        connection = self._connection
        options: dict[str, Any] = {}
        if connection is not None:
            options = {"codecs": tuple(connection.codecs), "dtmf": connection.dtmf}
        self._media = self._equipment.media.open(**options)
        self._media.send_info = self._leg.send_info
        self._leg.attach(self._media)
        info = self._leg.info
        return CallParts(
            equipment=self._equipment,
            resources=self._resources,
            record=self.record,
            media=self._media,
            timeline=self.timeline,
            gone=self._gone,
            stop=self._stop,
            caller_name=info.caller_name if info is not None and not info.anonymous else "",
        )

    async def _prepared(self, parts: CallParts, *, failover: bool) -> Prepared:
        """What the call needs before it is answered, or dialled. Raises LegClosed when the caller leaves meanwhile."""
        preparing = asyncio.ensure_future(
            prepare(parts, self._live, self._context, failover=failover, rehearsed=self._rehearsed)
        )
        try:
            waiting: set[asyncio.Future[Any]] = {preparing, self._gone, self._stop}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not preparing.done():
                if self._stop.done():
                    why = self._stop.result()
                    self._finish(CallStatus.FAILED, "system", why, ending.of_stop(why))
                raise LegClosed("the call ended while it was prepared")
            prepared = preparing.result()
        finally:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
        self._context, self._built = prepared.context, prepared.providers
        return prepared

    def progress(self) -> None:
        """Let the caller hear what their port plays before they are answered."""
        self._leg.progress()

    async def answer(self) -> None:
        """Answer the caller. Raises LegClosed when they left."""
        await self._leg.answer()
        setup = self._loop.time() - self._started
        self._equipment.metrics.setup.observe(setup)
        self._answered(setup)

    def _answered(self, setup: float) -> None:
        assert self._media is not None
        self.record.answered_at = datetime.now(UTC)
        self.timeline.add("agent", Kind.ANSWERED, codec=self._media.codec, setup_ms=round(setup * 1000))
        self._equipment.writer.record(self.record)

    # -- talking -----------------------------------------------------------------------------------------------

    async def _talk(self, parts: CallParts, prepared: Prepared) -> None:
        assert prepared.providers is not None
        self._recording = Recording(self._equipment.recordings, self.record, parts.media, self.timeline)
        talking = Talking(parts, prepared.live, self._recording, prepared.context)
        self._built = None  # theirs to close
        over = await talking.run(prepared.providers)
        if not over.failed:
            self._finish(over.status, over.who, over.why, over.code)
            return
        await self._broke_down(parts, talking.live, over.why)

    async def _broke_down(self, parts: CallParts, live: LiveAgent, why: str) -> None:
        during = switched_on(live.agent, self._resources.directory.settings) and live.agent.failover.during_call
        await self._fail_over(parts, Trigger.DURING_CALL, why, on=during, unanswered=None, live=live)

    async def _fail_over(
        self,
        parts: CallParts,
        trigger: Trigger,
        detail: str,
        *,
        on: bool,
        unanswered: Unanswered | None,
        live: LiveAgent | None = None,
    ) -> None:
        """What the caller gets in place of the agent; with failover off that is the default error message."""
        failover = Failover(parts, live or self._live, self._context, trigger, detail, on=on, unanswered=unanswered)
        over = await failover.run()
        self.record.context = self._context.kept()
        self._finish(over.status, over.who, over.why, over.code)

    # -- the end -----------------------------------------------------------------------------------------------

    def _finish(self, status: CallStatus, who: Actor, why: str, code: EndCode) -> None:
        """The first reason given is the one that counts."""
        if self.record.ended_by is not None:
            return
        self.record.status, self.record.ended_by, self.record.end_reason = status, who, why
        self.record.end_code = code
        self.timeline.add(who, Kind.HANG_UP, who=who, why=why, code=code)

    def _broken(self, error: Exception) -> None:
        log.exception("call_failed")
        self._finish(CallStatus.FAILED, "system", f"internal error: {type(error).__name__}", EndCode.INTERNAL_ERROR)

    async def _release(self) -> None:
        """Close the record, then let go of everything; the peer's last answer may take half a minute to give up on."""
        record = self.record
        self._finish(CallStatus.FAILED, "system", "ended without a reason", EndCode.INTERNAL_ERROR)
        record.ended_at = datetime.now(UTC)
        self._equipment.writer.record(record)
        self._equipment.metrics.calls.labels(record.direction, record.status.value).inc()
        self._equipment.ended(record)
        self._log.info("call_ended", status=record.status, ended_by=record.ended_by, why=record.end_reason)
        media = self._media
        if media is not None:
            media.source = media.sink = media.on_dtmf = media.tap = None
        if self._recording is not None:
            await self._recording.stop()
        try:
            await self._leg.hang_up(record.end_reason)
        except ParlonsError as error:
            self._log.warning("hang_up_failed", error=error.message)
        finally:
            self._leg.events = LegEvents()  # its transactions linger: they must not keep all of this in memory
            if media is not None:
                media.close()
            if self._built is not None:
                await self._built.aclose()
            for release in self._releases:
                release()


def void(_: object) -> None:
    """Drop a value where a call-back wants none."""


def _named(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as log fields, without clashing with the log's own names."""
    return {
        ("what" if key == "event" else key): value for key, value in payload.items() if key not in ("kind", "actor")
    }
