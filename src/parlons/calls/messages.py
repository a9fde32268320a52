"""Stored speech that needs nothing but this process to play: every agent's failover and default error messages.

Made when it is saved, kept on disk with a checksum, and in memory before any call can need it. What the agent's own
provider could not say is said by the built-in voice, and tried again in the background.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from parlons import logs
from parlons.agents.common import SpokenText
from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent, FailoverMessage
from parlons.errors import ParlonsError

SAMPLE_RATE = 8000
RETRY_SECONDS = 60.0
"""How often a provider that could not say a message is asked again."""
MAX_AT_ONCE = 8
"""Messages made at the same time."""
MAX_TRIED = 4
"""Messages kept in memory that are not saved; the longest has under 3 MB."""
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


class Voices(Protocol):
    """Who says a message. Audio is s16le mono PCM at 8 kHz. Implemented by ``conversation.stored_speech``."""

    def key(self, agent: Agent, message: SpokenText) -> str:
        """The same for the same words in the same voice; never holds a secret."""
        ...

    async def own(self, agent: Agent, message: SpokenText) -> bytes:
        """In the agent's own voice. Raises ParlonsError."""
        ...

    async def built_in(self, message: SpokenText) -> bytes:
        """In the built-in voice, which needs no network."""
        ...


def messages_of(agent: Agent, settings: InstallationSettings) -> list[SpokenText]:
    """The messages of an agent that somebody wrote: what its failover says, and its default error message."""
    action = agent.failover.action
    said: list[SpokenText] = [action] if isinstance(action, FailoverMessage) else []
    default = agent.default_error_message or settings.default_error_message
    return [*said, default] if default is not None else said


class MessageBank:
    """Audio by its words and its voice."""

    def __init__(self, folder: Path, voices: Voices) -> None:
        self._folder = folder
        self._voices = voices
        self._audio: dict[str, bytes] = {}
        self._built_in: dict[str, bytes] = {}
        self._owed: dict[str, tuple[Agent, SpokenText]] = {}
        """Said by the built-in voice because the agent's own could not."""
        self._tried: dict[str, bytes] = {}
        """The last that somebody listened to before they were saved."""

    async def start(self) -> None:
        """Make the built-in messages. Before anything else: they are what is left when everything else is gone."""
        for language, message in BUILT_IN.items():
            self._built_in[language] = await self._voices.built_in(message)

    async def prepare(self, agents: Iterable[Agent], settings: InstallationSettings) -> None:
        """Have the audio of all their messages ready, and forget all other. Never fails for what a provider does."""
        wanted: dict[str, tuple[Agent, SpokenText]] = {}
        for agent in agents:
            for message in messages_of(agent, settings):
                wanted[self._voices.key(agent, message)] = (agent, message)
        room = asyncio.Semaphore(MAX_AT_ONCE)
        down: set[str] = set()
        missing = [key for key in wanted if key not in self._audio]
        await asyncio.gather(*(self._have(key, *wanted[key], room, down) for key in missing))
        self._audio = {key: audio for key, audio in self._audio.items() if key in wanted}
        self._owed = {key: owed for key, owed in self._owed.items() if key in wanted}
        await asyncio.to_thread(_prune, self._folder, {_name(key) for key in wanted})

    async def _have(self, key: str, agent: Agent, message: SpokenText, room: asyncio.Semaphore, down: set[str]) -> None:
        """``down``: voices that failed just now; nobody waits for them twice."""
        async with room:
            audio = await asyncio.to_thread(_read, self._folder / _name(key))
            if audio:
                self._audio[key] = audio
                return
            voice = agent.providers.model_dump_json(include={"tts"})
            if voice not in down and await self._made(key, agent, message):
                return
            down.add(voice)
            self._audio[key] = await self._voices.built_in(message)
            self._owed[key] = (agent, message)

    async def _made(self, key: str, agent: Agent, message: SpokenText) -> bool:
        try:
            audio = await self._voices.own(agent, message)
        except ParlonsError as error:
            log.warning("message_not_made", agent=agent.name, error=error.message, fix=error.hint)
            return False
        self._audio[key] = audio
        try:
            await asyncio.to_thread(_write, self._folder / _name(key), audio)
        except OSError as error:  # it is in memory: the next start makes it again
            log.error("message_not_stored", agent=agent.name, error=error.strerror)
        return True

    async def keep_trying(self) -> None:
        """For ever: what the built-in voice said in place of an agent's own."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            for key, (agent, message) in list(self._owed.items()):
                if await self._made(key, agent, message):
                    self._owed.pop(key, None)

    def get(self, agent: Agent, message: SpokenText) -> bytes | None:
        """The audio of a message of this agent's; None when it was never prepared."""
        return self._audio.get(self._voices.key(agent, message))

    async def spoken(self, agent: Agent, message: SpokenText | None) -> bytes:
        """A message of an agent's as its callers hear it, saved or not: what was not prepared is made now and not
        stored, in the agent's own voice or, when that fails, the built-in one. None: the built-in message.
        """
        if message is None:
            return _in_language(self._built_in, agent.language)[1]
        key = self._voices.key(agent, message)
        if audio := self._audio.get(key) or self._tried.get(key):
            return audio
        try:
            audio = self._tried[key] = await self._voices.own(agent, message)
        except ParlonsError as error:
            log.warning("message_not_made", agent=agent.name, error=error.message, fix=error.hint)
            return await self._voices.built_in(message)
        while len(self._tried) > MAX_TRIED:
            del self._tried[next(iter(self._tried))]
        return audio

    async def with_messages_of(self, agent: Agent, settings: InstallationSettings) -> MessageBank:
        """Another bank, which knows this agent's messages too, saved or not. Nothing is written to the disk."""
        bank = MessageBank(self._folder, self._voices)
        bank._built_in = dict(self._built_in)
        for message in messages_of(agent, settings):
            bank._audio[self._voices.key(agent, message)] = await self.spoken(agent, message)
        return bank

    def default_error(self, agent: Agent, settings: InstallationSettings) -> tuple[SpokenText, bytes]:
        """What a caller hears when all else failed: the agent's message, else the settings', else the built-in one in
        the agent's language, else that in English."""
        for message in (agent.default_error_message, settings.default_error_message):
            if message is not None and (audio := self.get(agent, message)):
                return message, audio
            if message is not None:
                log.error("message_not_prepared", agent=agent.name, language=message.language)
        return _in_language(self._built_in, agent.language)


def _in_language(audio: Mapping[str, bytes], language: str) -> tuple[SpokenText, bytes]:
    base = language.split("-")[0]
    chosen = base if audio.get(base) else "en"
    return BUILT_IN[chosen], audio.get(chosen, b"")


# -- on disk: a SHA-256 of the audio, then the audio ---------------------------------------------------------------

_SUFFIX = ".speech"


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32] + _SUFFIX


def _read(path: Path) -> bytes:
    """Nothing when it is not there, or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    digest, audio = data[:32], data[32:]
    return audio if hashlib.sha256(audio).digest() == digest else b""


def _write(path: Path, audio: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(hashlib.sha256(audio).digest() + audio)
    partial.replace(path)


def _prune(folder: Path, wanted: set[str]) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.suffix in (_SUFFIX, ".pcm", ".partial") and path.name not in wanted:
            path.unlink(missing_ok=True)
