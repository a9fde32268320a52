"""Drives the plug-ins that ``registry.build`` makes, as the voice runtime does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, llm, stt, tts

from parlons.agents.models import Agent
from parlons.conversation.providers import registry
from parlons.conversation.providers.registry import Built
from tests.support.providers.base import tone

OPTIONS = APIConnectOptions(max_retry=0, timeout=1.0)


def agent(language: str = "fr-FR", /, **providers: Any) -> Agent:
    """An agent with these providers and one line of knowledge."""
    return Agent.model_validate(
        {"name": "Test", "language": language, "prompt": "- horaires : Neuf heures.", "providers": providers}
    )


@asynccontextmanager
async def built(of: Agent, *, sample_rate: int = 8000, **environ: Any) -> AsyncIterator[Built]:
    """The plug-ins of an agent, closed afterwards with everything they shared."""
    plugins = registry.build(of, environ=environ, sample_rate=sample_rate)
    try:
        yield plugins
    finally:
        await plugins.aclose()
        await registry.close_shared()


def hang_up_tool() -> llm.Tool:
    async def run(raw_arguments: dict[str, object]) -> None:
        raise AssertionError("a plug-in never runs a tool")

    schema = {
        "name": "hang_up",
        "description": "End the call.",
        "parameters": {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    }
    return llm.function_tool(run, raw_schema=schema)


async def chat(model: llm.LLM[Any], said: str = "bonjour") -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """The pieces of text and the tool calls of an answer."""
    context = llm.ChatContext()
    context.add_message(role="system", content="Sois brève.")
    context.add_message(role="user", content=said)
    texts, calls = [], []
    async with model.chat(chat_ctx=context, tools=[hang_up_tool()], conn_options=OPTIONS) as stream:
        async for chunk in stream:
            if chunk.delta and chunk.delta.content:
                texts.append(chunk.delta.content)
            for call in chunk.delta.tool_calls if chunk.delta else []:
                calls.append((call.name, json.loads(call.arguments)))
    return texts, calls


async def say(voice: tts.TTS[Any], text: str = "Bonjour à tous.") -> rtc.AudioFrame:
    """The audio of a text, streamed in word by word where the plug-in can."""
    if not voice.capabilities.streaming:
        return await voice.synthesize(text, conn_options=OPTIONS).collect()
    frames = []
    async with voice.stream(conn_options=OPTIONS) as stream:
        for word in text.split(" "):
            stream.push_text(word + " ")
        stream.end_input()
        async for event in stream:
            frames.append(event.frame)
    return rtc.combine_audio_frames(frames)


def speech(rate: int = 8000, seconds: float = 1.0) -> rtc.AudioFrame:
    pcm = tone(seconds, rate)
    return rtc.AudioFrame(pcm, rate, 1, len(pcm) // 2)


async def hear(recogniser: stt.STT[Any], rate: int = 8000) -> str:
    """The first final transcript of a second of audio."""
    if not recogniser.capabilities.streaming:
        event = await recogniser.recognize(speech(rate), conn_options=OPTIONS)
        return event.alternatives[0].text
    async with asyncio.timeout(5), recogniser.stream(conn_options=OPTIONS) as stream:
        frame = speech(rate, 0.02)
        for _ in range(50):
            stream.push_frame(frame)
        async for event in stream:
            if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                return event.alternatives[0].text
    return ""
