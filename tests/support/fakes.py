"""Stand-ins for a conversation's surroundings, all on the loop's clock: a port, a detector, providers that can fail.

The caller's speech is loud frames; what was said is known to the recogniser beforehand, in order.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit.agents import APIConnectionError, APIStatusError, llm, stt, tts, utils, vad
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions

from parlons.agents.workflows import InputField
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.conversation.workflows import WorkflowResult
from parlons.errors import LegClosed
from parlons.telephony.types import Outcome

RATE = 8000
FRAME_BYTES = 320
LOUD = (np.ones(160, dtype="<i2") * 8000).tobytes()
VOICE = 5000
"""The level of synthesised speech."""


def is_loud(pcm: bytes) -> bool:
    return bool(pcm) and int(np.abs(np.frombuffer(pcm, dtype="<i2")).max()) > 1000


# -- the port ------------------------------------------------------------------------------------------------------


class FakePort:
    """An AudioPort whose clock pulls and pushes a frame every 20 ms. ``spoken``: (time, frame) of what was sent;
    ``pressed``: (time, key) of keys. Nothing is pulled while a key is pressed."""

    def __init__(self, words: deque[str], rate: int = RATE) -> None:
        self._rate = rate
        self._words = words
        self.source: Callable[[], bytes | None] | None = None
        self.sink: Callable[[bytes], None] | None = None
        self.tap: Callable[[bytes, bytes], None] | None = None
        self.on_dtmf: Callable[[str], None] | None = None
        self.on_hold = False
        self.spoken: list[tuple[float, bytes]] = []
        self.pressed: list[tuple[float, str]] = []
        self.last_sent = ""
        self.dtmf_method = "rfc4733"
        self.leg_closed = False
        self._pressing = False
        self._received: deque[bytes] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def sample_rate(self) -> int:
        return self._rate

    @property
    def silent_seconds(self) -> float:
        return 0.0

    async def send_dtmf(self, digits: str) -> None:
        """As the real port: 0.2 s a key, none on hold; says in ``last_sent`` what left."""
        self.last_sent = ""
        try:
            for symbol in digits:
                while self.on_hold:  # noqa: ASYNC110 (virtual time)
                    await asyncio.sleep(0.02)
                if self.leg_closed:
                    raise LegClosed("The leg ended while keys were being pressed.")
                if symbol in "wW":
                    await asyncio.sleep(0.5 if symbol == "w" else 1.0)
                    continue
                assert not self._pressing, "two keys at once"
                self._pressing = True
                self.last_sent += symbol
                self.pressed.append((asyncio.get_running_loop().time(), symbol))
                await asyncio.sleep(0.2)
                self._pressing = False
        finally:
            self._pressing = False

    def run(self) -> None:
        self._task = asyncio.create_task(self._clock(), name="fake_port")

    async def stop(self) -> None:
        if self._task is not None:
            await utils.aio.cancel_and_wait(self._task)

    async def _clock(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            frame = self.source() if self.source is not None and not (self._pressing or self.on_hold) else None
            if frame is not None:
                assert len(frame) == FRAME_BYTES * self._rate // RATE
                self.spoken.append((loop.time(), frame))
            heard = self._received.popleft() if self._received else bytes(FRAME_BYTES * self._rate // RATE)
            if self.sink is not None:
                self.sink(heard)
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def caller_says(self, text: str, seconds: float = 1.0) -> None:
        """Speak, and return when the last frame is in. An empty text is noise: a cough."""
        self._words.append(text)
        self._received.extend([LOUD] * round(seconds / 0.02))
        await self._all_received()

    async def caller_plays(self, text: str, pcm: bytes) -> None:
        """Play real speech at the port's rate."""
        self._words.append(text)
        size = FRAME_BYTES * self._rate // RATE
        self._received.extend(pcm[i : i + size].ljust(size, b"\0") for i in range(0, len(pcm), size))
        await self._all_received()

    async def _all_received(self) -> None:
        while self._received:  # noqa: ASYNC110 (virtual time)
            await asyncio.sleep(0.02)

    def last_sound(self) -> float:
        """When the last frame was sent."""
        return self.spoken[-1][0]


# -- voice activity ------------------------------------------------------------------------------------------------


