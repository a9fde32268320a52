"""Stored speech that needs nothing but this process to play: the default error message of every agent.

Precedence: the agent's, then the installation's, then the built-in one (the agent's language, else English).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from parlons import logs
from parlons.agents.common import SpokenText
from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent

SAMPLE_RATE = 8000
BUILT_IN = {
    "en": SpokenText(
        text="We are having a technical problem and cannot take your call. Please call again later. Goodbye.",
        language="en-GB",
    ),
    "fr": SpokenText(
        text="Nous rencontrons un problème technique et ne pouvons pas prendre votre appel. "
        "Merci de rappeler plus tard. Au revoir.",
        language="fr-FR",
    ),
}

log = logs.get(__name__)

Synthesise = Callable[[str, str], Awaitable[bytes]]
"""(text, language) to s16le mono PCM at 8 kHz, with the built-in voice."""


def default_error_message(agent: Agent, settings: InstallationSettings) -> SpokenText:
    """The words a caller hears when all else failed."""
    return (
        agent.default_error_message
        or settings.default_error_message
        or BUILT_IN.get(agent.language.split("-")[0], BUILT_IN["en"])
    )


class MessageBank:
    """Audio by its words: made once, kept on disk, read into memory before any call can need it."""

    def __init__(self, folder: Path, synthesise: Synthesise) -> None:
        self._folder = folder
        self._synthesise = synthesise
        self._audio: dict[tuple[str, str], bytes] = {}

    async def prepare(self, message: SpokenText) -> None:
        """Have the audio of a message ready. Reads it from disk, or makes and stores it."""
        key = (message.text, message.language)
        if key in self._audio:
            return
        name = hashlib.sha256(f"{message.language}\n{message.text}".encode()).hexdigest()[:32]
        path = self._folder / f"{name}.pcm"
        audio = await asyncio.to_thread(_read, path)
        if not audio:
            audio = await self._synthesise(message.text, message.language)
            await asyncio.to_thread(_write, path, audio)
        self._audio[key] = audio

    def get(self, message: SpokenText) -> bytes:
        """The audio of a message; that of the built-in English one when this one was never prepared."""
        audio = self._audio.get((message.text, message.language))
        if audio is None:
            log.error("message_not_prepared", language=message.language)
            fallback = BUILT_IN["en"]
            audio = self._audio.get((fallback.text, fallback.language), b"")
        return audio


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    return data if len(data) % 2 == 0 else b""


def _write(path: Path, audio: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(audio)
    partial.replace(path)
