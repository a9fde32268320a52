"""Turns on a telephone: barge-in, coughs, what was heard, end of speech, keys, limits, and what the timeline says."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from livekit.agents import AgentSession

from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.prompt import OPENING
from parlons.conversation.session import Conversation
from tests.conversation.calls import GREETING, agent, call, context
from tests.support.fakes import Call, FakeLLM, FakeProviders, FakeTTS, Hang
from tests.support.virtual_time import run

LONG = "Un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit."


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_caller_talks_over_the_greeting() -> None:
    async def scenario() -> None:
        async with call("Je vous écoute.", greeting=LONG) as test:
            await test.until(lambda: len(test.port.spoken) > 50)
            await test.exchange("Bonjour, j'ai une question")
            greeting = test.events(Kind.TRANSCRIPT)[0]
            assert greeting["interrupted"] is True
            assert LONG.startswith(greeting["text"])
            assert 10 <= len(greeting["text"]) <= 50
            assert test.words("caller") == ["Bonjour, j'ai une question"]
            assert test.words("agent")[-1] == "Je vous écoute."
            shown = [m.text_content for m in test.model.asked[-1].messages() if m.role == "assistant"]
            assert shown == [greeting["text"]], "history holds what was heard, not what was made"

    run(scenario())


def test_words_in_the_first_seconds_are_not_lost() -> None:
    async def scenario() -> None:
        async with call("Oui.") as test:
            await test.exchange("Allô ?")
            assert test.words("caller") == ["Allô ?"]

    run(scenario())


def test_barge_in_stops_the_agent_within_a_second_of_speech() -> None:
    async def scenario() -> None:
        async with call(LONG, "Oui ?") as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("Racontez")
            await test.until(lambda: len(test.port.spoken) > heard + 20)
            began = now()
            await test.port.caller_says("Stop", 1.2)
            assert test.port.last_sound() - began < 0.8

    run(scenario())


def test_a_cough_pauses_and_then_the_sentence_goes_on_to_its_end() -> None:
    async def scenario() -> None:
        async with call(LONG) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("Racontez")
            await test.until(lambda: len(test.port.spoken) > heard + 50)
            await test.port.caller_says("", seconds=0.7)
            await test.agent_quiet(3.0)
            sound = (len(test.port.spoken) - heard) * 0.02
            assert sound == pytest.approx(len(LONG) * 0.05, abs=0.05)
            assert test.words("agent")[-1] == LONG
            assert all("interrupted" not in e for e in test.events(Kind.TRANSCRIPT))

    run(scenario())


def test_a_short_noise_does_not_even_pause() -> None:
    async def scenario() -> None:
        async with call(greeting=LONG) as test:
            await test.until(lambda: len(test.port.spoken) > 50)
            await test.port.caller_says("", seconds=0.3)
            await test.agent_quiet()
            times = [time for time, _ in test.port.spoken]
            assert max(b - a for a, b in itertools.pairwise(times)) < 0.03

    run(scenario())


def test_an_announcement_cannot_be_interrupted_and_comes_first() -> None:
    async def scenario() -> None:
        announcement = "Cet appel peut être enregistré à des fins de qualité."
        async with call("Oui.", announcement=announcement) as test:
            await test.until(lambda: len(test.port.spoken) > 20)
            await test.port.caller_says("Bonjour", 1.0)
            await test.agent_quiet(3.0)
            assert test.words("agent")[:2] == [announcement, GREETING]
            assert all("interrupted" not in e for e in test.events(Kind.TRANSCRIPT)[:1])

    run(scenario())


def test_a_step_that_is_not_interruptible() -> None:
    async def scenario() -> None:
        path = {"start": "a", "steps": [{"id": "a", "type": "prompt", "prompt": "Parle.", "interruptible": False}]}
        async with call("Oui.", greeting=LONG, path=path) as test:
            await test.until(lambda: len(test.port.spoken) > 50)
            await test.port.caller_says("Stop", 1.5)
            await test.agent_quiet()
            assert test.words("agent") == [LONG]
            await test.exchange("Et maintenant ?")
            assert test.words("agent")[-1] == "Oui."

    run(scenario())


@pytest.mark.parametrize("milliseconds", [300, 600, 1500])
def test_end_of_speech_is_the_steps_own(milliseconds: int) -> None:
    async def scenario() -> None:
        step = {"id": "a", "type": "prompt", "prompt": "Parle.", "end_of_speech_ms": milliseconds}
        async with call("Oui.", path={"start": "a", "steps": [step]}) as test:
            await test.agent_quiet()
            await test.port.caller_says("Bonjour")
            ended, heard = now(), len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard)
            assert now() - ended == pytest.approx(milliseconds / 1000, abs=0.15)

    run(scenario())


def test_a_pause_shorter_than_end_of_speech_is_one_turn() -> None:
    async def scenario() -> None:
        step = {"id": "a", "type": "prompt", "prompt": "Parle.", "end_of_speech_ms": 1500}
        async with call("Oui.", path={"start": "a", "steps": [step]}) as test:
            await test.agent_quiet()
            await test.port.caller_says("Mon numéro est le")
            await asyncio.sleep(0.8)
            await test.exchange("douze")
            assert test.words("caller") == ["Mon numéro est le douze"]
            assert len(test.model.asked) == 1

    run(scenario())


def test_no_greeting_lets_the_model_open() -> None:
    async def scenario() -> None:
        async with call("Bonjour, ici Acme.", greeting=None) as test:
            await test.agent_quiet()
            assert test.words("agent") == ["Bonjour, ici Acme."]
            system = [m.text_content for m in test.model.asked[0].messages() if m.role == "system"]
            assert system[-1] == OPENING
            assert "fr-FR" in (system[0] or "")

    run(scenario())


def test_an_empty_greeting_waits_for_the_caller() -> None:
    async def scenario() -> None:
        async with call("Oui, bonjour.", greeting="", silence_check_seconds=30) as test:
            await asyncio.sleep(5)
            assert test.port.spoken == []
            await test.exchange("Allô ?")
            assert test.words("agent") == ["Oui, bonjour."]

    run(scenario())


def test_undefined_variables_render_empty_and_are_noted_once() -> None:
    async def scenario() -> None:
        async with call(greeting="Bonjour {{ prenom }}.", prompt="Tu parles à {{ prenom }} de {{ ville }}.") as test:
            await test.agent_quiet()
            assert test.words("agent") == ["Bonjour ."]
            assert test.events(Kind.VARIABLE_UNDEFINED) == [
                {"name": "prenom", "field": "greeting"},
                {"name": "ville", "field": "prompt"},
            ]

    run(scenario())


def test_a_template_that_cannot_be_rendered_is_never_spoken_raw() -> None:
    async def scenario() -> None:
        async with call("Oui.", greeting="Bonjour {{ 1 | divided_by: 0 }}", silence_check_seconds=30) as test:
            await test.agent_quiet()
            assert test.words("agent") == ["Oui."], "the model opens in its place: nobody is met with silence"

    run(scenario())


def test_pronunciations_are_for_the_voice_only() -> None:
    async def scenario() -> None:
        voice = FakeTTS()
        async with call("Le colis pèse 2 kg.", voice=[voice], pronunciations={"kg": "kilogrammes"}) as test:
            await test.agent_quiet()
            await test.exchange("Combien ?")
            assert voice.said[-1] == "Le colis pèse 2 kilogrammes."
            assert test.words("agent")[-1] == "Le colis pèse 2 kg."

    run(scenario())


def test_keys_are_a_turn_two_seconds_after_the_last() -> None:
    async def scenario() -> None:
        async with call("C'est noté.") as test:
            await test.agent_quiet()
            for digit in "12":
                test.conversation.heard_digits(digit, "rfc4733")
                await asyncio.sleep(1.5)
            assert test.model.asked == []
            await test.until(lambda: test.model.asked, 2)
            assert test.model.last_user_words() == "[keypad: 12]"
            await test.agent_quiet()
            assert test.events(Kind.DTMF) == [{"digits": d, "method": "rfc4733"} for d in "12"]
            assert test.words("caller") == []
            assert test.words("agent")[-1] == "C'est noté."

    run(scenario())


def test_the_hash_key_ends_the_turn_at_once_and_interrupts() -> None:
    async def scenario() -> None:
        async with call("C'est noté.", greeting=LONG) as test:
            await test.until(lambda: len(test.port.spoken) > 50)
            for digit in "1234#":
                test.conversation.heard_digits(digit)
            await test.until(lambda: test.model.asked, 0.5)
            assert test.model.last_user_words() == "[keypad: 1234#]"
            await test.agent_quiet()
            assert test.events(Kind.TRANSCRIPT)[0]["interrupted"] is True

    run(scenario())


def test_a_sensitive_step_stores_neither_digits_nor_words() -> None:
    async def scenario() -> None:
        path = {"start": "a", "steps": [{"id": "a", "type": "prompt", "prompt": "Carte.", "sensitive": True}]}
        async with call(Call("hang_up", {"reason": "4970"}, text="Merci."), path=path) as test:
            await test.agent_quiet()
            test.conversation.heard_digits("4")
            await test.conversation.wait()
            assert test.events(Kind.TRANSCRIPT) == []
            assert test.events(Kind.DTMF) == [{"digits": "", "method": ""}]
            assert test.events(Kind.ACTION_STARTED)[0]["arguments"] == {}

    run(scenario(), limit=300)


def test_max_call_seconds_says_a_closing_sentence_then_ends() -> None:
    async def scenario() -> None:
        async with call(LONG, max_call_seconds=10) as test:
            await test.agent_quiet()
            began = 1000.0
            await asyncio.sleep(5)
            await test.port.caller_says("Racontez")
            end = await test.conversation.wait()
            assert (end.who, end.why, end.failed) == ("system", "max_call_seconds", False)
            closing = test.events(Kind.TRANSCRIPT)[-1]
            assert closing["text"].startswith("Nous arrivons à la fin")
            assert "interrupted" not in closing
            assert now() - began == pytest.approx(10 + len(closing["text"]) * 0.05 + 0.2, abs=0.3)
            assert 0.15 < now() - test.port.last_sound() < 0.4

    run(scenario())


def test_max_call_seconds_while_the_model_hangs() -> None:
    async def scenario() -> None:
        async with call(Hang(), Hang(), max_call_seconds=10) as test:
            await asyncio.sleep(7)
            await test.port.caller_says("Allô")
            end = await test.conversation.wait()
            assert end.why == "max_call_seconds"
            assert test.words("agent")[-1].startswith("Nous arrivons")

    run(scenario())


def test_latency_of_a_turn() -> None:
    async def scenario() -> None:
        async with call("Oui.") as test:
            await test.agent_quiet()
            await test.exchange("Allô")
            (latency,) = test.events(Kind.LATENCY)
            assert latency["end_of_turn_ms"] == pytest.approx(600, abs=60)
            assert latency["total_ms"] >= latency["end_of_turn_ms"]
            assert latency["llm_first_token_ms"] is not None
            assert latency["tts_first_audio_ms"] is not None

    run(scenario())


def test_a_session_that_closes_by_itself_is_a_failure() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.agent_quiet()
            session = test.conversation._session
            assert isinstance(session, AgentSession)
            await session.aclose()
            end = await test.conversation.wait()
            assert (end.failed, end.why) == (True, "session_failed")

    run(scenario())


def test_options_are_for_a_telephone() -> None:
    """The runtime's defaults are for browsers; each of these was measured to matter."""

    async def scenario() -> None:
        async with call() as test:
            session = test.conversation._session
            assert session is not None
            options = session.options
            assert options.turn_handling["turn_detection"] == "vad"
            assert options.aec_warmup_duration is None
            assert options.session_close_transcript_timeout == 0
            assert options.max_tool_steps == 8
            assert options.preemptive_generation["enabled"] is False
            assert options.interruption["resume_false_interruption"] is True
            output = session.output.audio
            assert output is not None
            assert output.can_pause

    run(scenario())


# -- text ----------------------------------------------------------------------------------------------------------


def test_text_conversation() -> None:
    async def scenario() -> None:
        model = FakeLLM("Nous ouvrons à neuf heures.", Call("hang_up", text="Au revoir."))
        conversation = Conversation(
            agent=agent(),
            agent_id="essai",
            context=context(),
            providers=FakeProviders(stt=[], llm=[model], tts=[]),
            timeline=Timeline(),
            audio=None,
        )
        await conversation.start()
        assert await conversation.replies() == [GREETING]
        assert await conversation.type("Vos horaires ?") == ["Nous ouvrons à neuf heures."]
        assert await conversation.type("Merci, au revoir") == ["Au revoir."]
        assert (await conversation.wait()).why == "hang_up"
        assert await conversation.type("Encore ?") == []
        await conversation.close()

    run(scenario())
