"""Transfers while it rings: refusals, deadlines, what the caller hears meanwhile, and callers who leave."""

from __future__ import annotations

import asyncio

from tests.sip import agents
from tests.sip.transfer_ears import sine, sound
from tests.sip.transfer_stage import AFTER, QUESTION, RING_SECONDS, Visit, calls, case, now, transfer
from tests.support import sip_text
from tests.support.audio import speech
from tests.support.phone import Address
from tests.support.phone_call import Call
from tests.support.providers.base import Reply
from tests.support.sip_text import Message

TOLERANCE = 0.25
"""Of the ring deadline (specification, section 4.1)."""


# -- SIPp refuses ------------------------------------------------------------------------------------------------


def _refused(code: int, outcome: str) -> None:
    over = transfer(sip_connection_id=f"sipp_{code}", destinations=[{"extension": "200"}])

    @case(name=f"refused_{code}", actions=[over])
    async def play(visit: Visit) -> None:
        await visit.begin()
        await visit.ask()
        await visit.fails(outcome, code=code)
        assert visit.leg_events() == ["dialled", "ringing", "ended"]


for _code, _outcome in (
    (486, "busy"),
    (603, "declined"),
    (404, "invalid_destination"),
    (480, "no_answer"),
    (503, "unreachable"),
    (302, "unreachable"),
):
    _refused(_code, _outcome)


@case(first=True, actions=[transfer(sip_connection_id="sipp_stall", destinations=[{"extension": "200"}])])
async def trying_and_nothing_else(visit: Visit) -> None:
    """100, then neither 18x nor an answer: 12 s."""
    await visit.begin()
    await visit.ask()
    await visit.fails("unreachable")
    finished = await visit.outcome()
    assert 11_900 <= finished["duration_ms"] <= 12_700, finished


@case(first=True)
async def no_response_at_all(visit: Visit) -> None:
    """Six seconds of INVITEs into the void."""
    await visit.ring()
    await visit.fails("unreachable")
    finished = await visit.outcome()
    assert 5_900 <= finished["duration_ms"] <= 6_700, finished
    came = visit.invites()
    assert len(came) == 4, "repeated at 0.5, 1.5 and 3.5 s (RFC 3261 section 17.1.1.2), and not after it was given up"


# -- the deadline ------------------------------------------------------------------------------------------------


def _cancelled(there: Call) -> asyncio.Future[float]:
    """When the CANCEL comes."""
    came: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def watch(request: Message, _source: Address) -> bool:
        if request.method == "CANCEL" and not came.done():
            came.set_result(now())
        return False

    there.hook = watch
    return came


@case(first=True)
async def rings_past_the_deadline(visit: Visit) -> None:
    """Counted from the first 180, whatever comes later; ringback, and an agent that neither listens nor talks."""
    there = await visit.ring()
    cancelled = _cancelled(there)
    asked = len(visit.requests())
    there.ring()
    rang = now()
    await asyncio.sleep(1)
    visit.call.rtp.say(speech(QUESTION))
    await asyncio.sleep(1)
    there.ring()
    visit.call.rtp.press("5")
    assert abs(await asyncio.wait_for(cancelled, 10) - rang - RING_SECONDS) <= TOLERANCE
    assert len(visit.requests()) == asked, "the agent listened while it rang"
    heard = sound(visit.call.rtp, since=visit.asked_at, until=await cancelled)
    assert heard.tone > 1.0, f"no ringback: {heard}"
    assert heard.other < 0.15, f"something else than ringback: {heard}"
    given = await visit.fails("no_answer")
    assert "nobody answered" in given["reason"]
    assert not visit.stage.server.said(visit.call.id, "caller"), "what was said while it rang was taken for a turn"
    assert visit.digits("caller") == "#5"
    assert len(visit.requests()) == asked + 1, "what was done while it rang was taken for a turn"
    assert await there.wait_end(2) == "peer"


