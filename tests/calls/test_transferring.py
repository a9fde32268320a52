"""Putting a caller through: every outcome, every race, and nothing left ringing, muted or taken afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from parlons.calls.dialling import Party
from parlons.calls.ringing_audio import territory
from parlons.calls.transferring import MOVES, Phase
from parlons.errors import IllegalMove, ProviderError
from parlons.telephony.types import Outcome
from tests.calls.putting_through import (
    AGENT_NUMBER,
    CALLER_NUMBER,
    DESTINATION,
    Scene,
    Step,
    answers,
    hang_up,
    now,
    outcome,
    said,
    scene,
)
from tests.telephony.sip_core.world import CALLER, PEER

RINGS_THEN_ANSWERS: Sequence[Step] = [(0.1, 180), (3.0, 200)]
EARLY_THEN_ANSWERS: Sequence[Step] = [(0.1, 183, b"v=0"), (3.0, 200)]


# -- outcomes ------------------------------------------------------------------------------------------------------


def test_the_caller_hears_the_sentence_then_ringback_then_the_destination() -> None:
    async def script(s: Scene) -> None:
        answers(s, RINGS_THEN_ANSWERS)
        started = now()
        result, transfer = await outcome(s)
        assert result.outcome is Outcome.ANSWERED
        assert now() - started == pytest.approx(3.0, abs=0.2)
        assert s.world.network.times("INVITE") == [0.0]
        assert s.world.network.log[0].at - started < 0.05  # it leaves before the sentence is over
        await asyncio.sleep(0.2)
        assert s.caller.heard() == ["agent", "ringback", "relay"]
        assert s.caller.first("ringback") - started == pytest.approx(0.5, abs=0.1)
        assert s.destination.heard() == ["relay"]
        assert s.legs() == ["dialled", "ringing", "answered", "bridged"]
        assert s.leg("dialled") == {
            "leg": "destination",
            "event": "dialled",
            "to": DESTINATION,
            "connection": "trunk",
        }
        assert s.limits.legs == 1
        assert transfer.bridge is not None
        s.leave()
        end = await transfer.bridge.run()
        assert (end.who, end.why) == ("caller", "hung up")
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1

    scene(script)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (486, Outcome.BUSY),
        (600, Outcome.BUSY),
        (603, Outcome.DECLINED),
        (404, Outcome.INVALID_DESTINATION),
        (480, Outcome.NO_ANSWER),
        (503, Outcome.UNREACHABLE),
        (403, Outcome.UNREACHABLE),
    ],
)
def test_a_refusal_gives_the_caller_back_to_the_agent(code: int, expected: Outcome) -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 180), (2.0, code)])
        result, transfer = await outcome(s)
        assert (result.outcome, result.code, result.detail) == (expected, code, "So")
        assert transfer.bridge is None
        assert s.with_agent
        assert s.legs() == ["dialled", "ringing", "ended"]
        assert (s.leg("ended")["code"], s.leg("ended")["why"]) == (code, "So")

    scene(script)


def test_no_response_at_all_is_unreachable_after_6_s_and_a_late_answer_is_hung_up() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(8.0, 200)])
        started = now()
        result, _ = await outcome(s)
        assert (result.outcome, result.code) == (Outcome.UNREACHABLE, None)
        assert "neither rang nor answered" in result.detail
        assert now() - started == pytest.approx(6.0, abs=0.1)
        assert s.with_agent
        await asyncio.sleep(4)
        assert (s.world.network.count("ACK"), s.world.network.count("BYE")) == (1, 1)

    scene(script)


def test_100_and_then_nothing_is_unreachable_after_12_s() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 100)])
        started = now()
        result, _ = await outcome(s)
        assert result.outcome is Outcome.UNREACHABLE
        assert now() - started == pytest.approx(12.0, abs=0.1)
        await asyncio.sleep(1)
        assert s.world.network.count("CANCEL") == 1

    scene(script)


def test_the_ring_deadline_counts_from_the_first_18x_only() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 100), (4.0, 180), (6.0, 180), (8.0, 183)])
        started = now()
        result, _ = await outcome(s, ring_seconds=5.0)
        assert (result.outcome, result.code, result.detail) == (Outcome.NO_ANSWER, None, "rang for 5 s")
        assert now() - started == pytest.approx(9.0, abs=0.25)
        assert s.with_agent
        await asyncio.sleep(0.5)
        assert s.world.network.count("CANCEL") == 1

    scene(script)


def test_an_answer_that_crosses_the_cancel_is_acknowledged_then_hung_up() -> None:
    async def script(s: Scene) -> None:
        s.world.peer.on["CANCEL"] = lambda cancel: s.world.peer.answer(cancel, 200)
        answers(s, [(0.0, 180), (5.015, 200)])
        result, transfer = await outcome(s, ring_seconds=5.0)
        assert result.outcome is Outcome.NO_ANSWER
        assert transfer.bridge is None
        await asyncio.sleep(1)
        assert [s.world.network.count(what) for what in ("CANCEL", "ACK", "BYE")] == [1, 1, 1]
        assert s.with_agent

    scene(script)


# -- the caller leaves, or the attempt is cancelled, in each state ---------------------------------------------------

STATES: dict[str, tuple[tuple[Sequence[Step], ...], dict[str, Any], float, Phase]] = {
    "before anything came": (([(20.0, 180)],), {}, 1.0, Phase.DIALLING),
    "ringing": ((RINGS_THEN_ANSWERS,), {}, 1.0, Phase.DIALLING),
    "early media": ((EARLY_THEN_ANSWERS,), {}, 1.0, Phase.DIALLING),
    "whisper being made": (([(0.1, 200)],), {"whisper": "slow"}, 1.0, Phase.BRIEFING),
    "whisper": (([(0.1, 180), (0.3, 200)],), {"whisper": "Ada"}, 0.8, Phase.BRIEFING),
    "accept key": (([(0.1, 200)],), {"accept_key": "5"}, 1.0, Phase.ACCEPTING),
    "sentence not over": (([(0.1, 200)],), {}, 0.3, Phase.JOINING),
}


async def slow_or_not(s: Scene) -> bytes:
    await asyncio.sleep(3.0 if s.spoken_texts == ["slow"] else 0.0)
    return b"\x05" * 16000


@pytest.mark.parametrize("state", STATES)
def test_when_the_caller_leaves_the_destination_is_let_go_within_a_second(state: str) -> None:
    steps, order, when, phase = STATES[state]

    async def script(s: Scene) -> None:
        answers(s, *steps)
        s.speech = lambda: slow_or_not(s)
        transfer = s.transfer(**order)
        running = asyncio.ensure_future(transfer.run(said()))
        await asyncio.sleep(when)
        assert transfer.phase is phase
        left = now()
        s.leave()
        result = await running
        assert result.outcome is Outcome.CALLER_LEFT
        assert now() - left < 0.05
        assert transfer.bridge is None
        await asyncio.sleep(30)
        ends = [sent.at - left for sent in s.world.network.log if sent.what in ("CANCEL", "BYE")]
        if state == "before anything came":  # nothing may be cancelled yet: repeating stops, what comes is cancelled
            assert [at for at in ends if at < 18] == []
            assert not [sent for sent in s.world.network.log if sent.what == "INVITE" and sent.at > left]
        else:
            assert min(ends) < 1.0
        assert s.legs()[-1] == "ended"

    scene(script)


@pytest.mark.parametrize("state", STATES)
def test_cancelling_it_leaves_nobody_ringing_and_the_port_to_the_agent(state: str) -> None:
    steps, order, when, phase = STATES[state]

    async def script(s: Scene) -> None:
        answers(s, *steps)
        s.speech = lambda: slow_or_not(s)
        transfer = s.transfer(**order)
        running = asyncio.ensure_future(transfer.run(said()))
        await asyncio.sleep(when)
        assert transfer.phase is phase
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert s.with_agent
        assert transfer.phase is Phase.OVER
        assert s.limits.legs == 0
        await asyncio.sleep(0.5)
        if state != "before anything came":
            assert s.world.network.count("CANCEL") + s.world.network.count("BYE") == 1

    scene(script)


def test_a_caller_who_has_left_already_is_not_put_through() -> None:
    async def script(s: Scene) -> None:
        s.leave()
        result, _ = await outcome(s)
        assert result.outcome is Outcome.CALLER_LEFT
        assert s.world.network.log == []

    scene(script)


def test_the_caller_leaves_in_the_instant_of_the_answer() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.6, 200)])
        transfer = s.transfer()
        joined = transfer._join

        def join_and_leave(*given: Any) -> None:
            joined(*given)
            s.leave()

        transfer._join = join_and_leave  # type: ignore[assignment,method-assign]
        result = await transfer.run(said())
        assert result.outcome is Outcome.CALLER_LEFT
        await asyncio.sleep(0.2)
        assert s.world.network.count("BYE") == 1

    scene(script)


def test_cancelling_it_in_the_instant_of_joining_lets_go_of_the_destination() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.6, 200)])
        transfer = s.transfer()
        joined = transfer._join

        def join_and_cancel(*given: Any) -> None:
            joined(*given)
            running.cancel()

        transfer._join = join_and_cancel  # type: ignore[assignment,method-assign]
        running = asyncio.ensure_future(transfer.run(said()))
        with pytest.raises(asyncio.CancelledError):
            await running
        assert transfer.phase is Phase.OVER
        await asyncio.sleep(0.2)
        assert s.world.network.count("BYE") == 1

    scene(script)


# -- sound while it rings --------------------------------------------------------------------------------------------


def test_early_media_is_heard_after_the_sentence_and_ringback_while_there_is_none() -> None:
    async def script(s: Scene) -> None:
        answers(s, EARLY_THEN_ANSWERS)
        transfer = s.transfer()
        running = asyncio.ensure_future(transfer.run(said(1.0)))
        await asyncio.sleep(0.5)
        assert s.caller.heard() == ["agent"]
        await asyncio.sleep(1.0)
        assert s.caller.heard() == ["agent", "early"]
        s.earlies[0].flowing = False
        await asyncio.sleep(0.5)
        s.earlies[0].flowing = True
        result = await running
        assert result.outcome is Outcome.ANSWERED
        await asyncio.sleep(0.1)
        assert s.caller.heard() == ["agent", "early", "ringback", "early", "relay"]
        assert s.legs() == ["dialled", "ringing", "early_media", "answered", "bridged"]
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script)


def test_early_media_then_busy_is_the_agents_turn_again() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 183, b"v=0"), (2.0, 486)])
        result, _ = await outcome(s)
        assert result.outcome is Outcome.BUSY
        assert s.with_agent
        await asyncio.sleep(0.1)
        assert s.caller.heard() == ["agent", "early", "agent"]

    scene(script)


def test_a_sentence_that_never_ends_holds_ringback_and_joining_back_for_10_s() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 180), (1.0, 200)])
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        started = now()
        result, transfer = await outcome(s, never)
        assert result.outcome is Outcome.ANSWERED
        assert now() - started == pytest.approx(10.0, abs=0.1)
        assert not never.cancelled()  # it is the conversation's
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script)


def test_a_sentence_that_fails_is_over() -> None:
    async def fails() -> None:
        await asyncio.sleep(0.2)
        raise ValueError

    async def script(s: Scene) -> None:
        answers(s, [(0.1, 180), (2.0, 486)])
        await outcome(s, fails())
        assert s.caller.heard()[:2] == ["agent", "ringback"]

    scene(script)


def test_the_agent_hears_silence_and_no_keys_but_its_clock_goes_on() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 180), (3.0, 486)])
        running = asyncio.ensure_future(s.transfer().run(said()))
        await asyncio.sleep(0.05)
        s.to_agent.clear()
        await s.caller.caller_says("Allô ?", 1.0)
        assert s.caller.on_dtmf is not None
        s.caller.on_dtmf("7")
        await running
        assert len(s.to_agent) == pytest.approx(150, abs=5)
        assert set(b"".join(s.to_agent)) == {0}
        assert (s.agent_keys, s.digits()) == ([], [("caller", "7")])

    scene(script)


@pytest.mark.parametrize(
    ("language", "country"), [("fr-FR", "FR"), ("fr", "FR"), ("de-CH", "CH"), ("en", "US"), ("zh-Hant-TW", "TW")]
)
def test_whose_ringback_is_heard(language: str, country: str) -> None:
    assert territory(language) == country


# -- whisper and key -------------------------------------------------------------------------------------------------


def test_the_whisper_is_for_the_destination_alone_and_ready_before_the_answer() -> None:
    async def script(s: Scene) -> None:
        answers(s, EARLY_THEN_ANSWERS)

        async def slowly() -> bytes:
            await asyncio.sleep(2.0)
            return b"\x05" * 16000

        s.speech = slowly
        started = now()
        result, transfer = await outcome(s, whisper="Un appel de Ada")
        assert result.outcome is Outcome.ANSWERED
        assert now() - started == pytest.approx(4.0, abs=0.2)  # 3 s of ringing, 1 s of whisper
        await asyncio.sleep(0.1)
        assert s.caller.heard() == ["agent", "early", "ringback", "relay"]
        assert s.destination.heard() == ["whisper", "relay"]
        assert s.spoken_texts == ["Un appel de Ada"]
        assert (s.leg("whisper")["played"], s.leg("whisper")["whole"]) == (True, True)
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script)


async def broken() -> bytes:
    raise ProviderError("No speech provider could say it.")


async def buggy() -> bytes:
    raise ZeroDivisionError


async def silent() -> bytes:
    return b""


async def too_slow() -> bytes:
    await asyncio.sleep(100)
    return b"\x05" * 320


@pytest.mark.parametrize(
    ("speech", "error", "seconds"),
    [
        (broken, "No speech provider could say it.", 0.0),
        (buggy, "ZeroDivisionError", 0.0),
        (silent, "no audio", 0.0),
        (too_slow, "not ready in time", 4.0),
    ],
)
def test_without_a_whisper_the_legs_are_joined_all_the_same(
    speech: Callable[[], Awaitable[bytes]], error: str, seconds: float
) -> None:
    async def script(s: Scene) -> None:
        answers(s, [(1.0, 200)])
        s.speech = speech
        started = now()
        result, transfer = await outcome(s, whisper="Un appel")
        assert result.outcome is Outcome.ANSWERED
        assert now() - started == pytest.approx(1.0 + seconds, abs=0.2)
        assert (s.leg("whisper")["played"], s.leg("whisper")["error"]) == (False, error)
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script)


def test_a_voicemail_that_heard_no_whisper_is_not_given_the_caller_either() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(1.0, 200)])
        s.speech = broken
        result, _ = await outcome(s, whisper="Un appel", accept_key="1")
        assert result.outcome is Outcome.DECLINED
        assert s.with_agent

    scene(script)


@pytest.mark.parametrize(
    ("presses", "accepted", "seconds"),
    [
        ([(1.5, "5")], True, 1.5),  # after the whisper, which lasts from 0.1 to 1.1
        ([(0.5, "5")], True, 0.5),  # during it
        ([(1.5, "4"), (3.0, "5")], True, 3.0),
        ([(11.0, "5")], True, 11.0),
        ([(11.3, "5")], False, 11.1),
        ([(1.5, "4")], False, 11.1),
        ([], False, 11.1),
    ],
)
def test_the_accept_key(presses: list[tuple[float, str]], accepted: bool, seconds: float) -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 200)])
        transfer = s.transfer(whisper="Tapez 5", accept_key="5")
        started = now()
        running = asyncio.ensure_future(transfer.run(said(0.2)))
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.2)
        press = s.destination.on_dtmf
        assert press is not None
        for at, digit in presses:
            loop.call_later(at - 0.2, press, digit)
        result = await running
        assert result.outcome is (Outcome.ANSWERED if accepted else Outcome.DECLINED)
        assert now() - started == pytest.approx(seconds, abs=0.15)
        await asyncio.sleep(0.5)
        if accepted:
            assert s.caller.heard() == ["agent", "ringback", "relay"]
            assert s.destination.heard() == ["whisper", "relay"]
            assert s.legs()[-2:] == ["accepted", "bridged"]
            assert s.digits() == [("destination", digit) for _at, digit in presses]
            assert transfer.bridge is not None
            transfer.bridge.close()
        else:
            assert s.with_agent
            assert s.legs()[-2:] == ["not_accepted", "ended"]
            assert result.detail == "nobody pressed 5"
            assert s.world.network.count("BYE") == 1

    scene(script)


@pytest.mark.parametrize("order", [{"whisper": "Tapez 5"}, {"accept_key": "5"}])
def test_a_destination_that_hangs_up_before_it_is_joined_has_declined(order: dict[str, str]) -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 200)])
        asyncio.get_running_loop().call_later(0.6, hang_up, s)
        result, _ = await outcome(s, said(0.1), **order)
        assert (result.outcome, result.detail) == (Outcome.DECLINED, "hung up before being put through")
        assert s.with_agent
        assert s.legs()[-1] == "ended"

    scene(script)


def test_keys_of_a_sensitive_step_are_not_written_down() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 200)])
        running = asyncio.ensure_future(s.transfer(accept_key="5").run(said(0.1)))
        await asyncio.sleep(0.5)
        assert s.caller.on_dtmf is not None
        assert s.destination.on_dtmf is not None
        s.caller.on_dtmf("9")
        s.destination.on_dtmf("4")
        await running
        assert s.digits() == [("caller", ""), ("destination", "")]

    scene(script, hide_digits=True)


# -- what is never dialled -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "order", "expected", "detail"),
    [
        ({}, {"user": "+881612345678"}, Outcome.REFUSED_BY_POLICY, "refused_prefixes"),
        ({}, {"user": "0899123456"}, Outcome.REFUSED_BY_POLICY, "refused_prefixes"),
        ({"settings": {"max_outbound_legs": 0}}, {}, Outcome.REFUSED_BY_POLICY, "max_outbound_legs"),
        ({"settings": {"max_outbound_per_minute": 0}}, {}, Outcome.REFUSED_BY_POLICY, "max_outbound_per_minute"),
        ({}, {"route": "There is no SIP connection: set one."}, Outcome.UNREACHABLE, "set one"),
        ({}, {"user": ""}, Outcome.INVALID_DESTINATION, "nobody to ring"),
        ({}, {"user": "x" * 201}, Outcome.INVALID_DESTINATION, "nobody to ring"),
    ],
)
def test_what_is_never_dialled(options: dict[str, Any], order: dict[str, Any], expected: Outcome, detail: str) -> None:
    async def script(s: Scene) -> None:
        result, _ = await outcome(s, **order)
        assert result.outcome is expected
        assert detail in result.detail
        assert s.world.network.log == []
        assert s.opened == []
        assert s.with_agent

    scene(script, **options)


def test_no_port_left_is_unreachable() -> None:
    async def script(s: Scene) -> None:
        s.no_ports = True
        result, _ = await outcome(s)
        assert (result.outcome, result.detail) == (Outcome.UNREACHABLE, "No RTP port is free.")
        assert s.with_agent

    scene(script)


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    async def script(s: Scene) -> None:
        result, _ = await outcome(s)
        assert result.outcome is Outcome.UNREACHABLE
        assert s.world.network.log == []
        assert s.with_agent

    scene(script, connection={"host": "nowhere.invalid"})


def test_a_bug_of_ours_gives_the_caller_back_to_the_agent() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 200)])
        s.relay_breaks = True
        result, _ = await outcome(s)
        assert (result.outcome, result.detail) == (Outcome.UNREACHABLE, "internal error: ZeroDivisionError")
        assert s.with_agent
        await asyncio.sleep(0.2)
        assert s.world.network.count("BYE") == 1

    scene(script)


def test_a_caller_can_be_put_through_after_a_first_attempt_failed() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 486)], [(0.1, 180), (1.0, 200)])
        first, _ = await outcome(s)
        second, transfer = await outcome(s)
        assert (first.outcome, second.outcome) == (Outcome.BUSY, Outcome.ANSWERED)
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script, settings={"max_outbound_legs": 1})


# -- what the INVITE says --------------------------------------------------------------------------------------------


def test_headers_identity_and_codecs_of_the_invite() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 486)])
        await outcome(
            s,
            headers=(("X-Queue", "order"), ("X-Bad", "a\r\nVia: b"), ("Via", "c")),
            user_to_user="42",
        )
        (invite,) = s.world.peer.requests("INVITE")
        assert invite.uri == f"sip:0033612345678@{PEER[0]}:{PEER[1]}"
        assert invite.get_header("x-queue") == "order"
        assert invite.get_header("x-call") == "c1"
        assert invite.get_header("x-bad") is None
        assert invite.get_header("user-to-user") == "3432;encoding=hex"
        assert "sip:0033123456789@" in (invite.get_header("from") or "")
        assert "sip:0033123456789@" in (invite.get_header("p-asserted-identity") or "")
        assert "sip:0033123456789@" in (invite.get_header("diversion") or "")
        assert s.asked_codecs == [("G722", "PCMU", "PCMA")]
        problems = s.leg("headers_left_out")["problems"]
        assert [problem.split(":")[0] for problem in problems] == ["X-Bad", "Via"]

    scene(
        script,
        connection={
            "number_format": "00",
            "codecs": ["PCMU", "G722", "PCMA"],
            "headers": [{"name": "x-queue", "value": "trunk"}, {"name": "X-Call", "value": "{{ call }}"}],
        },
        rate=16000,
        codec="G722",
    )


@pytest.mark.parametrize("mode", ["agent", "caller"])
def test_a_withheld_caller_has_no_number_anywhere(mode: str) -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 200)])
        _, transfer = await outcome(s, said(0.1), user_to_user="x" * 129)
        assert transfer.bridge is not None
        transfer.bridge.close()
        raw = b"".join(sent.data for sent in s.world.network.log if sent.source == CALLER).decode()
        for number in (CALLER_NUMBER, AGENT_NUMBER):
            assert number.removeprefix("+33") not in raw
            assert number.removeprefix("+33") not in repr(s.timeline.events)
        assert "Privacy: id" in raw
        assert "Diversion" not in raw
        assert "User-to-User" not in raw  # too long: left out

    scene(script, connection={"from_mode": mode}, party=Party(AGENT_NUMBER, CALLER_NUMBER, "Ada", withheld=True))


def test_the_called_number_when_no_destination_is_named() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 486)])
        await outcome(s, user="", called="+33199887766")
        assert s.world.peer.requests("INVITE")[0].uri.startswith("sip:+33199887766@")
        assert s.leg("dialled")["to"] == "+33199887766"

    scene(script)


# -- redirects -------------------------------------------------------------------------------------------------------


def moved(contact: str, after: float = 0.1) -> Step:
    return (after, 302, b"", contact)


HERE = f"{PEER[0]}:{PEER[1]}"


def test_a_redirect_within_the_connection_is_followed() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 183, b"v=0"), moved(f"<sip:%2B33600@{HERE};transport=udp>", 1.0)], RINGS_THEN_ANSWERS)
        result, transfer = await outcome(s)
        assert result.outcome is Outcome.ANSWERED
        assert [i.uri for i in s.world.peer.requests("INVITE")] == [f"sip:{DESTINATION}@{HERE}", f"sip:+33600@{HERE}"]
        assert s.legs() == [
            *("dialled", "ringing", "early_media", "ended", "redirected"),
            *("dialled", "ringing", "answered", "bridged"),
        ]
        assert s.limits.legs == 1
        await asyncio.sleep(0.1)
        assert s.caller.heard() == ["agent", "early", "ringback", "relay"]
        assert transfer.bridge is not None
        transfer.bridge.close()

    scene(script)


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:600@198.51.100.7>",
        f"<sip:600@{PEER[0]}:5061>",
        f"<sip:600@{PEER[0]}>",
        f"<sips:600@{HERE}>",
        f"<sip:600@{HERE};transport=tcp>",
        f"<sip:600@{HERE};maddr=198.51.100.7>",
        f"<sip:{HERE}>",
        "<tel:+33600>",
        "*",
    ],
)
def test_a_redirect_to_anywhere_else_is_not_followed(contact: str) -> None:
    async def script(s: Scene) -> None:
        answers(s, [moved(contact)], RINGS_THEN_ANSWERS)
        result, _ = await outcome(s)
        assert (result.outcome, result.code) == (Outcome.UNREACHABLE, 302)
        assert len(s.world.peer.requests("INVITE")) == 1

    scene(script)


def test_redirects_do_not_go_on_for_ever() -> None:
    async def script(s: Scene) -> None:
        answers(s, *[[moved(f"<sip:60{n}@{HERE}>")] for n in range(9)])
        result, _ = await outcome(s)
        assert (result.outcome, result.code) == (Outcome.UNREACHABLE, 302)
        assert len(s.world.peer.requests("INVITE")) == 3

    scene(script)


def test_a_redirect_to_a_refused_number_is_refused() -> None:
    async def script(s: Scene) -> None:
        answers(s, [moved(f"<sip:0033899123456@{HERE}>")])
        result, _ = await outcome(s)
        assert result.outcome is Outcome.REFUSED_BY_POLICY
        assert s.with_agent

    scene(script)


def test_the_ring_deadline_does_not_begin_again_after_a_redirect() -> None:
    async def script(s: Scene) -> None:
        answers(s, [(0.1, 180), moved(f"<sip:600@{HERE}>", 6.0)], [(1.0, 180), (9.0, 200)])
        started = now()
        result, _ = await outcome(s, ring_seconds=10.0)
        assert result.outcome is Outcome.NO_ANSWER
        assert now() - started == pytest.approx(10.1, abs=0.25)
        await asyncio.sleep(0.5)
        assert s.world.network.count("CANCEL") == 1

    scene(script)


# -- the table -------------------------------------------------------------------------------------------------------


def test_an_illegal_move_raises() -> None:
    async def script(s: Scene) -> None:
        transfer = s.transfer()
        with pytest.raises(IllegalMove):
            transfer._move(Phase.JOINED)
        assert set(MOVES) == set(Phase)

    scene(script)
