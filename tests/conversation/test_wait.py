"""wait: silent for this turn, listening with care, and never for longer than allowed (specification, section 4.6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit.agents import llm

from parlons.agents.actions import WaitAction
from parlons.calls.timeline import Kind
from parlons.conversation.actions.wait import MOVES, State, Wait
from parlons.conversation.never_silent import OWED_SECONDS
from parlons.errors import IllegalMove
from tests.conversation.calls import GREETING, TestCall, call, hang_up_action
from tests.support.fakes import Call, Hang
from tests.support.virtual_time import run

ACTION: dict[str, Any] = {"type": "wait", "name": "Attendre", "max_wait_seconds": 60}
WAIT = Call("attendre")
KEYPAD: dict[str, Any] = {"type": "keypad", "name": "Clavier"}


def now() -> float:
    return asyncio.get_running_loop().time()


def texts(chat: llm.ChatContext, role: str) -> list[str]:
    return [item.text_content or "" for item in chat.messages() if item.role == role]


async def turn(test: TestCall, words: str, seconds: float = 1.0) -> None:
    """Something is said, and the model is asked about it."""
    asked = len(test.model.asked)
    await test.port.caller_says(words, seconds)
    await test.until(lambda: len(test.model.asked) > asked)


async def waiting(test: TestCall, words: str = "Ne quittez pas.") -> None:
    await test.agent_quiet()
    await turn(test, words)
    await test.until(lambda: len(test.events(Kind.ACTION_STARTED)) > 0)


def test_nothing_is_said_until_somebody_talks() -> None:
    async def scenario() -> None:
        async with call(WAIT, "Bonjour Madame.", actions=[ACTION], silence_check_seconds=3) as test:
            await waiting(test)
            await asyncio.sleep(50)
            assert test.words("agent") == [GREETING]
            assert test.events(Kind.SILENCE_CHECK) == []
            assert test.events(Kind.NEVER_SILENT) == []
            assert len(test.model.asked) == 1
            await turn(test, "Service des ventes, bonjour.")
            await test.until(lambda: test.words("agent")[-1] == "Bonjour Madame.")
            assert test.outcomes() == ["heard"]
            heard = test.events(Kind.ACTION_FINISHED)[0]
            assert heard["type"] == "wait"
            assert heard["duration_ms"] > 50_000

    run(scenario())


def test_what_was_heard_stays_in_the_transcript_and_in_the_history() -> None:
    async def scenario() -> None:
        said = ["Votre appel est important.", "Vous êtes en position deux.", "Bonjour, le secrétariat à votre service."]
        async with call(WAIT, WAIT, WAIT, "Bonjour.", actions=[ACTION]) as test:
            await waiting(test)
            for words in said:
                await asyncio.sleep(5)
                await turn(test, words)
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")
            assert test.words("caller") == ["Ne quittez pas.", *said]
            assert texts(test.model.asked[-1], "user") == ["Ne quittez pas.", *said]
            outputs = [i.output for i in test.model.asked[-1].items if i.type == "function_call_output"]
            assert len(outputs) == 3
            assert all("Waiting" in output for output in outputs)
            assert test.outcomes() == ["heard"] * 3

    run(scenario())


def test_the_budget_is_one_for_all_waits_in_a_row() -> None:
    async def scenario() -> None:
        replies = (WAIT, WAIT, WAIT, "Il y a quelqu'un ?", WAIT, "Bonjour.")
        async with call(*replies, actions=[ACTION], silence_check_seconds=60) as test:
            await waiting(test)
            began = now()
            for number in range(2):
                await asyncio.sleep(20)
                await turn(test, f"Position {number}.")
            await test.until(lambda: test.words("agent")[-1] == "Il y a quelqu'un ?", 60)
            spoke = next(at for at, _ in test.port.spoken if at > began)
            assert spoke - began == pytest.approx(60, abs=2)
            assert test.outcomes() == ["heard", "heard", "expired"]
            assert "60 seconds" in str(test.model.asked[3].items[-1])
            await test.agent_quiet()
            await turn(test, "Oui, un instant.")
            again = now()
            await asyncio.sleep(40)
            assert test.outcomes() == ["heard", "heard", "expired"], "the budget did not begin anew"
            await turn(test, "Me voilà.")
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")
            assert now() - again > 40

    run(scenario())


def test_asked_for_once_more_when_the_time_is_up_it_is_refused_and_the_agent_speaks() -> None:
    async def scenario() -> None:
        async with call(WAIT, WAIT, "Allô ?", actions=[{**ACTION, "max_wait_seconds": 5}]) as test:
            await waiting(test)
            await test.until(lambda: test.words("agent")[-1] == "Allô ?")
            assert test.outcomes() == ["expired", "refused"]

    run(scenario())


def test_who_is_talking_when_the_time_is_up_is_heard_out() -> None:
    async def scenario() -> None:
        async with call(WAIT, "D'accord, merci.", actions=[{**ACTION, "max_wait_seconds": 5}]) as test:
            await waiting(test)
            await asyncio.sleep(3)
            await turn(test, "Je vous passe le service des ventes, il va vous répondre.", 4.0)
            await test.until(lambda: test.words("agent")[-1] == "D'accord, merci.")
            assert test.outcomes() == ["heard"]

    run(scenario())


def test_a_noise_without_end_does_not_keep_it_waiting_for_ever() -> None:
    async def scenario() -> None:
        async with call(WAIT, "Il y a quelqu'un ?", actions=[{**ACTION, "max_wait_seconds": 5}]) as test:
            await waiting(test)
            began = now()
            noise = asyncio.ensure_future(test.port.caller_says("", 40))
            await test.until(lambda: test.outcomes() == ["expired"])
            assert now() - began == pytest.approx(15, abs=2)
            await noise

    run(scenario())


def test_words_said_with_it_are_said_first() -> None:
    async def scenario() -> None:
        replies = (Call("attendre", text="Je patiente, merci."), "Oui ?")
        async with call(*replies, actions=[ACTION]) as test:
            await waiting(test)
            await test.until(lambda: "Je patiente, merci." in test.words("agent"))
            await asyncio.sleep(30)
            assert test.words("agent")[-1] == "Je patiente, merci."
            assert test.events(Kind.ACTION_STARTED) != []
            assert test.outcomes() == []

    run(scenario())


def test_keys_and_then_waiting_in_one_answer() -> None:
    async def scenario() -> None:
        both = Call("clavier", {"keys": "1"}, also=WAIT)
        async with call(both, "Bonjour.", actions=[ACTION, KEYPAD]) as test:
            await waiting(test, "Pour les ventes, tapez 1.")
            await asyncio.sleep(30)
            assert [key for _, key in test.port.pressed] == ["1"]
            assert test.words("agent") == [GREETING]
            assert len(test.model.asked) == 1
            await turn(test, "Service des ventes.")
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")
            assert test.outcomes() == ["sent", "heard"]

    run(scenario())


def test_a_menu_is_heard_whole() -> None:
    async def scenario() -> None:
        async with call(WAIT, WAIT, "Je vous écoute.", "Voilà.", actions=[ACTION]) as test:
            await waiting(test)
            asked = len(test.model.asked)
            await test.port.caller_says("Pour les ventes, tapez 1.", 2.0)
            await asyncio.sleep(1.5)
            await test.port.caller_says("Pour les achats, tapez 2.", 2.0)
            ended = now()
            await test.until(lambda: len(test.model.asked) > asked)
            assert now() - ended == pytest.approx(2.0, abs=0.2)
            assert test.words("caller")[-1] == "Pour les ventes, tapez 1. Pour les achats, tapez 2."
            await turn(test, "Bonjour, qui est à l'appareil ?")
            await test.agent_quiet()
            ended = now()
            await turn(test, "Et vous voulez quoi ?")
            assert now() - ended < 2.5, "it still listens to a menu after it has spoken"

    run(scenario())


def test_keys_pressed_alone_make_it_listen_to_a_menu() -> None:
    async def scenario() -> None:
        async with call(Call("clavier", {"keys": "1"}), "Bien.", actions=[ACTION, KEYPAD]) as test:
            await waiting(test, "Tapez 1.")
            await test.until(lambda: test.outcomes() == ["sent"])
            await test.port.caller_says("Pour une facture, tapez 2.", 2.0)
            ended = now()
            await test.until(lambda: len(test.model.asked) > 1)
            assert now() - ended == pytest.approx(2.0, abs=0.2)

    run(scenario())


def test_their_keys_end_a_wait() -> None:
    async def scenario() -> None:
        async with call(WAIT, "Merci.", actions=[ACTION]) as test:
            await waiting(test)
            await asyncio.sleep(5)
            test.conversation.heard_digits("5", "info")
            test.conversation.heard_digits("#", "info")
            await test.until(lambda: test.words("agent")[-1] == "Merci.")
            assert test.outcomes() == ["heard"]

    run(scenario())


def test_the_end_of_the_call_ends_it() -> None:
    async def scenario() -> None:
        async with call(WAIT, actions=[ACTION]) as test:
            await waiting(test)
            await asyncio.sleep(5)
            await test.conversation.close()
            assert test.outcomes() == ["ended"]

    run(scenario())


def test_hanging_up_after_a_wait() -> None:
    async def scenario() -> None:
        bye = Call("raccrocher", text="Au revoir.")
        async with call(WAIT, bye, actions=[ACTION, hang_up_action(1)]) as test:
            await waiting(test)
            await turn(test, "Vous êtes bien sur le répondeur.")
            assert (await test.conversation.wait()).why == "hang_up"
            assert test.outcomes() == ["heard", "ended"]

    run(scenario())


def test_whoever_talks_to_it_is_owed_an_answer_again() -> None:
    async def scenario() -> None:
        async with call(WAIT, Hang(), actions=[ACTION]) as test:
            await waiting(test)
            await asyncio.sleep(20)
            await test.port.caller_says("Bonjour, que puis-je pour vous ?")
            ended, heard = now(), len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard)
            assert now() - ended <= 2.0 + OWED_SECONDS

    run(scenario())


def test_every_legal_move_and_no_other() -> None:
    assert set(MOVES) == set(State)

    async def scenario() -> None:
        async with call(actions=[ACTION]) as test:
            action = WaitAction(type="wait", name="Attendre")
            wait = Wait(test.conversation, action, lambda: None, lambda: False)
            with pytest.raises(IllegalMove):
                wait._move(State.HEARD)

    run(scenario())
