"""Providers that fail, hang, answer nothing or break off: the other person always hears something."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any
from unittest import mock

from parlons.calls.timeline import Kind
from parlons.conversation.actions.base import ToolSpec
from parlons.conversation.answering import Answering
from tests.conversation.calls import call
from tests.support.fakes import Call, Cut, Empty, Fail, FakeLLM, FakeSTT, FakeTTS, Hang, Slow
from tests.support.virtual_time import run

APOLOGY = "Excusez-moi, je n'ai pas pu vous répondre. Pouvez-vous répéter, s'il vous plaît ?"
PATIENCE = "Excusez-moi, encore un instant, s'il vous plaît."


def now() -> float:
    return asyncio.get_running_loop().time()


async def answer_delay(test: Any, text: str = "Bonjour") -> float:
    """Seconds from the end of the caller's speech to the first sound of the answer."""
    await test.agent_quiet()
    await test.port.caller_says(text)
    ended, heard = now(), len(test.port.spoken)
    await test.until(lambda: len(test.port.spoken) > heard or test.conversation.ended)
    return now() - ended


# -- language model ------------------------------------------------------------------------------------------------


def test_empty_answer_is_asked_again_once() -> None:
    async def scenario() -> None:
        async with call(Empty(), "Voilà.") as test:
            await answer_delay(test)
            await test.agent_quiet()
            assert test.words("agent")[-1] == "Voilà."
            assert len(test.model.asked) == 2
            assert test.events(Kind.NEVER_SILENT) == []

    run(scenario())


def test_empty_twice_is_an_apology() -> None:
    async def scenario() -> None:
        async with call(Empty(), Empty()) as test:
            await answer_delay(test)
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY
            assert test.events(Kind.NEVER_SILENT) == [{"rule": "empty_answer", "cause": "empty"}]
            assert not test.conversation.ended

    run(scenario())


def test_a_model_that_fails_is_replaced_by_the_next() -> None:
    async def scenario() -> None:
        second = FakeLLM("Je suis le second.")
        async with call(model=[FakeLLM(Fail(), "Je suis le premier."), second]) as test:
            assert await answer_delay(test) < 2.0
            await test.agent_quiet()
            assert test.words("agent")[-1] == "Je suis le second."
            assert [(e["service"], e["provider"], e["event"]) for e in test.events(Kind.PROVIDER)] == [
                ("llm", "FakeLLM#1", "failed"),
                ("llm", "FakeLLM#2", "switched"),
            ]
            await test.exchange("Encore")
            assert len(second.asked) == 2, "the one that failed rests"
            await asyncio.sleep(65)
            await test.exchange("Et maintenant ?")
            assert test.words("agent")[-1] == "Je suis le premier."
            assert test.events(Kind.PROVIDER)[-1]["event"] == "recovered"

    run(scenario())


def test_a_model_that_hangs_is_replaced_within_its_deadline() -> None:
    async def scenario() -> None:
        async with call(model=[FakeLLM(Hang()), FakeLLM("Je suis là.")]) as test:
            delay = await answer_delay(test)
            assert 5.0 < delay < 7.0
            await test.agent_quiet()
            assert test.words("agent")[-1] == "Je suis là."

    run(scenario())


def test_nothing_for_eight_seconds_is_a_word_of_patience_then_the_answer() -> None:
    async def scenario() -> None:
        async with call(model=[FakeLLM(Hang()), FakeLLM(Slow("La réponse.", first=4.5))]) as test:
            delay = await answer_delay(test)
            assert 6.9 < delay < 8.0
            await test.agent_quiet(4.0)
            assert test.words("agent")[-1] == PATIENCE + "La réponse. "
            assert {"rule": "slow_answer"} in test.events(Kind.NEVER_SILENT)

    run(scenario())


def test_every_model_failing_twice_in_a_row_ends_the_conversation_as_failed() -> None:
    async def scenario() -> None:
        async with call(model=[FakeLLM(otherwise=Fail()), FakeLLM(otherwise=Fail())]) as test:
            await answer_delay(test)
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY
            assert not test.conversation.ended
            await test.port.caller_says("Je répète")
            end = await test.conversation.wait()
            assert (end.failed, end.why, end.who) == (True, "llm_failed", "system")
            assert test.events(Kind.NEVER_SILENT)[-1]["rule"] == "unrecoverable"

    run(scenario())


def test_a_failure_that_passes_is_forgotten() -> None:
    async def scenario() -> None:
        async with call(Fail(), Fail(), "Ça va mieux.", Fail(), Fail(), "Encore mieux.") as test:
            await answer_delay(test)
            await test.agent_quiet()
            await test.exchange("Un")
            await test.exchange("Deux")
            assert test.words("agent")[1:] == [APOLOGY, "Ça va mieux.", APOLOGY]
            assert not test.conversation.ended

    run(scenario())


