"""The real plug-ins against servers that speak each provider's protocol, well and badly."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import wave
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import APIError, APIStatusError, llm

from tests.support.providers.base import ProviderServer, Reply
from tests.support.providers.deepgram_server import DeepgramServer
from tests.support.providers.elevenlabs_server import ElevenLabsServer
from tests.support.providers.mistral_server import MistralServer
from tests.support.providers.openai_server import OpenAIServer

from .drive import agent, built, chat, hear, say

SERVERS: dict[str, type[ProviderServer]] = {
    "openai": OpenAIServer,
    "mistral": MistralServer,
    "deepgram": DeepgramServer,
    "elevenlabs": ElevenLabsServer,
}
SCRIPT_NAMES = {
    ("openai", "llm"): "chat",
    ("openai", "stt"): "transcriptions",
    ("openai", "tts"): "speech",
    ("mistral", "llm"): "chat",
    ("mistral", "stt"): "transcriptions",
    ("deepgram", "stt"): "listen",
    ("deepgram", "tts"): "speak",
    ("elevenlabs", "tts"): "speech",
    ("elevenlabs", "stt"): "scribe",
}
WITH: dict[str, list[str]] = {}
for _name, _service in SCRIPT_NAMES:
    WITH.setdefault(_service, []).append(_name)


def base_url(server: ProviderServer) -> str:
    return server.base_url if isinstance(server, OpenAIServer) else server.url


def using(server: ProviderServer, name: str, service: str, **more: Any) -> Any:
    entry = {"type": name, "base_url": base_url(server), "api_key": "test-key", **more}
    return built(agent(**{service: entry}))


async def use(service: str, plugins: Any) -> Any:
    doing: dict[str, Callable[[Any], Awaitable[Any]]] = {"llm": chat, "stt": hear, "tts": say}
    return await doing[service](getattr(plugins, service)[0])


# -- language models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH["llm"])
async def test_an_answer_is_streamed(name: str) -> None:
    async with (
        SERVERS[name]({"chat": [Reply(text="Bonjour à vous aussi.")]}) as server,
        using(server, name, "llm") as p,
    ):
        texts, calls = await chat(p.llm[0], "bonjour")
        assert "".join(texts).strip() == "Bonjour à vous aussi."
        assert len(texts) > 2
        assert calls == []
        (asked,) = server.of("chat")
        assert asked.body["stream"] is True
        assert asked.body["messages"][-1] == {"role": "user", "content": "bonjour"}
        assert asked.body["tools"][0]["function"]["name"] == "hang_up"


@pytest.mark.parametrize("name", WITH["llm"])
async def test_tool_calls_are_put_together(name: str) -> None:
    arguments = json.dumps({"reason": "l'appelant a dit au revoir"})
    reply = Reply(text="Au revoir.", tool_calls=[("hang_up", arguments), ("hang_up", '{"reason": "b"}')])
    async with SERVERS[name]({"chat": [reply]}) as server, using(server, name, "llm") as p:
        texts, calls = await chat(p.llm[0])
        assert "".join(texts).strip() == "Au revoir."
        assert calls == [("hang_up", json.loads(arguments)), ("hang_up", {"reason": "b"})]


@pytest.mark.parametrize("name", WITH["llm"])
async def test_an_empty_answer_is_no_error(name: str) -> None:
    async with SERVERS[name]({"chat": [Reply()]}) as server, using(server, name, "llm") as p:
        assert await chat(p.llm[0]) == ([], [])


async def test_a_compatible_server_needs_no_key() -> None:
    async with OpenAIServer(key="") as server:
        of = agent(llm={"type": "openai", "base_url": server.base_url, "model": "llama"})
        async with built(of) as p:
            await chat(p.llm[0])
        assert server.requests[0].body["model"] == "llama"


# -- speech in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH["stt"])
async def test_speech_becomes_text(name: str) -> None:
    script = {SCRIPT_NAMES[name, "stt"]: [Reply(text="quels sont vos horaires")]}
    async with SERVERS[name](script) as server, using(server, name, "stt") as p:
        assert await hear(p.stt[0]) == "quels sont vos horaires"


@pytest.mark.parametrize("name", ["openai", "mistral"])
async def test_recordings_are_sent_as_wav_with_the_language_and_the_words(name: str) -> None:
    async with SERVERS[name]() as server, using(server, name, "stt") as p:
        await hear(p.stt[0])
        fields = server.of("transcriptions")[0].body
        assert fields["language"] == "fr"
        assert "horaires" in str(fields.get("prompt") or fields.get("context_bias"))
        with wave.open(BytesIO(fields["file"])) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_deepgram_hears_the_telephone_as_it_is(rate: int) -> None:
    async with DeepgramServer() as server:
        entry = {"type": "deepgram", "base_url": server.url, "api_key": "test-key"}
        async with built(agent(stt=entry), sample_rate=rate) as p:
            await hear(p.stt[0], rate)
        query = server.requests[0].query
        assert query["sample_rate"] == str(rate)
        assert (query["language"], query["model"], query["keyterm"]) == ("fr", "nova-3", "horaires")


async def test_elevenlabs_commits_by_itself() -> None:
    async with ElevenLabsServer() as server, using(server, "elevenlabs", "stt") as p:
        await hear(p.stt[0])
        query = server.requests[0].query
        assert (query["commit_strategy"], query["audio_format"]) == ("vad", "pcm_8000")
        assert query["language_code"] == "fr"


# -- speech out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH["tts"])
async def test_text_becomes_speech(name: str) -> None:
    script = {SCRIPT_NAMES[name, "tts"]: [Reply(seconds=0.6)]}
    async with SERVERS[name](script) as server, using(server, name, "tts") as p:
        frame = await say(p.tts[0], "Bonjour à tous.")
        assert frame.duration == pytest.approx(0.6, abs=0.05)
        assert max(abs(s) for s in frame.data) == pytest.approx(6000, rel=0.05)
        assert "Bonjour" in str(server.requests[0].body)


@pytest.mark.parametrize(("name", "rate"), [("deepgram", 8000), ("elevenlabs", 8000), ("elevenlabs", 16000)])
async def test_speech_comes_at_the_telephones_rate(name: str, rate: int) -> None:
    async with SERVERS[name]() as server:
        entry = {"type": name, "base_url": server.url, "api_key": "test-key", "voice": {"id": "v-1", "speed": 1.1}}
        async with built(agent(tts=entry), sample_rate=rate) as p:
            assert (await say(p.tts[0])).sample_rate == rate
        asked = server.requests[0]
        assert "v-1" in asked.path or asked.query["model"] == "v-1"


async def test_openai_speaks_with_the_voice_and_the_speed() -> None:
    async with OpenAIServer() as server, using(server, "openai", "tts", voice={"id": "sage", "speed": 1.25}) as p:
        await say(p.tts[0])
        body = server.of("speech")[0].body
        assert (body["voice"], body["speed"], body["response_format"]) == ("sage", 1.25, "pcm")


# -- misbehaviour ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "service"), SCRIPT_NAMES)
async def test_a_refusal_is_an_error_at_once_and_once(name: str, service: str) -> None:
    script = SCRIPT_NAMES[name, service]
    async with SERVERS[name]({script: [Reply(status=500)]}) as server, using(server, name, service) as p:
        started = time.perf_counter()
        with pytest.raises(APIError):
            await use(service, p)
        assert time.perf_counter() - started < 3
        assert len(server.of(script)) == 1  # retries are the conversation's own


@pytest.mark.parametrize(("name", "service"), SCRIPT_NAMES)
async def test_a_wrong_key_is_an_error(name: str, service: str) -> None:
    async with SERVERS[name](key="another") as server, using(server, name, service) as p:
        with pytest.raises(APIError) as caught:
            await use(service, p)
        if isinstance(caught.value, APIStatusError) and caught.value.status_code > 0:
            assert caught.value.status_code == 401


@pytest.mark.parametrize(
    ("name", "service"),
    [("openai", "llm"), ("mistral", "llm"), ("openai", "tts"), ("deepgram", "tts"), ("elevenlabs", "tts")],
)
async def test_a_stream_that_is_cut_is_an_error(name: str, service: str) -> None:
    script = {SCRIPT_NAMES[name, service]: [Reply(text="un deux trois quatre cinq", cut_after=2)]}
    async with SERVERS[name](script) as server, using(server, name, service) as p:
        with pytest.raises(APIError):
            await use(service, p)


@pytest.mark.parametrize(("name", "service"), [("deepgram", "stt"), ("elevenlabs", "stt")])
async def test_a_recogniser_that_hangs_up_is_an_error(name: str, service: str) -> None:
    script = {SCRIPT_NAMES[name, service]: [Reply(text="bonjour", cut_after=0)]}
    async with SERVERS[name](script) as server, using(server, name, service) as p:
        with pytest.raises(APIError):
            await use(service, p)


@pytest.mark.parametrize("name", WITH["llm"])
async def test_nonsense_is_an_error(name: str) -> None:
    async with SERVERS[name]({"chat": [Reply(malformed=True)]}) as server, using(server, name, "llm") as p:
        with pytest.raises(APIError):
            await chat(p.llm[0])


@pytest.mark.parametrize(("name", "service"), SCRIPT_NAMES)
async def test_a_hanging_provider_can_be_abandoned(name: str, service: str) -> None:
    """The first-token and first-audio deadlines are the conversation's; giving up must free everything at once."""
    script = {SCRIPT_NAMES[name, service]: [Reply(hang=True)]}
    async with SERVERS[name](script) as server, using(server, name, service) as p:
        started = time.perf_counter()
        with pytest.raises((TimeoutError, APIError)):
            async with asyncio.timeout(0.5):
                await use(service, p)
        assert time.perf_counter() - started < 1.5


