"""Codes of why calls end: each way that a call can end has its own, on the record and on the timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parlons.calls import ending
from parlons.calls.bridged import Bridged
from parlons.calls.call import _OUTCOME_STATUS, Call
from parlons.calls.record import CallRecord
from parlons.calls.timeline import EndCode, Kind, Timeline
from parlons.conversation.host import ConversationEnd
from parlons.errors import PortsExhausted, ProviderError, SdpError, TelephonyError
from parlons.telephony.types import LegEnd, Outcome
from tests.calls.test_call import Scene, after
from tests.calls.test_failover import MESSAGE, scene_of
from tests.support.fakes import FakeVAD
from tests.support.virtual_time import run


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _end_of_speech_ms: FakeVAD())


def told(scene: Scene) -> dict[str, Any]:
    """What the timeline says of the end."""
    (event,) = (e for e in scene.writer.events if e.kind is Kind.HANG_UP)
    return event.payload


def dialled(folder: Path, outcome: Outcome) -> Scene:
    scene = Scene(folder, direction="outbound")
    scene.leg.outcome = outcome
    return scene


def hangs_up(scene: Scene) -> Callable[[Call], None]:
    return lambda _call: scene.leg.peer_hangs_up()


def lost(scene: Scene) -> Callable[[Call], None]:
    def lose(_call: Call) -> None:
        assert scene.leg.events.ended is not None
        scene.leg.events.ended(LegEnd("transport", "session expired", 408))

    return lose


def stopped(why: str) -> Callable[[Call], None]:
    return lambda call: call.stop(why)


def both_say_it(scene: Scene, record: CallRecord, code: EndCode) -> None:
    assert record.end_code is code, record.end_reason
    assert told(scene) == {"who": record.ended_by, "why": record.end_reason, "code": code}


def test_a_caller_who_hangs_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    both_say_it(scene, run(scene.call(after(0.3, hangs_up(scene)))), EndCode.HUNG_UP)


def test_a_caller_who_leaves_before_the_answer(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.leg.left_before_answer = True
    both_say_it(scene, run(scene.call()), EndCode.LEFT_BEFORE_ANSWER)


def test_a_leg_that_is_lost(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    both_say_it(scene, run(scene.call(after(1, lost(scene)))), EndCode.CONNECTION_LOST)


@pytest.mark.parametrize(
    ("why", "code"),
    [
        (ending.SHUTTING_DOWN, EndCode.SHUT_DOWN),
        ("ended through the API", EndCode.ENDED_BY_OPERATOR),
        ("ended by the operator", EndCode.ENDED_BY_OPERATOR),
    ],
)
def test_a_call_that_is_stopped(tmp_path: Path, why: str, code: EndCode) -> None:
    scene = Scene(tmp_path)
    both_say_it(scene, run(scene.call(after(1, stopped(why)))), code)


def test_no_audio(tmp_path: Path) -> None:
    scene = Scene(tmp_path, silence_check_seconds=60)
    record = run(scene.call(after(1, lambda _call: setattr(scene.port, "silent", 61.0))))
    both_say_it(scene, record, EndCode.NO_AUDIO)


def test_nobody_speaks(tmp_path: Path) -> None:
    scene = Scene(tmp_path, silence_check_seconds=3)
    both_say_it(scene, run(scene.call()), EndCode.NOBODY_SPOKE)


def test_the_call_lasts_too_long(tmp_path: Path) -> None:
    scene = Scene(tmp_path, max_call_seconds=10, silence_check_seconds=60)
    both_say_it(scene, run(scene.call()), EndCode.MAX_CALL_SECONDS)


def test_a_path_that_ends(tmp_path: Path) -> None:
    path = {"start": "bye", "steps": [{"id": "bye", "type": "end", "name": "Fin", "text": "Au revoir."}]}
    scene = Scene(tmp_path, path=path)
    both_say_it(scene, run(scene.call()), EndCode.PATH_ENDED)


def test_no_codec_and_no_port(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.leg.attach_error = SdpError(488, "Not Acceptable Here")
    both_say_it(scene, run(scene.call()), EndCode.NO_COMMON_AUDIO)
    full = Scene(tmp_path, full=True)
    both_say_it(full, run(full.call()), EndCode.NO_PORTS)


def test_a_bug_of_ours(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    scene.leg.attach = broken  # type: ignore[method-assign, assignment]
    both_say_it(scene, run(scene.call()), EndCode.INTERNAL_ERROR)


def test_an_agent_that_cannot_run(tmp_path: Path) -> None:
    for name, direction in (("in", "inbound"), ("out", "outbound")):
        scene = Scene(tmp_path / name, direction=direction)
        scene.unusable = True
        both_say_it(scene, run(scene.call()), EndCode.COULD_NOT_START)


def test_failover_and_a_caller_who_leaves_it(tmp_path: Path) -> None:
    scene = scene_of(tmp_path / "whole", MESSAGE)
    both_say_it(scene, run(scene.call()), EndCode.FAILOVER)
    left = scene_of(tmp_path / "left", MESSAGE)
    both_say_it(left, run(left.call(after(0.5, hangs_up(left)))), EndCode.HUNG_UP)
    stop = scene_of(tmp_path / "stop", MESSAGE)
    both_say_it(stop, run(stop.call(after(0.5, stopped(ending.SHUTTING_DOWN)))), EndCode.SHUT_DOWN)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.BUSY, EndCode.BUSY),
        (Outcome.NO_ANSWER, EndCode.NO_ANSWER),
        (Outcome.DECLINED, EndCode.DECLINED),
        (Outcome.UNREACHABLE, EndCode.UNREACHABLE),
    ],
)
def test_nobody_answers(tmp_path: Path, outcome: Outcome, code: EndCode) -> None:
    scene = dialled(tmp_path, outcome)
    both_say_it(scene, run(scene.call()), code)


def test_every_outcome_of_dialling_has_a_code() -> None:
    for outcome in _OUTCOME_STATUS:
        assert ending.of_outcome(outcome, None) in EndCode
    assert ending.of_outcome(Outcome.CALLER_LEFT, ending.SHUTTING_DOWN) is EndCode.SHUT_DOWN


def test_conversations_that_end() -> None:
    for why, code in (
        ("hang_up", EndCode.AGENT_HUNG_UP),
        ("guard_repeats", EndCode.AGENT_REPEATED_ITSELF),
        ("guard_silence", EndCode.NOBODY_SPOKE),
        ("voicemail", EndCode.VOICEMAIL),
        ("step bye", EndCode.PATH_ENDED),
        ("something new", EndCode.INTERNAL_ERROR),
    ):
        assert ending.of_conversation(ConversationEnd("agent", why)) is code
    broken = ConversationEnd("system", "llm_failed", failed=True, error="down")
    assert ending.of_conversation(broken) is EndCode.BROKE_DOWN


def test_errors() -> None:
    for error, code in (
        (SdpError(488, "Not Acceptable Here"), EndCode.NO_COMMON_AUDIO),
        (PortsExhausted("none"), EndCode.NO_PORTS),
        (TelephonyError("no address"), EndCode.UNREACHABLE),
        (ProviderError("down"), EndCode.INTERNAL_ERROR),
    ):
        assert ending.of_error(error) is code


@pytest.mark.parametrize("by", ["peer", "us", "transport"])
def test_a_leg_that_nobody_hung_up_is_lost(by: Any) -> None:
    wanted = EndCode.HUNG_UP if by == "peer" else EndCode.CONNECTION_LOST
    assert ending.of_leg(LegEnd(by, "why")) is wanted


@pytest.mark.parametrize(
    ("what", "code"),
    [("gone", EndCode.HUNG_UP), ("stop", EndCode.SHUT_DOWN), ("time", EndCode.MAX_BRIDGED_SECONDS)],
)
def test_bridged_calls(what: str, code: EndCode) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[LegEnd] = loop.create_future()
        stop: asyncio.Future[str] = loop.create_future()
        media: Any = SimpleNamespace(silent_seconds=0.0, on_hold=False, received_by="")
        destination: Any = SimpleNamespace(media=media, ended=loop.create_future(), close=lambda _why: None)
        relay: Any = SimpleNamespace(on_digit=None, close=lambda: None)
        permit: Any = SimpleNamespace(release=lambda: None)
        bridge = Bridged(media, gone, destination, relay, permit, Timeline(), max_seconds=5, stop=stop)
        if what == "gone":
            gone.set_result(LegEnd("peer", "hung up"))
        elif what == "stop":
            stop.set_result(ending.SHUTTING_DOWN)
        assert (await bridge.run()).end_code is code

    run(scenario())
