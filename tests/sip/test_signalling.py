"""Signalling by peers that misbehave or are unlucky: loss, races, late offers, holds, requests that we do not do."""

from __future__ import annotations

import asyncio

import pytest

from tests.sip.talking import dial, listen
from tests.support import sip_text
from tests.support.phone import Address, Phone
from tests.support.phone_call import Call, describe
from tests.support.proxy import UdpRelay
from tests.support.server import ParlonsServer
from tests.support.sip_text import Message

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fifth_of_the_datagrams_lost(lab: ParlonsServer, seed: int) -> None:
    async with (
        UdpRelay(lab.sip, loss=0.2, duplicate=0.1, delay=0.05, seed=seed) as relay,
        Phone(outbound=relay.front, contact=relay.back) as phone,
    ):
        calls = [phone.call(lab.uri("lab")) for _ in range(15)]
        answers = await asyncio.gather(*(call.invite(timeout=40) for call in calls))
        assert [a.code for a in answers] == [200] * len(calls)
        await calls[0].rtp.wait_speech()
        ends = await asyncio.gather(*(call.bye() for call in calls))
        assert {e.code for e in ends} == {200}
        assert relay.dropped > 10
    for call in calls:
        record = await asyncio.to_thread(lab.ended, call.id)
        assert (record["status"], record["ended_by"]) == ("completed", "caller")


async def test_our_bye_is_repeated_until_it_is_answered(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "brief")
    call.hook = lambda request, _source: request.method == "BYE" and len(_requests(call, "BYE")) < 3
    assert await call.wait_end(30) == "peer"
    byes = _requests(call, "BYE")
    assert len({m.branch for m in byes}) == 1
    assert len(byes) == 3


def _requests(call: Call, method: str) -> list[Message]:
    return [entry.message for entry in call.requests if entry.message.method == method]


