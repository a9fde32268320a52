"""The built-in recogniser: a speech-to-text plug-in for the phrases of an agent's own prompt and of any telephone call.

Takes whole utterances (the conversation cuts them with its detector), and decodes them in a worker process.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, LanguageCode, stt, utils
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from parlons.errors import ProviderUnusable

from . import decoder, espeak
from .words import hints, lines

WORKERS = 1
"""One process decodes about 15 times faster than people speak: enough for the calls of one core."""

T = TypeVar("T")


def vocabulary(prompts: Iterable[str], descriptions: Iterable[str] = ()) -> tuple[str, ...]:
    """The keywords of the ``- keyword, keyword : Answer.`` lines of these prompts and those that descriptions of
    actions list, each once."""
    answers = (keyword for prompt in prompts for line in lines(prompt) for keyword in line.keywords)
    asked = (hint for description in descriptions for hint in hints(description))
    return tuple(dict.fromkeys((*answers, *asked)))


@functools.lru_cache(maxsize=1)
def _pool() -> ProcessPoolExecutor:
    # spawned, not forked: a fork of a process with threads may inherit a lock that nobody will release
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(WORKERS, mp_context=context, initializer=decoder.start_worker)


def close_workers() -> None:
    """Stop the worker process, if there is one."""
    if _pool.cache_info().currsize:
        _pool().shutdown(wait=False, cancel_futures=True)
        _pool.cache_clear()


async def _in_worker(work: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool(), work)
    except BrokenProcessPool as error:
        _pool.cache_clear()  # the next utterance gets a new worker
        raise APIConnectionError("The embedded recogniser's worker process ended.") from error


class EmbeddedRecogniser(stt.STT[str]):
    """Recognises one of an agent's phrases, with what usually stands around it. Cheap to make.

    Args:
        language: BCP 47 tag.
        terms: the agent's own words (``vocabulary``).

    Raises ProviderUnusable for a language that espeak-ng cannot read, or without any words to recognise.
    """

    def __init__(self, language: str, terms: tuple[str, ...] = ()) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        if espeak.voice_for(language) is None:
            raise ProviderUnusable(
                f"The embedded recogniser does not understand {language}.",
                hint="Choose another language or another stt provider.",
            )
        if not terms and not decoder.built_in(language)[0]:
            raise ProviderUnusable(
                f"The embedded recogniser knows no words of {language}.",
                hint="Give the prompt lines such as '- keyword, keyword : Answer.', or choose another stt provider.",
            )
        self.language = language
        self.terms = terms

    @property
    def model(self) -> str:
        return "grammar"

    @property
    def provider(self) -> str:
        return "embedded"

    async def prepare(self) -> None:
        """Build the grammar now: a second or two for a new vocabulary, nothing for a known one."""
        await _in_worker(functools.partial(decoder.prepare, self.language, self.terms))

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        frame = rtc.combine_audio_frames(buffer)
        heard = await _in_worker(
            functools.partial(decoder.recognise, self.language, self.terms, bytes(frame.data), frame.sample_rate)
        )
        said = stt.SpeechData(language=LanguageCode(self.language), text=heard.text, confidence=heard.confidence)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[said])
