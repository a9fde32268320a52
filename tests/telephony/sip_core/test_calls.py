"""Whole calls between two endpoints: set up, end, races, a network that loses; every gauge back to nothing."""

from __future__ import annotations

import asyncio
import random

import pytest

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.sip.leg import MOVES
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.types import LegState, Outcome
from tests.telephony.sip_core.network import LATENCY, FakeMedia, Sent
from tests.telephony.sip_core.world import World, answer_at_once, play, state


def test_call_is_set_up_and_ended_by_the_caller() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        assert (out.state, into.state) == (LegState.CONFIRMED, LegState.CONFIRMED)
        assert into.invite.called == ("bob",)
        await out.hang_up("goodbye")
        assert w.network.whats() == [
            "INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE",
        ]  # fmt: skip
        assert w.seen_out.list == ["ringing", "answered", "ended"]
        assert w.seen_in.list == ["answered", "ended"]
        assert (w.seen_out.ends[0].by, w.seen_in.ends[0].by) == ("us", "peer")
        assert isinstance(out.media, FakeMedia)
        assert isinstance(into.media, FakeMedia)
        assert out.media.calls == ["local_offer", "remote_answer v=0 answer of bob"]
        assert into.media.calls == ["remote_offer v=0 offer of alice"]
        assert out.media.closed
        assert into.media.closed
        await w.idle()

    play(script)


def test_call_is_ended_by_the_callee_with_a_reason() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        await into.hang_up("Busy elsewhere", code=486)
        assert w.network.last("BYE").get_header("reason") == 'SIP;cause=486;text="Busy elsewhere"'
        assert out.end is not None
        assert out.end.by == "peer"
        assert w.seen_in.ends[0].code == 486
        await w.idle()

    play(script)


def test_byes_cross() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        await asyncio.gather(out.hang_up(), into.hang_up())
        assert w.network.count("BYE") == 2
        assert w.network.count("200 BYE") == 2
        assert w.seen_out.list.count("ended") == w.seen_in.list.count("ended") == 1
        await w.idle()

    play(script)


def test_hang_up_is_idempotent_and_waits_for_the_same_end() -> None:
    async def script(w: World) -> None:
        out, _ = await w.call()
        await asyncio.gather(out.hang_up(), out.hang_up("again", code=500))
        await out.hang_up()
        assert w.network.count("BYE") == 1
        assert w.network.last("BYE").get_header("reason") is None

    play(script)


def test_hang_up_from_a_peer_that_has_vanished_ends_after_32_seconds() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        w.network.rule = lambda _sent: []
        media = into.media
        assert isinstance(media, FakeMedia)
        start = asyncio.get_running_loop().time()
        hanging = asyncio.ensure_future(into.hang_up())
        await asyncio.sleep(0)
        assert media.closed == 1  # nobody is listened to while the BYE is repeated
        await hanging
        assert asyncio.get_running_loop().time() - start == pytest.approx(32)
        assert state(into) is LegState.ENDED
        await out.hang_up()
        await w.idle()

    play(script)


def test_cancel_crossing_the_200_leaves_one_clean_end() -> None:
    """The destination keeps ringing, or a ghost call stays up, when either side forgets about the other's message."""

    async def script(w: World) -> None:
        async def ring_then_answer(leg: InboundLeg) -> None:
            leg.attach(FakeMedia("bob"))
            leg.ring()
            await asyncio.sleep(1)
            await leg.answer()

        w.on_call = ring_then_answer
        out = w.dial()
        dialling = asyncio.ensure_future(out.dial())
        await asyncio.sleep(LATENCY + 1 - 0.005)  # our CANCEL leaves before the 200 is here
        await out.hang_up()
        assert await dialling is Outcome.CALLER_LEFT
        assert w.network.whats()[3:] == [
            "CANCEL", "200 INVITE", "200 CANCEL", "ACK", "BYE", "200 BYE",
        ]  # fmt: skip
        assert w.seen_in.list == ["answered", "ended"]
        assert w.seen_out.list == ["ringing", "ended"]
        await w.idle()

    play(script)