async def test_a_retransmitted_invite_is_one_call(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    invite = await call.invite_by_hand()
    for _ in range(4):
        phone.send(invite, lab.sip)
        await asyncio.sleep(0.02)
    await call.up.wait()
    phone.send(invite, lab.sip)
    await call.rtp.wait_speech()
    tags = {e.message.tag("To") for e in call.responses if e.message.code >= 180}
    assert len(tags) == 1, tags
    await call.bye()
    assert (await asyncio.to_thread(lab.ended, call.id))["status"] == "completed"


async def test_the_200_is_repeated_until_the_ack(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    invite = await call.invite_by_hand()
    held: list[Message] = []

    def lose(response: Message) -> bool:
        lost = response.code == 200 and len(held) < 3
        if lost:
            held.append(response)
        return lost

    call.deaf_to = lose
    phone.send(invite, lab.sip)
    async with asyncio.timeout(8):
        await call.up.wait()
    assert len(held) == 3
    assert len({bytes(m) for m in held}) == 1, "the repeated 200 changed"
    await call.bye()


async def test_cancel_before_the_answer(lab: ParlonsServer, phone: Phone) -> None:
    outcomes = []
    for _ in range(8):
        call = phone.call(lab.uri("lab"))
        answer = asyncio.create_task(call.invite(timeout=10))
        await call.heard_back.wait()
        cancelled = await call.cancel()
        assert cancelled.code in (200, 481), cancelled.start
        final = await answer
        assert final.code in (200, 487), final.start
        outcomes.append(final.code)
        if final.code == 200:  # the answer crossed the CANCEL
            assert (await call.bye()).code == 200
        record = await asyncio.to_thread(lab.ended, call.id)
        assert record["status"] == ("canceled" if final.code == 487 else "completed"), record
    assert await _sent_together(lab, phone) in (200, 487)


async def _sent_together(lab: ParlonsServer, phone: Phone) -> int:
    """INVITE and CANCEL in one breath."""
    call = phone.call(lab.uri("lab"))
    answer = asyncio.create_task(call.invite(timeout=10))
    await call.sent.wait()
    await call.cancel()
    final = await answer
    if final.code == 200:
        await call.bye()
    await asyncio.to_thread(lab.ended, call.id)
    return final.code


async def test_bye_during_the_greeting(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await call.rtp.wait_speech()
    assert (await call.bye()).code == 200
    ended = asyncio.get_running_loop().time()
    await asyncio.sleep(0.5)
    assert not call.rtp.audio_packets(ended + 0.1), "audio after the BYE"
    record = await asyncio.to_thread(lab.ended, call.id)
    assert (record["status"], record["ended_by"]) == ("completed", "caller")


async def test_bye_crossing_bye(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "brief")
    theirs: list[tuple[Message, Address]] = []
    came = asyncio.Event()

    def hold_back(request: Message, source: Address) -> bool:
        if request.method == "BYE":
            theirs.append((request, source))
            came.set()
        return request.method == "BYE"

    call.hook = hold_back
    await asyncio.wait_for(came.wait(), 30)
    ours = await call.bye()
    assert ours.code in (200, 481), ours.start
    phone.respond(*theirs[0], 481, "Call/Transaction Does Not Exist")
    await asyncio.sleep(1.2)
    assert len(theirs) <= 3
    assert (await asyncio.to_thread(lab.ended, call.id))["status"] == "completed"


async def test_an_invite_without_a_description(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"), codecs=("PCMU",))
    answer = await call.invite(late=True)
    assert answer.code == 200
    assert "m=audio" in answer.body
    await listen(call)
    assert call.rtp.codecs_heard() == {"PCMU"}, "our answer in the ACK was not followed"
    await call.bye()


async def test_no_codec_in_common(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    await call.rtp.open(phone.rtp_ports)
    body = describe(call.rtp.port, ("PCMA",)).replace("RTP/AVP 8 101", "RTP/AVP 18 3").replace(":8 PCMA", ":18 G729")
    assert (await call.invite(sdp=body)).code == 488
    assert (await asyncio.to_thread(lab.ended, call.id))["status"] == "rejected"


async def test_a_description_that_does_not_parse(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    assert (await call.invite(sdp="this is not a description\r\n")).code in (400, 488)


async def test_a_second_media_line_is_refused_not_dropped(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    await call.rtp.open(phone.rtp_ports)
    answer = await call.invite(
        sdp=describe(call.rtp.port, ("PCMA",), extra="m=video 36998 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")
    )
    assert answer.code == 200
    assert [line.split()[1] != "0" for line in answer.body.splitlines() if line.startswith("m=")] == [True, False]
    await call.bye()


async def test_hold_and_back(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    await call.rtp.wait_speech()
    for direction, mirrored in (("sendonly", "recvonly"), ("inactive", "inactive")):
        held = await call.hold(direction)
        assert held.code == 200
        assert f"a={mirrored}" in held.body
    since = asyncio.get_running_loop().time() + 0.1
    await asyncio.sleep(1.0)
    assert not call.rtp.audio_packets(since), "audio while on hold"
    back = await call.hold("sendrecv")
    assert back.code == 200
    assert "a=sendrecv" in back.body or "a=" not in back.body
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(1.0)
    assert len(call.rtp.audio_packets(since)) > 40
    await call.bye()
    events = [e["payload"].get("event") for e in lab.timeline(lab.call(call.id)["id"]) if e["kind"] == "leg"]
    assert events == ["hold", "resumed"], events


async def test_a_refresh_changes_nothing(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    first = call.responses[-1].message.body
    await call.rtp.wait_speech()
    again = await call.request("INVITE", body=call.invitation.body)
    assert again.code == 200
    assert _media(again.body) == _media(first)
    assert (await call.update()).code == 200
    assert (await call.update(sdp=call.invitation.body)).code == 200
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(0.5)
    assert len(call.rtp.audio_packets(since)) > 20
    assert len({p.ssrc for p in call.rtp.audio_packets()}) == 1
    await call.bye()


def _media(body: str) -> list[str]:
    return [line for line in body.splitlines() if line[:2] in ("m=", "c=")]


async def test_requests_in_a_call_that_we_answer_without_doing(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    assert (await call.request("OPTIONS")).code == 200
    assert (await call.request("REFER", headers=(("Refer-To", "<sip:elsewhere@127.0.0.1>"),))).code == 603
    unknown = await call.request("DANCE")
    assert unknown.code in (405, 501)
    assert "INVITE" in unknown.get("Allow")
    required = await call.request("INFO", headers=(("Require", "telepathy"),))
    assert (required.code, required.get("Unsupported")) == (420, "telepathy")
    assert not call.ended.is_set()
    assert (await call.bye()).code == 200
    assert (await call.request("BYE")).code == 481


async def test_options_outside_a_call(lab: ParlonsServer, phone: Phone) -> None:
    answer = await phone.transact(phone.new_request("OPTIONS", lab.uri("lab")), lab.sip, timeout=3)
    assert answer.code == 200
    assert "INVITE" in answer.get("Allow")


async def test_digits_reach_the_timeline_once(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    call.rtp.press("42#")
    await call.rtp.said()
    await call.press_info("7")
    await asyncio.sleep(2.5)
    await call.bye()
    events = [e for e in lab.timeline(lab.call(call.id)["id"]) if e["kind"] == "dtmf"]
    assert "".join(e["payload"]["digits"] for e in events) == "42#7", events
    assert {e["actor"] for e in events} == {"caller"}


async def test_the_peer_contact_is_out_of_reach_but_its_packets_are_not(lab: ParlonsServer) -> None:
    async with Phone(contact=("192.0.2.77", 5060)) as phone:
        call = await dial(phone, lab, "lab")
        await call.rtp.wait_speech()
        assert (await call.bye()).code == 200


async def test_a_compact_and_folded_invite(lab: ParlonsServer, phone: Phone) -> None:
    call = phone.call(lab.uri("lab"))
    invite = await call.invite_by_hand()
    short = {long: compact for compact, long in sip_text.COMPACT.items()}
    invite.headers = [(short.get(n.lower(), n), v.replace(";tag=", ";\r\n tag=")) for n, v in invite.headers]
    phone.send(invite, lab.sip)
    async with asyncio.timeout(5):
        await call.up.wait()
    await call.bye()