def test_an_answer_cut_mid_stream_asks_to_repeat() -> None:
    async def scenario() -> None:
        async with call(Cut("Votre commande numéro douze part")) as test:
            await answer_delay(test)
            await test.agent_quiet()
            assert test.words("agent")[-1] == "Votre commande numéro douze part " + APOLOGY

    run(scenario())


def test_a_slow_stream_is_spoken_as_it_comes() -> None:
    async def scenario() -> None:
        slow = Slow("Un deux trois quatre.", first=1.0, between=1.0)
        async with call(slow) as test:
            await answer_delay(test)
            await test.agent_quiet(3.0)
            assert test.words("agent")[-1] == "Un deux trois quatre. "
            assert test.events(Kind.PROVIDER) == []

    run(scenario())


def test_a_stream_slower_than_speech_does_not_wait_for_its_sentence_to_end() -> None:
    """A word every 0.7 s and one long sentence: ten seconds of silence."""

    async def scenario() -> None:
        words = "Le laboratoire ouvre à neuf heures du matin, tous les jours de la semaine, sauf le dimanche."
        async with call(Slow(words, between=0.7)) as test:
            assert await answer_delay(test) < 4.5
            await test.until(lambda: len(test.words("agent")) == 2)
            assert test.words("agent")[-1].split() == words.split()
            assert test.events(Kind.NEVER_SILENT) == []
            sound = [at for at, _ in test.port.spoken]
            began = next(i for i in range(1, len(sound)) if sound[i] - sound[i - 1] > 1.5)
            gaps = [sound[i] - sound[i - 1] for i in range(began + 1, len(sound))]
            assert max(gaps) < 2.0

    run(scenario())


def test_a_few_words_and_a_stalled_stream_are_heard_within_eight_seconds() -> None:
    async def scenario() -> None:
        async with call(model=[FakeLLM(Hang()), FakeLLM(Slow("Le laboratoire ouvre", between=4.5))]) as test:
            assert await answer_delay(test) < 8.3

    run(scenario())


def test_an_answer_that_gets_stuck_whatever_the_reason_is_dropped_after_eight_seconds() -> None:
    async def scenario() -> None:
        async def stuck(*_args: Any) -> AsyncGenerator[Any, None]:
            await asyncio.sleep(100_000)
            yield ""

        async with call("Jamais dit.", "Me revoilà.") as test:
            with mock.patch.object(Answering, "answer", stuck):
                delay = await answer_delay(test)
            assert 7.5 < delay < 8.6
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY
            assert test.events(Kind.NEVER_SILENT) == [{"rule": "slow_answer"}]
            await test.exchange("Je répète")
            assert test.words("agent")[-1] == "Jamais dit."

    run(scenario())


def test_an_answer_waits_while_the_caller_has_us_on_hold() -> None:
    async def scenario() -> None:
        async with call(model=[FakeLLM(Slow("La réponse.", first=1.0))]) as test:
            await test.agent_quiet()
            await test.port.caller_says("Un instant")
            test.port.on_hold = True
            pull, test.port.source = test.port.source, None
            await asyncio.sleep(30)
            test.port.source, test.port.on_hold = pull, False
            await test.until(lambda: len(test.words("agent")) == 2)
            assert test.words("agent")[-1] == "La réponse. "

    run(scenario())


def test_an_agent_that_talks_on_is_not_cut_short_to_be_apologised_for() -> None:
    async def scenario() -> None:
        path = {"start": "a", "steps": [{"id": "a", "type": "prompt", "prompt": "P", "interruptible": False}]}
        long = "Nous sommes ouverts tous les jours. " * 12
        async with call(long.strip(), path=path) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("Bonjour")
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.port.caller_says("", seconds=2.0)
            await test.until(lambda: len(test.words("agent")) == 2, 60)
            assert test.words("agent")[-1] == long.strip()

    run(scenario())


# -- speech --------------------------------------------------------------------------------------------------------


def test_a_voice_that_fails_is_replaced_with_the_same_words() -> None:
    async def scenario() -> None:
        second = FakeTTS()
        async with call("Oui.", voice=[FakeTTS(fails=1), second]) as test:
            await test.agent_quiet()
            assert second.said == ["Bonjour, que puis-je faire pour vous ?"]
            assert test.words("agent") == ["Bonjour, que puis-je faire pour vous ?"]

    run(scenario())


def test_a_voice_that_hangs_is_replaced_within_its_deadline() -> None:
    async def scenario() -> None:
        async with call("Oui.", voice=[FakeTTS(hangs=True), FakeTTS()]) as test:
            began = now()
            await test.until(lambda: test.port.spoken)
            assert now() - began < 4.0
            await test.agent_quiet()
            assert [e["event"] for e in test.events(Kind.PROVIDER)] == ["failed", "switched"]

    run(scenario())


