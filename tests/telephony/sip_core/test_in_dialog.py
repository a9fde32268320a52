"""Requests within a dialog, both ways: re-INVITE, UPDATE, hold, INFO, OPTIONS, REFER, session refresh, routing."""

from __future__ import annotations

import asyncio

import pytest
from aiosipua.message import SipRequest

from parlons.telephony.sip.dialogs import unreachable_from_here
from parlons.telephony.sip.in_dialog import dtmf_digit
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.types import Credentials, LegState
from tests.telephony.sip_core.network import FakeMedia
from tests.telephony.sip_core.world import CALLEE, PEER, World, answer_at_once, play, state

RELAY = {"Content-Type": "application/dtmf-relay"}
REFRESHED = {"Session-Expires": "90;refresher=uac", "Supported": "timer"}


def media_of(leg: InboundLeg) -> FakeMedia:
    assert isinstance(leg.media, FakeMedia)
    return leg.media


def agree(w: World) -> None:
    """The peer answers BYE with 200."""
    w.peer.on["BYE"] = lambda request: w.peer.answer(request, 200, to=CALLEE)


def test_re_invite_holds_and_resumes() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        held = await w.peer.ask("INVITE", 2, tag, body=b"v=0 sendonly")
        assert (held.status_code, held.body) == (200, b"v=0 answer of bob")
        assert held.get_header("contact") == "<sip:192.0.2.2:5060>"
        w.peer.send(w.peer.request("ACK", cseq=2, to_tag=tag))
        await asyncio.sleep(0.1)
        assert w.seen_in.list == ["answered", "hold"]
        await w.peer.ask("UPDATE", 3, tag, body=b"v=0 sendonly")
        assert w.seen_in.list == ["answered", "hold"]
        assert (await w.peer.ask("INVITE", 4, tag, body=b"v=0")).status_code == 200
        w.peer.send(w.peer.request("ACK", cseq=4, to_tag=tag))
        await asyncio.sleep(0.1)
        assert w.seen_in.list == ["answered", "hold", "resumed"]
        await w.peer.ask("BYE", 5, tag)
        await w.idle(w.bob)

    play(script)


def test_the_200_of_a_re_invite_is_repeated_and_its_missing_ack_ends_the_call() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        tag = await w.peer.call()
        before = w.network.count("200 INVITE")
        await w.peer.ask("INVITE", 2, tag, body=b"v=0")
        await asyncio.sleep(40)
        assert w.network.count("200 INVITE") - before == 11
        assert w.seen_in.ends[0].by == "transport"
        await w.idle(w.bob)

    play(script)


def test_re_invite_without_sdp_gets_our_offer_and_answers_in_the_ack() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        assert (await w.peer.ask("INVITE", 2, tag)).body == b"v=0 offer of bob"
        busy = await w.peer.ask("UPDATE", 3, tag, body=b"v=0 theirs")
        assert busy.status_code == 491  # our offer is on the table
        w.peer.send(w.peer.request("ACK", cseq=2, to_tag=tag, body=b"v=0 new"))
        await asyncio.sleep(0.1)
        assert media_of(w.calls[0]).calls[-1] == "remote_answer v=0 new"
        await w.peer.ask("BYE", 4, tag)
        await w.idle(w.bob)

    play(script)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_cannot_be_used_changes_nothing(method: str) -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        moved = {"Contact": "<sip:moved@192.0.2.77>"}
        refused = await w.peer.ask(method, 2, tag, body=b"v=0 unusable", headers=moved)
        assert refused.status_code == 488
        assert state(w.calls[0]) is LegState.CONFIRMED
        assert w.calls[0].dialog.target == "sip:peer@192.0.2.9:5070"
        assert (await w.peer.ask("BYE", 3, tag)).status_code == 200

    play(script)


def test_update_moves_the_peer() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        updated = await w.peer.ask("UPDATE", 2, tag, headers={"Contact": "<sip:peer@192.0.2.9:5099>"})
        assert (updated.status_code, updated.body) == (200, b"")
        assert updated.get_header("contact")
        media = media_of(w.calls[0])
        assert media.calls == ["remote_offer v=0"]
        hanging = asyncio.ensure_future(w.calls[0].hang_up())
        await asyncio.sleep(0.1)
        assert [s.to for s in w.network.log if s.what == "BYE"] == [("192.0.2.9", 5099)]
        hanging.cancel()

    play(script)


