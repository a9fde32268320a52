"""Two joined legs: who ended them and why, and that everything of the destination's is let go of, once."""

from __future__ import annotations

import asyncio

import pytest
from aiosipua.message import SipRequest

from parlons.calls.bridged import Bridged
from parlons.calls.timeline import Kind
from parlons.telephony.types import Outcome
from tests.calls.putting_through import Scene, answers, hang_up, now, outcome, said, scene
from tests.telephony.sip_core.world import CALLER, PEER


async def joined(s: Scene, *, decode: bool = False) -> Bridged:
    """A caller who was put through."""
    answers(s, [(0.1, 200)])
    result, transfer = await outcome(s, said(0.1), decode=decode)
    assert result.outcome is Outcome.ANSWERED
    assert transfer.bridge is not None
    return transfer.bridge


def reinvite(s: Scene, body: bytes, cseq: int) -> None:
    """The destination offers again (hold, or back), and acknowledges the answer."""
    invite = s.world.peer.requests("INVITE")[-1]
    uri = (invite.get_header("contact") or "").strip("<>")
    request, ack = SipRequest(method="INVITE", uri=uri), SipRequest(method="ACK", uri=uri)
    fields = {
        "Via": f"SIP/2.0/UDP {PEER[0]}:{PEER[1]};rport;branch=z9hG4bK-hold{cseq}",
        "Max-Forwards": "70",
        "From": f"{invite.get_header('to')};tag=t1",
        "To": invite.get_header("from") or "",
        "Call-ID": invite.get_header("call-id") or "",
        "CSeq": f"{cseq} INVITE",
        "Contact": f"<sip:peer@{PEER[0]}:{PEER[1]}>",
        "Content-Type": "application/sdp",
    }
    for name, value in fields.items():
        request.headers.append(name, value)
        if name != "Content-Type":
            ack.headers.append(name, value.replace("INVITE", "ACK").replace("-hold", "-ack"))
    request.body = body
    s.world.peer.send(request, CALLER)
    asyncio.get_running_loop().call_later(0.2, s.world.peer.send, ack, CALLER)


def test_the_destination_hangs_up() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        asyncio.get_running_loop().call_later(20, hang_up, s)
        end = await bridge.run()
        assert (end.who, end.why, end.code) == ("destination", "hung up", None)
        assert s.leg("ended")["why"] == "hung up"
        assert s.limits.legs == 0
        assert s.world.network.count("BYE") == 1  # theirs: none of ours

    scene(script)


def test_the_caller_hangs_up() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        asyncio.get_running_loop().call_later(20, s.leave)
        started = now()
        end = await bridge.run()
        assert (end.who, end.why) == ("caller", "hung up")
        assert now() - started == pytest.approx(20, abs=0.1)
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1

    scene(script)


def test_both_hang_up_at_once() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        hang_up(s)
        await asyncio.sleep(0.05)
        s.leave()
        end = await bridge.run()
        assert end.who == "caller"
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1

    scene(script)


def test_a_destination_that_hung_up_before_anybody_watched() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        hang_up(s)
        await asyncio.sleep(3)  # the conversation takes its time to close
        end = await bridge.run()
        assert (end.who, end.why) == ("destination", "hung up")

    scene(script)


def test_max_bridged_seconds_count_from_the_joining() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        started = now()
        await asyncio.sleep(10)
        end = await bridge.run()
        assert (end.who, end.why) == ("system", "max_bridged_seconds")
        assert now() - started == pytest.approx(60, abs=0.1)
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1

    scene(script, settings={"max_bridged_seconds": 60})


@pytest.mark.parametrize("side", ["caller", "destination"])
def test_a_side_that_sends_nothing_for_60_s_is_gone(side: str) -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        media = s.caller if side == "caller" else s.destination
        running = asyncio.ensure_future(bridge.run())
        media.silent = 59.0
        await asyncio.sleep(3)
        assert not running.done()
        media.silent = 0.0
        await asyncio.sleep(2)
        media.silent = 60.0
        end = await running
        assert (end.who, end.why) == ("system", f"no audio came from the {side} any more")
        heard = [(e.actor, e.payload["event"]) for e in s.timeline.events if e.kind is Kind.LEG]
        assert [(a, what) for a, what in heard if "rtp" in what] == [(side, "rtp_silence"), (side, "rtp_resumed")]

    scene(script)


def test_hold_from_the_destination_is_on_the_timeline() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        running = asyncio.ensure_future(bridge.run())
        reinvite(s, b"v=0 sendonly", 5)
        await asyncio.sleep(1)
        reinvite(s, b"v=0", 6)
        await asyncio.sleep(1)
        assert s.legs()[-2:] == ["hold", "resumed"]
        assert not running.done()
        s.leave()
        await running

    scene(script)


@pytest.mark.parametrize("hidden", [False, True])
def test_keys_of_both_sides_are_on_the_timeline(hidden: bool) -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        s.relays[0].press("one", "1")
        s.relays[0].press("other", "2")
        assert s.digits() == [("caller", "" if hidden else "1"), ("destination", "" if hidden else "2")]
        bridge.close()

    scene(script, hide_digits=hidden)


def test_the_operator_ends_it() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        asyncio.get_running_loop().call_later(5, s.stop.set_result, "the server is shutting down")
        end = await bridge.run()
        assert (end.who, end.why) == ("system", "the server is shutting down")

    scene(script)


def test_cancelling_it_lets_go_of_the_destination() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        running = asyncio.ensure_future(bridge.run())
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1
        assert s.limits.legs == 0

    scene(script)


def test_it_may_be_closed_without_being_run_and_twice() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        bridge.close("the call failed")
        bridge.close()
        assert s.limits.legs == 0
        assert s.leg("ended")["why"] == "the call failed"
        await asyncio.sleep(0.1)
        assert s.world.network.count("BYE") == 1

    scene(script)


@pytest.mark.parametrize("decode", [False, True])
def test_the_recorders_tap_goes_unless_the_bridge_is_recorded(decode: bool) -> None:
    async def script(s: Scene) -> None:
        def tap(_received: bytes, _sent: bytes) -> None: ...

        s.caller.tap = tap
        bridge = await joined(s, decode=decode)
        assert s.relays[0].decode is decode
        assert s.caller.tap is (tap if decode else None)
        bridge.close()

    scene(script)


def test_a_destination_that_never_answers_our_bye_holds_nobody_up() -> None:
    async def script(s: Scene) -> None:
        bridge = await joined(s)
        del s.world.peer.on["BYE"]
        started = now()
        s.leave()
        await bridge.run()
        assert now() - started < 0.1
        assert s.destination.closed

    scene(script)
