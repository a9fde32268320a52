"""The transfer action as the model uses it: who may be rung, when, and what the model is told when nobody was."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest
from livekit.agents import llm

from parlons.calls.timeline import Kind
from parlons.conversation.prompt import OUTCOME_REASONS
from parlons.telephony.types import Outcome
from tests.conversation.calls import GREETING, TestCall, call, context
from tests.support.fakes import Call, FakeLine
from tests.support.virtual_time import run

SUPPORT = {"phone": "+33123456789", "description": "Support technique"}
SALES = {"phone": "+33123456780", "description": "Ventes"}


def action(*destinations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = {"type": "transfer", "name": "Transfert", "description": "Passer quelqu'un.", **fields}
    return {**made, "destinations": list(destinations)} if destinations else made


def outputs(chat: llm.ChatContext) -> list[dict[str, Any]]:
    return [json.loads(item.output) for item in chat.items if item.type == "function_call_output"]


async def asked(test: TestCall, words: str = "Passez-moi le support.") -> None:
    await test.agent_quiet()
    await test.port.caller_says(words)


def test_an_answered_transfer_ends_the_conversation_after_its_sentence() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.ANSWERED)
        reply = Call("transfert", text="Je vous mets en relation.")
        async with call(reply, actions=[action(SUPPORT, max_ring_seconds=30)], line=line) as test:
            await asked(test)
            end = await test.conversation.wait()
            assert (end.who, end.why, end.failed) == ("agent", "transferred", False)
            (order,) = line.orders
            assert (order.user, order.ring_seconds, order.connection_id) == ("+33123456789", 30.0, None)
            assert test.words("agent")[-1] == "Je vous mets en relation."
            assert test.outcomes() == ["answered"]
            assert len(test.model.asked) == 1

    run(scenario())


@pytest.mark.parametrize("outcome", list(OUTCOME_REASONS))
def test_every_other_outcome_gives_the_call_back_to_an_agent_that_knows_why(outcome: Outcome) -> None:
    async def scenario() -> None:
        line = FakeLine(outcome, takes=12.0)
        async with call(Call("transfert"), "Personne ne répond.", actions=[action(SUPPORT)], line=line) as test:
            await asked(test)
            await test.until(lambda: test.outcomes() == [outcome.value])
            back = asyncio.get_running_loop().time()
            await test.until(lambda: bool(test.port.spoken) and test.port.last_sound() > back, 2.0)
            await test.agent_quiet()
            assert test.words("agent") == [GREETING, "Personne ne répond."]
            (told,) = outputs(test.model.asked[-1])
            assert told["outcome"] == outcome.value
            assert not test.events(Kind.SILENCE_CHECK)
            assert not test.events(Kind.NEVER_SILENT)

    run(scenario())


def test_out_of_hours_dials_nothing_and_tells_the_next_opening() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.ANSWERED)
        day = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        today = int(datetime.now().astimezone().strftime("%w"))
        elsewhen = [name for name in day if name != day[today]]
        schedule = {"enabled": True, "ranges": [{"days": elsewhen, "start": "09:00", "end": "12:00"}]}
        actions = [action(SUPPORT, schedule=schedule)]
        async with call(Call("transfert"), "Nous sommes fermés.", actions=actions, line=line, timezone="UTC") as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Nous sommes fermés.")
            assert line.orders == []
            (told,) = outputs(test.model.asked[-1])
            assert told["outcome"] == "out_of_hours"
            assert "9" in told["next_opening"]
            assert test.events(Kind.ACTION_FINISHED)[0]["next_opening"] == told["next_opening"]

    run(scenario())


def test_the_model_picks_among_several_and_cannot_invent_one() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.ANSWERED)
        replies = (
            Call("transfert", {"destination": "+33899123456"}),
            Call("transfert", {"destination": "3"}),
            Call("transfert", {}),
            Call("transfert", {"destination": "2"}),
        )
        async with call(*replies, actions=[action(SUPPORT, SALES)], line=line) as test:
            await asked(test)
            end = await test.conversation.wait()
            assert end.why == "transferred"
            assert [order.user for order in line.orders] == ["+33123456780"]
            assert test.outcomes() == ["invalid_destination"] * 3 + ["answered"]
            told = outputs(test.model.asked[-1])[0]
            assert "1: Support technique; 2: Ventes" in told["reason"]

    run(scenario())


def test_above_twenty_the_model_says_who_and_chooses_among_five() -> None:
    async def scenario() -> None:
        people = [{"phone": f"+331234567{n:02}", "description": f"Service {n}"} for n in range(20, 60)]
        people.append({"phone": "+33123456710", "description": "Élodie, comptabilité"})
        line = FakeLine(Outcome.ANSWERED)
        replies = (
            Call("transfert", {"who": "la comptabilite, elodie"}),
            Call("transfert", {"destination": "41"}),
        )
        async with call(*replies, actions=[action(*people)], line=line) as test:
            await asked(test, "Élodie de la comptabilité.")
            await test.conversation.wait()
            (found,) = outputs(test.model.asked[1])
            assert found["found"][0] == {"destination": "41", "description": "Élodie, comptabilité"}
            assert len(found["found"]) <= 5
            assert [order.user for order in line.orders] == ["+33123456710"]

    run(scenario())


def test_headers_user_to_user_and_whisper_are_rendered() -> None:
    async def scenario() -> None:
        variables = context()
        variables.merge({"queue": "or", "name": "Zoé"})
        line = FakeLine(Outcome.ANSWERED)
        fields = {
            "sip_connection_id": "pbx",
            "destination_id": "file-42",
            "headers": [{"name": "X-Queue", "value": "{{ queue }}"}, {"name": "X-None", "value": "{{ nothing }}"}],
            "user_to_user": "id={{ system.call_id }}",
            "whisper": "Appel de {{ name }}.",
            "accept_key": "1",
        }
        async with call(Call("transfert"), actions=[action(**fields)], line=line, variables=variables) as test:
            await asked(test)
            await test.conversation.wait()
            (order,) = line.orders
            assert order.connection_id == "pbx"
            assert order.user == "file-42"
            assert order.headers == (("X-Queue", "or"), ("X-None", ""))
            assert (order.user_to_user, order.whisper, order.accept_key) == ("id=call-1", "Appel de Zoé.", "1")

    run(scenario())


def test_two_transfers_in_one_call() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.BUSY, Outcome.ANSWERED)
        choose = [Call("transfert", {"destination": "1"}), "Occupé.", Call("transfert", {"destination": "2"})]
        async with call(*choose, actions=[action(SUPPORT, SALES)], line=line) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Occupé.")
            await test.agent_quiet()
            await test.port.caller_says("Alors les ventes.")
            end = await test.conversation.wait()
            assert end.why == "transferred"
            assert test.outcomes() == ["busy", "answered"]

    run(scenario())


def test_a_conversation_that_closes_while_it_rings_leaves_nobody_ringing() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.ANSWERED, takes=30.0)
        async with call(Call("transfert"), actions=[action(SUPPORT)], line=line) as test:
            await asked(test)
            await test.until(lambda: bool(line.orders))
            await asyncio.sleep(2)
        assert line.cancelled == 1
        assert test.outcomes() == ["caller_left"]

    run(scenario())


def test_the_longest_duration_waits_until_the_agent_has_the_call_back() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.NO_ANSWER, takes=20.0)
        async with call(Call("transfert"), actions=[action(SUPPORT)], line=line, max_call_seconds=10) as test:
            await asked(test)
            end = await test.conversation.wait()
            assert end.why == "max_call_seconds"
            assert test.outcomes() == ["no_answer"]
            assert "fin du temps prévu" in test.words("agent")[-1]

    run(scenario())


def test_words_begun_before_the_transfer_do_not_stop_it() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.BUSY, takes=4.0)
        replies = (Call("transfert", text="Je vous mets tout de suite en relation."), "C'est occupé.")
        async with call(*replies, actions=[action(SUPPORT)], line=line) as test:
            await asked(test)
            await test.until(lambda: bool(line.orders))
            await test.port.caller_says("Merci beaucoup.", 1.2)
            await test.until(lambda: test.words("agent")[-1] == "C'est occupé.")
            assert test.outcomes() == ["busy"]
            assert "Je vous mets tout de suite en relation." in test.words("agent")

    run(scenario())


def test_a_call_is_handed_over_to_another_agent() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.ANSWERED)
        reply = Call("transfert", text="Mon collègue prend la suite.")
        async with call(reply, actions=[action(target_agent_id="ventes")], line=line) as test:
            await asked(test)
            end = await test.conversation.wait()
            assert end.why == "handed_over"
            assert line.handed == ["ventes"]
            said = [(m.role, m.text_content) for m in test.conversation.history.messages()]
            assert ("user", "Passez-moi le support.") in said
            assert ("assistant", "Mon collègue prend la suite.") in said
            assert not [m for m in said if m[0] == "system"]

    run(scenario())


def test_a_hand_over_that_cannot_be_is_told_like_any_other() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.INVALID_DESTINATION)
        async with call(Call("transfert"), "Impossible.", actions=[action(target_agent_id="x")], line=line) as test:
            await asked(test)
            await test.until(lambda: test.words("agent")[-1] == "Impossible.")
            assert test.outcomes() == ["invalid_destination"]

    run(scenario())
