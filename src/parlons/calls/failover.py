"""What the caller of one call gets when the agent does not speak: the configured action, and what is left if it fails.

Specification, section 5. Follows ``failover_table``: each phase is one method here, which says what came of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from parlons import logs
from parlons.agents.connections import InstallationSettings
from parlons.agents.context import CallContext
from parlons.agents.models import Agent, FailoverMessage, FailoverTransfer, FailoverWorkflow
from parlons.conversation.actions.hang_up import FAR_BUFFER_SECONDS
from parlons.conversation.audio import play_pcm
from parlons.conversation.line import TransferOrder
from parlons.conversation.pronunciation import Pronunciations
from parlons.conversation.synthesis import synthesise
from parlons.errors import IllegalMove, LegClosed, ParlonsError
from parlons.telephony.types import LegEnd, Outcome
from parlons.workflows import replies
from parlons.workflows.replies import FailoverWords

from . import call_workflows, ending
from .bridged import Bridged
from .directory import LiveAgent
from .failover_order import order_of, words_of
from .failover_table import CALLER_LEFT, MOVES, NOTHING_HEARD, OUTCOMES, Event, Phase, Trigger
from .messages import SAMPLE_RATE
from .parts import CallParts, Over, Unanswered
from .putting_through import put_through
from .ringing_audio import RingingAudio, territory
from .timeline import Actor, CallStatus, EndCode, Kind

MAX_WORKFLOW_SECONDS = 120.0

log = logs.get(__name__)


def switched_on(agent: Agent, settings: InstallationSettings) -> bool:
    """Whether failover decides for this agent's calls: its own switch, and the installation's."""
    return agent.direction == "inbound" and settings.failover_enabled and agent.failover.enabled


class _Failed(Exception):
    """Why a phase did not do what it is for."""


class Failover:
    """Of one call. ``await run()`` once.

    Args:
        live: the agent as it is published.
        unanswered: the caller, when not answered yet.
        on: failover is on; else the caller gets the default error message and the call is ``failed``.
    """

    def __init__(
        self,
        parts: CallParts,
        live: LiveAgent,
        context: CallContext,
        trigger: Trigger,
        detail: str,
        *,
        on: bool,
        unanswered: Unanswered | None,
    ) -> None:
        self.phase = Phase.BEGUN
        self._parts = parts
        self._live = live
        self._context = context
        self._trigger = trigger
        self._detail = detail
        self._on = on
        self._unanswered = unanswered
        self._action = live.agent.failover.action if on else None
        self._words: FailoverMessage | FailoverWords | None = None
        self._transfer: FailoverTransfer | None = None
        self._bridge: Bridged | None = None
        self._release_leg: Callable[[], None] | None = None
        self._who: Actor = "system"
        self._why = ""
        self._code = EndCode.FAILOVER
        """All three are the bridge's, when there was one."""
        self._heard = ""
        """The outcome, once all of a message was sent: nobody can have left before it."""
        self._began = time.monotonic()

    async def run(self) -> Over:
        """Do what the table says until it is over. Never raises for what happens, nor leaves anybody ringing."""
        record = self._parts.record
        record.trigger = self._trigger
        if self._action is not None:
            record.failover_action = self._action.type
        self._note("begun", detail=self._detail, action=record.failover_action)
        going = asyncio.ensure_future(self._go())
        try:
            waiting: set[asyncio.Future[Any]] = {going, self._parts.gone, self._parts.stop}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if self.phase is Phase.JOINED:  # the bridge sees the same, and says who ended it
                await asyncio.wait({going})
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
            self._let_go()
        return self._over(going)

    async def _go(self) -> str:
        event = self._begin()
        while True:
            before = self.phase
            self.phase = self._after(event)
            if self.phase is Phase.OVER:
                return OUTCOMES[before] if event is not Event.FAILED else NOTHING_HEARD
            event = await self._do(self.phase)

    def _after(self, event: Event) -> Phase:
        try:
            return MOVES[self.phase, event]
        except KeyError:
            raise IllegalMove(f"a failover in {self.phase.value} cannot take {event.value}") from None

    async def _do(self, phase: Phase) -> Event:
        """One phase; every fault in it is an event."""
        stages: dict[Phase, Callable[[], Awaitable[Event]]] = {
            Phase.WORKFLOW: self._run_workflow,
            Phase.SAYING: self._say,
            Phase.RINGING: self._ring,
            Phase.JOINED: self._joined,
            Phase.LAST_RESORT: self._last_resort,
        }
        try:
            return await stages[phase]()
        except (_Failed, ParlonsError) as error:
            if isinstance(error, LegClosed):
                raise
            self._note("failed", phase=phase, detail=str(error))
        except Exception as error:  # a bug of ours must not meet the caller with silence
            log.exception("failover_failed", call_id=self._parts.record.id)
            self._note("failed", phase=phase, detail=f"internal error: {type(error).__name__}")
        return Event.FAILED

    # -- the phases ----------------------------------------------------------------------------------------------

    def _begin(self) -> Event:
        match self._action:
            case FailoverMessage():
                self._words = self._action
                return Event.MESSAGE
            case FailoverTransfer():
                self._transfer = self._action
                return Event.TRANSFER
            case FailoverWorkflow():
                return Event.RUN_WORKFLOW
        return Event.NOTHING

    async def _run_workflow(self) -> Event:
        assert isinstance(self._action, FailoverWorkflow)
        parts, workflow_id = self._parts, self._action.workflow_id
        workflow = call_workflows.find(parts.resources, workflow_id, "failover")
        if workflow is None:
            raise _Failed(f"there is no published failover workflow {workflow_id!r}")
        self._context.merge({"failover": {"trigger": self._trigger.value, "detail": self._detail}})
        await self._answer()
        ringback = RingingAudio(parts.media, territory(self._live.agent.language), lambda _digit: None)
        ringback.sentence_over()
        try:
            run = await call_workflows.run_for(
                parts.resources,
                workflow_id,
                workflow,
                live=self._live,
                record=parts.record,
                variables=self._context.variables(),
                input={},
                seconds=MAX_WORKFLOW_SECONDS,
            )
        finally:
            ringback.give_back()
        if run.error is not None:
            raise _Failed(call_workflows.failure(run))
        wanted = replies.failover(run.result)
        if wanted is None:
            return Event.NO_ACTION
        if isinstance(wanted, FailoverWords):
            self._words = wanted
            return Event.MESSAGE
        self._transfer = wanted
        return Event.TRANSFER

    async def _say(self) -> Event:
        if isinstance(self._words, FailoverMessage):
            text, audio = self._words.text, self._parts.equipment.messages.get(self._live.agent, self._words)
            if not audio:
                raise _Failed("the message's audio is lost")
            rate = SAMPLE_RATE
        else:
            assert self._words is not None
            text = await words_of(self._words, self._context, self._parts.timeline)
            audio, rate = await self._speak(text, self._words.language), self._parts.media.sample_rate
        await self._play(text, audio, rate)
        return Event.PLAYED

    async def _ring(self) -> Event:
        assert self._transfer is not None
        order = await order_of(self._transfer, self._context, self._parts.timeline)
        put = await put_through(
            self._parts,
            self._live,
            self._context,
            order,
            _said(),
            speak=_no_whisper,
            unanswered=self._unanswered,
            exempt_from_rate=True,
        )
        result = put.result
        if put.bridge is None:
            if result.outcome is Outcome.CALLER_LEFT:
                raise LegClosed("the caller left")
            raise _Failed(f"{_whom(order)}: {result.outcome.value}" + (f", {result.detail}" if result.detail else ""))
        self._unanswered = None
        self._bridge, self._release_leg = put.bridge, put.release
        return Event.ANSWERED

    async def _joined(self) -> Event:
        assert self._bridge is not None
        end = await self._bridge.run()
        self._who, self._why, self._code = end.who, end.why, end.end_code
        return Event.HUNG_UP

    async def _last_resort(self) -> Event:
        parts = self._parts
        message, audio = parts.equipment.messages.default_error(self._live.agent, parts.resources.directory.settings)
        await self._play(message.text, audio, SAMPLE_RATE)
        return Event.PLAYED

    # -- how ---------------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        if self._unanswered is not None:
            caller, self._unanswered = self._unanswered, None
            await caller.answer()

    async def _play(self, text: str, audio: bytes, rate: int) -> None:
        """To its last sample."""
        await self._answer()
        if not await play_pcm(self._parts.media, audio, rate):
            raise _Failed("the caller's telephone took no audio")
        self._parts.timeline.add("agent", Kind.TRANSCRIPT, text=text)
        self._heard = OUTCOMES[self.phase]
        await asyncio.sleep(FAR_BUFFER_SECONDS)

    async def _speak(self, text: str, language: str | None) -> bytes:
        """Made live, with the agent's providers. Raises ParlonsError."""
        agent = self._live.agent
        if language is not None:
            agent = agent.model_copy(update={"language": language})
        rate = self._parts.media.sample_rate
        built = self._parts.equipment.build_voices(agent, rate)
        try:
            return await synthesise(
                text,
                rate,
                providers=built.tts,
                timeline=self._parts.timeline,
                pronunciations=Pronunciations(agent.pronunciations, agent.language),
            )
        finally:
            await built.aclose()

    # -- the end -----------------------------------------------------------------------------------------------

    def _let_go(self) -> None:
        if self._bridge is not None:
            self._bridge.close()
        if self._release_leg is not None:
            self._release_leg()

    def _over(self, going: asyncio.Future[str]) -> Over:
        parts = self._parts
        who, why, code = self._who, self._why, self._code
        status = CallStatus.FAILOVER if self._on else CallStatus.FAILED
        if (end := self._caller_left(going)) is not None and not self._why:
            outcome = self._heard or CALLER_LEFT
            who, why, code = "caller" if end.by == "peer" else "system", end.reason or "hung up", ending.of_leg(end)
            if end.by == "peer" and parts.record.answered_at is None:
                code = EndCode.LEFT_BEFORE_ANSWER
            if not self._on and not self._heard:
                status = CallStatus.COMPLETED if parts.record.answered_at is not None else CallStatus.CANCELED
        elif going.cancelled():
            outcome, why = "stopped", parts.stop.result() if parts.stop.done() else "cancelled"
            code = ending.of_stop(why)
        else:
            outcome = going.result()
            why = why or (f"failover: {outcome}" if self._on else self._detail)
            if not self._on:
                code = EndCode.BROKE_DOWN if self._trigger is Trigger.DURING_CALL else EndCode.COULD_NOT_START
        if self._on:
            parts.record.failover_outcome = outcome
        self._note("over", outcome=outcome, duration_ms=round((time.monotonic() - self._began) * 1000))
        return Over(status, who, why, code)

    def _caller_left(self, going: asyncio.Future[str]) -> LegEnd | None:
        """How the caller's leg ended, if it did; an answer that they never confirmed is an end too."""
        if self._parts.gone.done():
            return self._parts.gone.result()
        error = None if going.cancelled() else going.exception()
        return LegEnd("transport", error.message) if isinstance(error, LegClosed) else None

    def _note(self, event: str, **payload: Any) -> None:
        self._parts.timeline.add("system", Kind.FAILOVER, event=event, trigger=self._trigger, **payload)


def _whom(order: TransferOrder) -> str:
    return order.user or "the number that was called"


async def _said() -> None:
    """Nobody is speaking."""


async def _no_whisper(_text: str, _sample_rate: int) -> bytes:
    return b""
