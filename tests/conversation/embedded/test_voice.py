"""The built-in voice: real espeak-ng, real plug-in."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from parlons.conversation.embedded import espeak
from parlons.conversation.embedded.resample import LOUDNESS_DBFS, from_pcm, level, resample
from parlons.conversation.embedded.voice import EmbeddedVoice, resolve, synthesise
from parlons.errors import ProviderUnusable
from tests.support import virtual_time

GREETING = "Bonjour, bienvenue. Comment puis-je vous aider ?"


def active_dbfs(pcm: bytes, rate: int) -> float:
    samples = from_pcm(pcm)
    power = (samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() * 1e-3].mean()))


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize(("language", "text"), [("fr-FR", GREETING), ("en-GB", "Good morning, how can I help you?")])
async def test_speech_has_the_asked_rate_and_a_pleasant_level(language: str, text: str, rate: int) -> None:
    voice = EmbeddedVoice(language, sample_rate=rate)
    frame = await voice.synthesize(text).collect()
    assert frame.sample_rate == rate
    assert 1.5 < frame.duration < 5
    pcm = bytes(frame.data)
    assert abs(active_dbfs(pcm, rate) - LOUDNESS_DBFS) < 1.5
    assert np.abs(from_pcm(pcm)).max() < 0.99


async def test_speed_changes_the_length() -> None:
    slow = await synthesise(GREETING, "fr-FR", speed=0.7)
    fast = await synthesise(GREETING, "fr-FR", speed=1.5)
    assert len(slow) > 1.5 * len(fast)


async def test_languages_sound_different() -> None:
    assert await synthesise("Paris", "fr-FR") != await synthesise("Paris", "en-GB")


async def test_simultaneous_calls_get_their_own_words() -> None:
    """espeak-ng is one set of globals: two calls speaking at once must not mix."""
    texts = [f"Phrase numéro {i}, {'encore ' * i}voilà." for i in range(12)]
    alone = [await synthesise(t, "fr-FR", speed=1 + i / 20) for i, t in enumerate(texts)]
    together = await asyncio.gather(*(synthesise(t, "fr-FR", speed=1 + i / 20) for i, t in enumerate(texts)))
    for one, among_others in zip(alone, together, strict=True):  # its noise and jitter run on: not equal to the bit
        assert len(among_others) == pytest.approx(len(one), rel=0.03)


async def test_the_loop_is_never_held() -> None:
    """The longest the loop was away while a long text is spoken."""
    voice = EmbeddedVoice("fr-FR")
    worst, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await voice.synthesize(GREETING * 40).collect()
    done.set()
    await watcher
    assert worst < 0.15


async def test_an_interrupted_speech_frees_the_voice() -> None:
    stream = EmbeddedVoice("fr-FR").synthesize("Ceci est une très longue phrase qui ne finit pas, " * 200)
    await stream.__anext__()
    await stream.aclose()
    started = time.perf_counter()
    assert await synthesise("Bonjour.", "fr-FR")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["…", "🙂", "-", "\x00"])
async def test_what_cannot_be_spoken_is_not_a_failure(text: str) -> None:
    frame = await EmbeddedVoice("fr-FR").synthesize(text).collect()
    assert frame.duration > 0


def test_on_virtual_time() -> None:
    pcm = virtual_time.run(synthesise(GREETING, "fr-FR"))
    assert len(pcm) > 16000


@pytest.mark.parametrize(
    ("language", "voice"),
    [("fr-FR", "roa/fr"), ("fr-CA", "roa/fr"), ("en-GB", "gmw/en"), ("en-US", "gmw/en-US"), ("zh-CN", "sit/cmn")],
)
def test_the_nearest_voice(language: str, voice: str) -> None:
    assert resolve(language) == voice


def test_unknown_language_and_voice_say_what_to_do() -> None:
    with pytest.raises(ProviderUnusable, match="does not speak tlh"):
        resolve("tlh")
    with pytest.raises(ProviderUnusable, match=r"fr\+f2"):
        resolve("fr-FR", "marcel")
    assert resolve("fr-FR", "fr+f2") == "fr+f2"


@pytest.mark.parametrize("wanted", [8000, 16000])
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_resampling_keeps_tones(hertz: int, wanted: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(22050) / 22050).astype(np.float32)
    out = resample(tone, 22050, wanted)
    assert len(out) == wanted
    spectrum = np.abs(np.fft.rfft(out[500:-500] * np.kaiser(len(out) - 1000, 14)))
    peak = int(np.argmax(spectrum))
    assert abs(peak * wanted / (len(out) - 1000) - hertz) < 2
    spectrum[max(0, peak - 12) : peak + 13] = 0
    assert spectrum.max() < 0.001 * len(out) / 8  # nothing else within 60 dB
    assert np.sqrt((out[500:-500] ** 2).mean() * 2) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("hertz", [4300, 6000, 9000])
def test_resampling_folds_nothing_back(hertz: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(22050) / 22050).astype(np.float32)
    assert np.abs(resample(tone, 22050, 8000)[200:-200]).max() < 0.002


def test_silence_is_not_blown_up() -> None:
    assert not level(np.zeros(8000, np.float32), 8000).any()
    assert len(level(np.zeros(10, np.float32), 8000)) == 10


def test_phonemes_cover_every_clause() -> None:
    ipa = espeak.phonemes("bonjour, au revoir", "roa/fr")
    assert len(ipa.split("  ")) == 3
