"""A prompt step of the path, as the voice runtime wants it: instructions, tools, turn handling, and our three nodes.

Knows the agent's document and the runtime's ``Agent``; what the nodes do is answering's, speaking's and hearing's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from livekit import rtc
from livekit.agents import Agent as RuntimeAgent
from livekit.agents import ModelSettings, TurnHandlingOptions, llm, stt

from ..agents.actions import HangUpAction
from ..agents.models import Agent
from ..agents.path import PromptStep
from .actions.hang_up import HangUpPolicy
from .answering import Answering, Piece
from .hearing import Hearing
from .pronunciation import Pronunciations
from .speaking import Speaking

LONGEST_END_OF_SPEECH_SECONDS = 3.0
"""How long a turn may stay open when the runtime doubts that it is over; never below the step's own delay."""
INTERRUPTION_SECONDS = 0.5
"""Speech that makes the agent pause."""
FALSE_INTERRUPTION_SECONDS = 1.5
"""When no words came of it by then (a cough), the agent goes on where it paused."""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a prompt step asks for, before anything is rendered."""

    id: str
    name: str
    prompt: str = ""
    end_of_speech_ms: int = 600
    interruptible: bool = True
    sensitive: bool = False
    actions: tuple[str, ...] = ()


def first_step(agent: Agent) -> StepPlan:
    """The step a conversation begins in; an agent without a path is one step with every action on.

    A path that begins elsewhere than in a prompt step begins in its first prompt step.
    """
    if agent.path is not None:
        start = agent.path.step(agent.path.start)
        steps = [start, *agent.path.steps]
        for step in steps:
            if isinstance(step, PromptStep):
                return StepPlan(
                    id=step.id,
                    name=step.name or step.id,
                    prompt=step.prompt,
                    end_of_speech_ms=step.end_of_speech_ms,
                    interruptible=step.interruptible,
                    sensitive=step.sensitive,
                    actions=tuple(step.actions),
                )
    return StepPlan(id="start", name=agent.name, actions=tuple(action.name for action in agent.actions))


def hang_up_policy(agent: Agent, step: StepPlan) -> HangUpPolicy:
    """How this step hangs up: the agent's own action, shown only where it is enabled, or the hidden default."""
    configured = next((action for action in agent.actions if isinstance(action, HangUpAction)), None)
    return HangUpPolicy.of(configured, offered=configured is None or configured.name in step.actions)


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


class StepAgent(RuntimeAgent):
    """A prompt step under way."""

    def __init__(
        self,
        step: StepPlan,
        nodes: Nodes,
        *,
        instructions: str,
        tools: list[llm.Tool | llm.Toolset],
        chat_ctx: llm.ChatContext | None = None,
    ) -> None:
        options = turn_handling(step)
        del options["turn_detection"]  # the session's, so that audio is not cut over when the step changes
        super().__init__(
            id=f"step_{step.id}", instructions=instructions, tools=tools, chat_ctx=chat_ctx, turn_handling=options
        )
        self.step = step
        self._nodes = nodes

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncGenerator[Piece, None]:
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
