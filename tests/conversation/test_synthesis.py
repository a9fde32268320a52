"""A text made into audio outside of a turn: whatever the providers do, there is audio in time or one error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.pronunciation import Pronunciations
from parlons.conversation.synthesis import ATTEMPT_SECONDS, MAX_AUDIO_SECONDS, synthesise
from parlons.errors import ProviderError
from tests.conversation.calls import nothing_left
from tests.support.fakes import SECONDS_PER_CHARACTER, FakeTTS
from tests.support.virtual_time import run


def make(*providers: FakeTTS, text: str = "Un appel.", rate: int = 8000, **options: Any) -> tuple[bytes, list[str]]:
    async def main() -> tuple[bytes, list[str]]:
        before = asyncio.all_tasks()
        timeline = Timeline()
        pcm = await synthesise(text, rate, providers=list(providers), timeline=timeline, **options)
        await nothing_left(before)
        return pcm, [e.payload["event"] for e in timeline.events if e.kind is Kind.PROVIDER]

    return run(main())


def test_the_first_provider_says_it() -> None:
    first, second = FakeTTS(), FakeTTS()
    pcm, events = make(first, second)
    assert len(pcm) == pytest.approx(9 * SECONDS_PER_CHARACTER * 16000, abs=800)
    assert (first.said, second.said, events) == (["Un appel."], [], [])


@pytest.mark.parametrize("trouble", [{"fails": 1}, {"hangs": True}, {"cuts": True}])
def test_the_next_provider_says_it_whole_when_one_fails(trouble: dict[str, Any]) -> None:
    pcm, events = make(FakeTTS(**trouble), FakeTTS())
    assert len(pcm) == pytest.approx(9 * SECONDS_PER_CHARACTER * 16000, abs=800)
    assert events == ["failed", "switched"]


def test_it_is_given_at_the_rate_that_was_asked_for() -> None:
    pcm, _ = make(FakeTTS(rate=24000), rate=8000)
    assert len(pcm) == pytest.approx(9 * SECONDS_PER_CHARACTER * 16000, abs=800)


def test_when_nobody_can_there_is_one_error_in_time() -> None:
    async def main() -> float:
        started = asyncio.get_running_loop().time()
        with pytest.raises(ProviderError, match="No speech provider"):
            await synthesise("Un appel.", 8000, providers=[FakeTTS(hangs=True), FakeTTS(fails=1)], timeline=Timeline())
        return asyncio.get_running_loop().time() - started

    assert run(main()) == pytest.approx(ATTEMPT_SECONDS, abs=0.5)


def test_nothing_to_say_asks_nobody() -> None:
    provider = FakeTTS()
    with pytest.raises(ProviderError, match="nothing to say"):
        make(provider, text=" … ")
    assert provider.said == []


def test_a_text_without_end_is_cut() -> None:
    pcm, _ = make(FakeTTS(), text="mot " * 500)
    assert len(pcm) / 16000 == pytest.approx(MAX_AUDIO_SECONDS, abs=1.0)


def test_words_are_pronounced_as_the_agent_wants() -> None:
    provider = FakeTTS()
    make(provider, text="5 kg", pronunciations=Pronunciations({"kg": "kilos"}, "fr-FR"))
    assert provider.said == ["5 kilos"]
