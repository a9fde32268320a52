"""Zero-latency providers for the server under test: ears, one of a few fixed sentences, one clip.

They are ordinary livekit plug-ins, so everything around them is what a real call runs. They cost next to nothing and
wait for nothing, so that what is measured is Parlons. A model that is offered ``PUT_THROUGH`` asks for it, and tells
the load generator at that moment.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import llm, stt, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import AudioBuffer

from benchmarks.hearing import Ears

RATE = 8000
CLIP_VARIABLE = "BENCH_ANSWER_PCM"
DECISIONS_VARIABLE = "BENCH_DECISIONS"
"""``host:port`` where decisions are told, one datagram each: the caller's mark, as the prompt has it."""
PUT_THROUGH = "put_through"
MARK = re.compile(r"<caller ([^>]+)>")
HEARD = "je voudrais parler à quelqu'un du service des commandes"
ANSWERS = (
    "Bien sûr, je vous écoute.",
    "Votre dossier est ouvert devant moi.",
    "Un instant, cela ne prendra guère de temps.",
    "Quel numéro figure sur le bon de livraison ?",
    "Le colis est parti hier matin.",
    "Souhaitez-vous qu'on vous rappelle demain ?",
)
"""Several, unlike each other: a model that says the same thing three times is hung up on."""


class FakeSTT(stt.STT[Any]):
    """A final transcript as soon as loudness says that the utterance is over."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        return final()

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _Listening(stt=self, conn_options=conn_options)


def final() -> stt.SpeechEvent:
    """The one thing it ever hears."""
    said = stt.SpeechData(language="fr", text=HEARD)  # type: ignore[arg-type]
    return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[said])


class _Listening(stt.RecognizeStream):
    async def _run(self) -> None:
        ears = Ears()
        async for frame in self._input_ch:
            if isinstance(frame, rtc.AudioFrame) and ears.hear(frame.data, frame.sample_rate):
                self._event_ch.send_nowait(final())


class FakeLLM(llm.LLM[Any]):
    """The next of the fixed sentences, at once, whatever was asked.

    Offered to put somebody through, it does so once in a call: every other caller is told a sentence first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answers = itertools.cycle(ANSWERS)
        host, _, port = os.environ.get(DECISIONS_VARIABLE, "").rpartition(":")
        self._told_to = (host, int(port)) if host else None

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_options: Any,
    ) -> llm.LLMStream:
        mark, text = "", next(self._answers)
        if self._told_to is not None and any(_name(tool) == PUT_THROUGH for tool in tools or []):
            mark = undecided(chat_ctx)
            text = text if not mark or int(mark[-1]) % 2 else ""
        return _Answer(self, text, mark, self._told_to, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


def undecided(context: llm.ChatContext) -> str:
    """The mark of a caller who was not yet put through; empty for any other."""
    if any(item.type == "function_call" for item in context.items):
        return ""
    texts = (item.text_content or "" for item in context.items if item.type == "message")
    return next((found[1] for text in texts if (found := MARK.search(text))), "")


def _name(tool: llm.Tool) -> str:
    return tool.info.name if isinstance(tool, llm.FunctionTool | llm.RawFunctionTool) else ""


class _Answer(llm.LLMStream):
    def __init__(self, model: FakeLLM, text: str, mark: str, told_to: tuple[str, int] | None, **options: Any) -> None:
        super().__init__(model, **options)
        self._text, self._mark, self._told_to = text, mark, told_to

    async def _run(self) -> None:
        if self._text:
            self._emit(llm.ChoiceDelta(role="assistant", content=self._text))
        if self._mark and self._told_to is not None:
            call = llm.FunctionToolCall(name=PUT_THROUGH, arguments="{}", call_id=f"call_{self._mark}")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(self._mark.encode(), self._told_to)  # the moment of decision: before the call is given
            self._emit(llm.ChoiceDelta(role="assistant", tool_calls=[call]))

    def _emit(self, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id="bench", delta=delta))


class FakeTTS(tts.TTS[Any]):
    """The clip, whole, at once, whatever the text."""

    def __init__(self, clip: bytes) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)
        self.clip = clip

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Speech(tts=self, input_text=text, conn_options=conn_options)


class _Speech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        assert isinstance(self._tts, FakeTTS)
        output_emitter.initialize(request_id="bench", sample_rate=RATE, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(self._tts.clip)
        output_emitter.flush()


def clip() -> bytes:
    """The answer that the runner wrote, from the file that the environment names."""
    return Path(os.environ[CLIP_VARIABLE]).read_bytes()