def test_overlapping_re_invite_and_re_invite_before_the_answer_get_500() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        await w.peer.ask("INVITE", 2, tag, body=b"v=0")
        overlapping = await w.peer.ask("INVITE", 3, tag, body=b"v=0")
        assert overlapping.status_code == 500
        assert 0 <= int(overlapping.get_header("retry-after") or -1) < 10

        async def ring(leg: InboundLeg) -> None:
            leg.attach(FakeMedia("bob"))
            leg.ring()

        w.on_call = ring
        w.peer.send(w.peer.request("INVITE", call_id="other", body=b"v=0"))
        await asyncio.sleep(0.1)
        early = w.peer.tag()
        assert (await w.peer.ask("INVITE", 2, early, call_id="other", body=b"v=0")).status_code == 500
        assert (await w.peer.ask("UPDATE", 3, early, call_id="other", body=b"v=0")).status_code == 500
        assert state(w.calls[1]) is LegState.RINGING

    play(script)


def test_glare() -> None:
    """Both sides re-INVITE at once: theirs gets 491, ours is tried again after theirs got 491."""

    async def script(w: World) -> None:
        w.on_call = answer_at_once
        headers = {"Session-Expires": "90;refresher=uas", "Supported": "timer", "Allow": "INVITE, ACK, BYE"}
        tag = await w.peer.call(headers)
        await asyncio.sleep(45)
        (ours,) = w.peer.requests("INVITE")
        assert ours.body == b"v=0 offer of bob"
        assert (await w.peer.ask("INVITE", 2, tag, body=b"v=0")).status_code == 491
        assert (await w.peer.ask("UPDATE", 3, tag, body=b"v=0")).status_code == 491
        w.peer.answer(ours, 491, to=CALLEE)
        await asyncio.sleep(3)
        again = w.peer.requests("INVITE")[-1]
        assert again.get_header("cseq") != ours.get_header("cseq")
        w.peer.answer(again, 200, to=CALLEE, body=b"v=0 fine", headers={"Session-Expires": "90;refresher=uac"})
        await asyncio.sleep(0.1)
        assert w.peer.requests("ACK")[-1].get_header("cseq") == (again.get_header("cseq") or "").replace(
            "INVITE", "ACK"
        )
        assert media_of(w.calls[0]).calls[-1] == "remote_answer v=0 fine"
        assert state(w.calls[0]) is LegState.CONFIRMED
        await w.peer.ask("BYE", 4, tag)
        await w.idle(w.bob)

    play(script)


