"""A short text made into audio outside of any conversation's turn: what a destination is told before it is put through.

The next provider says it when one fails. Knows no leg; who plays it, and when, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from livekit.agents import APIConnectOptions, tts

from ..calls.timeline import Timeline
from ..errors import ProviderError, ProviderTimeout
from ..logs import get
from ..telephony.media.resample import Resampler
from .chain import Chain
from .pronunciation import Pronunciations

ATTEMPT_SECONDS = 4.0
"""For one provider to make all of it."""
MAX_AUDIO_SECONDS = 30.0
"""Of audio."""

logger = get(__name__)


async def synthesise(
    text: str,
    sample_rate: int,
    *,
    providers: Sequence[tts.TTS[Any]],
    timeline: Timeline,
    pronunciations: Pronunciations | None = None,
    attempt_seconds: float = ATTEMPT_SECONDS,
    max_audio_seconds: float = MAX_AUDIO_SECONDS,
) -> bytes:
    """The audio of a text, s16le mono at ``sample_rate``, by the first provider that can make it in time.

    Args:
        max_audio_seconds: the rest is not said.

    Raises:
        ProviderError: none could; or there is nothing to say.
    """
    words = pronunciations.apply(text) if pronunciations is not None else text
    if not any(character.isalnum() for character in words):
        raise ProviderError("There is nothing to say.")
    chain = Chain("tts", providers, timeline)
    for provider in chain.order():
        try:
            async with asyncio.timeout(attempt_seconds):
                pcm, rate = await _make(provider, words, attempt_seconds, max_audio_seconds)
            if not pcm:
                raise ProviderError("The speech provider sent no audio.")
        except TimeoutError:
            chain.failed(provider, ProviderTimeout("The speech provider was too slow."))
            continue
        except Exception as error:  # a plug-in may raise anything; the next one may work
            chain.failed(provider, error)
            continue
        chain.worked(provider)
        return pcm if rate == sample_rate else await asyncio.to_thread(_at_rate, pcm, rate, sample_rate)
    raise ProviderError("No speech provider could say it.")


async def _make(provider: tts.TTS[Any], text: str, seconds: float, longest: float) -> tuple[bytes, int]:
    """Everything a provider sends, and its rate."""
    pcm, rate = bytearray(), provider.sample_rate
    async with provider.synthesize(text, conn_options=APIConnectOptions(max_retry=0, timeout=seconds)) as stream:
        async for audio in stream:
            rate = audio.frame.sample_rate
            pcm += bytes(audio.frame.data)
            if len(pcm) >= longest * rate * 2:
                logger.warning("synthesis_cut", seconds=longest)
                break
    return bytes(pcm), rate


def _at_rate(pcm: bytes, rate: int, wanted: int) -> bytes:
    resampler = Resampler(rate, wanted)
    return resampler.push(pcm) + resampler.flush()
