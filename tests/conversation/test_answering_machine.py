"""An answering machine is known by its beep, and nothing else is taken for one; what the agent then does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from benchmarks import machines
from parlons.agents.context import CallContext, system_variables
from parlons.calls.timeline import Kind
from parlons.conversation.answering_machine import LISTEN_SECONDS, AnsweringMachine
from parlons.conversation.session import Conversation
from parlons.telephony.media.tones import Cadence, ToneSource, key_tone
from tests.conversation.calls import TestCall, call
from tests.conversation.test_wait import ACTION, WAIT
from tests.support.fakes import LOUD, Call, Slow
from tests.support.virtual_time import run

SILENCE = machines.silence
GREETING_SECONDS = 3.0
GREETING = LOUD * round(GREETING_SECONDS * 50)


def heard(after: bytes, *, speech: float | None = GREETING_SECONDS) -> list[Any]:
    return machines.beeps(GREETING + machines.sound("", after).pcm, speech)


@pytest.mark.parametrize("frequency", [400, 440, 480, 700, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.15, 0.42, 1.0, 1.9])
def test_a_tone_after_a_greeting_is_a_beep(frequency: float, seconds: float) -> None:
    (beep,) = heard(SILENCE(0.2) + machines.tone(frequency, seconds, 4000) + SILENCE(6.0))
    assert beep.frequency == pytest.approx(frequency, abs=10)
    assert beep.seconds == pytest.approx(seconds, abs=0.05)


def test_the_beep_of_a_common_exchange() -> None:
    (beep,) = [s for s in machines._files(machines.DEBIAN / "sounds" / machines.VOICES["en"]) if s.name == "beep"]
    assert len(heard(beep.pcm + SILENCE(1.0))) == 1


def test_it_is_told_as_soon_as_the_silence_proves_it() -> None:
    assert heard(machines.tone(1000, 0.5, 4000) + SILENCE(0.28)) == []
    assert len(heard(machines.tone(1000, 0.5, 4000) + SILENCE(0.32))) == 1


def _special_information() -> bytes:
    return b"".join(machines.tone(f, 0.33, 4000) for f in (950, 1400, 1800)) + SILENCE(2.0)


def _cadence(cadence: Cadence, seconds: float = 30.0) -> bytes:
    source = ToneSource(cadence, machines.RATE)
    return b"".join(source() for _ in range(round(seconds * 50)))


@pytest.mark.parametrize(
    ("what", "after"),
    [
        ("too short", machines.tone(1000, 0.06, 4000) + SILENCE(6.0)),
        ("too long", machines.tone(1000, 2.5, 4000) + SILENCE(6.0)),
        ("too low", machines.tone(300, 0.5, 4000) + SILENCE(6.0)),
        ("too high", machines.tone(2400, 0.5, 4000) + SILENCE(6.0)),
        ("too faint", machines.tone(1000, 0.5, 100) + SILENCE(6.0)),
        ("talked into", machines.tone(1000, 0.5, 4000) + LOUD * 50),
        ("special information", _special_information()),
        ("ringing in France", _cadence(Cadence((440,), (1.5, 3.5)))),
        ("ringing in Portugal", _cadence(Cadence((425,), (1.0, 5.0)))),
        ("busy", _cadence(Cadence((425,), (0.5, 0.5)))),
        ("a key", b"".join(key_tone("5", machines.RATE, 0.2)) + SILENCE(6.0)),
    ],
)
def test_what_is_no_beep(what: str, after: bytes) -> None:
    assert heard(after) == [], what


def test_nobody_greeted() -> None:
    beep = machines.tone(1000, 0.5, 4000) + SILENCE(1.0)
    assert heard(beep, speech=0.5) == [], "half a second of speech is no greeting"
    assert heard(SILENCE(5.0) + beep) == [], "the greeting was over long ago"


def test_a_beep_late_in_the_call_is_something_else() -> None:
    machine = AnsweringMachine(machines.RATE)
    beep = machines.tone(1000, 0.5, 4000) + SILENCE(1.0)
    for number in range(round(LISTEN_SECONDS * 50) + 1):
        machine.hear(LOUD, speaking=number % 100 > 10)
    assert machine.done
    frames = [beep[at : at + 320] for at in range(0, len(beep), 320)]
    assert [machine.hear(frame, speaking=False) for frame in frames] == [None] * len(frames)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_at_either_rate(rate: int) -> None:
    source = ToneSource(Cadence((1000,), (0.5, 9.0)), rate)
    machine = AnsweringMachine(rate)
    for _ in range(100):
        machine.hear(bytes(rate // 25), speaking=True)
    found = [machine.hear(source(), speaking=False) for _ in range(100)]
    assert len([beep for beep in found if beep is not None]) == 1


def test_voices_and_music_hold_no_beep() -> None:
    for one in [*machines.prompts("fr")[::6], *machines.prompts("en")[::6], *machines.music()]:
        assert machines.beeps(one.pcm[: 2 * machines.RATE * 60] + SILENCE(1.0), None) == [], one.name


# -- in a conversation ---------------------------------------------------------------------------------------------


def placed(direction: Literal["inbound", "outbound"] = "outbound") -> CallContext:
    now = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    return CallContext(
        system=system_variables(
            call_id="call-1",
            agent_id="essai",
            direction=direction,
            language="fr-FR",
            timezone="Europe/Paris",
            phone="+33123456789",
            anonymous=False,
            now=now,
        )
    )


async def answered_by_a_machine(test: TestCall, beep: bytes = machines.tone(1000, 0.5, 900)) -> None:
    await test.agent_quiet()
    await test.port.caller_plays("Vous êtes bien chez nous, laissez un message.", GREETING + SILENCE(0.7) + beep)
    await test.port.caller_plays("", SILENCE(1.0))


def test_the_model_is_told_leaves_its_message_and_the_call_ends() -> None:
    async def scenario() -> None:
        message = "Bonjour, ici le garage, votre voiture est prête."
        model = (Slow("Bonjour à vous aussi.", first=1.5), message)
        async with call(*model, variables=placed()) as test:
            await answered_by_a_machine(test)
            end = await test.conversation.wait()
            assert end.why == "voicemail"
            assert test.words("agent")[-1] == message, "the message was not played to its end"
            assert not [words for words in test.words("agent") if "aussi" in words], "it answered a machine"
            assert test.conversation.voicemail
            asked = str([item.text_content for item in test.model.asked[-1].messages()])
            assert "answering machine" in asked
            assert "Vous êtes bien chez nous" in asked, "the greeting is not in the history"
            (found,) = [e for e in test.events(Kind.LEG) if e["event"] == "voicemail"]
            assert found["frequency_hz"] == pytest.approx(1000, abs=10)

    run(scenario())


def test_a_model_that_hangs_up_by_itself() -> None:
    async def scenario() -> None:
        bye = Call("hang_up", text="Rappelez-nous, au revoir.")
        async with call("Oui.", bye, variables=placed()) as test:
            await answered_by_a_machine(test)
            await test.conversation.wait()
            assert test.words("agent")[-1] == "Rappelez-nous, au revoir."
            assert test.conversation.voicemail

    run(scenario())


def test_a_machine_that_answers_while_the_agent_waits() -> None:
    async def scenario() -> None:
        async with call(WAIT, "Un message.", variables=placed(), actions=[ACTION]) as test:
            await answered_by_a_machine(test)
            assert (await test.conversation.wait()).why == "voicemail"
            assert test.words("agent")[-1] == "Un message."
            assert test.outcomes() in (["spoke"], ["heard"], ["ended"])

    run(scenario())


def test_a_model_with_nothing_to_say_leaves_in_silence() -> None:
    async def scenario() -> None:
        async with call("Oui.", WAIT, variables=placed(), actions=[ACTION]) as test:
            await answered_by_a_machine(test)
            assert (await test.conversation.wait()).why == "voicemail"
            assert len(test.words("agent")) <= 2

    run(scenario())


def test_people_who_call_us_are_no_machine() -> None:
    async def scenario() -> None:
        async with call("Oui ?", variables=placed("inbound")) as test:
            await answered_by_a_machine(test)
            await asyncio.sleep(3)
            assert not test.conversation.ended
            assert isinstance(test.conversation, Conversation)
            assert not test.conversation.voicemail

    run(scenario())