def test_cancel_of_a_re_invite_leaves_the_call_up() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        w.peer.send(w.peer.request("INVITE", cseq=2, to_tag=tag, branch="z9hG4bK-re", body=b"v=0"))
        w.peer.send(w.peer.request("CANCEL", cseq=2, to_tag=tag, branch="z9hG4bK-re"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("CANCEL") == [200]
        assert w.peer.response("INVITE").status_code == 200
        w.peer.send(w.peer.request("ACK", cseq=2, to_tag=tag))
        await asyncio.sleep(40)
        assert state(w.calls[0]) is LegState.CONFIRMED
        await w.peer.ask("BYE", 3, tag)
        await w.idle(w.bob)

    play(script)


def test_old_cseq_and_wrong_tag() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        assert (await w.peer.ask("INFO", 10, tag)).status_code == 200
        assert (await w.peer.ask("INFO", 9, tag)).status_code == 500
        stranger = {"From": "<sip:peer@192.0.2.9>;tag=other"}
        assert (await w.peer.ask("BYE", 11, tag, headers=stranger)).status_code == 481
        assert state(w.calls[0]) is LegState.CONFIRMED
        assert (await w.peer.ask("BYE", 12, tag)).status_code == 200

    play(script)


@pytest.mark.parametrize(
    ("method", "code"), [("OPTIONS", 200), ("REFER", 603), ("MESSAGE", 405), ("PRACK", 405), ("SUBSCRIBE", 405)]
)
def test_other_requests_leave_the_call_up(method: str, code: int) -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        response = await w.peer.ask(method, 2, tag, headers={"Refer-To": "<sip:x@y>"})
        assert response.status_code == code
        assert bool(response.headers.get("allow")) == (code in (200, 405))
        assert state(w.calls[0]) is LegState.CONFIRMED

    play(script)


def test_options_and_info_in_every_state() -> None:
    async def script(w: World) -> None:
        async def ring(leg: InboundLeg) -> None:
            leg.ring()

        w.on_call = ring
        w.peer.send(w.peer.request("INVITE", body=b"v=0"))
        await asyncio.sleep(0.1)
        leg, tag = w.calls[0], w.peer.tag()
        cseq = 1

        async def ask() -> list[int]:
            nonlocal cseq
            cseq += 2
            options = await w.peer.ask("OPTIONS", cseq, tag)
            info = await w.peer.ask("INFO", cseq + 1, tag, headers=RELAY, body=b"Signal=1")
            return [options.status_code, info.status_code]

        assert state(leg) is LegState.RINGING
        assert await ask() == [200, 200]
        leg.attach(FakeMedia("bob"))
        leg.progress()
        assert await ask() == [200, 200]
        answering = asyncio.ensure_future(leg.answer())
        await asyncio.sleep(0)
        assert state(leg) is LegState.ANSWERED
        assert await ask() == [200, 200]
        w.peer.send(w.peer.request("ACK", to_tag=tag))
        await answering
        assert await ask() == [200, 200]
        assert media_of(leg).digits == "111"
        hanging = asyncio.ensure_future(leg.hang_up())
        await asyncio.sleep(0)
        assert state(leg) is LegState.ENDING
        assert await ask() == [481, 481]
        hanging.cancel()

    play(script)


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Signal= *\nDuration= 250", "*"),
        ("application/dtmf-relay", "signal=11", "#"),
        ("application/dtmf-relay", "Duration=160", ""),
        ("application/dtmf-relay", "Signal=hello", ""),
        ("application/dtmf", "7", "7"),
        ("application/dtmf", " d\r\n", "D"),
        ("application/dtmf", "", ""),
        ("application/dtmf", "12345", ""),
    ],
)
def test_digit_of_an_info_body(kind: str, body: str, digit: str) -> None:
    assert dtmf_digit(kind, body) == digit


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/dtmf-relay", b"Signal=5", 200),
        ("application/dtmf", b"Q", 400),
        ("application/media_control+xml", b"<x/>", 415),
        ("", b"", 200),
        ("application/dtmf", b"\xff\xfe", 400),
    ],
)
def test_info_is_answered(kind: str, body: bytes, code: int) -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call()
        response = await w.peer.ask("INFO", 2, tag, headers={"Content-Type": kind}, body=body)
        assert response.status_code == code
        assert media_of(w.calls[0]).digits == ("5" if code == 200 and body else "")

    play(script)


def test_info_of_ours_reaches_the_other_side() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        assert await out.send_info("application/dtmf-relay", b"Signal=9\r\nDuration=100\r\n") == 200
        assert await out.send_info("application/x-strange", b"?") == 415
        assert media_of(into).digits == "9"
        w.network.rule = lambda _sent: []
        assert await into.send_info("application/dtmf", b"1") == 408
        assert state(into) is LegState.CONFIRMED  # one lost INFO is no reason to end a call

    play(script)


def test_a_481_to_a_request_of_ours_ends_the_leg() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        await w.peer.call()
        w.peer.on["INFO"] = lambda request: w.peer.answer(request, 481, to=CALLEE)
        assert await w.calls[0].send_info("application/dtmf", b"1") == 481
        assert w.calls[0].end is not None
        assert w.calls[0].end.by == "peer"
        await w.idle(w.bob)

    play(script)


def test_bye_and_info_answer_a_challenge() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        await w.peer.call()
        leg = w.calls[0]
        leg.credentials = Credentials("user", "secret")
        challenge = {"Proxy-Authenticate": 'Digest realm="r", nonce="n1", qop="auth"'}

        def challenged(request: object) -> None:
            (last,) = [r for r in w.peer.requests(method) if r is request]
            if last.get_header("proxy-authorization"):
                w.peer.answer(last, 200, to=CALLEE)
            else:
                w.peer.answer(last, 407, to=CALLEE, headers=challenge)

        for method in ("INFO", "BYE"):
            w.peer.on[method] = challenged
            if method == "INFO":
                assert await leg.send_info("application/dtmf", b"1") == 200
            else:
                await leg.hang_up()
            first, second = w.peer.requests(method)
            assert first.get_header("via") != second.get_header("via")
            numbers = [int((r.get_header("cseq") or "").split()[0]) for r in (first, second)]
            assert numbers[1] == numbers[0] + 1
        await w.idle(w.bob)

    play(script)


