"""Closing from any state leaves nothing behind and never hangs."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest
from livekit.agents import AgentSession

from parlons.conversation.actions.base import ToolSpec
from parlons.conversation.host import ConversationEnd
from parlons.errors import IllegalMove
from tests.conversation.calls import GREETING, call, nothing_left
from tests.support.fakes import Call, FakeTTS, Hang
from tests.support.virtual_time import run

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}


def tool(body: Any) -> ToolSpec:
    return ToolSpec(name="chercher", description="Cherche.", parameters=NO_ARGUMENTS, body=body)


async def timed_close(test: Any) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await test.conversation.close()
    return loop.time() - began


def test_close_before_start() -> None:
    async def scenario() -> None:
        async with call(start=False) as test:
            await test.conversation.close()
            assert (await test.conversation.wait()) == ConversationEnd("system", "closed")
            await test.conversation.start()
            assert test.conversation.ended
            assert not test.port.spoken

    run(scenario())


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21])
@pytest.mark.parametrize("greeting", ["Bonjour {{ prenom }}", "Bonjour"])
def test_close_while_starting(steps: int, greeting: str) -> None:
    async def scenario() -> None:
        async with call(start=False, greeting=greeting) as test:
            starting = asyncio.create_task(test.conversation.start())
            for _ in range(steps):
                await asyncio.sleep(0)
            await test.conversation.close()
            await starting
            assert test.port.source is None

    run(scenario())


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("greeting", ["Bonjour {{ prenom }}", "Bonjour"])
def test_start_cancelled_half_way(steps: int, greeting: str) -> None:
    async def scenario() -> None:
        async with call(start=False, greeting=greeting) as test:
            starting = asyncio.create_task(test.conversation.start())
            for _ in range(steps):
                await asyncio.sleep(0)
            starting.cancel()
            await asyncio.wait({starting})

    run(scenario())


def test_close_during_the_greeting() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.until(lambda: len(test.port.spoken) > 5)
            assert await timed_close(test) < 1.0
            assert (test.port.source, test.port.sink) == (None, None)
            await test.conversation.close()

    run(scenario())


def test_close_while_the_caller_speaks() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.agent_quiet()
            talking = asyncio.create_task(test.port.caller_says("Je voudrais", 5.0))
            await asyncio.sleep(1.0)
            assert await timed_close(test) < 1.0
            talking.cancel()

    run(scenario())


def test_the_last_words_before_a_hang_up_are_kept() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.agent_quiet()
            await test.port.caller_says("Non merci")
            await asyncio.sleep(0.3)
            await test.conversation.close()
            assert test.words("caller") == ["Non merci"]
            assert test.words("agent") == [GREETING]

    run(scenario())


def test_nobody_said_anything() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.agent_quiet()
            await test.conversation.close()
            assert test.words("caller") == []

    run(scenario())


def test_close_while_thinking() -> None:
    async def scenario() -> None:
        async with call(Hang()) as test:
            await test.agent_quiet()
            await test.port.caller_says("Bonjour")
            await asyncio.sleep(2.0)
            assert await timed_close(test) < 1.0

    run(scenario())


def test_close_while_synthesis_hangs() -> None:
    async def scenario() -> None:
        async with call(voice=[FakeTTS(hangs=True)]) as test:
            await asyncio.sleep(1.0)
            assert await timed_close(test) < 1.0

    run(scenario())


def test_close_wakes_a_running_tool() -> None:
    async def scenario() -> None:
        woken = []

        async def forever(_arguments: Any, _ctx: Any) -> str:
            try:
                await asyncio.sleep(100_000)
            finally:
                woken.append(True)
            return ""

        async with call(Call("chercher"), tools=[tool(forever)]) as test:
            await test.agent_quiet()
            await test.port.caller_says("Cherchez")
            await asyncio.sleep(3.0)
            assert await timed_close(test) < 1.0
            assert woken == [True]

    run(scenario())


def test_close_from_within_a_tool() -> None:
    async def scenario() -> None:
        returned = []
        held: list[Any] = []

        async def closes(_arguments: Any, _ctx: Any) -> str:
            await held[0].close()
            returned.append(True)
            return "fini"

        async with call(Call("chercher"), tools=[tool(closes)]) as test:
            held.append(test.conversation)
            await test.agent_quiet()
            await test.port.caller_says("Cherchez")
            assert (await test.conversation.wait()).why == "closed"
            assert await timed_close(test) < 1.0
            assert returned == [True]

    run(scenario())


def test_close_during_the_goodbye_is_no_rescue() -> None:
    async def scenario() -> None:
        async with call(Call("hang_up", text="Merci beaucoup et au revoir.")) as test:
            await test.agent_quiet()
            heard = len(test.port.spoken)
            await test.port.caller_says("Au revoir")
            await test.until(lambda: len(test.port.spoken) > heard + 5)
            assert await timed_close(test) < 1.0
            assert test.outcomes() == []
            assert (await test.conversation.wait()).why == "closed"

    run(scenario())


def test_close_when_the_port_no_longer_pulls() -> None:
    async def scenario() -> None:
        async with call() as test:
            await test.until(lambda: len(test.port.spoken) > 5)
            await test.port.stop()
            assert await timed_close(test) < 1.0

    run(scenario())


def test_a_session_that_does_not_close_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with call() as test:
            real = AgentSession.aclose

            async def stuck(_session: Any) -> None:
                await asyncio.sleep(100_000)

            monkeypatch.setattr(AgentSession, "aclose", stuck)
            assert 4.0 < await timed_close(test) < 8.0
            monkeypatch.setattr(AgentSession, "aclose", real)
            assert test.conversation._session is not None
            await test.conversation._session.aclose()

    run(scenario())


def test_a_session_that_cannot_start_is_a_failed_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: Any, **_kwargs: Any) -> None:
        raise ValueError("no such voice")

    async def scenario() -> None:
        async with call(start=False) as test:
            monkeypatch.setattr(AgentSession, "start", broken)
            await test.conversation.start()
            end = await test.conversation.wait()
            assert (end.failed, end.why) == (True, "session_failed")
            test.conversation.heard_digits("#")

    run(scenario())


def test_keys_before_the_session_is_up() -> None:
    async def scenario() -> None:
        async with call(start=False) as test:
            starting = asyncio.create_task(test.conversation.start())
            for _ in range(3):
                await asyncio.sleep(0)
                test.conversation.heard_digits("#")
            await starting
            await test.agent_quiet()

    run(scenario())


def test_a_tool_that_will_not_be_woken_does_not_hang_closing() -> None:
    async def scenario() -> None:
        async def deaf(_arguments: Any, _ctx: Any) -> str:
            for _ in range(20):
                try:
                    await asyncio.sleep(1.0)
                except asyncio.CancelledError:
                    continue
            return "fini"

        async with call(Call("chercher"), tools=[tool(deaf)], alone=False) as test:
            await test.agent_quiet()
            await test.port.caller_says("Cherchez")
            await asyncio.sleep(2.0)
            assert await timed_close(test) < 7.0

    run(scenario())


def test_starting_twice_is_refused() -> None:
    async def scenario() -> None:
        async with call() as test:
            with pytest.raises(IllegalMove):
                await test.conversation.start()

    run(scenario())


def test_two_conversations_at_once_do_not_mix() -> None:
    async def scenario() -> None:
        async with call("Réponse un.") as one, call("Réponse deux.", alone=False) as two:
            await asyncio.gather(one.agent_quiet(), two.agent_quiet())
            await asyncio.gather(one.exchange("Question un"), two.exchange("Question deux"))
            assert one.words("caller") == ["Question un"]
            assert two.words("caller") == ["Question deux"]
            assert one.words("agent")[-1] == "Réponse un."
            assert two.words("agent")[-1] == "Réponse deux."

    run(scenario())


def test_fifty_conversations_leave_no_task_and_no_thread() -> None:
    async def scenario() -> None:
        async def one() -> None:
            async with call("Oui.", greeting="Bonjour.") as test:
                await test.agent_quiet()
                await test.exchange("Allô")

        await one()
        gc.collect()
        threads = threading.active_count()
        before = asyncio.all_tasks()
        for _ in range(10):
            await asyncio.gather(*(quick() for _ in range(5)))
        await nothing_left(before)
        assert threading.active_count() <= threads + 1

    async def quick() -> None:
        async with call("Oui.", greeting="Bonjour.", alone=False) as test:
            await test.until(lambda: len(test.port.spoken) > 5)

    run(scenario())
