"""One attempt to put a caller through: ring, brief, join. Every way it can go is an outcome, never an exception.

The call side of the ``transfer`` action (specification, section 4.1). Knows legs and media; of agents only whose
number is shown, of the conversation only that its sentence ends.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from parlons import logs
from parlons.agents.connections import InstallationSettings
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.errors import IllegalMove, ParlonsError
from parlons.telephony.types import OutboundInvite, Outcome

from . import dialling
from .bridged import Bridged
from .briefing import Briefing, Speak
from .destination import Destination, DestinationLeft
from .dialling import Render, Route
from .limits import Permit
from .parts import Unanswered
from .ringing import Asking, Exchange, Ringing
from .ringing_audio import RingingAudio
from .timeline import Kind

__all__ = ["Asking", "Exchange", "Transfer"]

SENTENCE_SECONDS = 10.0
"""The longest that ringback, and joining the legs, wait for the agent to finish its sentence."""

log = logs.get(__name__)


class Phase(enum.Enum):
    """Where an attempt stands."""

    NEW = "new"
    DIALLING = "dialling"
    BRIEFING = "briefing"
    """Answered: the destination alone hears the whisper."""
    ACCEPTING = "accepting"
    """The destination may still press the key."""
    JOINING = "joining"
    """Only the end of the agent's sentence is waited for, or the caller's own answer."""
    JOINED = "joined"
    OVER = "over"


MOVES: Final[Mapping[Phase, frozenset[Phase]]] = {
    Phase.NEW: frozenset({Phase.DIALLING, Phase.OVER}),
    Phase.DIALLING: frozenset({Phase.BRIEFING, Phase.JOINING, Phase.OVER}),
    Phase.BRIEFING: frozenset({Phase.ACCEPTING, Phase.OVER}),
    Phase.ACCEPTING: frozenset({Phase.JOINING, Phase.OVER}),
    Phase.JOINING: frozenset({Phase.JOINED, Phase.OVER}),
    Phase.JOINED: frozenset({Phase.OVER}),
    Phase.OVER: frozenset(),
}


class Transfer:
    """One attempt. ``await run(sentence)`` once; when that gives ``answered``, ``bridge`` holds the joined legs and
    whoever asked owns it: ``await bridge.run()``, and ``bridge.close()`` in the end whatever happened.

    Args:
        route: the connection to dial over, or why there is none; see ``dialling.choose_route``.
        render: for the connection's own headers.
        speak: makes the whisper.
        decode: the legs are joined decoded, for a recorder on the caller's leg; else its tap is taken off before the
            first word of the destination's.
        unanswered: the caller, when not answered yet: hears the destination's early media as such, and is answered when
            the destination has answered.
        exempt_from_rate: failover.
    """

    def __init__(
        self,
        order: TransferOrder,
        asking: Asking,
        exchange: Exchange,
        route: Route | str,
        settings: InstallationSettings,
        *,
        render: Render,
        speak: Speak,
        decode: bool = False,
        unanswered: Unanswered | None = None,
        exempt_from_rate: bool = False,
    ) -> None:
        self.bridge: Bridged | None = None
        self.phase = Phase.NEW
        self._order = order
        self._asking = asking
        self._exchange = exchange
        self._route = route
        self._settings = settings
        self._render = render
        self._decode = decode
        self._unanswered = unanswered
        self._exempt = exempt_from_rate
        self._loop = asyncio.get_running_loop()
        self._country = settings.default_country or dialling.country_of(asking.party.agent)
        self._briefing = Briefing(
            order.whisper,
            order.accept_key,
            speak,
            asking.timeline,
            sample_rate=asking.media.sample_rate,
            hide_digits=asking.hide_digits,
        )
        self._meanwhile: RingingAudio | None = None
        self._ringing: Ringing | None = None
        self._permit: Permit | None = None
        self._tasks: list[asyncio.Future[Any]] = []

    # -- from the order to the outcome -------------------------------------------------------------------------

    async def run(self, sentence: Awaitable[object]) -> TransferResult:
        """Ring, and say how it ended. Raises nothing but CancelledError, and then nobody is left ringing.

        Args:
            sentence: done when the agent has finished what it was saying. A task or future given here is left alone.
        """
        result = TransferResult(Outcome.CALLER_LEFT, detail="cancelled")
        spoken = asyncio.ensure_future(sentence)
        if spoken is not sentence:
            self._own(spoken)
        attempt = self._own(self._loop.create_task(self._attempt(spoken), name="transfer"))
        try:
            await asyncio.wait({attempt, self._asking.gone}, return_when=asyncio.FIRST_COMPLETED)
            if self._asking.gone.done():
                result = TransferResult(Outcome.CALLER_LEFT, detail="the caller hung up")
            else:
                result = attempt.result()
        except ParlonsError as error:
            log.warning("transfer_failed", error=error.message)
            result = TransferResult(Outcome.UNREACHABLE, detail=str(error))
        except Exception as error:  # a bug of ours must not cost the caller the call: the agent takes it back
            log.exception("transfer_failed")
            result = TransferResult(Outcome.UNREACHABLE, detail=f"internal error: {type(error).__name__}")
        finally:
            self._release(result)
        return result

    async def _attempt(self, spoken: asyncio.Future[object]) -> TransferResult:
        order = self._order
        if self._asking.gone.done():
            return TransferResult(Outcome.CALLER_LEFT)
        user = order.user or self._asking.called
        if not user or len(user) > dialling.MAX_USER_CHARACTERS:
            return TransferResult(Outcome.INVALID_DESTINATION, detail="There is nobody to ring: give a destination.")
        if isinstance(self._route, str):
            return TransferResult(Outcome.UNREACHABLE, detail=self._route)
        limits = self._exchange.limits
        permit = limits.ask(user, self._settings, exempt_from_rate=self._exempt, country=self._country)
        if isinstance(permit, str):
            return TransferResult(Outcome.REFUSED_BY_POLICY, detail=permit)
        self._permit = permit
        self._move(Phase.DIALLING)
        meanwhile = self._meanwhile = RingingAudio(self._asking.media, self._asking.country, self._caller_pressed)
        said = self._own(self._loop.create_task(self._until_said(spoken, meanwhile), name="transfer_sentence"))
        ringing = self._ringing = Ringing(
            self._exchange,
            self._asking,
            self._route,
            self._settings,
            ring_seconds=order.ring_seconds,
            country=self._country,
            on_ringing=self._briefing.prepare,
            on_early_media=self._early_media,
            on_moved=meanwhile.early_over,
        )
        result = await ringing.ring(await self._invite(user, self._route), user)
        if result.outcome is not Outcome.ANSWERED:
            return result
        assert ringing.destination is not None
        try:
            if self._briefing.needed and not await self._brief(ringing.destination, meanwhile):
                return TransferResult(Outcome.DECLINED, detail=f"nobody pressed {order.accept_key}")
            self._move(Phase.JOINING)
            await ringing.destination.wait(said)
            if self._unanswered is not None:
                answering = self._own(self._loop.create_task(self._unanswered.answer(), name="answer_caller"))
                await ringing.destination.wait(answering)
                answering.result()
        except DestinationLeft as left:
            outcome = Outcome.DECLINED if left.end.by == "peer" else Outcome.UNREACHABLE
            return TransferResult(outcome, left.end.code, f"{left.end.reason or 'hung up'} before being put through")
        self._join(ringing.destination, permit, meanwhile)
        return result

    @staticmethod
    async def _until_said(spoken: asyncio.Future[object], meanwhile: RingingAudio) -> None:
        """Wait for the agent's sentence, but not for ever; then there is ringback."""
        await asyncio.wait({spoken}, timeout=SENTENCE_SECONDS)
        meanwhile.sentence_over()

    async def _invite(self, user: str, route: Route) -> OutboundInvite:
        order = self._order
        configured, problems = await dialling.connection_headers(route.connection, self._render)
        headers, refused = dialling.merge_headers(configured, order.headers)
        problem = dialling.user_to_user_problem(order.user_to_user)
        problems += [*refused, *([problem] if problem else [])]
        if problems:
            timeline = self._asking.timeline
            timeline.add("system", Kind.LEG, leg="destination", event="headers_left_out", problems=problems)
        return dialling.over(
            route,
            user,
            dialling.identity(route.connection, self._asking.party, self._country),
            country=self._country,
            headers=headers,
            user_to_user="" if problem else order.user_to_user,
            ring_seconds=order.ring_seconds,
        )

    async def _brief(self, destination: Destination, meanwhile: RingingAudio) -> bool:
        meanwhile.early_over()  # what the destination says from here on is not for the caller
        self._move(Phase.BRIEFING)
        await self._briefing.whisper(destination)
        self._move(Phase.ACCEPTING)
        return await self._briefing.accepted(destination)

    # -- what the destination's leg tells ------------------------------------------------------------------------

    def _early_media(self, destination: Destination) -> None:
        if self._meanwhile is not None and self.phase is Phase.DIALLING:
            if self._unanswered is not None:
                self._unanswered.progress()
            self._meanwhile.early(self._exchange.early(destination.media, self._asking.media.sample_rate))

    def _caller_pressed(self, digit: str) -> None:
        digits = "" if self._asking.hide_digits else digit
        self._asking.timeline.add("caller", Kind.DTMF, digits=digits, method=self._asking.media.received_by)

    # -- joining, and the end ----------------------------------------------------------------------------------

    def _join(self, destination: Destination, permit: Permit, meanwhile: RingingAudio) -> None:
        """Nothing in here waits: the legs are joined, or everything is let go of."""
        asking = self._asking
        meanwhile.early_over()
        if not self._decode:
            asking.media.tap = None  # the recording ends before the first word of the destination's
        relay = self._exchange.relay(asking.media, destination.media, decode=self._decode)
        self.bridge = Bridged(
            asking.media,
            asking.gone,
            destination,
            relay,
            permit,
            asking.timeline,
            max_seconds=self._settings.max_bridged_seconds,
            hide_digits=asking.hide_digits,
            stop=asking.stop,
        )
        relay.start()  # takes both ports, whoever has them
        self._move(Phase.JOINED)
        destination.note("bridged", "system", caller_codec=asking.media.codec, codec=destination.media.codec)

    def _release(self, result: TransferResult) -> None:
        """The one place where everything acquired is let go of, or left to the bridge."""
        for task in self._tasks:
            task.cancel()
        self._briefing.close()
        if self.phase is Phase.JOINED and result.outcome is Outcome.ANSWERED:
            return
        why = result.detail or result.outcome.value.replace("_", " ")
        if self.bridge is not None:
            self.bridge.close(why)
        if self._ringing is not None and self._ringing.destination is not None:
            self._ringing.destination.close(why)
        if self._permit is not None:
            self._permit.release()
        if self._meanwhile is not None:
            self._meanwhile.give_back()
        self._move(Phase.OVER)

    def _own(self, task: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """Ends with the attempt."""
        self._tasks.append(task)
        task.add_done_callback(_seen)
        return task

    def _move(self, to: Phase) -> None:
        if to not in MOVES[self.phase]:
            raise IllegalMove(f"a transfer cannot go from {self.phase.value} to {to.value}")
        self.phase = to


def _seen(task: asyncio.Future[Any]) -> None:
    """Nobody may be left to ask how it went."""
    if not task.cancelled():
        task.exception()
