"""hang_up: counting asks, the goodbye played to its end, the rescue, and the guards (specification, section 4.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parlons.calls.timeline import Kind
from parlons.conversation.actions.guards import RepeatGuard, SilenceGuard
from parlons.conversation.actions.hang_up import MOVES, HangUp, HangUpPolicy, State
from parlons.conversation.phrases import phrases_for
from parlons.errors import IllegalMove
from tests.conversation.calls import call, hang_up_action
from tests.support.fakes import Call, FakeLLM
from tests.support.virtual_time import run

APOLOGY = phrases_for("fr").apology
BYE = Call("raccrocher", text="Au revoir.")
DIFFERENT = ["Le magasin est à Lyon.", "Oui, il y a un parking.", "La livraison coûte cinq euros.", "Mardi prochain."]


def now() -> float:
    return asyncio.get_running_loop().time()


def test_goodbye_of_ours_when_the_model_says_nothing() -> None:
    async def scenario() -> None:
        async with call(Call("hang_up")) as test:
            await test.agent_quiet()
            await test.port.caller_says("Au revoir")
            end = await test.conversation.wait()
            assert end.why == "hang_up"
            assert test.words("agent")[-1] == "Merci de votre appel, au revoir."
            assert now() - test.port.last_sound() >= 0.15

    run(scenario())


def test_asked_five_times_in_one_turn_counts_once() -> None:
    async def scenario() -> None:
        asks: list[Any] = [Call("raccrocher") for _ in range(5)]
        async with call(*asks, "Continuons.", actions=[hang_up_action(2)]) as test:
            await test.agent_quiet()
            await test.exchange("Bonjour")
            assert test.outcomes() == ["counted", "ignored", "ignored", "ignored", "ignored"]
            assert not test.conversation.ended

    run(scenario())


def test_asked_five_times_in_one_answer_counts_once() -> None:
    async def scenario() -> None:
        async with call(Call("raccrocher", times=5), "Continuons.", actions=[hang_up_action(3)]) as test:
            await test.agent_quiet()
            await test.exchange("Bonjour")
            assert sorted(test.outcomes()) == ["counted"] + ["ignored"] * 4
            assert not test.conversation.ended

    run(scenario())


def test_two_of_three_with_a_real_conversation_between() -> None:
    async def scenario() -> None:
        replies = [
            Call("raccrocher"),
            "Très bien, continuons.",
            DIFFERENT[0],
            DIFFERENT[1],
            Call("raccrocher"),
            "D'accord, je reste.",
            DIFFERENT[2],
            Call("raccrocher", text="Bonne journée, au revoir."),
        ]
        async with call(*replies, actions=[hang_up_action(3)]) as test:
            await test.agent_quiet()
            for said in ("Au revoir", "Non, où êtes-vous ?", "Et le parking ?", "Merci", "Et la livraison ?"):
                await test.exchange(said)
                assert not test.conversation.ended
            left = [e["left"] for e in test.events(Kind.ACTION_FINISHED)]
            assert left == [2, 1]
            told = [i.output for i in test.model.asked[-1].items if i.type == "function_call_output"]
            assert "2 more" in told[0]
            assert "1 more" in told[1]
            await test.port.caller_says("Au revoir")
            assert (await test.conversation.wait()).why == "hang_up"

    run(scenario())


def test_min_attempts_five() -> None:
    async def scenario() -> None:
        replies: list[Any] = []
        for words in DIFFERENT:
            replies += [Call("raccrocher"), words]
        async with call(*replies, BYE, actions=[hang_up_action(5)]) as test:
            await test.agent_quiet()
            for number in range(4):
                await test.exchange(f"Question {number}")
            assert test.outcomes() == ["counted"] * 4
            await test.port.caller_says("C'est tout")
            assert (await test.conversation.wait()).why == "hang_up"

    run(scenario())


@pytest.mark.parametrize("preamble", ["Merci beaucoup de votre appel et très bonne journée à vous.", ""])
def test_caller_speaks_during_the_goodbye_and_rescues_the_call(preamble: str) -> None:
    async def scenario() -> None:
        replies = [Call("hang_up", text=preamble), "Bien sûr, je vous écoute.", BYE_DEFAULT]
        async with call(*replies) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("C'est tout")
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.exchange("Attendez, une question !")
            assert not test.conversation.ended
            assert test.words("agent")[-1] == "Bien sûr, je vous écoute."
            assert test.outcomes() == ["rescued"]
            goodbye = next(e for e in test.events(Kind.TRANSCRIPT) if e.get("interrupted"))
            assert goodbye["text"] != preamble
            await test.port.caller_says("Merci, au revoir")
            assert (await test.conversation.wait()).why == "hang_up"

    run(scenario())


BYE_DEFAULT = Call("hang_up", text="Au revoir.")


def test_after_a_rescue_one_more_ask_is_enough() -> None:
    async def scenario() -> None:
        replies = [
            Call("raccrocher"),
            "Oui ?",
            Call("raccrocher", text="Merci de votre appel, à bientôt."),
            "Oui ?",
            BYE,
        ]
        async with call(*replies, actions=[hang_up_action(2)]) as test:
            await test.agent_quiet()
            await test.exchange("Au revoir")
            heard = len(test.port.spoken)
            await test.port.caller_says("Au revoir")
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.exchange("Attendez !")
            assert test.outcomes() == ["counted", "rescued"]
            await test.port.caller_says("Au revoir")
            await test.conversation.wait()
            assert test.outcomes() == ["counted", "rescued", "ended"]

    run(scenario())


def test_a_cough_during_the_goodbye_rescues_nothing() -> None:
    async def scenario() -> None:
        goodbye = "Merci beaucoup de votre appel et très bonne journée à vous."
        async with call(Call("hang_up", text=goodbye)) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("C'est tout")
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.port.caller_says("", seconds=0.7)
            await test.conversation.wait()
            assert test.words("agent")[-1] == goodbye
            sound = sum(len(frame) for _, frame in test.port.spoken[heard:]) / 16000
            assert sound == pytest.approx(len(goodbye) * 0.05, abs=0.05)

    run(scenario())


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("preamble", ["Merci beaucoup de votre appel et très bonne journée à vous. À bientôt.", ""])
def test_speech_without_words_over_the_goodbye_rescues_the_call(preamble: str, interruptible: bool) -> None:
    """The recogniser understood nothing of it: the agent paused, went on and hung up."""

    async def scenario() -> None:
        path = {"start": "a", "steps": [{"id": "a", "type": "prompt", "prompt": "P", "interruptible": interruptible}]}
        async with call(Call("hang_up", text=preamble), "Je vous écoute.", path=path) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("C'est tout")
            await test.until(lambda: len(test.port.spoken) > heard + 10)
            await test.port.caller_says("", seconds=1.2)
            await test.until(lambda: test.outcomes() == ["rescued"], 1)
            stopped = now()
            await test.until(lambda: test.port.last_sound() > stopped, 4)
            await test.agent_quiet()
            assert test.words("agent")[-1] == APOLOGY, "what they said is asked for again"
            assert not test.conversation.ended
            await test.exchange("J'ai encore une question")
            assert test.words("agent")[-1] == "Je vous écoute."

    run(scenario())


def test_speech_with_pauses_over_the_goodbye_rescues_the_call_and_two_coughs_do_not() -> None:
    async def over_the_goodbye(*stretches: float) -> list[str]:
        goodbye = "Merci beaucoup de votre appel et très bonne journée à vous, au plaisir de vous entendre."
        async with call(Call("hang_up", text=goodbye)) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("C'est tout")
            await test.until(lambda: len(test.port.spoken) > heard + 5)
            for seconds in stretches:
                await test.port.caller_says("", seconds=seconds)
                await asyncio.sleep(0.4)
            await test.until(test.outcomes)
            return test.outcomes()

    assert run(over_the_goodbye(0.7, 0.7)) == ["rescued"]
    assert run(over_the_goodbye(0.3, 0.3)) == ["ended"]


def test_silence_on_both_guards_ends_the_call() -> None:
    """Two silence checks unanswered are one ask; the default needs one."""

    async def scenario() -> None:
        async with call(silence_check_seconds=5) as test:
            end = await test.conversation.wait()
            assert end.why == "guard_silence"
            assert [e["count"] for e in test.events(Kind.SILENCE_CHECK)] == [1, 2]
            assert test.words("agent")[-1] == "Je ne vous entends plus, je vais raccrocher. Au revoir."

    run(scenario())


def test_silence_guard_counts_against_the_configured_threshold() -> None:
    async def scenario() -> None:
        async with call(silence_check_seconds=5, actions=[hang_up_action(2)]) as test:
            end = await test.conversation.wait()
            assert end.why == "guard_silence"
            assert [e["count"] for e in test.events(Kind.SILENCE_CHECK)] == [1, 2, 3, 4]
            assert test.outcomes() == ["counted", "ended"]

    run(scenario())


def test_an_answered_silence_check_begins_the_count_again() -> None:
    async def scenario() -> None:
        async with call(silence_check_seconds=5) as test:
            await test.until(lambda: len(test.events(Kind.SILENCE_CHECK)) == 1)
            await test.agent_quiet()
            await test.exchange("Oui, je cherche mon dossier.")
            await test.until(lambda: len(test.events(Kind.SILENCE_CHECK)) == 3, 60)
            assert [e["count"] for e in test.events(Kind.SILENCE_CHECK)] == [1, 1, 2]
            assert not test.conversation.ended

    run(scenario())


def test_no_silence_check_on_hold() -> None:
    async def scenario() -> None:
        async with call(silence_check_seconds=3) as test:
            await test.agent_quiet()
            test.port.on_hold = True
            await asyncio.sleep(60)
            assert test.events(Kind.SILENCE_CHECK) == []
            test.port.on_hold = False
            await asyncio.sleep(5)
            assert len(test.events(Kind.SILENCE_CHECK)) == 1

    run(scenario())


def test_repeating_itself_three_times_is_an_ask() -> None:
    async def scenario() -> None:
        replies = ["Je n'ai pas compris.", "Je n'ai pas compris !", "je n'ai pas bien compris"]
        async with call(*replies) as test:
            await test.agent_quiet()
            for said in ("Un", "Deux"):
                await test.exchange(said)
            assert not test.conversation.ended
            await test.port.caller_says("Trois")
            end = await test.conversation.wait()
            assert end.why == "guard_repeats"
            assert test.words("agent")[-1] == "Merci de votre appel, au revoir."

    run(scenario())


def test_a_caller_rescues_a_call_that_a_guard_ends() -> None:
    async def scenario() -> None:
        async with call(silence_check_seconds=3) as test:
            await test.until(lambda: "goodbye" in test.conversation._hang_up.state.value, 60)
            await test.until(lambda: asyncio.get_running_loop().time() - test.port.last_sound() < 0.03)
            await test.exchange("Je suis là !")
            assert not test.conversation.ended
            assert test.outcomes() == ["rescued"]

    run(scenario())


def test_configured_action_overrides_description_and_name() -> None:
    async def scenario() -> None:
        model = FakeLLM("Oui.")
        async with call(model=[model], actions=[hang_up_action(1, name="Fin d'appel")]) as test:
            await test.agent_quiet()
            await test.exchange("Allô")
            assert model.tools[0] == ["fin_d_appel"]

    run(scenario())


def test_an_action_not_enabled_in_the_step_is_not_shown_but_the_guards_remain() -> None:
    async def scenario() -> None:
        path = {"start": "a", "steps": [{"id": "a", "type": "prompt", "prompt": "Parle."}]}
        model = FakeLLM("Oui.")
        async with call(model=[model], actions=[hang_up_action(1)], path=path, silence_check_seconds=3) as test:
            await test.agent_quiet()
            await test.exchange("Allô")
            assert model.tools[0] == []
            assert (await test.conversation.wait()).why == "guard_silence"

    run(scenario())


def test_unknown_arguments_are_dropped() -> None:
    async def scenario() -> None:
        arguments = {"reason": "fini", "number": "+33199999999", "extra": {"a": 1}}
        async with call(Call("hang_up", arguments, text="Au revoir.")) as test:
            await test.agent_quiet()
            await test.port.caller_says("Au revoir")
            await test.conversation.wait()
            assert test.events(Kind.ACTION_STARTED) == [
                {"action": "hang_up", "type": "hang_up", "arguments": {"reason": "fini"}}
            ]

    run(scenario())


# -- policies alone ------------------------------------------------------------------------------------------------


def test_repeat_guard() -> None:
    guard = RepeatGuard()
    assert [guard.heard(text, interrupted=False) for text in ("Oui.", "oui", "OUI !", "Oui", "Non")] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_repeat_guard_ignores_different_and_interrupted_replies() -> None:
    guard = RepeatGuard()
    assert not any(guard.heard(text, interrupted=False) for text in ("Le lundi.", "Le mardi à dix heures.", "Non."))
    guard = RepeatGuard()
    said = [("Oui bien sûr", False), ("Oui bien sûr", False), ("Oui bien", True), ("Oui bien sûr", False)]
    assert not any(guard.heard(text, interrupted=cut) for text, cut in said)


def test_silence_guard_fires_at_every_second_unanswered_check() -> None:
    guard = SilenceGuard()
    fired = []
    for _ in range(6):
        fired.append(guard.silent_again())
        guard.check_said()
    assert fired == [False, False, True, False, True, False]


def test_illegal_moves_are_refused() -> None:
    hang_up = HangUp(None, HangUpPolicy())  # type: ignore[arg-type]
    with pytest.raises(IllegalMove):
        hang_up._move(State.DONE)
    assert not MOVES[State.DONE]
