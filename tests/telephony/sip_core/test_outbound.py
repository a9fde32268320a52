"""A call we place: deadlines, CANCEL and its races, forks, early media, challenges, and what each answer means."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

import pytest
from aiosipua.message import SipRequest

from parlons.errors import HeaderRefused, IllegalMove, TelephonyError
from parlons.telephony.sip.leg_out import OutboundLeg
from parlons.telephony.types import LegState, OutboundInvite, Outcome
from tests.telephony.sip_core.network import FakeMedia
from tests.telephony.sip_core.world import PEER, World, play, state


def now() -> float:
    return asyncio.get_running_loop().time()


def media_of(leg: OutboundLeg) -> FakeMedia:
    assert isinstance(leg.media, FakeMedia)
    return leg.media


def polite(w: World) -> None:
    """The peer answers CANCEL with 200 and 487, and BYE with 200."""

    def cancelled(cancel: SipRequest) -> None:
        w.peer.answer(cancel, 200)
        w.peer.answer(w.peer.requests("INVITE")[-1], 487)

    w.peer.on["CANCEL"] = cancelled
    w.peer.on["BYE"] = lambda bye: w.peer.answer(bye, 200)


def script_of(w: World, *steps: tuple[float, int, str, bytes]) -> Callable[[SipRequest], None]:
    """Answer an INVITE after ``delay`` seconds with ``code``, To tag and body, for each step."""

    def invited(request: SipRequest) -> None:
        if len(w.peer.requests("INVITE")) > 1:
            return
        for delay, code, tag, body in steps:
            answer = functools.partial(w.peer.answer, request, code, tag=tag, body=body)
            asyncio.get_running_loop().call_later(delay, answer)

    return invited


def test_the_invite_says_what_it_must() -> None:
    async def script(w: World) -> None:
        w.alice.core.public_address = "203.0.113.7"
        leg = w.dial(PEER, username="trunk@user", password="x", asserted="+33123456789", headers=(("X-Queue", "vip"),))
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.1)
        (invite,) = w.peer.requests("INVITE")
        assert invite.uri == "sip:bob@192.0.2.9:5070"
        assert (invite.get_header("via") or "").startswith("SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK")
        assert (invite.get_header("via") or "").endswith(";rport")
        assert invite.get_header("contact") == "<sip:trunk%40user@203.0.113.7:5060>"
        assert "+33123456789@" in (invite.get_header("from") or "")
        assert ";tag=" in (invite.get_header("from") or "")
        assert ";tag=" not in (invite.get_header("to") or "")
        assert invite.get_header("max-forwards") == "70"
        assert invite.get_header("cseq") == "1 INVITE"
        assert invite.get_header("x-queue") == "vip"
        assert invite.get_header("user-agent") == "Parlons"
        assert invite.get_header("supported") == "timer"
        assert invite.get_header("p-asserted-identity")
        assert invite.body == b"v=0 offer of alice"
        assert invite.get_header("authorization") is None
        dialling.cancel()

    play(script)


# -- deadlines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ring_seconds", [5.0, 20.0, 45.0])
def test_ring_timer_counts_from_the_first_18x_and_never_restarts(ring_seconds: float) -> None:
    """A ring timer that restarts at each 18x, or that counts post-dial delay, rings for ever or too short."""

    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(
            w, (0, 100, "", b""), (4, 183, "a", b""), (5, 180, "a", b""), (6, 180, "b", b""), (8, 182, "a", b"")
        )
        leg = w.dial(PEER, ring_seconds=ring_seconds)
        start = now()
        assert await leg.dial() is Outcome.NO_ANSWER
        assert now() - start == pytest.approx(4 + ring_seconds, abs=0.25)
        assert state(leg) is LegState.ENDING
        assert media_of(leg).closed == 1
        await asyncio.sleep(1)
        assert [r.get_header("cseq") for r in w.peer.requests("CANCEL")] == ["1 CANCEL"]
        assert state(leg) is LegState.ENDED
        assert w.seen_out.list == ["ringing", "ended"]
        assert len(w.peer.requests("ACK")) == 1
        await w.idle()

    play(script)


def test_no_response_at_all_is_unreachable_after_6_seconds() -> None:
    async def script(w: World) -> None:
        leg = w.dial(PEER)
        start = now()
        assert await leg.dial() is Outcome.UNREACHABLE
        assert now() - start == pytest.approx(6)
        sent = w.network.count("INVITE")
        await w.idle()
        assert w.network.count("INVITE") == sent
        assert w.network.count("CANCEL") == 0
        assert state(leg) is LegState.ENDED

    play(script)


def test_only_100_is_unreachable_after_12_seconds_and_cancelled() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (0, 100, "", b""))
        leg = w.dial(PEER)
        start = now()
        assert await leg.dial() is Outcome.UNREACHABLE
        assert now() - start == pytest.approx(12)
        await asyncio.sleep(1)
        assert w.network.count("CANCEL") == 1
        assert state(leg) is LegState.ENDED
        await w.idle()

    play(script)


def test_a_name_that_takes_too_long_is_unreachable_in_time() -> None:
    class Slow:
        async def resolve(self, host: str, port: int | None = None) -> tuple[str, int]:
            await asyncio.sleep(60)
            raise TelephonyError("no such name")

        def lookup_cached(self, host: str, port: int | None = None) -> tuple[str, int] | None:
            return None

        def prime(self, host: str, port: int | None = None) -> None: ...

        async def close(self) -> None: ...

    async def script(w: World) -> None:
        w.alice.core.resolver = Slow()
        start = now()
        leg = w.dial(("trunk.example", 5060))
        assert await leg.dial() is Outcome.UNREACHABLE
        assert now() - start == pytest.approx(6)
        assert state(leg) is LegState.ENDED
        await w.idle()
        assert w.network.log == []

    play(script)


# -- hanging up while it rings -----------------------------------------------------------------------------------


def test_hung_up_while_ringing_cancels_at_once() -> None:
    """The destination keeps ringing after the caller left."""

    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""))
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(3)
        start = now()
        hanging = asyncio.ensure_future(leg.hang_up("caller left", code=487))
        assert await dialling is Outcome.CALLER_LEFT
        assert now() == start
        await hanging
        (cancel,), (invite,) = w.peer.requests("CANCEL"), w.peer.requests("INVITE")
        assert cancel.headers.get("via") == invite.headers.get("via")
        assert cancel.get_header("to") == invite.get_header("to")
        assert cancel.uri == invite.uri
        assert cancel.get_header("reason") == 'SIP;cause=487;text="caller left"'
        assert leg.end is not None
        assert (leg.end.by, leg.end.reason) == ("us", "caller left")
        await w.idle()

    play(script)


def test_hung_up_before_any_answer_stops_repeating_and_ends_a_late_200() -> None:
    async def script(w: World) -> None:
        polite(w)
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(1)
        hanging = asyncio.ensure_future(leg.hang_up())
        assert await dialling is Outcome.CALLER_LEFT
        await asyncio.sleep(10)
        assert w.network.times("INVITE") == [0.0, 0.5]
        assert w.network.count("CANCEL") == 0
        w.peer.answer(w.peer.requests("INVITE")[0], 200, body=b"v=0")
        await hanging
        assert w.network.whats(("192.0.2.1", 5060))[2:] == ["ACK", "BYE"]
        assert w.seen_out.list == ["ended"]
        await w.idle()

    play(script)


def test_hung_up_before_any_answer_cancels_when_it_rings_after_all() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (2, 180, "a", b""), (2.5, 180, "a", b""))
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.1)
        await leg.hang_up()
        assert await dialling is Outcome.CALLER_LEFT
        assert w.network.count("CANCEL") == 1
        assert w.seen_out.list == ["ended"]
        await w.idle()

    play(script)


def test_the_200_that_crosses_our_cancel_is_acked_then_byed() -> None:
    async def script(w: World) -> None:
        w.peer.on["BYE"] = lambda bye: w.peer.answer(bye, 200)
        w.peer.on["CANCEL"] = lambda cancel: w.peer.answer(cancel, 481)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""), (5.01, 200, "a", b"v=0"))
        leg = w.dial(PEER, ring_seconds=5)
        assert await leg.dial() is Outcome.NO_ANSWER
        await asyncio.sleep(1)
        assert w.network.whats(("192.0.2.1", 5060)) == ["INVITE", "CANCEL", "ACK", "BYE"]
        assert w.seen_out.list == ["ringing", "ended"]
        assert media_of(leg).calls == ["local_offer"]
        await w.idle()

    play(script)


def test_a_cancel_that_brings_no_final_answer_gives_up_after_32_seconds() -> None:
    async def script(w: World) -> None:
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""))
        w.peer.on["CANCEL"] = lambda cancel: w.peer.answer(cancel, 200)
        leg = w.dial(PEER, ring_seconds=5)
        assert await leg.dial() is Outcome.NO_ANSWER
        start = now()
        await leg.hang_up()
        assert now() - start == pytest.approx(32)
        await w.idle()

    play(script)


def test_cancelling_the_task_that_dials_cancels_the_call() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""))
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(1)
        dialling.cancel()
        await asyncio.sleep(1)
        assert dialling.cancelled()
        assert w.network.count("CANCEL") == 1
        assert state(leg) is LegState.ENDED
        await w.idle()

    play(script)


def test_hung_up_before_dialling() -> None:
    async def script(w: World) -> None:
        leg = w.dial(PEER)
        await leg.hang_up()
        assert await leg.dial() is Outcome.CALLER_LEFT
        assert w.network.log == []
        assert w.seen_out.list == ["ended"]

    play(script)


# -- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (301, Outcome.UNREACHABLE),
        (302, Outcome.UNREACHABLE),
        (400, Outcome.UNREACHABLE),
        (401, Outcome.UNREACHABLE),
        (403, Outcome.UNREACHABLE),
        (404, Outcome.INVALID_DESTINATION),
        (407, Outcome.UNREACHABLE),
        (408, Outcome.NO_ANSWER),
        (410, Outcome.INVALID_DESTINATION),
        (422, Outcome.UNREACHABLE),
        (480, Outcome.NO_ANSWER),
        (484, Outcome.INVALID_DESTINATION),
        (486, Outcome.BUSY),
        (487, Outcome.NO_ANSWER),
        (488, Outcome.UNREACHABLE),
        (500, Outcome.UNREACHABLE),
        (503, Outcome.UNREACHABLE),
        (600, Outcome.BUSY),
        (603, Outcome.DECLINED),
        (604, Outcome.INVALID_DESTINATION),
        (606, Outcome.UNREACHABLE),
        (607, Outcome.DECLINED),
    ],
)
def test_what_a_final_answer_means(code: int, outcome: Outcome) -> None:
    async def script(w: World) -> None:
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""), (1, code, "a", b""))
        leg = w.dial(PEER)
        assert await leg.dial() is outcome
        assert len(w.peer.requests("INVITE")) == 1
        assert leg.end is not None
        assert (leg.end.by, leg.end.code) == ("peer", code)
        assert state(leg) is LegState.ENDED
        await w.idle()

    play(script)


def test_early_media_then_the_answer() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(
            w,
            (1, 180, "a", b""),
            (2, 183, "a", b"v=0 early"),
            (3, 183, "b", b"v=0 other"),
            (4, 200, "a", b"v=0 final"),
        )
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        assert media_of(leg).calls == ["local_offer", "remote_answer v=0 early", "remote_answer v=0 final"]
        assert w.seen_out.list == ["ringing", "early_media", "answered"]
        await leg.hang_up()
        await w.idle()

    play(script)


def test_answer_without_sdp_after_early_media() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (1, 183, "a", b"v=0 early"), (2, 200, "a", b""))
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        await leg.hang_up()

    play(script)


def test_early_media_that_cannot_be_used_is_only_ringing() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (1, 183, "a", b"v=0 unusable"), (2, 200, "a", b"v=0 fine"))
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        assert w.seen_out.list == ["ringing", "answered"]
        await leg.hang_up()

    play(script)


@pytest.mark.parametrize(("tag", "body"), [("a", b"v=0 unusable"), ("b", b"")])
def test_a_200_that_cannot_be_used_is_acked_then_byed(tag: str, body: bytes) -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (1, 183, "a", b"v=0 early"), (2, 200, tag, body))
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.UNREACHABLE
        await asyncio.sleep(1)
        assert w.network.whats(("192.0.2.1", 5060)) == ["INVITE", "INVITE", "ACK", "BYE"]
        assert "answered" not in w.seen_out.list
        assert state(leg) is LegState.ENDED
        await w.idle()

    play(script)


def test_a_repeated_200_is_acked_again() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (1, 200, "a", b"v=0"), (2, 200, "a", b"v=0"), (20, 200, "a", b"v=0"))
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        await asyncio.sleep(25)
        acks = w.peer.requests("ACK")
        assert len(acks) == 3
        assert {a.get_header("cseq") for a in acks} == {"1 ACK"}
        assert acks[0].headers.get("via") != w.peer.requests("INVITE")[0].headers.get("via")
        assert media_of(leg).calls.count("remote_answer v=0") == 1
        await leg.hang_up()
        await w.idle()

    play(script)


def test_a_second_destination_that_answers_is_acked_then_byed() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(
            w, (1, 180, "a", b""), (1, 180, "b", b""), (2, 200, "b", b"v=0 b"), (2.1, 200, "a", b"v=0 a")
        )
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        await asyncio.sleep(1)
        (bye,) = w.peer.requests("BYE")
        assert (bye.get_header("to") or "").endswith(";tag=a")
        assert (w.peer.requests("ACK")[1].get_header("to") or "").endswith(";tag=a")
        assert state(leg) is LegState.CONFIRMED
        assert media_of(leg).calls == ["local_offer", "remote_answer v=0 b"]
        await leg.hang_up()
        assert (w.peer.requests("BYE")[-1].get_header("to") or "").endswith(";tag=b")
        await w.idle()

    play(script)


def test_a_200_after_the_487_is_ended_too() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""), (8, 200, "late", b"v=0"))
        leg = w.dial(PEER, ring_seconds=5)
        assert await leg.dial() is Outcome.NO_ANSWER
        await asyncio.sleep(1)
        assert state(leg) is LegState.ENDED
        await asyncio.sleep(5)
        assert w.network.whats(("192.0.2.1", 5060)) == ["INVITE", "CANCEL", "ACK", "ACK", "BYE"]
        await w.idle()

    play(script)


def test_peer_hangs_up() -> None:
    async def script(w: World) -> None:
        w.peer.on["INVITE"] = script_of(w, (0, 200, "a", b"v=0"))
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        invite = w.peer.requests("INVITE")[0]
        bye = w.peer.request("BYE", headers={
            "From": f"{invite.get_header('to')};tag=a", "To": invite.get_header("from") or "",
            "Call-ID": invite.call_id or "",
        })  # fmt: skip
        w.peer.send(bye, ("192.0.2.1", 5060))
        await asyncio.sleep(0.1)
        assert w.peer.responses("BYE") == [200]
        assert leg.end is not None
        assert leg.end.by == "peer"
        await w.idle()

    play(script)


# -- challenges and other second tries ---------------------------------------------------------------------------

CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n1", qop="auth"'}


def test_a_challenge_is_answered_once() -> None:
    async def script(w: World) -> None:
        polite(w)

        def invited(request: SipRequest) -> None:
            if request.get_header("authorization"):
                w.peer.answer(request, 200, tag="b", body=b"v=0")
            else:
                w.peer.answer(request, 401, headers=CHALLENGE)

        w.peer.on["INVITE"] = invited
        leg = w.dial(PEER, username="u", password="p")
        assert await leg.dial() is Outcome.ANSWERED
        await asyncio.sleep(0.1)
        first, second = w.peer.requests("INVITE")
        assert first.headers.get("via") != second.headers.get("via")
        assert (first.get_header("cseq"), second.get_header("cseq")) == ("1 INVITE", "2 INVITE")
        for name in ("from", "to", "call-id"):
            assert first.get_header(name) == second.get_header(name)
        assert [a.get_header("cseq") for a in w.peer.requests("ACK")] == ["1 ACK", "2 ACK"]
        assert media_of(leg).calls.count("local_offer") == 1
        await leg.hang_up()
        assert w.peer.requests("BYE")[0].get_header("cseq") == "3 BYE"
        await w.idle()

    play(script)


def test_wrong_credentials_do_not_loop() -> None:
    async def script(w: World) -> None:
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 401, headers=CHALLENGE)
        leg = w.dial(PEER, username="u", password="p")
        assert await leg.dial() is Outcome.UNREACHABLE
        assert len(w.peer.requests("INVITE")) == 2
        assert leg.end is not None
        assert leg.end.code == 401
        await w.idle()

    play(script)


def test_a_longer_session_interval_is_agreed_to_once() -> None:
    async def script(w: World) -> None:
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 422, headers={"Min-SE": "600"})
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.UNREACHABLE
        first, second = w.peer.requests("INVITE")
        assert first.get_header("session-expires") is None
        assert (second.get_header("session-expires"), second.get_header("min-se")) == ("600", "600")
        await w.idle()

    play(script)


def test_hung_up_between_the_challenge_and_its_answer() -> None:
    async def script(w: World) -> None:
        polite(w)

        def invited(request: SipRequest) -> None:
            if request.get_header("authorization"):
                return
            w.peer.answer(request, 100)
            w.peer.answer(request, 401, headers=CHALLENGE)

        w.peer.on["INVITE"] = invited
        leg = w.dial(PEER, username="u", password="p")
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.3)
        hanging = asyncio.ensure_future(leg.hang_up())
        assert await dialling is Outcome.CALLER_LEFT
        await hanging
        assert w.network.count("CANCEL") == 0
        assert len(w.peer.requests("INVITE")) == 2
        await w.idle()

    play(script)


# -- in an early dialog, and what is refused ---------------------------------------------------------------------


def test_requests_of_the_callee_while_it_rings() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""))
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.1)
        invite = w.peer.requests("INVITE")[0]

        def of_dialog(tag: str) -> dict[str, str]:
            return {
                "From": f"{invite.get_header('to')};tag={tag}",
                "To": invite.get_header("from") or "",
                "Call-ID": invite.call_id or "",
            }

        for cseq, (method, tag, body) in enumerate(
            [("OPTIONS", "a", b""), ("UPDATE", "a", b"v=0"), ("INVITE", "a", b"v=0"), ("INFO", "stranger", b"")], 1
        ):
            w.peer.send(w.peer.request(method, cseq=cseq, headers=of_dialog(tag), body=body), ("192.0.2.1", 5060))
            await asyncio.sleep(0.1)
        codes = [w.peer.responses(m)[-1] for m in ("OPTIONS", "UPDATE", "INVITE", "INFO")]
        assert codes == [200, 491, 500, 481]
        assert not dialling.done()
        dialling.cancel()
        await asyncio.sleep(1)
        await w.idle()

    play(script)


def test_headers_that_may_not_be_sent_are_refused_and_nothing_leaks() -> None:
    async def script(w: World) -> None:
        leg = w.dial(PEER, headers=(("Via", "x"),))
        with pytest.raises(HeaderRefused):
            await leg.dial()
        assert state(leg) is LegState.ENDED
        assert w.network.log == []
        await w.idle()

    play(script)


def test_dialling_without_media() -> None:
    async def script(w: World) -> None:
        leg = w.alice.invite(OutboundInvite(target="sip:x@192.0.2.9", next_hop=PEER, from_user="a"))
        with pytest.raises(IllegalMove):
            await leg.dial()

    play(script)


def test_callee_asks_for_a_session_timer() -> None:
    async def script(w: World) -> None:
        polite(w)
        timer = {"Session-Expires": "90;refresher=uas", "Require": "timer"}
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 200, body=b"v=0", headers=timer)
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        await asyncio.sleep(61)
        assert w.seen_out.ends[0].reason == "session expired"
        await w.idle()

    play(script)


def test_routes_of_the_answer_are_taken_backwards_and_early_numbers_count() -> None:
    async def script(w: World) -> None:
        polite(w)
        routes = {"Record-Route": "<sip:192.0.2.9:5070;lr>, <sip:192.0.2.61;lr>, <sip:192.0.2.9:5070;lr;last>"}
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 180, tag="a", headers=routes)
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.1)
        invite = w.peer.requests("INVITE")[0]
        dialog = {
            "From": f"{invite.get_header('to')};tag=a",
            "To": invite.get_header("from") or "",
            "Call-ID": invite.call_id or "",
        }
        w.peer.send(w.peer.request("OPTIONS", cseq=5, headers=dialog), ("192.0.2.1", 5060))
        await asyncio.sleep(0.1)
        w.peer.answer(invite, 200, tag="a", body=b"v=0", headers=routes)
        assert await dialling is Outcome.ANSWERED
        w.peer.send(w.peer.request("OPTIONS", cseq=4, headers=dialog), ("192.0.2.1", 5060))
        w.peer.send(w.peer.request("OPTIONS", cseq=6, headers=dialog), ("192.0.2.1", 5060))
        await asyncio.sleep(0.1)
        assert w.peer.responses("OPTIONS") == [200, 500, 200]
        expected = ["<sip:192.0.2.9:5070;lr;last>", "<sip:192.0.2.61;lr>", "<sip:192.0.2.9:5070;lr>"]
        assert w.peer.requests("ACK")[0].headers.get("route") == expected
        await leg.hang_up()
        assert w.peer.requests("BYE")[0].headers.get("route") == expected
        await w.idle()

    play(script)


def test_peer_of_rfc_2543_without_tags() -> None:
    async def script(w: World) -> None:
        def invited(request: SipRequest) -> None:
            w.peer.answer(request, 183, tag="", body=b"v=0 early")
            w.peer.answer(request, 200, tag="")

        polite(w)
        w.peer.on["INVITE"] = invited
        leg = w.dial(PEER)
        assert await leg.dial() is Outcome.ANSWERED
        await leg.hang_up()
        await w.idle()

    play(script)


def test_a_nonce_that_is_always_stale_does_not_loop() -> None:
    async def script(w: World) -> None:
        stale = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", stale=true'}
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 401, headers=stale)
        leg = w.dial(PEER, username="u", password="p")
        assert await leg.dial() is Outcome.UNREACHABLE
        assert len(w.peer.requests("INVITE")) == 3
        w.peer.on["OPTIONS"] = lambda request: w.peer.answer(request, 401, headers=stale)
        assert (await w.alice.ping(PEER, leg.credentials)).status_code == 401
        assert len(w.peer.requests("OPTIONS")) == 3
        await w.idle()

    play(script)


def test_numbers_go_on_from_the_early_dialog() -> None:
    async def script(w: World) -> None:
        polite(w)
        w.peer.on["INFO"] = lambda request: w.peer.answer(request, 200)
        w.peer.on["INVITE"] = script_of(w, (0, 180, "a", b""), (1, 200, "a", b"v=0"))
        leg = w.dial(PEER)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(0.5)
        assert await leg.send_info("application/dtmf", b"1") == 200
        await dialling
        assert await leg.send_info("application/dtmf", b"2") == 200
        await leg.hang_up()
        numbers = [r.get_header("cseq") for r in w.peer.got if isinstance(r, SipRequest)]
        assert numbers == ["1 INVITE", "2 INFO", "1 ACK", "3 INFO", "4 BYE"]

    play(script)
