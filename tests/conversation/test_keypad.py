"""keypad: keys a model asks for, checked, pressed in one go, and what is told of them (specification, section 4.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit.agents import llm

from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.session import Conversation
from tests.conversation.calls import GREETING, TestCall, agent, call, context
from tests.conversation.test_path import path, prompt, transition
from tests.support.fakes import Call, FakeLLM, FakeProviders
from tests.support.virtual_time import run

ACTION: dict[str, Any] = {"type": "keypad", "name": "Interaction clavier"}
TOOL = "interaction_clavier"


def press(keys: Any, text: str = "", times: int = 1) -> Call:
    return Call(TOOL, {"keys": keys}, text=text, times=times)


def keys(test: TestCall) -> str:
    return "".join(key for _, key in test.port.pressed)


def told(chat: llm.ChatContext) -> list[str]:
    return [item.output for item in chat.items if item.type == "function_call_output"]


async def menu(test: TestCall, words: str = "Pour les ventes, tapez 1.") -> None:
    await test.agent_quiet()
    await test.port.caller_says(words)


def test_keys_are_pressed_and_nothing_is_said() -> None:
    async def scenario() -> None:
        async with call(press("1w2#"), "Bonjour Madame.", actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent"])
            assert keys(test) == "12#"
            await asyncio.sleep(3)
            assert test.words("agent") == [GREETING]
            assert len(test.model.asked) == 1
            assert test.events(Kind.ACTION_STARTED) == [
                {"action": "Interaction clavier", "type": "keypad", "arguments": {"keys": "1w2#"}}
            ]
            assert test.events(Kind.DTMF) == [{"digits": "12#", "method": "rfc4733"}]
            finished = test.events(Kind.ACTION_FINISHED)[0]
            assert finished["digits"] == "12#"
            assert finished["duration_ms"] == pytest.approx(1100, abs=50)
            await test.port.caller_says("Service des ventes, bonjour.")
            await test.until(lambda: test.words("agent")[-1] == "Bonjour Madame.")
            assert "Pressed" in told(test.model.asked[-1])[0], "the model does not know that its keys were pressed"

    run(scenario())


@pytest.mark.parametrize("wrong", ["", "12A", "+33", "un", "1" * 33, "1 2", None, True, ["1"], {"keys": "1"}, "１"])
def test_what_is_no_key_is_told_to_the_model_and_nothing_is_pressed(wrong: Any) -> None:
    async def scenario() -> None:
        async with call(press(wrong), "Je recommence.", actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: test.words("agent")[-1] == "Je recommence.")
            assert keys(test) == ""
            assert test.outcomes() == ["refused"]
            assert "0-9, * and #" in told(test.model.asked[-1])[0]
            assert test.events(Kind.DTMF) == []

    run(scenario())


@pytest.mark.parametrize(("given", "pressed"), [(1, "1"), (" 42# ", "42#"), ("9" * 32, "9" * 32)])
def test_what_is_near_enough_is_taken(given: Any, pressed: str) -> None:
    async def scenario() -> None:
        async with call(press(given), actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent"])
            assert keys(test) == pressed

    run(scenario())


def test_the_sentence_is_said_to_its_end_before_the_first_key() -> None:
    async def scenario() -> None:
        sentence = "Un instant, je compose le numéro du service."
        async with call(press("12", text=sentence), actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent"])
            assert test.words("agent")[-1] == sentence
            assert test.port.pressed[0][0] >= test.port.last_sound()

    run(scenario())


def test_talked_over_sentence_presses_nothing() -> None:
    async def scenario() -> None:
        sentence = "Un instant, je compose le numéro du service des ventes pour vous."
        async with call(press("12", text=sentence), "Oui ?", actions=[ACTION]) as test:
            await menu(test)
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.port.caller_says("Non, attendez, pas les ventes !", 1.5)
            await test.until(lambda: test.words("agent")[-1] == "Oui ?")
            assert keys(test) == ""
            assert test.outcomes() == ["interrupted"]
            assert test.events(Kind.ACTION_FINISHED)[0]["digits"] == ""

    run(scenario())


def test_a_menu_that_goes_on_talking_does_not_stop_the_keys() -> None:
    async def scenario() -> None:
        async with call(press("1W2W3W4#"), "Entendu.", actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: bool(test.port.pressed))
            await test.port.caller_says("Pour les achats, tapez 2.", 1.5)
            await test.until(lambda: test.outcomes() == ["sent"])
            assert keys(test) == "1234#"
            await test.until(lambda: "Entendu." in test.words("agent"))
            chat = test.model.asked[-1]
            assert "achats" in str([item.text_content for item in chat.items if item.type == "message"])
            await test.exchange("C'est noté.")
            assert "Pressed" in str(told(test.model.asked[-1])), "the model does not know that its keys were pressed"

    run(scenario())


def test_two_sequences_asked_for_at_once_do_not_interleave() -> None:
    async def scenario() -> None:
        async with call(press("123", times=2), actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent", "sent"])
            assert keys(test) == "123123"

    run(scenario())


def test_cut_short_by_the_end_of_the_call_it_says_what_was_sent() -> None:
    async def scenario() -> None:
        async with call(press("123456"), actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: len(test.port.pressed) == 3)
            await test.conversation.close()
            assert test.outcomes() == ["interrupted"]
            assert test.events(Kind.ACTION_FINISHED)[0]["digits"] == "123"
            assert test.events(Kind.DTMF)[-1]["digits"] == "123"

    run(scenario())


def test_a_leg_that_ends_meanwhile_is_left() -> None:
    async def scenario() -> None:
        async with call(press("123456"), "Tant pis.", actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: len(test.port.pressed) == 2)
            test.port.leg_closed = True
            await test.until(lambda: test.outcomes() == ["left"])
            assert test.events(Kind.ACTION_FINISHED)[0]["digits"] == "12"

    run(scenario())


def test_keys_that_cannot_leave_are_given_up() -> None:
    async def scenario() -> None:
        async with call(press("12"), "On nous fait attendre.", actions=[ACTION]) as test:
            await menu(test)
            test.port.on_hold = True
            await test.until(lambda: test.outcomes() == ["timeout"])
            test.port.on_hold = False
            await test.until(lambda: test.words("agent")[-1] == "On nous fait attendre.")
            assert "none" in told(test.model.asked[-1])[0]
            assert keys(test) == ""

    run(scenario())


def test_nothing_is_shown_in_a_sensitive_step() -> None:
    async def scenario() -> None:
        card = prompt("carte", sensitive=True, actions=[ACTION["name"]])
        async with call(press("4242#"), actions=[ACTION], path=path(card)) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent"])
            assert keys(test) == "4242#"
            assert "4242" not in str([event.payload for event in test.timeline.events])

    run(scenario())


def test_it_is_offered_only_where_the_step_enables_it() -> None:
    async def scenario() -> None:
        first = prompt("un", actions=[ACTION["name"]], transitions=[transition("suite", "deux")])
        model = FakeLLM("Bonjour.", Call("suite"), "Me voilà.")
        async with call(model=[model], actions=[ACTION], path=path(first, prompt("deux"))) as test:
            await menu(test)
            await test.until(lambda: "Bonjour." in test.words("agent"))
            await menu(test)
            await test.until(lambda: "Me voilà." in test.words("agent"))
            assert TOOL in model.tools[0]
            assert TOOL not in model.tools[-1]

    run(scenario())


def test_keys_that_come_back_are_not_a_turn_of_the_other_side() -> None:
    async def scenario() -> None:
        async with call(press("12"), "Trois, merci.", actions=[ACTION]) as test:
            await menu(test)
            await test.until(lambda: len(test.port.pressed) == 1)
            test.conversation.heard_digits("1", "rfc4733")
            await test.until(lambda: test.outcomes() == ["sent"])
            test.conversation.heard_digits("2", "rfc4733")
            await asyncio.sleep(5)
            assert test.words("agent") == [GREETING]
            test.conversation.heard_digits("2", "rfc4733")
            await test.until(lambda: test.words("agent")[-1] == "Trois, merci.")
            received = [e.payload["digits"] for e in test.timeline.events if (e.kind, e.actor) == (Kind.DTMF, "caller")]
            assert received == ["2"]

    run(scenario())


def test_nobody_is_asked_whether_they_are_there_while_keys_are_pressed() -> None:
    async def scenario() -> None:
        async with call(press("W" * 32), actions=[ACTION], silence_check_seconds=3) as test:
            await menu(test)
            await test.until(lambda: test.outcomes() == ["sent"], 40)
            assert test.words("agent") == [GREETING]
            assert test.events(Kind.SILENCE_CHECK) == []
            assert test.events(Kind.NEVER_SILENT) == []

    run(scenario())


def test_keys_and_hanging_up_in_one_answer() -> None:
    async def scenario() -> None:
        both = Call(TOOL, {"keys": "123456789#"}, also=Call("hang_up"))
        async with call(both, actions=[ACTION]) as test:
            await menu(test)
            await test.conversation.wait()
            assert keys(test) == "123456789#"
            assert sorted(test.outcomes()) == ["ended", "sent"]
            assert test.port.last_sound() > test.port.pressed[-1][0], "the goodbye was not heard after the keys"

    run(scenario())


def test_without_a_line_nothing_can_be_pressed() -> None:
    async def scenario() -> None:
        timeline = Timeline()
        model = FakeLLM(press("1"), "Je ne peux pas.")
        conversation = Conversation(
            agent=agent(actions=[ACTION], greeting=None),
            agent_id="essai",
            context=context(),
            providers=FakeProviders(stt=[], llm=[model], tts=[]),
            timeline=timeline,
            audio=None,
        )
        await conversation.start()
        assert "Je ne peux pas." in await conversation.replies()
        await conversation.close()
        outcomes = [e.payload["outcome"] for e in timeline.events if e.kind is Kind.ACTION_FINISHED]
        assert outcomes == ["no_line"]
        assert "no telephone line" in told(model.asked[-1])[0]

    run(scenario())
