"""With the real detector and real speech: what fakes cannot show. Also the real log, and a 16 kHz port."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import deque

import numpy as np
import pytest
import structlog
from livekit.agents import MetricsCollectedEvent

from parlons.calls.timeline import Kind
from parlons.conversation.embedded.voice import synthesise
from parlons.conversation.vad import new_detector
from tests.conversation.calls import call
from tests.support.fakes import FakeTTS
from tests.support.virtual_time import run

LONG = "Un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize."


async def speech(text: str, rate: int = 8000) -> bytes:
    return await synthesise(text, "fr-FR", sample_rate=rate)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_real_speech_is_a_turn(rate: int) -> None:
    async def scenario() -> None:
        said = await speech("Bonjour, je voudrais prendre rendez-vous.", rate)
        async with call("Bien sûr.", detector=new_detector(600), rate=rate) as test:
            await test.agent_quiet()
            await test.port.caller_plays("Je voudrais prendre rendez-vous", said)
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard)
            await test.agent_quiet()
            assert test.words("agent")[-1] == "Bien sûr."
            assert len(test.model.asked) == 1

    run(scenario())


def test_real_speech_interrupts_and_noise_does_not() -> None:
    async def scenario() -> None:
        said = await speech("Attendez, excusez-moi, j'ai une question à vous poser.")
        noise = (np.random.default_rng(1).normal(0, 3000, 8000 * 2)).astype("<i2").tobytes()
        async with call("Oui ?", greeting=LONG, detector=new_detector(600)) as test:
            await test.until(lambda: len(test.port.spoken) > 20)
            await test.port.caller_plays("", noise)
            assert asyncio.get_running_loop().time() - test.port.last_sound() < 0.1, "noise is not speech"
            await test.port.caller_plays("J'ai une question", said)
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard)
            await test.agent_quiet()
            assert test.events(Kind.TRANSCRIPT)[0]["interrupted"] is True
            assert test.words("agent")[-1] == "Oui ?"

    run(scenario())


def test_a_long_call_keeps_no_diary_of_its_metrics() -> None:
    async def scenario() -> None:
        async with call(detector=new_detector(600), silence_check_seconds=60):
            await asyncio.sleep(5)
            before = _events_alive()
            await asyncio.sleep(30)
            assert _events_alive() - before < 10

    def _events_alive() -> int:
        gc.collect()
        return sum(isinstance(o, MetricsCollectedEvent) for o in gc.get_objects())

    run(scenario())


def test_detectors_share_their_threads() -> None:
    async def scenario() -> None:
        async def one() -> None:
            async with call(detector=new_detector(600), alone=False) as test:
                await test.until(lambda: len(test.port.spoken) > 5)

        await one()
        before = threading.active_count()
        for _ in range(4):
            await asyncio.gather(*(one() for _ in range(5)))
        assert threading.active_count() <= before + 1

    run(scenario())


def test_a_voice_at_another_rate_is_resampled() -> None:
    async def scenario() -> None:
        async with call("Oui.", voice=[FakeTTS(rate=24000)]) as test:
            await test.agent_quiet()
            sound = len(test.port.spoken) * 0.02
            assert sound == pytest.approx(len("Bonjour, que puis-je faire pour vous ?") * 0.05, abs=0.1)

    run(scenario())


@pytest.mark.parametrize("wanted", [False, True])
def test_words_are_logged_only_when_asked(wanted: bool) -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        async with call("Secret de l'agent.", words=words, log_words=wanted) as test:
            await test.agent_quiet()
            await test.exchange("Secret du client")

    with structlog.testing.capture_logs() as logged:
        run(scenario())
    assert ("Secret" in str(logged)) is wanted


def test_the_words_of_a_sensitive_step_are_never_logged() -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        step = {"id": "code", "type": "prompt", "prompt": "Demande le code.", "sensitive": True}
        path = {"start": "code", "steps": [step]}
        async with call("Secret de l'agent.", words=words, log_words=True, path=path) as test:
            await test.agent_quiet()
            await test.exchange("Secret du client")
            assert test.model.last_user_words() == "Secret du client"

    with structlog.testing.capture_logs() as logged:
        run(scenario())
    assert "Secret" not in str(logged)