# -- session timers ----------------------------------------------------------------------------------------------


def test_peer_refreshes_its_session() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        tag = await w.peer.call(REFRESHED)
        final = w.peer.response("INVITE")
        assert final.get_header("session-expires") == "90;refresher=uac"
        assert final.get_header("require") == "timer"
        for number in range(2, 6):
            await asyncio.sleep(45)
            method = "UPDATE" if number % 2 else "INVITE"
            response = await w.peer.ask(method, number, tag, headers=REFRESHED, body=b"v=0")
            assert response.status_code == 200
            assert response.get_header("session-expires") == "90;refresher=uac"
            if method == "INVITE":
                w.peer.send(w.peer.request("ACK", cseq=number, to_tag=tag))
        await asyncio.sleep(59)
        assert state(w.calls[0]) is LegState.CONFIRMED
        await asyncio.sleep(2)
        assert w.seen_in.ends[0].reason == "session expired"
        assert (w.peer.requests("BYE")[0].get_header("reason") or "").startswith("SIP;cause=408")
        await w.idle(w.bob)

    play(script)


def test_without_session_timer_a_call_lasts() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        await w.peer.call({"Supported": "timer"})
        assert w.peer.response("INVITE").get_header("session-expires") is None
        await asyncio.sleep(10_000)
        assert state(w.calls[0]) is LegState.CONFIRMED

    play(script)


def test_interval_too_small() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        short = {"Session-Expires": "30", "Supported": "timer"}
        w.peer.send(w.peer.request("INVITE", call_id="short", headers=short, body=b"v=0"))
        await asyncio.sleep(0.1)
        assert w.peer.responses("INVITE") == [422]
        assert w.peer.response("INVITE").get_header("min-se") == "90"
        assert w.calls == []
        tag = await w.peer.call()
        assert (await w.peer.ask("UPDATE", 2, tag, headers=short)).status_code == 422
        assert (await w.peer.ask("INVITE", 3, tag, headers=short, body=b"v=0")).status_code == 422

    play(script)


@pytest.mark.parametrize("allow", ["INVITE, ACK, BYE, UPDATE", "INVITE, ACK, BYE"])
def test_we_refresh_when_it_is_our_turn(allow: str) -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        method = "UPDATE" if "UPDATE" in allow else "INVITE"
        answered = {"Session-Expires": "90;refresher=uac"}
        w.peer.on[method] = lambda request: w.peer.answer(
            request, 200, to=CALLEE, headers=answered, body=b"v=0" if method == "INVITE" else b""
        )
        await w.peer.call({"Session-Expires": "90;refresher=uas", "Supported": "timer", "Allow": allow})
        assert w.peer.response("INVITE").get_header("session-expires") == "90;refresher=uas"
        await asyncio.sleep(200)
        assert len(w.peer.requests(method)) == 4
        assert w.peer.requests(method)[0].get_header("session-expires") == "90;refresher=uac"
        assert state(w.calls[0]) is LegState.CONFIRMED
        w.peer.on[method] = lambda _request: None
        await asyncio.sleep(100)
        assert state(w.calls[0]) is LegState.ENDED
        await w.idle(w.bob)

    play(script)


