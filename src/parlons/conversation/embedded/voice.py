"""The built-in voice: a text-to-speech plug-in over espeak-ng, and speech for stored messages.

Knows text and audio. Pronunciations were replaced before the text came here.
"""

from __future__ import annotations

import asyncio
import re

from livekit.agents import APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from parlons.errors import ProviderUnusable

from . import espeak
from .resample import Samples, level, resample, to_pcm

MAX_CHUNK = 240
"""Characters spoken in one go. Short, because every call shares the one thread: 240 take about 30 ms."""

_SENTENCE = re.compile(r"(?<=[.!?…;:])\s+|\n+")


def _chunks(text: str) -> list[str]:
    """Sentences of at most ``MAX_CHUNK`` characters (a longer one is cut between words)."""
    found: list[str] = []
    for sentence in _SENTENCE.split(text):
        rest = sentence.strip()
        while len(rest) > MAX_CHUNK:
            cut = rest.rfind(" ", 1, MAX_CHUNK)
            cut = cut if cut > 0 else MAX_CHUNK
            found.append(rest[:cut])
            rest = rest[cut:].strip()
        if rest:
            found.append(rest)
    return found


def resolve(language: str, voice: str | None = None) -> str:
    """The espeak-ng voice for a language, or the one asked for. Raises ProviderUnusable when there is none."""
    if voice is not None:
        if not espeak.has_voice(voice):
            raise ProviderUnusable(
                f"The embedded voice {voice!r} does not exist.",
                hint="Leave voice.id out, or use an espeak-ng name such as fr+f2 or en-us+m3.",
            )
        return voice
    found = espeak.voice_for(language)
    if found is None:
        raise ProviderUnusable(
            f"The embedded voice does not speak {language}.", hint="Choose another language or another tts provider."
        )
    return found


def _finish(samples: Samples, rate: int, wanted: int) -> bytes:
    return to_pcm(level(resample(samples, rate, wanted), wanted))


async def _speak(text: str, voice: str, speed: float, sample_rate: int, *, pause: bool) -> bytes:
    samples, rate = await espeak.speak(text, voice, speed=speed, pause=pause)
    return await asyncio.get_running_loop().run_in_executor(None, _finish, samples, rate, sample_rate)


async def synthesise(text: str, language: str, speed: float = 1.0, sample_rate: int = 8000) -> bytes:
    """A text as s16le mono PCM: what a stored message is made of. Raises ProviderUnusable."""
    voice = resolve(language)
    chunks = _chunks(text)
    parts = [await _speak(c, voice, speed, sample_rate, pause=i + 1 < len(chunks)) for i, c in enumerate(chunks)]
    return b"".join(parts)


class EmbeddedVoice(tts.TTS[str]):
    """Speaks with espeak-ng. Cheap to make, safe to share between calls.

    Args:
        language: BCP 47 tag.
        voice: an espeak-ng voice, instead of the language's own.
        speed: 0.5 to 2.0, 1.0 being the voice's pace.
        sample_rate: 8000 or 16000.

    Raises ProviderUnusable for a language or voice that espeak-ng lacks.
    """

    def __init__(self, language: str, *, voice: str | None = None, speed: float = 1.0, sample_rate: int = 8000) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=sample_rate, num_channels=1)
        self.voice = resolve(language, voice)
        self.speed = speed

    @property
    def model(self) -> str:
        return self.voice

    @property
    def provider(self) -> str:
        return "embedded"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Speech(tts=self, input_text=text, conn_options=conn_options)


class _Speech(tts.ChunkedStream):
    _tts: EmbeddedVoice

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._tts.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
        )
        chunks = _chunks(self.input_text)
        said = False
        for index, chunk in enumerate(chunks):
            pause = index + 1 < len(chunks)
            pcm = await _speak(chunk, self._tts.voice, self._tts.speed, self._tts.sample_rate, pause=pause)
            if pcm:
                output_emitter.push(pcm)
                said = True
        if not said:  # a lone dash or emoji: a blink of silence, because no audio at all counts as a failure
            output_emitter.push(bytes(self._tts.sample_rate // 50 * 2))
        output_emitter.flush()
