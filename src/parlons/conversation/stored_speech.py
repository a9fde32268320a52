"""Who says the messages that are stored with an agent: its own voice, or the built-in one.

Knows providers and pronunciations; neither calls nor where audio is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ..agents.common import SpokenText
from ..agents.models import Agent
from ..calls.timeline import Timeline
from ..errors import ProviderUnusable
from .embedded.voice import synthesise as built_in_speech
from .pronunciation import Pronunciations
from .providers import registry
from .synthesis import synthesise

SAMPLE_RATE = 8000
ATTEMPT_SECONDS = 15.0
"""For one provider to make all of a message."""
MAX_AUDIO_SECONDS = 240.0
"""2000 characters, the longest message, last 150 s."""


class StoredSpeech:
    """The voices of messages.

    Args:
        environ: where providers' keys are.
        build: ``registry.build`` of the voices alone.
    """

    def __init__(self, environ: Mapping[str, str], build: Callable[[Agent, int], registry.Built]) -> None:
        self._environ = environ
        self._build = build

    def key(self, agent: Agent, message: SpokenText) -> str:
        voices = [p.model_dump(exclude={"api_key"}) for p in registry.effective(agent, self._environ).tts]
        return json.dumps([_words(agent, message), message.language, voices], ensure_ascii=False)

    async def own(self, agent: Agent, message: SpokenText) -> bytes:
        built = self._build(agent.model_copy(update={"language": message.language}), SAMPLE_RATE)
        try:
            return await synthesise(
                _words(agent, message),
                SAMPLE_RATE,
                providers=built.tts,
                timeline=Timeline(),
                attempt_seconds=ATTEMPT_SECONDS,
                max_audio_seconds=MAX_AUDIO_SECONDS,
            )
        finally:
            await built.aclose()

    async def built_in(self, message: SpokenText) -> bytes:
        try:
            return await built_in_speech(message.text, message.language, sample_rate=SAMPLE_RATE)
        except ProviderUnusable:  # no voice for that language: words read oddly are better than none
            return await built_in_speech(message.text, "en-GB", sample_rate=SAMPLE_RATE)


def _words(agent: Agent, message: SpokenText) -> str:
    return Pronunciations(agent.pronunciations, message.language).apply(message.text)