# -- where requests go -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "to", "uri", "routes"),
    [
        ({}, PEER, "sip:peer@192.0.2.9:5070", []),
        ({"Contact": "<sip:peer@192.0.2.9:5099>"}, ("192.0.2.9", 5099), "sip:peer@192.0.2.9:5099", []),
        ({"Contact": "<sip:peer@192.0.2.50;transport=tcp>"}, PEER, "sip:peer@192.0.2.50;transport=tcp", []),
        ({"Contact": "<sip:peer@x.invalid;transport=ws>"}, PEER, "sip:peer@x.invalid;transport=ws", []),
        ({"Contact": "<sips:peer@192.0.2.50>"}, PEER, "sips:peer@192.0.2.50", []),
        ({"Contact": "<sip:peer@0.0.0.0:5099>"}, PEER, "sip:peer@0.0.0.0:5099", []),
        ({"Contact": "<sip:peer@127.0.0.1:5099>"}, PEER, "sip:peer@127.0.0.1:5099", []),
        (
            {"Contact": "<sip:p@10.1.1.1:5099>", "Via": "SIP/2.0/UDP 10.1.1.1:5099;rport;branch=z9hG4bKn"},
            PEER,
            "sip:p@10.1.1.1:5099",
            [],
        ),
        (
            {"Record-Route": "<sip:192.0.2.60;lr>, <sip:192.0.2.61;lr>"},
            ("192.0.2.60", 5060),
            "sip:peer@192.0.2.9:5070",
            ["<sip:192.0.2.60;lr>", "<sip:192.0.2.61;lr>"],
        ),
        (
            {"Record-Route": "<sip:10.0.0.60;lr>", "Contact": "<sip:p@0.0.0.0>"},
            ("10.0.0.60", 5060),
            "sip:p@0.0.0.0",
            ["<sip:10.0.0.60;lr>"],
        ),
        (
            {
                "Record-Route": "<sip:10.0.0.60;lr>",
                "Contact": "<sip:p@10.1.1.1:5099>",
                "Via": "SIP/2.0/UDP 10.1.1.1:5099;rport;branch=z9hG4bKn",
            },
            ("10.0.0.60", 5060),
            "sip:p@10.1.1.1:5099",
            ["<sip:10.0.0.60;lr>"],
        ),
        (
            {"Record-Route": "<sip:127.0.0.1;lr>"},
            PEER,
            "sip:peer@192.0.2.9:5070",
            ["<sip:127.0.0.1;lr>"],
        ),
        (
            {"Record-Route": "<sip:192.0.2.60>"},
            ("192.0.2.60", 5060),
            "sip:192.0.2.60",
            ["<sip:peer@192.0.2.9:5070>"],
        ),
    ],
)
def test_where_a_bye_goes(headers: dict[str, str], to: tuple[str, int], uri: str, routes: list[str]) -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        await w.peer.call(headers)
        hanging = asyncio.ensure_future(w.calls[0].hang_up())
        await asyncio.sleep(0.1)
        (sent,) = [s for s in w.network.log if s.what == "BYE"]
        assert sent.to == to
        request = sent.message
        assert request.headers.get("route") == routes
        assert sent.data.startswith(f"BYE {uri} SIP/2.0\r\n".encode())
        hanging.cancel()

    play(script)


def test_a_name_in_contact_is_looked_up_off_the_call_path() -> None:
    class Names:
        def __init__(self) -> None:
            self.known: dict[str, tuple[str, int]] = {}
            self.asked: list[str] = []

        async def resolve(self, host: str, port: int | None = None) -> tuple[str, int]:
            raise AssertionError("the call path waits for a name")

        def lookup_cached(self, host: str, port: int | None = None) -> tuple[str, int] | None:
            return self.known.get(host)

        def prime(self, host: str, port: int | None = None) -> None:
            self.asked.append(host)

        async def close(self) -> None: ...

    async def script(w: World) -> None:
        names = Names()
        w.bob.core.resolver = names
        w.on_call = answer_at_once
        await w.peer.call({"Contact": "<sip:peer@pbx.example>"})
        sending = asyncio.ensure_future(w.calls[0].send_info("application/dtmf", b"1"))
        await asyncio.sleep(0.1)
        names.known["pbx.example"] = ("192.0.2.77", 5061)
        sending2 = asyncio.ensure_future(w.calls[0].send_info("application/dtmf", b"2"))
        await asyncio.sleep(0.1)
        first, second = [s for s in w.network.log if s.what == "INFO"]
        assert first.to == PEER
        assert second.to == ("192.0.2.77", 5061)
        assert "pbx.example" in names.asked
        sending.cancel()
        sending2.cancel()

    play(script)