def test_no_voice_at_all_fails_the_conversation() -> None:
    async def scenario() -> None:
        async with call(voice=[FakeTTS(fails=99), FakeTTS(fails=99)]) as test:
            end = await test.conversation.wait()
            assert (end.failed, end.why) == (True, "tts_failed")
            await test.conversation.close()
            assert test.words("agent") == [], "what could not be spoken was not heard"

    run(scenario())


def test_a_voice_cut_half_way_does_not_say_it_twice() -> None:
    async def scenario() -> None:
        second = FakeTTS()
        async with call("Oui.", voice=[FakeTTS(cuts=True), second]) as test:
            await test.agent_quiet()
            assert second.said == []
            await test.exchange("Allô")
            assert second.said == ["Oui."]

    run(scenario())


# -- recognition ---------------------------------------------------------------------------------------------------


def test_a_recogniser_that_fails_is_replaced_and_the_words_asked_for_again() -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        ears = [FakeSTT(words, broken=99), FakeSTT(words)]
        async with call("Entendu.", ears=ears, words=words) as test:
            delay = await answer_delay(test)
            assert delay < 3.0, "words known to be lost are asked for at once"
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY
            await test.exchange("Je répète")
            assert test.words("agent")[-1] == "Entendu."
            assert [e["event"] for e in test.events(Kind.PROVIDER)] == ["failed", "switched"]

    run(scenario())


def test_a_recogniser_that_says_nothing_is_an_apology_after_eight_seconds() -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        async with call(ears=[FakeSTT(words, hangs=True)], words=words, silence_check_seconds=30) as test:
            delay = await answer_delay(test)
            assert 7.5 < delay < 9.0
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY

    run(scenario())


def test_no_recogniser_at_all_fails_the_conversation() -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        async with call(ears=[FakeSTT(words, broken=99)], words=words) as test:
            await test.agent_quiet()
            for _ in range(6):
                if test.conversation.ended:
                    break
                await test.port.caller_says("Allô")
                await asyncio.sleep(3)
            end = await test.conversation.wait()
            assert (end.failed, end.why) == (True, "stt_failed")

    run(scenario())


def test_a_cough_is_owed_nothing() -> None:
    async def scenario() -> None:
        async with call(silence_check_seconds=30) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("", seconds=0.4)
            await asyncio.sleep(20)
            assert len(test.port.spoken) == heard

    run(scenario())


def test_a_radio_in_the_background_is_apologised_to_twice_only() -> None:
    async def scenario() -> None:
        async with call("Oui.", silence_check_seconds=60) as test:
            await test.agent_quiet()
            for _ in range(5):
                await test.port.caller_says("", seconds=1.5)
                await asyncio.sleep(15)
            assert test.words("agent")[1:] == [APOLOGY, APOLOGY]
            await test.exchange("Allô")
            assert test.words("agent")[-1] == "Oui."

    run(scenario())


def test_an_opening_by_a_model_that_hangs_is_apologised_for() -> None:
    async def scenario() -> None:
        async with call(Hang(), Hang(), greeting=None) as test:
            await test.until(lambda: test.port.spoken, 9)

    run(scenario())


# -- tools ---------------------------------------------------------------------------------------------------------


def test_fillers_while_a_tool_runs_at_six_seconds_then_every_eight() -> None:
    async def scenario() -> None:
        async def slow(_arguments: Any, _ctx: Any) -> str:
            await asyncio.sleep(25)
            return "trouvé"

        spec = ToolSpec(
            name="chercher", description="Cherche.", parameters={"type": "object", "properties": {}}, body=slow
        )
        async with call(Call("chercher"), "C'est trouvé.", tools=[spec], silence_check_seconds=3) as test:
            await test.agent_quiet()
            await test.port.caller_says("Cherchez")
            began = now()
            await test.until(lambda: test.words("agent")[-1] == "C'est trouvé.", 60)
            said = [e for e in test.timeline.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"][1:]
            texts = [e.payload["text"] for e in said]
            assert texts == [
                "Un instant, s'il vous plaît.",
                "Je suis toujours avec vous, cela prend un petit moment.",
                "Un instant, s'il vous plaît.",
                "C'est trouvé.",
            ]
            assert test.events(Kind.SILENCE_CHECK) == []
            gaps = [t for i, (t, _) in enumerate(test.port.spoken) if i and t - test.port.spoken[i - 1][0] > 1.0]
            starts = [t - began for t in gaps]
            assert 6.0 <= starts[0] <= 8.0
            assert 7.9 <= starts[1] - starts[0] <= 8.2

    run(scenario())
