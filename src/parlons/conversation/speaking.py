"""Turning text into audio, so that it is always said: deadlines, and the next provider with the same words.

Runs inside the voice runtime's ``tts_node``. Knows nothing of history, turns or the telephone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, tokenize, tts, utils

from ..errors import ProviderError, ProviderTimeout
from .chain import Chain
from .host import Host
from .pacing import Puller

FIRST_AUDIO_SECONDS = 3.0
NEXT_AUDIO_SECONDS = 4.0
POLL_SECONDS = 0.25
ENOUGH_CHARACTERS = 200
"""With this much text a synthesiser has a sentence to begin with, whatever language it is in."""


class _Script:
    """The words to say, kept so that another provider can say them from the start."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.over = False
        self.ready_at: float | None = None
        self._news = asyncio.Event()

    async def fill(self, text: AsyncIterable[str]) -> None:
        try:
            async for piece in text:
                self.pieces.append(piece)
                self.length += len(piece)
                if self.length >= ENOUGH_CHARACTERS:
                    self._ready()
                self._news.set()
        finally:
            self.over = True
            self._ready()
            self._news.set()

    def _ready(self) -> None:
        if self.ready_at is None:
            self.ready_at = asyncio.get_running_loop().time()

    @property
    def says_something(self) -> bool:
        return any(character.isalnum() for piece in self.pieces for character in piece)

    async def read(self) -> AsyncIterator[str]:
        """Every piece from the first, as they come. One reader at a time."""
        index = 0
        while True:
            while index < len(self.pieces):
                yield self.pieces[index]
                index += 1
            if self.over:
                return
            self._news.clear()
            await self._news.wait()


class Speaking:
    """Speaks for one conversation.

    Args:
        sound_due: told by when (loop time) a provider that has its words must sound.
    """

    def __init__(self, host: Host, chain: Chain[tts.TTS[Any]], sound_due: Callable[[float], None]) -> None:
        self._host = host
        self._chain = chain
        self._sound_due = sound_due

    async def speak(self, text: AsyncIterable[str]) -> AsyncGenerator[rtc.AudioFrame, None]:
        """Stream the audio of a text. When no provider can say any of it there is none, and the conversation fails."""
        script = _Script()
        filling = asyncio.create_task(script.fill(text), name="tts_script")
        try:
            for provider in self._chain.order():
                heard = False
                try:
                    async with contextlib.aclosing(self._synthesise(provider, script)) as frames:
                        async for frame in frames:
                            heard = True
                            yield frame
                    if not heard and script.says_something:
                        raise ProviderError("The speech provider sent no audio.")
                except Exception as error:  # a plug-in may raise anything; the call must go on
                    self._chain.failed(provider, error)
                    if heard:
                        return  # where it stopped cannot be known: saying it all again would be worse
                    continue
                if heard:
                    self._chain.worked(provider)
                return
            self._host.fail("tts", "no speech provider could speak")
        finally:
            await utils.aio.cancel_and_wait(filling)

    async def _synthesise(self, provider: tts.TTS[Any], script: _Script) -> AsyncGenerator[rtc.AudioFrame, None]:
        options = APIConnectOptions(max_retry=0, timeout=FIRST_AUDIO_SECONDS)
        async with contextlib.AsyncExitStack() as stack:
            streaming = provider
            if not provider.capabilities.streaming:
                sentences = tokenize.blingfire.SentenceTokenizer(retain_format=True)
                streaming = tts.StreamAdapter(tts=provider, sentence_tokenizer=sentences)
                stack.push_async_callback(streaming.aclose)
            stream = await stack.enter_async_context(streaming.stream(conn_options=options))
            feeding = asyncio.create_task(_feed(stream, script), name="tts_feed")
            stack.push_async_callback(utils.aio.cancel_and_wait, feeding)
            puller = Puller(aiter(stream))
            stack.push_async_callback(puller.close)
            loop = asyncio.get_running_loop()
            started, last = loop.time(), None
            while True:
                try:
                    audio = await puller.next(POLL_SECONDS)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    if script.ready_at is None or (last is not None and not script.over):
                        continue  # it waits for words
                    due = (
                        max(started, script.ready_at) + FIRST_AUDIO_SECONDS
                        if last is None
                        else max(last, script.ready_at) + NEXT_AUDIO_SECONDS
                    )
                    self._sound_due(due + 2 * POLL_SECONDS)  # the next provider says for itself when
                    if loop.time() >= due:
                        raise ProviderTimeout("The speech provider sent no audio in time.") from None
                    continue
                last = loop.time()
                yield audio.frame


async def _feed(stream: tts.SynthesizeStream, script: _Script) -> None:
    async for piece in script.read():
        stream.push_text(piece)
    stream.end_input()
