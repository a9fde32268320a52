"""A language model that fails during a call: the caller is never met with silence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.sip import agents
from tests.sip.failing_model import ANSWER, BEHAVIOURS, FailingModel
from tests.sip.talking import SAME_WORDS, ask, dial, listen, sounds_like
from tests.support import audio
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.server import ParlonsServer, free_port

pytestmark = pytest.mark.peer

TURN_SECONDS = 2.0
"""From the caller's last word to the end of their turn, at most; the eight seconds of the rule begin there."""


@pytest.fixture(scope="module")
def ailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ParlonsServer, int]]:
    """One agent for each way of failing, one that has a second model, and the model's port."""
    port = free_port(socket.SOCK_STREAM)
    documents = {name: agents.openai(port, name) for name in BEHAVIOURS}
    documents |= {f"{name}-then-good": agents.openai(port, name, "answer") for name in ("error", "hang", "refuse")}
    folder = tmp_path_factory.mktemp("ailing")
    key = {"LAB_KEY": "test"}
    with ParlonsServer(folder, {"agents": documents}, rtp_ports=range(36460, 36560), environment=key) as server:
        yield server, port


@dataclass(frozen=True, slots=True)
class Sickroom:
    """A server, its model and a phone."""

    server: ParlonsServer
    model: FailingModel
    phone: Phone

    async def question(self, agent: str) -> Call:
        """A call in which the question has just been asked."""
        call = await dial(self.phone, self.server, agent)
        await listen(call)
        call.rtp.say(audio.speech("quels sont vos horaires"))
        await call.rtp.said()
        return call

    def kinds(self, call: Call, kind: str) -> list[dict[str, object]]:
        """The payloads of one kind of event."""
        events = self.server.timeline(self.server.call(call.id)["id"])
        return [e["payload"] for e in events if e["kind"] == kind]


async def the_answer_comes_all_the_same(sickroom: Sickroom, behaviour: str) -> None:
    call = await sickroom.question(behaviour)
    since = asyncio.get_running_loop().time()
    await call.rtp.wait_speech(TURN_SECONDS + 8, since=since)
    await call.rtp.wait_quiet(2.5)
    heard = call.rtp.heard(since)
    if behaviour != "slow":  # a slow one is spoken with pauses
        assert sounds_like(heard, ANSWER) > SAME_WORDS
    await call.bye()
    assert "".join(ANSWER.split()) in "".join("".join(sickroom.server.said(call.id, "agent")).split())
    allowed = {"answer": set(), "slow": {"slow_answer"}, "empty_once": {"empty_answer"}}[behaviour]
    assert {e["rule"] for e in sickroom.kinds(call, "never_silent")} <= allowed


async def _speaks_or_hangs_up(call: Call) -> None:
    """Never silent: within 11 s one of the two."""
    since = asyncio.get_running_loop().time()
    speaks = asyncio.create_task(call.rtp.wait_speech(11, since=since))
    ends = asyncio.create_task(call.wait_end(11))
    await asyncio.wait({speaks, ends}, return_when=asyncio.FIRST_COMPLETED)
    for task in (speaks, ends):
        task.cancel()
    outcomes = await asyncio.gather(speaks, ends, return_exceptions=True)
    assert any(not isinstance(outcome, BaseException) for outcome in outcomes), "11 s of silence"


async def ends_in_the_error_message(sickroom: Sickroom, behaviour: str) -> None:
    call = await sickroom.question(behaviour)
    since = asyncio.get_running_loop().time()
    await call.rtp.wait_speech(10, since=since)
    for _ in range(4):  # what is said may first ask the caller to say it again
        await call.rtp.wait_quiet(1.2)
        if call.ended.is_set():
            break
        call.rtp.say(audio.speech("quels sont vos horaires"))
        await call.rtp.said()
        await _speaks_or_hangs_up(call)
    assert await call.wait_end(20) == "peer"
    assert sounds_like(call.rtp.heard(since), agents.APOLOGY) > SAME_WORDS
    record = await asyncio.to_thread(sickroom.server.ended, call.id)
    assert record["status"] == "failed"
    assert "unrecoverable" in [e["rule"] for e in sickroom.kinds(call, "never_silent")]


