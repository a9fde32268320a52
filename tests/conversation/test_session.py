"""A conversation from greeting to end, on virtual time."""

from __future__ import annotations

import asyncio

from parlons.calls.timeline import Kind
from tests.conversation.calls import GREETING, call
from tests.support.fakes import Call
from tests.support.virtual_time import run


def test_greets_answers_and_hangs_up_after_the_goodbye() -> None:
    async def scenario() -> None:
        async with call("Nous ouvrons à neuf heures.", Call("hang_up", text="Au revoir et bonne journée.")) as test:
            await test.agent_quiet()
            assert test.words("agent") == [GREETING]
            await test.exchange("Quels sont vos horaires ?")
            assert test.words("caller") == ["Quels sont vos horaires ?"]
            assert test.words("agent")[-1] == "Nous ouvrons à neuf heures."
            await test.port.caller_says("Merci, au revoir.")
            end = await test.conversation.wait()
            assert (end.who, end.why, end.failed) == ("agent", "hang_up", False)
            assert test.words("agent")[-1] == "Au revoir et bonne journée."
            after = asyncio.get_running_loop().time() - test.port.last_sound()
            assert 0.15 <= after <= 0.5, after
            assert test.outcomes() == ["ended"]
            assert len(test.events(Kind.LATENCY)) == 2

    run(scenario())


def test_a_greeting_that_comes_out_empty_is_made_up_and_one_of_nothing_lets_the_caller_begin() -> None:
    async def scenario() -> None:
        async with call("Bonjour, que puis-je faire ?", greeting="{{ unknown }}") as test:
            await test.agent_quiet()
            assert test.words("agent") == ["Bonjour, que puis-je faire ?"]
        async with call("Oui ?", greeting="", silence_check_seconds=30) as test:
            await asyncio.sleep(5)
            assert test.words("agent") == []
            await test.exchange("Allô ?")
            assert test.words("agent") == ["Oui ?"]

    run(scenario())