@case(first=True)
async def rings_past_the_deadline_after_a_post_dial_delay(visit: Visit) -> None:
    """Three seconds of Trying do not count."""
    there = await visit.ring()
    cancelled = _cancelled(there)
    there.reply(100, "Trying")
    await asyncio.sleep(3)
    there.ring()
    rang = now()
    assert abs(await asyncio.wait_for(cancelled, 10) - rang - RING_SECONDS) <= TOLERANCE
    heard = sound(visit.call.rtp, since=visit.asked_at, until=rang)
    assert heard.tone > 1.0, "ringback does not wait for 18x"
    await visit.fails("no_answer")


@case(first=True)
async def an_answer_that_crosses_our_cancel(visit: Visit) -> None:
    """ACK, then BYE; and the agent has the caller."""
    there = await visit.ring()

    def answer_too_late(request: Message, source: Address) -> bool:
        if request.method == "CANCEL" and not there.up.is_set():
            there.phone.respond(request, source, 200, "OK")
            there.phone.spawn(there.answer())
        return request.method == "CANCEL"

    there.hook = answer_too_late
    there.ring()
    await visit.fails("no_answer")
    assert await there.wait_end(2) == "peer"
    assert [e.message.method for e in there.requests if e.message.method in ("ACK", "BYE")] == ["ACK", "BYE"]


# -- what the caller hears ---------------------------------------------------------------------------------------


@case()
async def early_media_is_heard_by_the_caller(visit: Visit) -> None:
    """183 with a description, a tone of 700 Hz, then busy."""
    there = await visit.ring()
    await there.rtp.open(there.phone.rtp_ports, there.phone.host)
    there._remote_description(there.invitation.body)
    there.codecs = (there.rtp.codec,)
    there.rtp.say(sine(700, 2.0))
    there.reply(183, "Session Progress", body=there.description())
    since = now() + 0.3
    await there.rtp.said()
    heard = sound(visit.call.rtp, 700, since, now())
    assert heard.tone > 1.3, f"the early media was not heard: {heard}"
    assert heard.other < 0.1, f"something else was: {heard}"
    there.reply(486, "Busy Here")
    await visit.fails("busy", code=486)
    there.rtp.close()


SENTENCE = "Je vous mets en relation avec le support technique, ne quittez pas."


@case(replies=[calls(text=SENTENCE), Reply(text=AFTER)])
async def the_sentence_ends_before_the_ringback(visit: Visit) -> None:
    """The INVITE leaves at once; what the agent has begun to say is played to its end, then it rings."""
    since = now()
    there = await visit.ring()
    there.ring()
    invited = there.invite_at
    await visit.call.rtp.wait_speech(4, since=since)
    await asyncio.sleep(4.5)
    heard = sound(visit.call.rtp, since=invited, until=now())
    assert heard.other > 1.5, f"the INVITE waited for the sentence: {heard}"
    assert heard.tone > 0.5, f"no ringback after the sentence: {heard}"
    visit.sounds_like(
        visit.call.rtp.heard(since), "Je vous mets en relation avec le support technique, ne quittez pas."
    )
    there.reply(486, "Busy Here")
    await visit.fails("busy")


# -- redirects and challenges ------------------------------------------------------------------------------------


@case()
async def a_redirect_within_the_connection_is_followed(visit: Visit) -> None:
    there = await visit.ring()
    there.ring()
    elsewhere = f"<sip:colleague@{there.phone.host}:{there.phone.port}>"
    tag = there.local.rpartition("tag=")[2]
    contact = (("Contact", elsewhere),)
    there.phone.respond(there.invitation, there._invite_from, 302, "Moved Temporarily", headers=contact, tag=tag)
    second = await visit.rung("colleague")
    assert second.id != there.id
    second.ring()
    second.reply(486, "Busy Here")
    await visit.fails("busy", code=486)
    assert visit.payloads("leg", event="redirected", redirected_to="colleague")


CHALLENGE = 'Digest realm="trunk.example", nonce="abc123", algorithm=MD5, qop="auth"'


async def _challenged(visit: Visit) -> tuple[Call, Message]:
    """The call once it was answered 407, and its second INVITE."""
    there = await visit.ring()
    second: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def again(request: Message, _source: Address) -> bool:
        if request.method == "INVITE" and not second.done():
            second.set_result(request)
        return request.method == "INVITE"

    there.hook = again
    there.reply(407, "Proxy Authentication Required", headers=(("Proxy-Authenticate", CHALLENGE),))
    return there, await asyncio.wait_for(second, 4)


