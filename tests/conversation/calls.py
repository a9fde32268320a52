"""A call in progress for conversation tests: an agent, fake surroundings, and short ways to ask what happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from livekit.agents import llm, stt, tts, vad

from parlons.agents.context import CallContext, system_variables
from parlons.agents.models import Agent
from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.actions.base import ToolSpec
from parlons.conversation.knowledge import Knowledge
from parlons.conversation.line import Line
from parlons.conversation.outside import Outside
from parlons.conversation.session import Conversation
from parlons.conversation.workflows import Workflows
from tests.support.fakes import RATE, FakeLLM, FakePort, FakeProviders, FakeSTT, FakeTTS, FakeVAD

GREETING = "Bonjour, que puis-je faire pour vous ?"


def agent(**fields: Any) -> Agent:
    return Agent.model_validate({"name": "Essai", "language": "fr-FR", "greeting": GREETING, **fields})


def hang_up_action(min_attempts: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "hang_up",
        "name": "Raccrocher",
        "description": "Fin.",
        "min_attempts": min_attempts,
        **fields,
    }


def context() -> CallContext:
    now = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    variables = system_variables(
        call_id="call-1",
        agent_id="essai",
        direction="inbound",
        language="fr-FR",
        timezone="Europe/Paris",
        phone="+33123456789",
        anonymous=False,
        now=now,
    )
    return CallContext(system=variables)


class TestCall:
    """A conversation over a fake port, and what can be seen of it."""

    __test__ = False

    def __init__(self, conversation: Conversation, port: FakePort, timeline: Timeline, model: FakeLLM) -> None:
        self.conversation = conversation
        self.port = port
        self.timeline = timeline
        self.model = model

    def events(self, kind: Kind) -> list[dict[str, Any]]:
        return [event.payload for event in self.timeline.events if event.kind is kind]

    def words(self, actor: str) -> list[str]:
        return [e.payload["text"] for e in self.timeline.events if e.kind is Kind.TRANSCRIPT and e.actor == actor]

    def outcomes(self) -> list[str]:
        return [payload["outcome"] for payload in self.events(Kind.ACTION_FINISHED)]

    async def agent_quiet(self, still: float = 0.5) -> None:
        """Wait until the agent has sent nothing for ``still`` seconds, having sent something."""
        loop = asyncio.get_running_loop()
        while not self.port.spoken or loop.time() - self.port.last_sound() < still:  # noqa: ASYNC110 (virtual time)
            await asyncio.sleep(0.02)

    async def until(self, condition: Any, seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 (virtual time)
                await asyncio.sleep(0.02)

    async def exchange(self, text: str, seconds: float = 1.0) -> None:
        """The caller says something and the agent's answer plays to its end."""
        await self.port.caller_says(text, seconds)
        heard = len(self.port.spoken)
        await self.until(lambda: len(self.port.spoken) > heard)
        await self.agent_quiet()


@contextlib.asynccontextmanager
async def call(
    *replies: Any,
    model: Sequence[llm.LLM[Any]] | None = None,
    voice: Sequence[tts.TTS[Any]] | None = None,
    ears: Sequence[stt.STT[Any]] | None = None,
    words: deque[str] | None = None,
    tools: Sequence[ToolSpec] = (),
    detector: vad.VAD | None = None,
    start: bool = True,
    alone: bool = True,
    rate: int = RATE,
    log_words: bool = False,
    line: Line | None = None,
    workflows: Workflows | None = None,
    knowledge: Knowledge | None = None,
    variables: CallContext | None = None,
    **more: Any,
) -> AsyncIterator[TestCall]:
    """A started conversation, closed at the end; nothing it began may outlive it (checked when it is ``alone``)."""
    words = deque() if words is None else words
    before = asyncio.all_tasks()
    models: list[llm.LLM[Any]] = list(model) if model is not None else [FakeLLM(*replies)]
    port = FakePort(words, rate)
    providers = FakeProviders(
        stt=list(ears) if ears is not None else [FakeSTT(words)],
        llm=models,
        tts=list(voice) if voice is not None else [FakeTTS(rate=rate)],
    )
    timeline = Timeline()
    conversation = Conversation(
        agent=agent(**more),
        agent_id="essai",
        context=variables or context(),
        providers=providers,
        timeline=timeline,
        audio=port,
        log_words=log_words,
        tools=tools,
        detector=detector or FakeVAD(),
        outside=Outside(line, workflows, knowledge),
    )
    port.run()
    first = models[0]
    assert isinstance(first, FakeLLM)
    try:
        if start:
            await conversation.start()
        yield TestCall(conversation, port, timeline, first)
    finally:
        await conversation.close()
        await port.stop()
    if alone:
        await nothing_left(before)


async def nothing_left(before: set[asyncio.Task[Any]]) -> None:
    """Fail when a task made since ``before`` is still there."""
    for _ in range(50):
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if not left:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"left behind: {[task.get_name() for task in left]} {left}")
