"""Music and ringing are not speech, and speech after them is: with the real detector, on Debian's music and prompts.

A sample of what ``benchmarks.machines`` measures in full; the bars are the issue's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import stt

from benchmarks import machines
from parlons.calls.timeline import Kind
from parlons.conversation.music import HELD_SECONDS, SILENT_SECONDS, Lull, SpeechGate
from parlons.conversation.vad import forget, new_detector
from tests.conversation.calls import GREETING, call
from tests.conversation.test_wait import ACTION, WAIT, waiting
from tests.support.fakes import FakeSTT, FakeVAD
from tests.support.virtual_time import run

FALSE_TURNS_IN_TEN_MINUTES = 1
NOTICED = 0.95
LOUD, QUIET = (np.ones(160, dtype="<i2") * 3000).tobytes(), (np.ones(160, dtype="<i2") * 8).tobytes()


async def test_ten_minutes_of_hold_music_are_at_most_one_turn() -> None:
    hold = [machines.Sound(s.name, s.pcm[: 2 * machines.RATE * 125]) for s in machines.music()]
    count, minutes = await machines.false_turns(hold)
    assert minutes > 9
    assert count <= FALSE_TURNS_IN_TEN_MINUTES


async def test_no_tone_of_a_network_is_a_turn() -> None:
    count, minutes = await machines.false_turns(machines.tones(seconds=15.0))
    assert minutes > 5
    assert count == 0


async def test_people_are_noticed_after_silence_and_after_music() -> None:
    before = machines.pieces(machines.music(), 20, 5.0)
    missed, tried = 0, 0
    for language in machines.VOICES:
        utterances = machines.prompts(language)[::18]
        for lead, gap in (([machines.silence(1.0)], 0.0), (before, 0.0), (before, 0.3)):
            missed += len(await machines.missed(utterances, lead, gap))
            tried += len(utterances)
    assert tried > 90
    assert 1 - missed / tried >= NOTICED


# -- its parts -----------------------------------------------------------------------------------------------------


def test_a_lull_is_told_once_and_never_while_somebody_speaks() -> None:
    lull = Lull()

    def hear(frame: bytes, count: int, *, speaking: bool = False) -> list[int]:
        return [number for number in range(count) if lull.hear(frame, 0.02, speaking=speaking)]

    first = round(SILENT_SECONDS / 0.02) - 1
    assert hear(QUIET, 50) == [], "it was silent from the start: there is nothing to forget"
    hear(LOUD, 10)
    assert hear(QUIET, 50) == [first]
    hear(LOUD, 1)
    assert hear(QUIET, 50) == [first]
    hear(LOUD, 10, speaking=True)
    assert hear(QUIET, 20, speaking=True) == []
    assert hear(QUIET, 20) == [first]


def _frame(value: int) -> rtc.AudioFrame:
    pcm = (np.ones(320, dtype="<i2") * value).tobytes()
    return rtc.AudioFrame(data=pcm, sample_rate=8000, num_channels=1, samples_per_channel=320)


def _values(frames: list[rtc.AudioFrame]) -> list[int]:
    return [int(frame.data[0]) for frame in frames]


def test_the_gate_gives_silence_for_music_and_keeps_the_beginning_of_speech() -> None:
    gate, held = SpeechGate(), round(HELD_SECONDS / 0.04)
    given: list[int] = []
    for number in range(100):
        speaking = 40 <= number < 60
        given += _values(gate.take(_frame(number + 1), careful=True, speaking=speaking))
    spoken = [value - 1 for value in given if value]
    assert len(given) == 100 - held
    assert spoken[0] == 40 - held, "the beginning, from before it was noticed, is lost"
    assert spoken[-1] >= 59
    assert spoken == list(range(spoken[0], spoken[-1] + 1))
    assert spoken[-1] <= 60 + held


def test_the_gate_is_open_and_late_for_nothing_in_the_rest_of_the_call() -> None:
    gate = SpeechGate()
    assert _values(gate.take(_frame(7), careful=False, speaking=False)) == [7]
    for number in range(5):
        assert gate.take(_frame(number), careful=True, speaking=False) == []
    assert _values(gate.take(_frame(9), careful=False, speaking=False)) == [0, 1, 2, 3, 4, 9]


class NotingSTT(FakeSTT):
    """Notes how loud what it is given is."""

    def __init__(self, words: deque[str]) -> None:
        super().__init__(words)
        self.heard: list[tuple[float, int]] = []

    def stream(self, **options: Any) -> stt.RecognizeStream:
        stream = super().stream(**options)
        push = stream.push_frame

        def noting(frame: rtc.AudioFrame) -> None:
            level = int(np.abs(np.frombuffer(frame.data, dtype="<i2")).max())
            self.heard.append((asyncio.get_running_loop().time(), level))
            push(frame)

        stream.push_frame = noting  # type: ignore[method-assign]
        return stream


def test_while_waiting_a_recogniser_hears_silence_in_place_of_music() -> None:
    async def scenario() -> None:
        words: deque[str] = deque()
        ears = NotingSTT(words)
        async with call(WAIT, "Bonjour.", actions=[ACTION], words=words, ears=[ears]) as test:
            await waiting(test)
            await asyncio.sleep(2)
            ears.heard.clear()
            soft = (np.ones(160, dtype="<i2") * 900).tobytes()  # the fake detector takes louder for speech
            await test.port.caller_plays("", soft * 200)
            words.clear()  # nothing was heard of it
            assert len(ears.heard) > 80
            assert max(level for _, level in ears.heard) == 0, "the recogniser heard music"
            await test.port.caller_says("Service des ventes, bonjour.", 2.0)
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")
            loud = sum(level > 5000 for _, level in ears.heard) * 0.04
            assert loud >= 1.96, "the recogniser did not hear all that was said"
            assert test.words("caller")[-1] == "Service des ventes, bonjour."

    run(scenario())


async def test_forgetting_reaches_every_stream_and_no_closed_one() -> None:
    detector = new_detector(600)
    one, other = detector.stream(), detector.stream()
    await one.aclose()
    forget(detector)
    forget(FakeVAD())
    await other.aclose()
    forget(detector)


def test_music_through_a_whole_conversation_is_no_turn() -> None:
    """With the real detector, on virtual time: the way from the port to the detector's memory is the call's own."""

    async def scenario() -> None:
        hold = machines.music()[2]
        voice = next(s for s in machines.prompts("fr") if s.seconds > 3)
        async with call(WAIT, "Bonjour.", actions=[ACTION], detector=new_detector(600)) as test:
            await test.agent_quiet()
            await test.port.caller_plays("Ne quittez pas.", voice.pcm + machines.silence(1.0))
            await test.until(lambda: len(test.events(Kind.ACTION_STARTED)) == 1)
            await test.port.caller_plays("", hold.pcm[: 2 * machines.RATE * 40])
            assert test.words("agent") == [GREETING]
            assert test.words("caller") == ["Ne quittez pas."]
            await test.port.caller_plays("Je vous écoute.", machines.silence(0.3) + voice.pcm)
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")

    run(scenario())


def test_a_menu_with_pauses_is_one_turn() -> None:
    """Whoever has been talking goes on with the first word: strictness about music must not end their turn."""

    async def scenario() -> None:
        voices = [s for s in machines.prompts("fr") if s.seconds > 2][:4]
        menu = machines.silence(1.7).join(voice.pcm for voice in voices)
        async with call(WAIT, "Bonjour.", actions=[ACTION], detector=new_detector(600)) as test:
            await test.agent_quiet()
            await test.port.caller_plays("Ne quittez pas.", voices[0].pcm + machines.silence(5.0))
            assert len(test.model.asked) == 1
            await test.port.caller_plays("Pour les ventes, tapez 1.", menu)
            assert len(test.model.asked) == 1, "the menu was cut at a pause"
            await test.until(lambda: test.words("agent")[-1] == "Bonjour.")

    run(scenario())
