"""One Pipecat pipeline a call: Silero VAD, zero-latency speech and language services, RTP through the answerer.

Runs in the peer's own virtual environment (``requirements.txt``). Everything optional is off (RTVI, turn tracking,
metrics, idle timers, the end-of-turn model) and audio stays at 8 kHz, which favours the peer: what is left is what
any Pipecat telephone agent pays. With ``as-it-comes`` all of that is left as Pipecat sets it.

    python -m benchmarks.peers.pipecat.server PORT RTP_FIRST RTP_LAST ANSWER.pcm END_OF_SPEECH_MS [as-it-comes]
"""

from __future__ import annotations

import asyncio
import audioop
import sys
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import fields
from pathlib import Path

from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from benchmarks.hearing import Ears
from benchmarks.peers import answerer

RATE = 8000
VAD_STOP_SECONDS = 0.2
LEAN = {
    "enable_rtvi": False,
    "enable_turn_tracking": False,
    "idle_timeout_secs": None,
    "check_dangling_tasks": False,
}
HEARD = "je voudrais parler à quelqu'un du service des commandes"
SAID = "Bien sûr, je vous écoute."


class FakeSTT(STTService):
    """A final transcript as soon as loudness says that the utterance is over."""

    def __init__(self) -> None:
        super().__init__(sample_rate=RATE, ttfs_p99_latency=0.0, settings=STTSettings(model=None, language=None))
        self._ears = Ears()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        if self._ears.hear(audio, RATE):
            yield TranscriptionFrame(HEARD, "", time_now_iso8601(), finalized=True)


class FakeLLM(LLMService):
    """One short sentence, at once."""

    def __init__(self) -> None:
        none = {field.name: None for field in fields(LLMSettings) if field.init and field.name != "extra"}
        super().__init__(settings=LLMSettings(**none))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self.push_frame(LLMFullResponseStartFrame())
            await self.push_frame(LLMTextFrame(SAID))
            await self.push_frame(LLMFullResponseEndFrame())
        else:
            await self.push_frame(frame, direction)


class FakeTTS(TTSService):
    """The clip, whole, at once."""

    def __init__(self, clip: bytes) -> None:
        settings = TTSSettings(model=None, voice=None, language=None)
        super().__init__(sample_rate=RATE, push_start_frame=True, push_stop_frames=True, settings=settings)
        self._clip = clip

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        yield TTSAudioRawFrame(self._clip, RATE, 1, context_id=context_id)


class RtpInput(BaseInputTransport):
    """Decodes what the answerer hands over."""

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    def feed(self, payload: bytes) -> None:
        if self._audio_task is not None:  # straight into its queue: no task a packet
            self._audio_in_queue.put_nowait(InputAudioRawFrame(audioop.alaw2lin(payload, 2), RATE, 1))


class RtpOutput(BaseOutputTransport):
    """Encodes, and holds at most three frames for the answerer's clock: the queue is what paces the pipeline."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self._frames: deque[bytes] = deque()
        self._room = asyncio.Event()

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        while len(self._frames) >= 3:
            self._room.clear()
            await self._room.wait()
        self._frames.append(audioop.lin2alaw(frame.audio, 2).ljust(160, b"\xd5"))
        return True

    def take(self) -> bytes | None:
        if not self._frames:
            return None
        payload = self._frames.popleft()
        self._room.set()
        return payload


class Call:
    """One call's pipeline."""

    def __init__(self, clip: bytes, end_of_speech: float, as_it_comes: bool) -> None:
        params = TransportParams(
            audio_in_enabled=True,
            audio_in_sample_rate=RATE,
            audio_out_enabled=True,
            audio_out_sample_rate=RATE,
            audio_out_10ms_chunks=2,
            audio_out_auto_silence=False,
        )
        self._input, self._output = RtpInput(params), RtpOutput(params)
        wait = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=end_of_speech - VAD_STOP_SECONDS)
        lean = UserTurnStrategies(start=[VADUserTurnStartStrategy()], stop=[wait])
        both = LLMContextAggregatorPair(
            LLMContext(),
            user_params=LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(sample_rate=RATE, params=VADParams(stop_secs=VAD_STOP_SECONDS)),
                user_turn_strategies=UserTurnStrategies() if as_it_comes else lean,
            ),
            realtime_service_mode=False,
        )
        steps = [self._input, FakeSTT(), both.user(), FakeLLM(), FakeTTS(clip), self._output, both.assistant()]
        self._worker = PipelineWorker(
            Pipeline(steps),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            **({} if as_it_comes else LEAN),
        )
        self._started = asyncio.Event()
        self._worker.add_event_handler("on_pipeline_started", self._on_started)
        self._running: asyncio.Task[None] | None = None

    async def _on_started(self, *_: object) -> None:
        self._started.set()

    async def open(self) -> Call:
        """Start the pipeline and wait until it runs: the caller is answered by an agent that can hear."""
        self._running = asyncio.create_task(self._run())
        await self._started.wait()
        return self

    async def _run(self) -> None:
        runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        await runner.add_workers(self._worker)
        await runner.run()

    def received(self, payload: bytes) -> None:
        self._input.feed(payload)

    def next_frame(self) -> bytes | None:
        return self._output.take()

    def start(self) -> None:
        self._greeting = asyncio.create_task(self._worker.queue_frame(TTSSpeakFrame(SAID)))

    async def close(self) -> None:
        await self._worker.cancel()
        if self._running is not None:
            await self._running


def main() -> None:
    port, first, last, clip, delay = sys.argv[1:6]
    as_it_comes = sys.argv[6:] == ["as-it-comes"]
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    answer = Path(clip).read_bytes()

    async def make() -> answerer.Session:
        return await Call(answer, float(delay) / 1000, as_it_comes).open()

    asyncio.run(answerer.serve("127.0.0.1", int(port), range(int(first), int(last) + 1), make))


if __name__ == "__main__":
    main()
