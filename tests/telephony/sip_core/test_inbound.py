"""A call that comes in: admission, ringing, answering, CANCEL and its races, what is refused before anybody sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from parlons.errors import HeaderRefused, IllegalMove, LegClosed, SdpError
from parlons.telephony.sip import digest
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.types import Credentials, LegState
from tests.telephony.sip_core.network import FakeMedia
from tests.telephony.sip_core.world import World, answer_at_once, play, state


def ringing(
    raised: list[BaseException] | None = None, after: float | None = None
) -> Callable[[InboundLeg], Awaitable[None]]:
    """Ring; answer after a while if told so, noting what ``answer`` raised."""

    async def serve(leg: InboundLeg) -> None:
        leg.attach(FakeMedia("bob"))
        leg.ring()
        if after is not None:
            await asyncio.sleep(after)
            try:
                await leg.answer()
            except LegClosed as error:
                assert raised is not None
                raised.append(error)

    return serve


def media_of(leg: InboundLeg) -> FakeMedia:
    assert isinstance(leg.media, FakeMedia)
    return leg.media


def test_an_answered_invite_gets_what_a_peer_needs() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        await w.peer.call({"Record-Route": "<sip:192.0.2.9:5070;lr>"})
        assert w.peer.responses("INVITE") == [100, 180, 200]
        final = w.peer.response("INVITE")
        assert final.get_header("contact") == "<sip:192.0.2.2:5060>"
        assert final.get_header("record-route") == "<sip:192.0.2.9:5070;lr>"
        assert final.get_header("content-type") == "application/sdp"
        assert final.body == b"v=0 answer of bob"
        assert final.get_header("server") == "Parlons"
        assert "UPDATE" in final.headers.get("allow")
        assert final.get_header("supported") == "timer"
        assert ";tag=" not in (w.peer.got[0].get_header("to") or "")
        await w.calls[0].hang_up()

    play(script)


def test_public_address_is_what_contact_says() -> None:
    async def script(w: World) -> None:
        w.bob.core.public_address = "203.0.113.7"
        w.on_call = answer_at_once
        await w.peer.call()
        assert w.peer.response("INVITE").get_header("contact") == "<sip:203.0.113.7:5060>"
        hanging = asyncio.ensure_future(w.calls[0].hang_up())
        await asyncio.sleep(0.1)
        bye = w.peer.requests("BYE")[0]
        assert (bye.get_header("via") or "").startswith("SIP/2.0/UDP 203.0.113.7:5060;")
        hanging.cancel()

    play(script)


def test_early_media_then_answer() -> None:
    async def script(w: World) -> None:
        async def serve(leg: InboundLeg) -> None:
            leg.attach(FakeMedia("bob"))
            leg.ring()
            leg.progress()
            leg.ring()  # says nothing new
            assert state(leg) is LegState.EARLY
            assert media_of(leg).started == 1
            await leg.answer()

        w.on_call = serve
        await w.peer.call()
        assert w.peer.responses("INVITE") == [100, 180, 183, 200]
        early = w.peer.got[2]
        assert early.body == w.peer.response("INVITE").body == b"v=0 answer of bob"
        await w.calls[0].hang_up()

    play(script)


def test_ringing_shows_a_sign_of_life_every_minute() -> None:
    """A proxy gives up on a call that is silent for three minutes (timer C)."""

    async def script(w: World) -> None:
        w.on_call = ringing()
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(200)
        assert w.network.times("180 INVITE") == [0.0, 60.0, 120.0, 180.0]
        await w.calls[0].hang_up()
        await w.idle(w.bob)
        assert w.network.count("180 INVITE") == 4

    play(script)


def test_cancel_before_the_answer() -> None:
    async def script(w: World) -> None:
        raised: list[BaseException] = []
        w.on_call = ringing(raised, after=5)
        invite = w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-i")
        w.peer.send(invite)
        await asyncio.sleep(1)
        w.peer.send(w.peer.request("CANCEL", branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("CANCEL") == [200]
        assert w.peer.responses("INVITE") == [100, 180, 487]
        assert w.peer.response("CANCEL").get_header("to") == w.peer.response("INVITE").get_header("to")
        assert w.seen_in.list == ["ended"]
        assert w.seen_in.ends[0].code == 487
        assert media_of(w.calls[0]).closed
        w.peer.send(w.peer.request("ACK", branch="z9hG4bK-i"))
        await asyncio.sleep(5)
        assert len(raised) == 1
        await w.idle(w.bob)

    play(script)


def test_cancel_after_our_200_changes_nothing() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        w.peer.send(w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        w.peer.send(w.peer.request("CANCEL", branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("CANCEL") == [200]
        assert 487 not in w.peer.responses("INVITE")
        tag = w.peer.tag()
        w.peer.send(w.peer.request("ACK", to_tag=tag))
        await asyncio.sleep(0.1)
        assert state(w.calls[0]) is LegState.CONFIRMED
        assert (await w.peer.ask("BYE", 2, tag)).status_code == 200
        await w.idle(w.bob)

    play(script)


def test_the_200_is_repeated_until_its_ack_and_without_one_the_call_ends() -> None:
    async def script(w: World) -> None:
        raised: list[BaseException] = []
        w.on_call = ringing(raised, after=0)
        w.peer.on["BYE"] = lambda request: w.peer.answer(request, 200, to=w.bob.core.transport.address)
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(50)
        assert w.network.times("200 INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
        assert len(w.peer.requests("BYE")) == 1
        assert len(raised) == 1
        assert w.seen_in.list == ["ended"]
        assert w.seen_in.ends[0].by == "transport"
        await w.idle(w.bob)

    play(script)


def test_hung_up_before_the_ack_says_bye_only_after_it() -> None:
    async def script(w: World) -> None:
        raised: list[BaseException] = []
        w.on_call = ringing(raised, after=0)
        w.peer.on["BYE"] = lambda request: w.peer.answer(request, 200, to=w.bob.core.transport.address)
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        hanging = asyncio.ensure_future(w.calls[0].hang_up("changed our mind"))
        await asyncio.sleep(1)
        assert len(raised) == 1
        assert w.peer.requests("BYE") == []
        w.peer.send(w.peer.request("ACK", to_tag=w.peer.tag()))
        await asyncio.sleep(0.1)
        assert len(w.peer.requests("BYE")) == 1
        await hanging
        assert w.seen_in.ends[0].reason == "changed our mind"
        await w.idle(w.bob)

    play(script)


def test_bye_while_the_ack_is_missing() -> None:
    async def script(w: World) -> None:
        raised: list[BaseException] = []
        w.on_call = ringing(raised, after=0)
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        assert (await w.peer.ask("BYE", 2, w.peer.tag())).status_code == 200
        assert len(raised) == 1
        sent = w.network.count("200 INVITE")
        await w.idle(w.bob)
        assert w.network.count("200 INVITE") == sent

    play(script)


def test_bye_of_a_caller_before_the_answer_ends_its_invite() -> None:
    async def script(w: World) -> None:
        w.on_call = ringing()
        w.peer.send(w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        assert (await w.peer.ask("BYE", 2, w.peer.tag())).status_code == 200
        assert w.peer.responses("INVITE")[-1] == 487
        w.peer.send(w.peer.request("ACK", branch="z9hG4bK-i"))
        assert w.seen_in.ends[0].by == "peer"
        await w.idle(w.bob)

    play(script)


def test_late_offer() -> None:
    async def script(w: World) -> None:
        async def serve(leg: InboundLeg) -> None:
            leg.attach(FakeMedia("bob"))
            leg.progress()  # nothing to answer yet: only a 180
            await leg.answer()

        w.on_call = serve
        w.peer.send(w.peer.request("INVITE"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [100, 180, 200]
        assert w.peer.response("INVITE").body == b"v=0 offer of bob"
        assert media_of(w.calls[0]).started == 0
        w.peer.send(w.peer.request("ACK", to_tag=w.peer.tag(), body=b"v=0 mine"))
        await asyncio.sleep(0.1)
        assert media_of(w.calls[0]).calls == ["local_offer", "remote_answer v=0 mine"]
        assert media_of(w.calls[0]).started == 1
        assert w.seen_in.list == ["answered"]
        await w.peer.ask("BYE", 2, w.peer.tag())
        await w.idle(w.bob)

    play(script)


@pytest.mark.parametrize("body", [b"", b"v=0 unusable"])
def test_late_offer_without_a_usable_answer_in_the_ack(body: bytes) -> None:
    async def script(w: World) -> None:
        raised: list[BaseException] = []
        w.on_call = ringing(raised, after=0)
        w.peer.on["BYE"] = lambda request: w.peer.answer(request, 200, to=w.bob.core.transport.address)
        w.peer.send(w.peer.request("INVITE"))
        await asyncio.sleep(0.1)
        w.peer.send(w.peer.request("ACK", to_tag=w.peer.tag(), body=body))
        await asyncio.sleep(0.1)
        assert (w.peer.requests("BYE")[0].get_header("reason") or "").startswith("SIP;cause=488")
        assert len(raised) == 1
        assert w.seen_in.list == ["ended"]
        await w.idle(w.bob)

    play(script)


def test_refusal_with_headers_and_after_the_caller_left() -> None:
    async def script(w: World) -> None:
        async def serve(leg: InboundLeg) -> None:
            with pytest.raises(HeaderRefused):
                leg.refuse(503, "", (("Via", "x"),))
            with pytest.raises(HeaderRefused):
                leg.refuse(503, "No\r\nX: y")
            with pytest.raises(IllegalMove):
                leg.refuse(200)
            with pytest.raises(IllegalMove):
                await leg.answer()
            with pytest.raises(IllegalMove):
                leg.progress()
            leg.refuse(503, "Full House", (("Retry-After", "30"), ("X-Why", "calls")))
            leg.refuse(486)
            with pytest.raises(LegClosed):
                await leg.answer()

        w.on_call = serve
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        final = w.peer.response("INVITE")
        assert (final.status_code, final.reason_phrase) == (503, "Full House")
        assert (final.get_header("retry-after"), final.get_header("x-why")) == ("30", "calls")
        assert w.peer.responses("INVITE") == [100, 503]
        assert w.calls[0].end is not None
        assert (w.calls[0].end.by, w.calls[0].end.code) == ("us", 503)
        await w.idle(w.bob)

    play(script)


@pytest.mark.parametrize(("code", "sent"), [(None, 480), (486, 486), (200, 480)])
def test_hang_up_of_a_ringing_call_refuses_it(code: int | None, sent: int) -> None:
    async def script(w: World) -> None:
        w.on_call = ringing()
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        await w.calls[0].hang_up(code=code)
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE")[-1] == sent

    play(script)


def test_an_offer_that_cannot_be_used_is_the_callers_to_refuse() -> None:
    async def script(w: World) -> None:
        async def serve(leg: InboundLeg) -> None:
            try:
                leg.attach(FakeMedia("bob"))
            except SdpError as error:
                leg.refuse(error.code, error.reason)

        w.on_call = serve
        w.peer.send(w.peer.request("INVITE", body=b"v=0 unusable"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [100, 488]
        assert w.calls[0].media is None

    play(script)


def test_digest_as_a_server() -> None:
    async def script(w: World) -> None:
        async def serve(leg: InboundLeg) -> None:
            if not leg.credentials_ok({"trunk": "secret"}.get):
                leg.challenge()
                return
            await answer_at_once(leg)

        w.on_call = serve
        first = w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-1")
        w.peer.send(first)
        await asyncio.sleep(0.1)
        challenge = w.peer.response("INVITE")
        assert challenge.status_code == 401
        w.peer.send(w.peer.request("ACK", branch="z9hG4bK-1"))
        second = w.peer.request("INVITE", body=b"v=0", cseq=2)
        assert digest.answer(challenge, second, Credentials("trunk", "secret"))
        w.peer.send(second)
        await asyncio.sleep(0.1)
        assert w.peer.response("INVITE").status_code == 200
        wrong = w.peer.request("INVITE", body=b"v=0", cseq=1, call_id="other")
        assert digest.answer(challenge, wrong, Credentials("trunk", "guess"))
        w.peer.send(wrong)
        await asyncio.sleep(0.1)
        assert w.peer.response("INVITE").status_code == 401
        assert len(w.calls) == 3

    play(script)


def test_a_bug_above_is_answered_with_500() -> None:
    async def script(w: World) -> None:
        def broken(_leg: InboundLeg) -> None:
            raise RuntimeError("a bug above")

        w.bob.on_invite = broken
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [100, 500]
        assert w.bob.gauges()["legs"] == 0

    play(script)


def test_draining_refuses_new_calls_and_says_so_in_options() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        w.bob.draining = True
        w.peer.send(w.peer.request("INVITE", call_id="new", body=b"v=0"))
        w.peer.send(w.peer.request("OPTIONS", call_id="probe"))
        await asyncio.sleep(0.1)
        assert w.peer.response("INVITE").status_code == 503
        assert w.peer.response("INVITE").get_header("retry-after")
        assert w.peer.response("OPTIONS").status_code == 503
        assert len(w.calls) == 1
        assert (await w.peer.ask("OPTIONS", 2, tag)).status_code == 200
        assert (await w.peer.ask("BYE", 3, tag)).status_code == 200

    play(script)


def test_options_out_of_a_dialog() -> None:
    async def script(w: World) -> None:
        response = await w.alice.ping(("192.0.2.2", 5060))
        assert response.status_code == 200
        assert "INVITE" in response.headers.get("allow")
        assert response.get_header("accept") == "application/sdp"

    play(script)


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "REGISTER", "PUBLISH", "PRACK", "NOTIFY", "NEWMETHOD"])
def test_methods_we_do_not_serve(method: str) -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request(method))
        await asyncio.sleep(0.1)
        assert w.peer.responses(method) == [405]
        assert "INVITE" in w.peer.response(method).headers.get("allow")
        await w.idle(w.bob)

    play(script)


@pytest.mark.parametrize("to_tag", ["", "unknown"])
@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "REFER", "CANCEL"])
def test_requests_of_no_dialog(method: str, to_tag: str) -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request(method, to_tag=to_tag))
        await asyncio.sleep(0.1)
        assert w.peer.responses(method) == [481]
        await w.idle(w.bob)

    play(script)


def test_re_invite_of_no_dialog_and_stray_ack() -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request("ACK"))
        w.peer.send(w.peer.request("ACK", to_tag="unknown"))
        w.peer.send(w.peer.request("INVITE", to_tag="unknown", body=b"v=0"))
        await asyncio.sleep(0.1)
        assert [m for m in w.network.whats() if m != "ACK"][:2] == ["INVITE", "481 INVITE"]
        assert w.calls == []

    play(script)


def test_required_extension_we_lack() -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request("INVITE", body=b"v=0", headers={"Require": "100rel, timer, sec-agree"}))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [420]
        assert w.peer.response("INVITE").headers.get("unsupported") == ["100rel", "sec-agree"]
        assert w.calls == []

    play(script)


def test_one_request_by_two_ways_is_served_once() -> None:
    async def script(w: World) -> None:
        w.on_call = ringing()
        w.peer.send(w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-a"))
        w.peer.send(w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-b"))
        await asyncio.sleep(0.1)
        assert len(w.calls) == 1
        assert w.peer.responses("INVITE") == [100, 180, 482]
        await w.calls[0].hang_up()
        await w.idle(w.bob)

    play(script)


def test_invite_without_contact() -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request("INVITE", body=b"v=0", headers={"Contact": ""}))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [400]
        assert w.calls == []

    play(script)


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\x00" * 50, b"INVITE", b"\xff\xfe SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"]
)
def test_garbage(data: bytes) -> None:
    async def script(w: World) -> None:
        w.peer.send(data)
        await asyncio.sleep(0.1)
        assert w.bob.gauges()["faults_total"] == 0
        assert w.peer.got == []

    play(script)


def test_call_info_names_the_caller() -> None:
    async def script(w: World) -> None:
        w.on_call = ringing()
        headers = {"X-Queue": "vip", "P-Asserted-Identity": "<sip:+33612345678@trunk>"}
        w.peer.send(w.peer.request("INVITE", body=b"v=0", headers=headers))
        await asyncio.sleep(0.1)
        info = w.calls[0].invite
        assert (info.source, info.caller_number) == (("192.0.2.9", 5070), "+33612345678")
        assert info.headers == {"x-queue": "vip"}

    play(script)


def test_an_invite_repeated_after_our_200_is_only_absorbed() -> None:
    """RFC 6026: the leg repeats the 200 by its own clock, not once more for each INVITE."""

    async def script(w: World) -> None:
        w.on_call = answer_at_once
        invite = w.peer.request("INVITE", body=b"v=0")
        w.peer.send(invite)
        await asyncio.sleep(0.1)
        for _ in range(5):
            w.peer.send(invite)
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [100, 180, 200]
        w.peer.send(w.peer.request("ACK", to_tag=w.peer.tag()))
        await asyncio.sleep(0.1)
        await w.peer.ask("BYE", 2, w.peer.tag())
        await w.idle(w.bob)

    play(script)


def test_ack_with_the_branch_of_its_invite_and_ack_of_another_number() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        w.peer.send(w.peer.request("INVITE", cseq=7, body=b"v=0", branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        w.peer.send(w.peer.request("ACK", cseq=6, to_tag=w.peer.tag()))
        await asyncio.sleep(0.1)
        assert state(w.calls[0]) is LegState.ANSWERED
        w.peer.send(w.peer.request("ACK", cseq=7, to_tag=w.peer.tag(), branch="z9hG4bK-i"))
        await asyncio.sleep(0.1)
        assert state(w.calls[0]) is LegState.CONFIRMED

    play(script)


def test_media_given_to_a_leg_whose_caller_has_left_is_closed() -> None:
    async def script(w: World) -> None:
        media = FakeMedia("bob")

        async def slow(leg: InboundLeg) -> None:
            await asyncio.sleep(2)
            leg.attach(media)
            leg.ring()
            leg.progress()
            with pytest.raises(LegClosed):
                await leg.answer()

        w.on_call = slow
        w.peer.send(w.peer.request("INVITE", body=b"v=0", branch="z9hG4bK-i"))
        await asyncio.sleep(1)
        w.peer.send(w.peer.request("CANCEL", branch="z9hG4bK-i"))
        await asyncio.sleep(2)
        assert media.calls == []
        assert media.closed == 1
        assert set(w.peer.responses("INVITE")) == {100, 487}
        await w.idle(w.bob)

    play(script)
