"""The built-in recogniser: how well it hears (a small run of ``accuracy``), and that it never holds the loop."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import time
from collections.abc import Iterator

import pytest
from livekit import rtc
from livekit.agents import APIConnectionError

from parlons.conversation.embedded import decoder, espeak, recogniser
from parlons.conversation.embedded.phonemes import to_phones
from parlons.conversation.embedded.recogniser import EmbeddedRecogniser, vocabulary
from parlons.conversation.embedded.resample import to_pcm
from parlons.errors import ProviderUnusable

from .accuracy import ENGLISH, FRENCH, RATE, Language, measure, not_speech, telephone

PROMPT = "Sois brève.\n- horaires, ouverture : Neuf heures.\n- adresse : Rue des Lilas.\n- horaires : Encore.\n"


@pytest.fixture(scope="module", autouse=True)
def _no_worker_left() -> Iterator[None]:
    yield
    recogniser.close_workers()


def audio(text: str, voice: str = "roa/fr") -> rtc.AudioFrame:
    pcm = to_pcm(telephone(text, voice))
    return rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2)


async def hear(stt: EmbeddedRecogniser, frame: rtc.AudioFrame) -> str:
    return (await stt.recognize(frame)).alternatives[0].text


@pytest.mark.parametrize(("language", "phrases", "sentences"), [(FRENCH, 0.65, 0.55), (ENGLISH, 0.8, 0.7)])
def test_heard_over_a_telephone(language: Language, phrases: float, sentences: float) -> None:
    """One voice of those not learned from; the full figures come from ``accuracy``."""
    score = measure(dataclasses.replace(language, voices=language.voices[:1]), speeds=(1.0,))
    assert score.share("phrase") >= phrases, score.wrong
    assert score.share("sentence") >= sentences, score.wrong
    assert score.share("outside") >= 0.5, score.wrong
    assert score.share("no speech") >= 0.7, score.wrong


async def test_the_agents_own_words_through_the_worker() -> None:
    stt = EmbeddedRecogniser("fr-FR", vocabulary([PROMPT]))
    await stt.prepare()
    assert "horaires" in await hear(stt, audio("horaires"))
    assert "au revoir" in await hear(stt, audio("au revoir"))


async def test_noise_is_no_text() -> None:
    stt = EmbeddedRecogniser("fr-FR", vocabulary([PROMPT]))
    pcm = to_pcm(not_speech(1))
    assert await hear(stt, rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2)) == ""
    silence = rtc.AudioFrame(bytes(RATE * 2), RATE, 1, RATE)
    assert await hear(stt, silence) == ""
    blink = rtc.AudioFrame(bytes(160), RATE, 1, 80)
    assert await hear(stt, blink) == ""


async def test_the_loop_is_never_held() -> None:
    stt = EmbeddedRecogniser("fr-FR", vocabulary([PROMPT]))
    await stt.prepare()
    frames = [audio("quels sont vos horaires") for _ in range(4)]
    worst, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(stt.recognize(f) for f in frames))
    done.set()
    await watcher
    assert worst < 0.1


async def _keep_asking(stt: EmbeddedRecogniser) -> None:
    for _ in range(100):  # the pool notices a moment later
        await stt.prepare()
        await asyncio.sleep(0.01)


async def test_a_worker_that_dies_is_replaced() -> None:
    stt = EmbeddedRecogniser("fr-FR", vocabulary([PROMPT]))
    await stt.prepare()
    pool = recogniser._pool()
    (worker,) = pool._processes
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(APIConnectionError):
        await _keep_asking(stt)
    await stt.prepare()
    assert "adresse" in await hear(stt, audio("adresse"))


def test_vocabulary_is_the_keywords_once() -> None:
    assert vocabulary([PROMPT, "- tarif : Dix euros."]) == ("horaires", "ouverture", "adresse", "tarif")


def test_languages_it_cannot_serve() -> None:
    with pytest.raises(ProviderUnusable, match="does not understand"):
        EmbeddedRecogniser("tlh", ("qapla",))
    with pytest.raises(ProviderUnusable, match="knows no words"):
        EmbeddedRecogniser("de-DE")
    assert EmbeddedRecogniser("de-DE", ("Öffnungszeiten",)).terms


def test_built_in_pronunciations_are_up_to_date() -> None:
    """A phrase that is missing costs the first call that needs it 200 ms: run the module ``learn``."""
    for language in ("fr-FR", "en-GB", "en-US"):
        learned = decoder._learned()[str(espeak.voice_for(language))]
        for group in decoder.built_in(language):
            assert set(group) <= set(learned)


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("b ɔ̃ ʒ ˈu ʁ", "B OW N ZH UW R"),
        ("ˈəʊ p ə n ɪ ŋ", "OW P AH N IH NG"),
        ("t ʃ", "T SH"),
        ("tʃ ɛ ɹ", "CH EH R"),
        ("??", ""),
        ("", ""),
    ],
)
def test_ipa_as_phones(ipa: str, phones: str) -> None:
    assert to_phones(ipa) == tuple(phones.split())
