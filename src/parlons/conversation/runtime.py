"""The voice runtime's session as a telephone needs it, and the nodes that answer, speak and hear in it.

Its defaults are for browsers; each option here was measured to matter. Knows no state of the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import NOT_GIVEN, AgentSession, llm, stt, tts, vad
from livekit.agents.voice.agent_session import SessionConnectOptions

from ..agents.models import Agent
from ..telephony.types import AudioPort
from .answering import Answering
from .audio import PortInput, PortOutput, SpokenText
from .chain import Chain
from .hearing import Hearing
from .host import Host
from .never_silent import NeverSilent
from .plan import StepPlan
from .pronunciation import Pronunciations
from .speaking import Speaking
from .steps import Nodes, turn_handling

MAX_TOOL_STEPS = 8
NEVER_BY_ITSELF = 1_000_000
"""Errors after which the runtime would close its session: that decision is ours, provider by provider."""


class Built(Protocol):
    """Providers ready for use, in order of preference. They belong to whoever built them; none is closed here."""

    @property
    def stt(self) -> Sequence[stt.STT[Any]]: ...

    @property
    def llm(self) -> Sequence[llm.LLM[Any]]: ...

    @property
    def tts(self) -> Sequence[tts.TTS[Any]]: ...


class CallSession(AgentSession[None]):
    """The runtime's session without its diary: it keeps every event of a call in memory, metrics included."""

    def emit(self, event: Any, *args: Any) -> None:
        """Tell the listeners, and keep nothing."""
        rtc.EventEmitter.emit(self, event, *args)


def new_session(agent: Agent, step: StepPlan, providers: Built, detector: vad.VAD | None) -> AgentSession[None]:
    """A session that has not started: over audio with a detector, in text without."""
    options = turn_handling(step)
    if detector is None:
        options["turn_detection"] = "manual"
    return CallSession(
        stt=NOT_GIVEN if detector is None else providers.stt[0],
        llm=providers.llm[0],
        tts=NOT_GIVEN if detector is None else providers.tts[0],
        vad=detector,
        turn_handling=options,
        max_tool_steps=MAX_TOOL_STEPS,
        aec_warmup_duration=None,
        session_close_transcript_timeout=0,
        user_away_timeout=None if detector is None else float(agent.silence_check_seconds),
        conn_options=SessionConnectOptions(max_unrecoverable_errors=NEVER_BY_ITSELF),
    )


class Attachment:
    """A session joined to a port."""

    def __init__(self, session: AgentSession[None], port: AudioPort) -> None:
        self._port = port
        self._source, text = PortInput(port.sample_rate), SpokenText()
        self._output = PortOutput(port.sample_rate, text)
        session.input.audio = self._source
        session.output.audio = self._output
        session.output.transcription = text
        port.sink = self._source.push
        port.source = self._output.pull

    def detach(self) -> None:
        """Let go of the port, unless somebody else has taken it meanwhile."""
        if self._port.source == self._output.pull:
            self._port.source = None
        if self._port.sink == self._source.push:
            self._port.sink = None


def new_nodes(host: Host, agent: Agent, providers: Built, detector: vad.VAD | None, never_silent: NeverSilent) -> Nodes:
    """What answers, speaks and hears; in text (no detector) only what answers."""
    answering = Answering(host, Chain("llm", providers.llm, host.timeline), never_silent.patience_at)
    pronunciations = Pronunciations(agent.pronunciations, agent.language)
    if detector is None:
        return Nodes(answering, None, None, pronunciations)
    hearing = Hearing(host, Chain("stt", providers.stt, host.timeline), detector, never_silent.words_lost)
    speaking = Speaking(host, Chain("tts", providers.tts, host.timeline), never_silent.sound_due)
    return Nodes(answering, speaking, hearing, pronunciations)


def said_so_far(session: AgentSession[None], *, tools: bool) -> llm.ChatContext:
    """What was said, without instructions; with what tools found, unless they are of no use to whoever reads it. A call
    that was left without an answer (a transition) is left out: a model would wait for it."""
    history = session.history.copy(
        exclude_function_call=not tools, exclude_instructions=True, exclude_handoff=True, exclude_config_update=True
    )
    answered = {item.call_id for item in history.items if item.type == "function_call_output"}
    history.items = [item for item in history.items if item.type != "function_call" or item.call_id in answered]
    return history


async def tell_model(session: AgentSession[None], text: str) -> None:
    """Put an instruction into the conversation, for the model's next answer and for the steps that follow."""
    session.history.add_message(role="system", content=text)
    agent = session.current_agent
    context = agent.chat_ctx.copy()
    context.add_message(role="system", content=text)
    await agent.update_chat_ctx(context)


async def close_session(session: AgentSession[None], starting: asyncio.Task[Any] | None, seconds: float) -> bool:
    """Close a session, once it has started; False when it has not closed by then and was abandoned."""

    async def close() -> None:
        if starting is not None:
            await asyncio.wait({starting})
        await session.aclose()

    closing = asyncio.create_task(close(), name="session_close")
    done, _ = await asyncio.wait({closing}, timeout=seconds)
    if done:
        return True
    closing.cancel()
    await asyncio.wait({closing}, timeout=1.0)
    return False
