"""Recognising what the caller says, with the next provider when one fails.

Runs inside the voice runtime's ``stt_node``. Knows nothing of turns or answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, stt, utils, vad

from .chain import Chain
from .host import Host
from .music import SpeechGate
from .pacing import Puller

RECOGNITION_SECONDS = 5.0
AGAIN_PAUSE = 0.5
FAILURES_ALLOWED = 4
"""Failures in a row, over all providers, before the conversation has failed. A transcript begins the count again."""


class Hearing:
    """Hears for one conversation.

    Args:
        detector: cuts speech for recognisers that take whole utterances.
        lost: called when words of the caller were lost with a provider.
    """

    def __init__(self, host: Host, chain: Chain[stt.STT[Any]], detector: vad.VAD, lost: Callable[[], None]) -> None:
        self._host = host
        self._chain = chain
        self._detector = detector
        self._lost = lost
        self._failures = 0

    async def hear(self, audio: AsyncIterable[rtc.AudioFrame]) -> AsyncGenerator[stt.SpeechEvent, None]:
        """Stream what is recognised, until the audio ends or nobody can recognise any more."""
        frames = Puller(aiter(audio))  # outlives the recognisers: a generator that is cancelled once has ended
        try:
            while not self._host.over:
                provider = self._chain.order()[0]
                try:
                    async with contextlib.aclosing(self._recognise(provider, frames)) as events:
                        async for event in events:
                            if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives[0].text:
                                self._failures = 0
                                self._chain.worked(provider)
                            yield event
                    return
                except Exception as error:  # a plug-in may raise anything; the call must go on
                    if self._host.over:
                        return
                    self._chain.failed(provider, error)
                self._failures += 1
                if self._failures >= FAILURES_ALLOWED * len(self._chain):
                    self._host.fail("stt", "no speech recogniser could hear")
                    return
                self._lost()
                await asyncio.sleep(AGAIN_PAUSE)
        finally:
            await frames.close()

    async def _recognise(
        self, provider: stt.STT[Any], frames: Puller[rtc.AudioFrame]
    ) -> AsyncGenerator[stt.SpeechEvent, None]:
        options = APIConnectOptions(max_retry=0, timeout=RECOGNITION_SECONDS)
        async with contextlib.AsyncExitStack() as stack:
            streaming = provider
            if not provider.capabilities.streaming:
                streaming = stt.StreamAdapter(stt=provider, vad=self._detector)
                stack.push_async_callback(streaming.aclose)
            stream = await stack.enter_async_context(streaming.stream(conn_options=options))
            gate = SpeechGate() if streaming is provider else None  # the adapter hears nothing but speech as it is
            feeding = asyncio.create_task(self._feed(stream, frames, gate), name="stt_feed")
            stack.push_async_callback(utils.aio.cancel_and_wait, feeding)
            async for event in stream:
                yield event

    async def _feed(self, stream: stt.RecognizeStream, frames: Puller[rtc.AudioFrame], gate: SpeechGate | None) -> None:
        with contextlib.suppress(StopAsyncIteration):
            while True:
                frame = await frames.next(None)
                if gate is None:
                    stream.push_frame(frame)
                    continue
                for heard in gate.take(frame, careful=self._host.careful, speaking=self._host.caller_speaking):
                    stream.push_frame(heard)
