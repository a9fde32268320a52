"""A prompt step of the path, as the voice runtime wants it: instructions, tools, turn handling, and our three nodes.

Knows the agent's document and the runtime's ``Agent``; what the nodes do is answering's, speaking's and hearing's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import Agent as RuntimeAgent
from livekit.agents import FlushSentinel, ModelSettings, StopResponse, TurnHandlingOptions, llm, stt

from .answering import Answering, Piece
from .hearing import Hearing
from .plan import StepPlan
from .pronunciation import Pronunciations
from .speaking import Speaking

LONGEST_END_OF_SPEECH_SECONDS = 3.0
"""How long a turn may stay open when the runtime doubts that it is over; never below the step's own delay."""
INTERRUPTION_SECONDS = 0.5
"""Speech that makes the agent pause."""
FALSE_INTERRUPTION_SECONDS = 1.5
"""When no words came of it by then (a cough), the agent goes on where it paused."""


HEARD_LATE_SECONDS = 0.06
"""How old a sound is when it is judged: 40 ms in the jitter buffer, 20 ms (on average) waiting for its chunk. The pause
that ends a turn is counted from when the caller stopped, so this much of it is over already."""


def turn_handling(step: StepPlan) -> TurnHandlingOptions:
    """The runtime's options for a step's turns. Answers are never begun before the turn is over: tools have effects."""
    end_of_speech = step.end_of_speech_ms / 1000 - HEARD_LATE_SECONDS
    return {
        "turn_detection": "vad",
        "endpointing": {
            "mode": "fixed",
            "min_delay": end_of_speech,
            "max_delay": max(end_of_speech, LONGEST_END_OF_SPEECH_SECONDS),
        },
        "interruption": {
            "enabled": step.interruptible,
            "mode": "vad",
            "min_duration": INTERRUPTION_SECONDS,
            "resume_false_interruption": True,
            "false_interruption_timeout": FALSE_INTERRUPTION_SECONDS,
        },
        "preemptive_generation": {"enabled": False},
    }


@dataclass(frozen=True, slots=True)
class Nodes:
    """What answers, speaks and hears; the same in every step of a conversation. No speaking or hearing in text."""

    answering: Answering
    speaking: Speaking | None
    hearing: Hearing | None
    pronunciations: Pronunciations


class Moves(Protocol):
    """What a step must know of the moves from step to step, and tell of them."""

    @property
    def moving(self) -> bool:
        """The step is being left: nothing may answer in it any more."""
        ...

    def entered(self) -> None:
        """The step is the one under way."""
        ...

    def keep(self, message: llm.ChatMessage) -> None:
        """The other person's words, said on the way: the next step answers them."""
        ...


class StepAgent(RuntimeAgent):
    """A prompt step under way.

    Args:
        text: said before the model's first answer here, as it is written.
    """

    def __init__(
        self,
        step: StepPlan,
        nodes: Nodes,
        moves: Moves,
        *,
        instructions: str,
        tools: list[llm.Tool | llm.Toolset],
        chat_ctx: llm.ChatContext | None = None,
        text: str = "",
    ) -> None:
        options = turn_handling(step)
        del options["turn_detection"]  # the session's, so that audio is not cut over when the step changes
        super().__init__(
            id=f"step_{step.id}", instructions=instructions, tools=tools, chat_ctx=chat_ctx, turn_handling=options
        )
        self.step = step
        self._nodes = nodes
        self._moves = moves
        self._text = text

    async def on_enter(self) -> None:
        self._moves.entered()

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        if self._moves.moving:
            self._moves.keep(new_message)
            raise StopResponse

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncGenerator[Piece, None]:
        if self._moves.moving:
            return
        if self._text:
            text, self._text = self._text, ""
            yield f"{text} "
            yield FlushSentinel()
        async with aclosing(self._nodes.answering.answer(chat_ctx, tools, model_settings)) as pieces:
            async for piece in pieces:
                yield piece

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        assert self._nodes.speaking is not None, "a text conversation has no audio output"
        async with aclosing(self._nodes.speaking.speak(self._nodes.pronunciations.stream(text))) as frames:
            async for frame in frames:
                yield frame

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: Any
    ) -> AsyncGenerator[stt.SpeechEvent, None]:
        assert self._nodes.hearing is not None, "a text conversation has no audio input"
        async with aclosing(self._nodes.hearing.hear(audio)) as events:
            async for event in events:
                yield event