class FakeVAD(vad.VAD):
    """Loud is speech. Starts after 60 ms, stops after 250 ms."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.04))

    def stream(self) -> vad.VADStream:
        return _FakeVADStream(self)


class _FakeVADStream(vad.VADStream):
    async def _main_task(self) -> None:
        speaking, speech, silence, samples = False, 0.0, 0.0, 0
        async for item in self._input_ch:
            if isinstance(item, vad.VADStream._FlushSentinel):
                speaking, speech, silence = False, 0.0, 0.0
                continue
            loud = is_loud(bytes(item.data))
            samples += item.samples_per_channel
            if loud:
                speech, silence = speech + item.duration, 0.0
            else:
                silence += item.duration
                if not speaking:
                    speech = 0.0
            if not speaking and speech >= 0.06:
                speaking = True
                self._emit(vad.VADEventType.START_OF_SPEECH, samples, speech, 0.0, speaking)
            self._emit(vad.VADEventType.INFERENCE_DONE, samples, speech if speaking else 0.0, silence, speaking)
            if speaking and silence >= 0.25:
                speaking = False
                self._emit(vad.VADEventType.END_OF_SPEECH, samples, speech, silence, speaking)
                speech = 0.0

    def _emit(self, kind: vad.VADEventType, samples: int, speech: float, silence: float, speaking: bool) -> None:
        self._event_ch.send_nowait(
            vad.VADEvent(
                type=kind,
                samples_index=samples,
                timestamp=time.time(),
                speech_duration=speech,
                silence_duration=silence,
                speaking=speaking,
                raw_accumulated_silence=silence,
                raw_accumulated_speech=speech,
            )
        )


# -- recognition ---------------------------------------------------------------------------------------------------


class FakeSTT(stt.STT[Any]):
    """Streams: gives the next of ``words`` 100 ms after speech stops.

    ``broken``: utterances that fail instead; ``hangs``: never says anything.
    """

    def __init__(self, words: deque[str], *, broken: int = 0, hangs: bool = False) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.words = words
        self.broken = broken
        self.hangs = hangs

    async def _recognize_impl(self, *args: Any, **kwargs: Any) -> stt.SpeechEvent:
        raise AssertionError("it streams")

    def stream(
        self, *, language: Any = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return _FakeSTTStream(stt=self, conn_options=conn_options, sample_rate=NOT_GIVEN)


class _FakeSTTStream(stt.RecognizeStream):
    async def _run(self) -> None:
        owner = self._stt
        assert isinstance(owner, FakeSTT)
        talking, silence = False, 0.0
        async for item in self._input_ch:
            if isinstance(item, stt.RecognizeStream._FlushSentinel):
                continue
            if is_loud(bytes(item.data)):
                talking, silence = True, 0.0
                continue
            silence += item.duration
            if talking and silence >= 0.1:
                talking = False
                if owner.hangs:
                    continue
                said = owner.words.popleft() if owner.words else ""
                if owner.broken:
                    owner.broken -= 1
                    raise APIStatusError("recogniser broke", status_code=500)
                if said:
                    data = stt.SpeechData(language="fr", text=said)  # type: ignore[arg-type]
                    self._event_ch.send_nowait(
                        stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])
                    )


# -- language model ------------------------------------------------------------------------------------------------


@dataclass
class Call:
    """The model calls tools, after saying ``text``; ``also`` in the same answer."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    times: int = 1
    also: Call | None = None


@dataclass
class Slow:
    """Waits before the first piece, and between pieces."""

    text: str
    first: float = 0.0
    between: float = 0.0


class Fail:
    """Answers 500."""


class Hang:
    """Never answers."""


class Empty:
    """Ends without a word."""


@dataclass
class Cut:
    """Breaks after a few words."""

    text: str


Reply = str | Call | Slow | Cut | Fail | Hang | Empty