def _proves(invite: Message, password: str) -> bool:
    fields = sip_text.challenge_fields(invite.get("Proxy-Authorization"))
    wanted = sip_text.digest_response(fields, agents.TRUNK_USER, password, "INVITE", fields["uri"])
    return fields["response"] == wanted


@case(actions=[transfer(sip_connection_id="account", destinations=[{"extension": "challenged"}])])
async def challenged(visit: Visit) -> None:
    """The right password, and the call goes through."""
    first, second = await _challenged(visit)
    assert _proves(second, agents.TRUNK_PASSWORD)
    assert any(e.message.method == "ACK" for e in first.requests)
    there = Call.incoming(first.phone, second, ("127.0.0.1", visit.stage.server.sip_port))
    there.ring()
    await there.answer()
    await visit.joined()
    await visit.hang_up()
    assert await there.wait_end(2) == "peer"
    assert (await visit.outcome())["outcome"] == "answered"


@case(actions=[transfer(sip_connection_id="wrong_account", destinations=[{"extension": "challenged_in_vain"}])])
async def challenged_in_vain(visit: Visit) -> None:
    """The wrong password: one more 407 and it is over."""
    first, second = await _challenged(visit)
    assert not _proves(second, agents.TRUNK_PASSWORD)
    refused = (("Proxy-Authenticate", CHALLENGE),)
    first.phone.respond(second, first._invite_from, 407, "Proxy Authentication Required", headers=refused, tag="no")
    await visit.fails("unreachable", code=407)


# -- callers who leave -------------------------------------------------------------------------------------------


async def _left(visit: Visit) -> None:
    """The caller has hung up before anybody answered."""
    assert (await visit.outcome())["outcome"] == "caller_left"
    record = await visit.record()
    assert (record["status"], record["ended_by"]) == ("completed", "caller"), record


@case()
async def the_caller_hangs_up_while_it_rings(visit: Visit) -> None:
    there = await visit.ring()
    cancelled = _cancelled(there)
    there.ring()
    await asyncio.sleep(0.5)
    left = now()
    await visit.hang_up()
    assert await asyncio.wait_for(cancelled, 3) - left <= 1.0
    assert await there.wait_end(2) == "peer"
    await _left(visit)


@case()
async def the_caller_hangs_up_before_any_response(visit: Visit) -> None:
    """There is nothing to cancel yet: repeating stops, and a late 200 is ACKed and hung up."""
    there = await visit.ring()
    await asyncio.sleep(0.7)
    await visit.hang_up()
    await _left(visit)
    before = len(visit.invites())
    await asyncio.sleep(2.2)  # one would come after 1.5 s and one after 3.5 s
    assert len(visit.invites()) == before
    assert not [e for e in there.requests if e.message.method == "CANCEL"]
    await there.answer()
    assert await there.wait_end(2) == "peer"
    assert [e.message.method for e in there.requests if e.message.method in ("ACK", "BYE")] == ["ACK", "BYE"]


# -- twice -------------------------------------------------------------------------------------------------------


@case(replies=[calls(), Reply(text=AFTER), calls(), Reply(text=AFTER)])
async def two_transfers_in_one_call(visit: Visit) -> None:
    """Busy, then answered."""
    first = await visit.ring()
    first.ring()
    first.reply(486, "Busy Here")
    assert (await visit.outcome())["outcome"] == "busy"
    await visit.speaks_first()
    await visit.ask()
    second = await visit.rung()
    second.ring()
    await second.answer()
    await visit.joined()
    visit.call.rtp.say(speech("je voudrais parler au support technique"))
    second.rtp.say(speech("oui, c'est moi, je vous écoute"))
    await asyncio.gather(visit.call.rtp.said(), second.rtp.said())
    await asyncio.sleep(0.5)
    visit.carries(second.rtp, "je voudrais parler au support technique")
    visit.carries(visit.call.rtp, "oui, c'est moi, je vous écoute", second.up_at)
    assert (await visit.outcome(2))["outcome"] == "answered"
    await visit.hang_up()
    assert await second.wait_end(2) == "peer"
    assert (await visit.record())["status"] == "transferred"