@pytest.mark.parametrize(
    ("contact", "source", "lost"),
    [
        ("10.0.0.1", "198.51.100.1", False),
        ("10.0.0.1", "8.8.8.8", True),
        ("10.0.0.1", "192.168.1.1", False),
        ("8.8.4.4", "8.8.8.8", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("::1", "127.0.0.1", True),
        ("name.example", "8.8.8.8", False),
    ],
)
def test_contact_addresses_that_make_no_sense(contact: str, source: str, lost: bool) -> None:
    assert unreachable_from_here(contact, source) is lost


def test_peer_that_moves_to_another_port_is_followed() -> None:
    """A NAT gives the peer another port; its Contact is of no use."""

    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call({"Contact": "<sip:peer@x.invalid>"})
        w.peer.transport._address = ("192.0.2.9", 6000)
        await w.peer.start()
        await w.peer.ask("INFO", 2, tag)
        hanging = asyncio.ensure_future(w.calls[0].hang_up())
        await asyncio.sleep(0.1)
        assert [s.to for s in w.network.log if s.what == "BYE"] == [("192.0.2.9", 6000)]
        hanging.cancel()

    play(script)


def test_hold_from_the_called_side() -> None:
    async def script(w: World) -> None:
        out, into = await w.call()
        response = await into.request(
            "INVITE", (("Content-Type", "application/sdp"),), b"v=0 sendonly", into.acknowledge
        )
        assert response is not None
        assert response.status_code == 200
        await asyncio.sleep(0.1)
        assert w.seen_out.list[-1] == "hold"
        assert out.pending_ack is None
        await out.hang_up()
        assert w.seen_out.list[-1] == "ended"
        await w.idle()

    play(script)


def test_a_peer_that_cannot_refresh_is_refreshed() -> None:
    """A proxy asked for the timer; the peer itself knows nothing of it (RFC 4028 table 2)."""

    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        await w.peer.call({"Session-Expires": "90", "Allow": "UPDATE"})
        assert w.peer.response("INVITE").get_header("session-expires") == "90;refresher=uas"
        assert w.peer.response("INVITE").get_header("require") is None
        await asyncio.sleep(46)
        assert {u.get_header("cseq") for u in w.peer.requests("UPDATE")} == {"1 UPDATE"}

    play(script)


def test_a_refresh_waits_while_another_re_invite_is_under_way() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        tag = await w.peer.call({"Session-Expires": "90;refresher=uas", "Supported": "timer"})
        await asyncio.sleep(1)
        again = {"Session-Expires": "90;refresher=uas", "Supported": "timer"}
        await w.peer.ask("INVITE", 2, tag, body=b"v=0", headers=again)
        w.calls[0].refresh()
        await asyncio.sleep(1)
        assert w.peer.requests("INVITE") == []
        w.peer.send(w.peer.request("ACK", cseq=2, to_tag=tag))
        await asyncio.sleep(4)
        assert {i.get_header("cseq") for i in w.peer.requests("INVITE")} == {"1 INVITE"}

    play(script)


def test_what_comes_of_a_refresh_that_fails() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        answers = [(422, {"Min-SE": "200"}), (500, {}), (200, {"Session-Expires": "200;refresher=uac"})]

        def updated(request: SipRequest) -> None:
            if answers:
                code, headers = answers.pop(0)
                w.peer.answer(request, code, to=CALLEE, headers=headers)

        w.peer.on["UPDATE"] = updated
        asked = {"Session-Expires": "300;refresher=uas", "Supported": "timer", "Allow": "UPDATE"}
        await w.peer.call(asked)
        w.calls[0].session.interval = 90  # as if the peer had agreed to less before
        await asyncio.sleep(220)
        said = [u.get_header("session-expires") for u in w.peer.requests("UPDATE")]
        assert said == ["90;refresher=uac", "200;refresher=uac", "200;refresher=uac"]
        await asyncio.sleep(120)
        assert w.seen_in.ends[0].reason == "no answer to a session refresh"
        await w.idle(w.bob)

    play(script)


def test_a_re_invite_of_ours_that_only_gets_100_leaves_nothing_behind() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        agree(w)
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 100, to=CALLEE)
        await w.peer.call({"Session-Expires": "90;refresher=uas", "Supported": "timer"})
        await asyncio.sleep(80)
        assert w.seen_in.list[-1] == "ended"
        await w.idle(w.bob)

    play(script)