class FakeLLM(llm.LLM[Any]):
    """Gives ``replies`` in order, then ``otherwise`` for ever. ``asked`` holds what it was shown each time."""

    def __init__(self, *replies: Reply, otherwise: Reply = "D'accord.") -> None:
        super().__init__()
        self.replies: deque[Reply] = deque(replies)
        self.otherwise = otherwise
        self.asked: list[llm.ChatContext] = []
        self.tools: list[list[str]] = []

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_kwargs: Any,
    ) -> llm.LLMStream:
        self.asked.append(chat_ctx.copy())
        self.tools.append([tool.id for tool in tools or []])
        reply = self.replies.popleft() if self.replies else self.otherwise
        return _FakeLLMStream(self, reply, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    def last_user_words(self) -> str:
        """What the other side said last, as the model saw it."""
        said = [m.text_content or "" for m in self.asked[-1].messages() if m.role == "user"]
        return said[-1] if said else ""


class _FakeLLMStream(llm.LLMStream):
    def __init__(self, owner: FakeLLM, reply: Reply, **kwargs: Any) -> None:
        self._reply = reply
        super().__init__(owner, **kwargs)

    async def _run(self) -> None:
        reply = self._reply
        match reply:
            case str():
                self._say(reply)
            case Slow():
                await asyncio.sleep(reply.first)
                for word in reply.text.split(" "):
                    self._say(word + " ")
                    await asyncio.sleep(reply.between)
            case Fail():
                raise APIStatusError("model broke", status_code=500)
            case Hang():
                await asyncio.sleep(100_000)
            case Cut():
                self._say(reply.text)
                await asyncio.sleep(0.05)
                raise APIConnectionError("cut")
            case Call():
                if reply.text:
                    self._say(reply.text)
                wanted = [reply] * reply.times + ([reply.also] if reply.also is not None else [])
                for one in wanted:
                    call = llm.FunctionToolCall(
                        name=one.name, arguments=json.dumps(one.arguments), call_id=utils.shortuuid("call_")
                    )
                    self._send(llm.ChoiceDelta(role="assistant", tool_calls=[call]))
            case Empty():
                pass

    def _say(self, text: str) -> None:
        self._send(llm.ChoiceDelta(role="assistant", content=text))

    def _send(self, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


# -- synthesis -----------------------------------------------------------------------------------------------------


class FakeTTS(tts.TTS[Any]):
    """50 ms of sound a character, at once. ``said`` holds every text it was given.

    ``fails``: how many texts fail; ``hangs``: never sends audio; ``cuts``: breaks half way.
    """

    def __init__(self, *, fails: int = 0, hangs: bool = False, cuts: bool = False, rate: int = RATE) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=rate, num_channels=1)
        self.fails = fails
        self.hangs = hangs
        self.cuts = cuts
        self.said: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _FakeSpeech(tts=self, input_text=text, conn_options=conn_options)


SECONDS_PER_CHARACTER = 0.05


class _FakeSpeech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        owner = self._tts
        assert isinstance(owner, FakeTTS)
        owner.said.append(self._input_text)
        if owner.hangs:
            await asyncio.sleep(100_000)
        if owner.fails:
            owner.fails -= 1
            raise APIStatusError("voice broke", status_code=500)
        output_emitter.initialize(request_id="1", sample_rate=owner.sample_rate, num_channels=1, mime_type="audio/pcm")
        samples = round(len(self._input_text) * SECONDS_PER_CHARACTER * owner.sample_rate)
        pcm = (np.ones(samples, dtype="<i2") * VOICE).tobytes()
        if owner.cuts:
            output_emitter.push(pcm[: len(pcm) // 4 * 2])
            output_emitter.flush()
            await asyncio.sleep(0.05)
            raise APIConnectionError("cut")
        output_emitter.push(pcm)
        output_emitter.flush()


@dataclass
class FakeProviders:
    """What a conversation is given to work with."""

    stt: list[stt.STT[Any]]
    llm: list[llm.LLM[Any]]
    tts: list[tts.TTS[Any]]


# -- the call ------------------------------------------------------------------------------------------------------


class FakeLine:
    """A line whose transfers end as told, in order, then as the last. ``orders`` and ``handed`` hold what was asked."""

    def __init__(self, *outcomes: Outcome, takes: float = 1.0) -> None:
        self.outcomes = deque(outcomes)
        self.takes = takes
        self.orders: list[TransferOrder] = []
        self.handed: list[str] = []
        self.cancelled = 0

    async def transfer(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        self.orders.append(order)
        try:
            await sentence
            await asyncio.sleep(self.takes)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return TransferResult(self._next())

    def hand_over(self, agent_id: str) -> TransferResult:
        self.handed.append(agent_id)
        return TransferResult(self._next())

    def _next(self) -> Outcome:
        return self.outcomes.popleft() if len(self.outcomes) > 1 else self.outcomes[0]


class FakeWorkflows:
    """Workflows whose runs end as told, after ``takes`` seconds. ``runs`` holds what they were given."""

    def __init__(self, result: WorkflowResult | None = None, *, takes: float = 0.1, fields: Any = ()) -> None:
        self.result = result or WorkflowResult("ok", {"state": "sent"}, run_id="r1")
        self.takes = takes
        self.fields = [InputField.model_validate(item) for item in fields]
        self.runs: list[tuple[str, dict[str, Any], float]] = []
        self.finished = 0

    def input_of(self, workflow_id: str) -> list[InputField] | None:
        return None if workflow_id == "missing" else self.fields

    async def run(self, workflow_id: str, values: Mapping[str, Any], *, seconds: float) -> WorkflowResult:
        self.runs.append((workflow_id, dict(values), seconds))
        await asyncio.sleep(min(self.takes, seconds))
        self.finished += 1
        return self.result if self.takes <= seconds else WorkflowResult("timeout", run_id="r1")