@pytest.mark.parametrize("name", WITH["llm"])
async def test_a_slow_stream_gives_what_came_so_far(name: str) -> None:
    reply = Reply(text="un deux trois", piece_delay=0.1)
    async with SERVERS[name]({"chat": [reply]}) as server, using(server, name, "llm") as p:
        first = 0.0
        started = time.perf_counter()
        context = llm.ChatContext()
        context.add_message(role="user", content="compte")
        async with p.llm[0].chat(chat_ctx=context) as stream:
            async for chunk in stream:
                if chunk.delta and chunk.delta.content and not first:
                    first = time.perf_counter() - started
        assert 0 < first < (time.perf_counter() - started) / 2 + 0.1


@pytest.mark.parametrize("name", WITH["tts"])
async def test_no_audio_at_all_is_an_error(name: str) -> None:
    script = {SCRIPT_NAMES[name, "tts"]: [Reply(seconds=0)]}
    async with SERVERS[name](script) as server, using(server, name, "tts") as p:
        with pytest.raises(APIError):
            await say(p.tts[0])


# -- the stand-in as a program -----------------------------------------------------------------------------


async def test_the_openai_server_is_a_program(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"chat": [{"text": "Salut.", "tool_calls": [["hang_up", '{"reason": "x"}']]}]}))
    command = [sys.executable, "-m", "tests.support.providers.openai_server", "--script", str(script)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        async with built(agent(llm={"type": "openai", "base_url": url})) as p:
            texts, calls = await chat(p.llm[0])
        assert "".join(texts).strip() == "Salut."
        assert calls == [("hang_up", {"reason": "x"})]
    finally:
        process.terminate()
        await process.wait()
