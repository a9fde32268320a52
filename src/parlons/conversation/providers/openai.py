"""OpenAI, and every server that speaks its HTTP protocol (vLLM, Ollama, speaches): chat completions with streamed tool
calls, transcriptions, speech."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import openai as openai_sdk
from livekit.agents import llm, stt, tts
from livekit.agents.types import NOT_GIVEN
from livekit.plugins import openai

from .kinds import Probe, ProviderKind, Setup

DEFAULT_VOICE = "marin"
OFFICIAL_URL = "https://api.openai.com/v1"
TIMEOUT = openai_sdk.Timeout(connect=3.0, read=20.0, write=5.0, pool=3.0)
"""Between bytes; the conversation's own deadlines for a first token or sample are shorter."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], openai_sdk.AsyncClient]] = (
    WeakKeyDictionary()
)


def _client(setup: Setup) -> openai_sdk.AsyncClient:
    """One client for each server and key: making one loads certificates (30 ms), and connections stay warm."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    where = (setup.base_url or OFFICIAL_URL, setup.key)
    if where not in clients:
        clients[where] = openai_sdk.AsyncClient(
            base_url=where[0],
            api_key=setup.key or "none",
            max_retries=0,
            timeout=TIMEOUT,
        )
    return clients[where]


async def close_clients() -> None:
    """Close the running loop's clients."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()


def _llm(setup: Setup) -> llm.LLM[Any]:
    return openai.LLM(model=setup.model, client=_client(setup), max_retries=0, _strict_tool_schema=False)


def _stt(setup: Setup) -> stt.STT[Any]:
    prompt = ", ".join(setup.terms)[:800]
    return openai.STT(
        model=setup.model,
        language=setup.base_language,
        prompt=prompt or NOT_GIVEN,
        client=_client(setup),
        use_realtime=False,
    )


def _tts(setup: Setup) -> tts.TTS[Any]:
    # PCM: an MP3 decoder for each sentence costs more than the rest of the call
    return openai.TTS(
        model=setup.model,
        voice=setup.voice or DEFAULT_VOICE,
        speed=setup.speed,
        client=_client(setup),
        response_format="pcm",
    )


KIND = ProviderKind(
    name="openai",
    models={"stt": "gpt-4o-mini-transcribe", "llm": "gpt-4.1-mini", "tts": "gpt-4o-mini-tts"},
    stt=_stt,
    llm=_llm,
    tts=_tts,
    env="OPENAI_API_KEY",
    plugin="livekit.plugins.openai",
    key_optional_elsewhere=True,
    # a key restricted to some models and services may not list the models
    probe=Probe(OFFICIAL_URL, "/models", limited="Missing scopes"),
)
