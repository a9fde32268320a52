"""ElevenLabs: streaming speech over a websocket, and streaming recognition (Scribe)."""

from __future__ import annotations

from typing import Any

from livekit.agents import stt, tts
from livekit.agents.types import NOT_GIVEN

from .kinds import Probe, ProviderKind, Setup, http_session

OFFICIAL_URL = "https://api.elevenlabs.io"
DEFAULT_VOICE = "EXAVITQu4vr4xnSDxMaL"
STABILITY, SIMILARITY = 0.5, 0.75
"""The provider's own defaults: giving a speed means giving these too."""
PAUSE_SECONDS = 0.4
"""Silence after which Scribe commits what it heard. The end of the turn is decided by the conversation."""
MIN_SPEED, MAX_SPEED = 0.7, 1.2


def _url(setup: Setup) -> str:
    return f"{(setup.base_url or OFFICIAL_URL).rstrip('/')}/v1"


def _stt(setup: Setup) -> stt.STT[Any]:
    from livekit.plugins import elevenlabs

    return elevenlabs.STT(
        model=setup.model,
        language_code=setup.base_language,
        sample_rate=16000 if setup.sample_rate == 16000 else 8000,
        tag_audio_events=False,
        server_vad={"vad_silence_threshold_secs": PAUSE_SECONDS},  # else it transcribes nothing until told to
        api_key=setup.key,
        http_session=http_session(),
        base_url=_url(setup),
    )


def _tts(setup: Setup) -> tts.TTS[Any]:
    from livekit.plugins import elevenlabs

    pace = None
    if setup.speed != 1.0:
        speed = min(MAX_SPEED, max(MIN_SPEED, setup.speed))
        pace = elevenlabs.VoiceSettings(stability=STABILITY, similarity_boost=SIMILARITY, speed=speed)
    return elevenlabs.TTS(
        model=setup.model,
        voice_id=setup.voice or DEFAULT_VOICE,
        language=setup.base_language,
        encoding="pcm_16000" if setup.sample_rate == 16000 else "pcm_8000",
        api_key=setup.key,
        http_session=http_session(),
        voice_settings=pace or NOT_GIVEN,
        base_url=_url(setup),
    )


KIND = ProviderKind(
    name="elevenlabs",
    models={"stt": "scribe_v2_realtime", "tts": "eleven_flash_v2_5"},
    stt=_stt,
    tts=_tts,
    env="ELEVENLABS_API_KEY",
    extra="elevenlabs",
    plugin="livekit.plugins.elevenlabs",
    # a key restricted to speech gets 401 here, with the status missing_permissions
    probe=Probe(OFFICIAL_URL, "/v1/models", header="xi-api-key", scheme="", limited="missing_permissions"),
)
