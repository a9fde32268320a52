"""The stand-ins for real providers: quick, right once, and not what gets a call hung up."""

from __future__ import annotations

import difflib
import itertools
import socket
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import llm, stt

from benchmarks import engine, fake_providers
from parlons.agents.common import slug
from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.path import PromptStep

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


def offered(tools: list[str]) -> list[llm.Tool]:
    async def put_through(raw_arguments: dict[str, object]) -> None:
        """Never run here."""

    nothing: dict[str, Any] = {"type": "object", "properties": {}}
    schemas: list[dict[str, Any]] = [{"name": name, "description": "d", "parameters": nothing} for name in tools]
    return [llm.function_tool(put_through, raw_schema=schema) for schema in schemas]


async def replies(context: llm.ChatContext, tools: list[llm.Tool]) -> tuple[str, list[str]]:
    """What the model says, and which tools it calls."""
    async with fake_providers.FakeLLM().chat(chat_ctx=context, tools=tools) as answer:
        deltas = [chunk.delta async for chunk in answer if chunk.delta]
    return "".join(delta.content or "" for delta in deltas), [c.name for d in deltas for c in d.tool_calls]


async def test_the_model_tells_when_it_decides_and_decides_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind(("127.0.0.1", 0))
        told.setblocking(False)
        monkeypatch.setenv(fake_providers.DECISIONS_VARIABLE, f"127.0.0.1:{told.getsockname()[1]}")
        for number, speaks in (("+33123450002", False), ("+33123450003", True)):
            context = llm.ChatContext.empty()
            context.add_message(role="system", content=f"Put them through. <caller {number}>")
            said, called = await replies(context, offered([fake_providers.PUT_THROUGH]))
            assert (bool(said), called) == (speaks, ["put_through"])
            assert told.recv(100).decode() == number
            context.items.append(llm.FunctionCall(call_id="c", name="put_through", arguments="{}"))
            assert (await replies(context, offered([fake_providers.PUT_THROUGH])))[1] == []
        assert (await replies(context, offered(["another"])))[1] == []
        with pytest.raises(BlockingIOError):
            told.recv(100)


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
    for document in (engine.AGENT, engine.SWITCHBOARD):
        agent = Agent.model_validate(document)
        assert agent.path is not None
        step = agent.path.steps[0]
        assert isinstance(step, PromptStep)
        assert step.end_of_speech_ms == engine.END_OF_SPEECH_MS
    assert [slug(action.name) for action in agent.actions] == [fake_providers.PUT_THROUGH]
    InstallationSettings.model_validate(engine.SWITCHBOARD_SETTINGS)


def test_the_switchboard_is_configured_by_files_that_parlons_takes(tmp_path: Path) -> None:
    engine.switchboard(tmp_path / "answer.pcm", "PCMU").prepare(tmp_path)
    made = sorted(str(file.relative_to(tmp_path / "config")) for file in tmp_path.rglob("*.json"))
    assert made == [
        "agents/bench.json",
        "agents/switchboard.json",
        "settings.json",
        "sip_connections/callers.json",
        "sip_connections/desk.json",
    ]
    desk = SipConnection.model_validate_json((tmp_path / "config/sip_connections/desk.json").read_bytes())
    assert desk.codecs == ["PCMU"]