async def is_apologised_for(sickroom: Sickroom, behaviour: str) -> None:
    call = await sickroom.question(behaviour)
    for _ in range(2):
        since = asyncio.get_running_loop().time()
        assert await call.rtp.wait_speech(10.5, since=since) - since < TURN_SECONDS + 8
        await call.rtp.wait_quiet(1.5)
        assert audio.speech_seconds(call.rtp.heard(since)) > 2
        call.rtp.say(audio.speech("quels sont vos horaires"))
        await call.rtp.said()
    await _speaks_or_hangs_up(call)
    assert "empty_answer" in [e["rule"] for e in sickroom.kinds(call, "never_silent")]
    if not call.ended.is_set():
        await call.bye()


async def is_apologised_for_within_eight_seconds(sickroom: Sickroom, behaviour: str) -> None:
    call = await sickroom.question(behaviour)
    asked = asyncio.get_running_loop().time()
    spoke = await call.rtp.wait_speech(11, since=asked)
    assert spoke - asked < TURN_SECONDS + 8
    rules = [e["rule"] for e in sickroom.kinds(call, "never_silent")]
    assert rules, "nothing on the timeline says why"
    if not call.ended.is_set():
        await call.bye()


async def the_next_model_takes_over(sickroom: Sickroom, agent: str) -> None:
    call = await sickroom.question(agent)
    since = asyncio.get_running_loop().time()
    await call.rtp.wait_speech(TURN_SECONDS + 8, since=since)
    await call.rtp.wait_quiet(1.0)
    assert sounds_like(call.rtp.heard(since), ANSWER) > SAME_WORDS
    again = await ask(call, "quels sont vos horaires")
    assert sounds_like(again, ANSWER) > SAME_WORDS
    await call.bye()
    assert {"llm"} == {e["service"] for e in sickroom.kinds(call, "provider")}
    assert (await asyncio.to_thread(sickroom.server.ended, call.id))["status"] == "completed"


CASES: dict[str, Callable[[Sickroom, str], Awaitable[None]]] = {
    "hang": is_apologised_for_within_eight_seconds,
    **dict.fromkeys(("error", "refuse", "garbage"), ends_in_the_error_message),
    **dict.fromkeys(("error-then-good", "hang-then-good", "refuse-then-good"), the_next_model_takes_over),
    **dict.fromkeys(("empty", "cut"), is_apologised_for),
    **dict.fromkeys(("answer", "slow", "empty_once"), the_answer_comes_all_the_same),
}
AT_ONCE = 4
"""Each call waits most of its time; more at once, and the phones' own process would be late."""


@pytest.fixture(scope="module")
def played(ailing: tuple[ParlonsServer, int]) -> dict[str, BaseException | None]:
    """Every case played, several at a time; what went wrong in each."""
    server, port = ailing

    async def play() -> dict[str, BaseException | None]:
        turn = asyncio.Semaphore(AT_ONCE)
        async with FailingModel(port) as model, Phone() as phone:
            await asyncio.to_thread(server.wait_providers)
            sickroom = Sickroom(server, model, phone)

            async def one(behaviour: str) -> BaseException | None:
                async with turn:
                    try:
                        async with asyncio.timeout(90):
                            await CASES[behaviour](sickroom, behaviour)
                    except Exception as error:
                        return error
                return None

            return dict(zip(CASES, await asyncio.gather(*map(one, CASES)), strict=True))

    return asyncio.run(play())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("behaviour", CASES)
def test_never_silence(played: dict[str, BaseException | None], behaviour: str) -> None:
    if (error := played[behaviour]) is not None:
        raise error
