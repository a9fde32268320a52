"""The stand-ins for real providers: quick, right once, and not what gets a call hung up."""

from __future__ import annotations

import difflib
import itertools
from pathlib import Path

import pytest
from livekit import rtc
from livekit.agents import llm, stt

from benchmarks import engine, fake_providers
from parlons.agents.models import Agent

from .test_tools import tone


async def test_one_final_transcript_for_each_utterance() -> None:
    stream = fake_providers.FakeSTT().stream()
    pcm = (bytes(3200) + tone(0.5) + bytes(8000)) * 2
    for i in range(0, len(pcm) - 319, 320):
        stream.push_frame(rtc.AudioFrame(pcm[i : i + 320], 8000, 1, 160))
    stream.end_input()
    events = [event async for event in stream if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    await stream.aclose()
    assert [event.alternatives[0].text for event in events] == [fake_providers.HEARD] * 2


async def test_the_model_never_repeats_itself_within_three_turns() -> None:
    model, said = fake_providers.FakeLLM(), []
    for _ in range(2 * len(fake_providers.ANSWERS)):
        async with model.chat(chat_ctx=llm.ChatContext.empty()) as answer:
            said.append("".join([chunk.delta.content or "" async for chunk in answer if chunk.delta]))
    assert set(said) == set(fake_providers.ANSWERS)
    for one, other in itertools.chain(itertools.pairwise(said), zip(said, said[2:], strict=False)):
        assert difflib.SequenceMatcher(None, one, other).ratio() < 0.6


async def test_the_voice_is_the_clip_to_the_last_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "answer.pcm"
    file.write_bytes(tone(0.5))
    monkeypatch.setenv(fake_providers.CLIP_VARIABLE, str(file))
    voice = fake_providers.FakeTTS(fake_providers.clip())
    async with voice.synthesize("anything") as speech:
        pcm = b"".join([bytes(audio.frame.data) async for audio in speech])
    said = tone(0.5)
    assert pcm[: len(said)] == said
    assert not any(pcm[len(said) :]), "the runtime may add silence, nothing else"


def test_the_agent_under_test_is_one_that_parlons_takes() -> None:
    agent = Agent.model_validate(engine.AGENT)
    assert agent.path is not None
    assert agent.path.steps[0].end_of_speech_ms == engine.END_OF_SPEECH_MS  # type: ignore[union-attr]