@pytest.mark.parametrize("seed", range(25))
def test_twenty_percent_of_signalling_lost(seed: int) -> None:
    async def script(w: World) -> None:
        w.network.lossy(0.2, seed)
        w.on_call = answer_at_once
        out = w.dial(progress_seconds=30, first_response_seconds=20)
        assert await out.dial() is Outcome.ANSWERED
        await asyncio.sleep(20)
        assert len(w.calls) == 1
        assert state(w.calls[0]) is LegState.CONFIRMED
        await (out if seed % 2 else w.calls[0]).hang_up()
        assert state(out) is LegState.ENDED
        assert state(w.calls[0]) is LegState.ENDED
        assert w.seen_in.list == ["answered", "ended"]
        await w.idle()

    play(script)


@pytest.mark.parametrize("seed", range(25))
def test_doubled_and_reordered_datagrams(seed: int) -> None:
    async def script(w: World) -> None:
        draw = random.Random(seed)

        def rule(_sent: Sent) -> list[float]:
            return [draw.uniform(0.001, 0.4) for _ in range(draw.choice((1, 2, 3)))]

        w.network.rule = rule
        w.on_call = answer_at_once
        out = w.dial()
        assert await out.dial() is Outcome.ANSWERED
        await asyncio.sleep(10)
        assert len(w.calls) == 1
        assert state(w.calls[0]) is LegState.CONFIRMED
        await w.calls[0].hang_up()
        await asyncio.sleep(1)
        assert state(out) is LegState.ENDED
        await w.idle()

    play(script)


@pytest.mark.parametrize("seed", range(10))
def test_ringing_cancelled_under_loss(seed: int) -> None:
    async def script(w: World) -> None:
        w.network.lossy(0.2, 100 + seed)

        async def ring(leg: InboundLeg) -> None:
            leg.attach(FakeMedia("bob"))
            leg.ring()

        w.on_call = ring
        out = w.dial(ring_seconds=5, progress_seconds=30, first_response_seconds=20)
        outcome = await out.dial()
        assert outcome in (Outcome.NO_ANSWER, Outcome.UNREACHABLE)
        await asyncio.sleep(64)
        assert state(out) is LegState.ENDED
        assert [leg.state for leg in w.calls] == [LegState.ENDED]
        await w.idle()

    play(script)


def test_many_calls_at_once() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        legs = [w.dial() for _ in range(100)]
        assert set(await asyncio.gather(*(leg.dial() for leg in legs))) == {Outcome.ANSWERED}
        assert len(w.calls) == 100
        assert w.bob.gauges()["dialogs"] == 100
        await asyncio.gather(*(leg.hang_up() for leg in legs))
        await w.idle()

    play(script)


def test_an_endpoint_calls_itself() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        w.alice.on_invite = w.bob.on_invite
        leg = w.dial(("192.0.2.1", 5060))
        assert await leg.dial() is Outcome.ANSWERED
        await leg.hang_up()
        assert w.seen_in.list == ["answered", "ended"]
        await w.idle()

    play(script)


def test_stop_ends_what_is_left() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        await w.bob.stop()
        assert state(into) is LegState.ENDED
        assert state(out) is LegState.ENDED
        assert set(w.bob.gauges().values()) == {0}

    play(script)


def test_no_state_but_ended_is_a_dead_end_and_no_move_leads_back() -> None:
    order = list(LegState)
    for at, targets in MOVES.items():
        assert bool(targets) == (at is not LegState.ENDED)
        assert all(order.index(target) > order.index(at) for target in targets)


def test_moves_of_the_other_direction_and_illegal_ones_raise() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        with pytest.raises(IllegalMove):
            await into.dial()
        with pytest.raises(IllegalMove):
            await out.answer()
        for move in (out.ring, out.progress, lambda: out.refuse(486), lambda: into.refuse(486)):
            with pytest.raises(IllegalMove):
                move()
        with pytest.raises(IllegalMove):
            await out.dial()
        with pytest.raises(IllegalMove):
            into.move(LegState.RINGING)
        await out.hang_up()
        with pytest.raises(LegClosed):
            await into.answer()
        with pytest.raises(LegClosed):
            await into.send_info("application/dtmf", b"5")

    play(script)


def test_a_callback_that_raises_harms_nothing() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()

        def broken(_end: object) -> None:
            raise RuntimeError("a bug above")

        into.events.ended = broken
        await out.hang_up()
        assert state(into) is LegState.ENDED
        assert w.bob.gauges()["faults_total"] == 1
        assert w.bob.gauges()["legs"] == 0

    play(script)
