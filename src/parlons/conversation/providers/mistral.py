"""Mistral: chat completions with streamed tool calls, and Voxtral transcriptions."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from livekit.agents import llm, stt
from livekit.agents.types import NOT_GIVEN

from .kinds import Probe, ProviderKind, Setup

OFFICIAL_URL = "https://api.mistral.ai"
MAX_TERMS = 100
TIMEOUT_MS = 20_000

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Any]] = WeakKeyDictionary()


def _client(setup: Setup) -> Any:
    from mistralai.client import Mistral

    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    where = (setup.base_url, setup.key)
    if where not in clients:
        clients[where] = Mistral(api_key=setup.key, server_url=setup.base_url or None, timeout_ms=TIMEOUT_MS)
    return clients[where]


def _llm(setup: Setup) -> llm.LLM[Any]:
    from livekit.plugins import mistralai

    # the plug-in's default is the Conversations API, which keeps state on their side and is slower
    return mistralai.LLM(model=setup.model, client=_client(setup), api_mode="chat_completions")


def _stt(setup: Setup) -> stt.STT[Any]:
    from livekit.plugins import mistralai

    terms = list(setup.terms[:MAX_TERMS])
    return mistralai.STT(
        model=setup.model, language=setup.base_language, client=_client(setup), context_bias=terms or NOT_GIVEN
    )


KIND = ProviderKind(
    name="mistral",
    models={"stt": "voxtral-mini-latest", "llm": "mistral-small-latest"},
    stt=_stt,
    llm=_llm,
    env="MISTRAL_API_KEY",
    extra="mistral",
    plugin="livekit.plugins.mistralai",
    probe=Probe(OFFICIAL_URL, "/v1/models"),
)
