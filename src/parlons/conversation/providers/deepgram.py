"""Deepgram: streaming recognition and speech over websockets."""

from __future__ import annotations

from typing import Any

from livekit.agents import stt, tts
from livekit.agents.types import NOT_GIVEN

from parlons.errors import ProviderUnusable

from .kinds import Probe, ProviderKind, Setup, http_session

MAX_TERMS = 50
VOICES = {
    "en": "aura-2-andromeda-en",
    "es": "aura-2-celeste-es",
    "fr": "aura-2-agathe-fr",
    "de": "aura-2-viktoria-de",
    "nl": "aura-2-rhea-nl",
    "it": "aura-2-livia-it",
    "ja": "aura-2-fujin-ja",
}
"""A voice for each language Aura speaks."""


OFFICIAL_URL = "https://api.deepgram.com"


def _url(setup: Setup, service: str) -> str:
    return f"{(setup.base_url or OFFICIAL_URL).rstrip('/')}/v1/{service}"


def _stt(setup: Setup) -> stt.STT[Any]:
    from livekit.plugins import deepgram

    terms = list(setup.terms[:MAX_TERMS]) if setup.model.startswith("nova-3") else []
    return deepgram.STT(
        model=setup.model,
        language=setup.language if setup.base_language == "en" else setup.base_language,
        sample_rate=setup.sample_rate,
        api_key=setup.key,
        http_session=http_session(),
        keyterm=terms or NOT_GIVEN,
        base_url=_url(setup, "listen"),
    )


def _tts(setup: Setup) -> tts.TTS[Any]:
    from livekit.plugins import deepgram

    voice = setup.voice or VOICES.get(setup.base_language)
    if voice is None:
        raise ProviderUnusable(
            f"Deepgram has no voice for {setup.language}.",
            hint="Set voice.id to one of its voices, or choose another tts provider.",
        )
    return deepgram.TTS(
        model=voice,
        sample_rate=setup.sample_rate,
        api_key=setup.key,
        http_session=http_session(),
        base_url=_url(setup, "speak"),
        speed=setup.speed if setup.speed != 1.0 else None,
    )


KIND = ProviderKind(
    name="deepgram",
    models={"stt": "nova-3", "tts": "aura-2"},
    stt=_stt,
    tts=_tts,
    env="DEEPGRAM_API_KEY",
    extra="deepgram",
    plugin="livekit.plugins.deepgram",
    # answered for any key that is valid, whatever its scopes; the listing of projects is not
    probe=Probe(OFFICIAL_URL, "/v1/auth/token", scheme="Token"),
)
