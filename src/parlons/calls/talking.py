"""The time of a call with agents, and with whoever they put it through to: from the answer to the reason it ends.

One conversation after the other (an agent may hand over), then perhaps a bridge. Implements ``conversation.line``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from livekit.agents import llm

from parlons.agents.context import CallContext
from parlons.conversation.host import ConversationEnd
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.conversation.plan import StepPlan
from parlons.conversation.pronunciation import Pronunciations
from parlons.conversation.providers.registry import Built
from parlons.conversation.session import Conversation
from parlons.conversation.synthesis import synthesise
from parlons.telephony.types import Outcome

from . import ending
from .bridged import Bridged
from .directory import LiveAgent
from .handing_over import Holder
from .live_call import outside
from .parts import CallParts, Over
from .putting_through import put_through
from .recording import Recording
from .rtp_silence import silent_side
from .timeline import Actor, CallStatus, EndCode, Kind
from .variables import call_context


class Talking:
    """Of one call.

    Args:
        live: the agent that answers; a hand-over replaces it.
        context: the call's variables, with what the pre-call workflow gave.
    """

    def __init__(self, parts: CallParts, live: LiveAgent, recording: Recording, context: CallContext) -> None:
        self._parts = parts
        self._equipment = parts.equipment
        self._resources = parts.resources
        self._holder = Holder(live, lambda agent: parts.equipment.build_providers(agent, parts.media.sample_rate))
        self._record = parts.record
        self._media = parts.media
        self._timeline = parts.timeline
        self._recording = recording
        self._gone = parts.gone
        self._stop = parts.stop
        self._context = context
        self._ringing = False
        self._conversation: Conversation | None = None
        self._bridge: Bridged | None = None
        self._release_leg: Callable[[], None] = _nothing

    @property
    def live(self) -> LiveAgent:
        """The agent that has the call, or had it last."""
        return self._holder.live

    async def run(self, providers: Built) -> Over:
        """Talk until the end. Takes the providers; releases everything it acquired."""
        history: llm.ChatContext | None = None
        spent = 0.0
        self._holder.providers = providers
        try:
            while True:
                conversation = self._conversation = self._new(history, spent)
                over = await self._hold(conversation)
                if over is not None:
                    return over
                history, spent = conversation.history, spent + conversation.seconds
                await self._take_over()
        finally:
            self._record.context = self._context.kept()
            if self._bridge is not None:
                self._bridge.close()
            self._release_leg()
            await self._holder.aclose()

    # -- one agent's time ----------------------------------------------------------------------------------------

    def _new(self, history: llm.ChatContext | None, spent: float) -> Conversation:
        agent = self.live.agent
        if agent.record_audio and not self._recording.started:
            self._recording.start()
        elif history is not None:  # heard once, from whoever answered
            agent = agent.model_copy(update={"announcement": None})
        assert self._holder.providers is not None
        return Conversation(
            agent=agent,
            agent_id=self.live.id,
            context=self._context,
            providers=self._holder.providers,
            timeline=self._timeline,
            audio=self._media,
            log_words=self._equipment.log_words,
            outside=outside(self, self._resources, self._record, lambda: self.live, lambda: self._context),
            history=history,
            spent=spent,
            on_step=self._stepped,
        )

    def _stepped(self, plan: StepPlan) -> None:
        self._recording.mute(plan.sensitive)

    async def _hold(self, conversation: Conversation) -> Over | None:
        """One conversation; None when it was handed over."""
        media = self._media
        media.on_dtmf = lambda digit: conversation.heard_digits(digit, media.received_by)
        try:
            await conversation.start()
            self._recording.mute(conversation.sensitive)
            end = await self._until_the_end(conversation)
            if self._bridge is not None:  # also when somebody hung up at the instant of joining
                return await self._bridged(conversation, self._bridge)
            if not isinstance(end, Over):
                if end.why == "handed_over" and self._holder.leaving:
                    return None
                status = CallStatus.FAILED if end.failed else CallStatus.COMPLETED
                who = "system" if end.failed else end.who
                end = Over(status, who, end.error or end.why, ending.of_conversation(end), failed=end.failed)
            if conversation.voicemail and end.status is CallStatus.COMPLETED:
                return replace(end, status=CallStatus.VOICEMAIL)
            return end
        finally:
            await conversation.close()

    async def _until_the_end(self, conversation: Conversation) -> ConversationEnd | Over:
        talking = asyncio.ensure_future(conversation.wait())
        silence = asyncio.ensure_future(silent_side({"caller": self._media}, self._timeline))
        try:
            waiting: set[asyncio.Future[Any]] = {talking, silence, self._gone, self._stop}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if self._gone.done():
                end = self._gone.result()
                who: Actor = "caller" if end.by == "peer" else "system"
                return Over(CallStatus.COMPLETED, who, end.reason or "hung up", ending.of_leg(end))
            if talking.done():
                return talking.result()
            if silence.done():
                return Over(CallStatus.COMPLETED, "system", "no audio came from the caller any more", EndCode.NO_AUDIO)
            return Over(CallStatus.COMPLETED, "system", self._stop.result(), ending.of_stop(self._stop.result()))
        finally:
            for task in (talking, silence):
                task.cancel()
            await asyncio.gather(talking, silence, return_exceptions=True)

    async def _bridged(self, conversation: Conversation, bridge: Bridged) -> Over:
        closing = asyncio.ensure_future(conversation.close())  # the agent is out of it; nobody waits for that
        try:
            if not self._resources.directory.settings.record_bridge:
                await self._recording.stop()
            end = await bridge.run()
        finally:
            await asyncio.gather(closing, return_exceptions=True)
        return Over(CallStatus.TRANSFERRED, end.who, end.why, end.end_code)

    async def _take_over(self) -> None:
        live = await self._holder.take_over()
        self._context = self._context.handed_to(call_context(live, self._record, {}))
        if not live.agent.record_audio:
            await self._recording.stop()
        self._timeline.add("system", Kind.AGENT, agent=live.id, version=live.version, language=live.agent.language)

    # -- Line ----------------------------------------------------------------------------------------------------

    async def transfer(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        if refused := self._leaving():
            return refused
        self._ringing = True
        try:
            return await self._ring(order, sentence)
        finally:
            self._ringing = False

    def _leaving(self) -> TransferResult | None:
        """A model may ask for two things in one answer, and the runtime does both at once: the first counts."""
        if self._ringing or self._bridge is not None or self._holder.leaving:
            return TransferResult(Outcome.REFUSED_BY_POLICY, detail="the caller is being put through already")
        return None

    async def _ring(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        agent, providers = self.live.agent, self._holder.providers
        assert providers is not None
        pronunciations = Pronunciations(agent.pronunciations, agent.language)

        async def speak(text: str, sample_rate: int) -> bytes:
            return await synthesise(
                text,
                sample_rate,
                providers=providers.tts,
                timeline=self._timeline,
                pronunciations=pronunciations,
            )

        put = await put_through(
            self._parts,
            self.live,
            self._context,
            order,
            sentence,
            speak=speak,
            decode=self._resources.directory.settings.record_bridge and self._recording.running,
            hide_digits=self._conversation is not None and self._conversation.sensitive,
        )
        self._bridge = put.bridge
        if put.release is not None:
            self._release_leg = put.release
        return put.result

    def hand_over(self, agent_id: str) -> TransferResult:
        if refused := self._leaving():
            return refused
        return self._holder.hand_over(agent_id, self._resources.directory)


def _nothing() -> None:
    """Nothing to let go of."""
