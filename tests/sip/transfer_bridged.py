"""Transfers that are answered: sound and keys both ways, holds, and who hangs up."""

from __future__ import annotations

import asyncio

from tests.sip.talking import SAME_WORDS, sounds_like
from tests.sip.transfer_peers import BARESIP
from tests.sip.transfer_stage import AFTER, GREETING, QUESTION, Visit, calls, case, now, transfer
from tests.support import baresip
from tests.support.audio import NARROW, likeness, read_wav, resample, speech
from tests.support.phone_call import Call
from tests.support.providers.base import Reply

FROM_CALLER = "je voudrais parler au support technique"
FROM_THERE = "oui, bonjour, c'est moi, je vous écoute"


async def talk(visit: Visit, there: Call) -> None:
    """Both speak at the same time, and both are heard."""
    since = now()
    visit.call.rtp.say(speech(FROM_CALLER))
    there.rtp.say(speech(FROM_THERE))
    await asyncio.gather(visit.call.rtp.said(), there.rtp.said())
    await asyncio.sleep(0.5)
    visit.carries(there.rtp, FROM_CALLER, since)
    visit.carries(visit.call.rtp, FROM_THERE, since)


async def transferred(visit: Visit, ended_by: str) -> None:
    """How the call is recorded."""
    assert (await visit.outcome())["outcome"] == "answered"
    record = await visit.record()
    assert (record["status"], record["ended_by"]) == ("transferred", ended_by), record
    hung_up = [e for e in visit.timeline() if e["kind"] == "hang_up"]
    assert [e["payload"]["who"] for e in hung_up] == [ended_by], hung_up


# -- talking -----------------------------------------------------------------------------------------------------


@case()
async def answered(visit: Visit) -> None:
    """Sound and keys both ways, each key once; the agent is out of it; the destination hangs up, which ends it."""
    there = await visit.bridged()
    asked = len(visit.requests())
    await talk(visit, there)
    visit.call.rtp.press("12")
    there.rtp.press("34")
    await asyncio.gather(visit.call.rtp.said(), there.rtp.said())
    assert await there.rtp.wait_digits(2) == "12"
    assert await visit.call.rtp.wait_digits(2) == "34"
    await asyncio.sleep(2.3)  # longer than it takes for keys to be a turn
    assert (there.rtp.digits, visit.call.rtp.digits) == (["1", "2"], ["3", "4"])
    assert (visit.digits("caller"), visit.digits("destination")) == ("#12", "34")
    assert len(visit.requests()) == asked, "the agent listened to a call that it had put through"
    assert (await there.bye()).code == 200
    assert await visit.call.wait_end(1) == "peer"
    await transferred(visit, "destination")


@case(actions=[transfer(sip_connection_id="desk_pcmu", destinations=[{"extension": "transcoded"}])])
async def transcoded(visit: Visit) -> None:
    """The caller talks A-law, the destination's connection allows mu-law alone; the caller hangs up."""
    there = await visit.bridged()
    assert (visit.call.rtp.codec, there.rtp.codec) == ("PCMA", "PCMU")
    await talk(visit, there)
    assert there.rtp.codecs_heard() <= {"PCMU", "101"}
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case(actions=[transfer(sip_connection_id="baresip", destinations=[{"extension": "bench"}])])
async def answered_by_baresip(visit: Visit) -> None:
    """Somebody else's telephone, which answers at once."""
    script = [(1.5, speech(FROM_THERE))]
    folder = visit.stage.folder / "baresip"
    async with baresip.answering(folder, script=script, seconds=20, port=BARESIP[1]) as waiting:
        await visit.begin()
        await visit.ask()
        await visit.joined()
        since = now()
        visit.call.rtp.say(speech(FROM_CALLER))
        await visit.call.rtp.said()
        await asyncio.sleep(2.5)
        visit.carries(visit.call.rtp, FROM_THERE, since)
        await visit.hang_up()
        await asyncio.sleep(0.3)
    outcome = waiting.call
    assert outcome is not None
    assert outcome.established, outcome.log
    assert outcome.closed, outcome.log

    def check() -> None:
        assert likeness(outcome.heard, speech(FROM_CALLER)).score > 0.6

    visit.checks.append(check)
    await transferred(visit, "caller")


@case(actions=[transfer(sip_connection_id="sipp_answer", destinations=[{"extension": "200"}])])
async def answered_without_a_word_before(visit: Visit) -> None:
    """No provisional response at all, then 200."""
    await visit.begin()
    await visit.ask()
    await visit.joined()
    assert "ringing" not in visit.leg_events()
    await visit.hang_up()
    await transferred(visit, "caller")


@case()
async def the_caller_talks_while_it_is_decided(visit: Visit) -> None:
    """Words before, during and after the ringing: what is said once they are joined is heard by the destination."""
    await visit.begin()
    visit.call.rtp.say(speech("passez-moi tout de suite le support technique s'il vous plaît"))
    await asyncio.sleep(0.8)
    await visit.ask()
    there = await visit.rung()
    there.ring()
    visit.call.rtp.say(speech("je suis toujours là"))
    await there.answer()
    await visit.joined()
    await visit.call.rtp.said()
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case()
async def answered_after_early_media(visit: Visit) -> None:
    """A recorded voice before the answer, then the same stream goes on: no moment is lost."""
    there = await visit.ring()
    await there.rtp.open(there.phone.rtp_ports, there.phone.host)
    there._remote_description(there.invitation.body)
    there.codecs = (there.rtp.codec,)
    body = there.description()
    since = now()
    there.reply(183, "Session Progress", body=body)
    there.rtp.say(speech(FROM_THERE))
    await there.rtp.said()
    await asyncio.sleep(0.5)
    visit.carries(visit.call.rtp, FROM_THERE, since)
    assert "bridged" not in visit.leg_events()
    there.reply(200, "OK", body=body)
    await asyncio.wait_for(there.up.wait(), 2)
    await visit.joined()
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case(record_audio=True)
async def the_recording_ends_before_the_bridge(visit: Visit) -> None:
    """Nobody told the destination."""
    there = await visit.bridged()
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")
    kinds = [e["payload"]["event"] for e in visit.timeline() if e["kind"] in ("recording", "leg")]
    assert kinds.index("started") < kinds.index("dialled") < kinds.index("bridged"), kinds
    assert "stopped" in kinds
    record = await visit.record()
    pcm, rate = read_wav(visit.stage.server.data / "recordings" / record["recording"])

    def check() -> None:
        heard = resample(pcm, rate, NARROW)
        assert sounds_like(heard, GREETING) > SAME_WORDS
        for words in (FROM_CALLER, FROM_THERE):
            assert likeness(heard, speech(words)).score < SAME_WORDS, words

    visit.checks.append(check)


SENTENCE = "Je vous mets en relation avec le support technique, ne quittez surtout pas, cela ne prendra qu'un instant."


@case(replies=[calls(text=SENTENCE), Reply(text=AFTER)])
async def answered_in_the_middle_of_the_sentence(visit: Visit) -> None:
    """What the agent has begun to say is heard out, whatever the caller says over it; then they are joined."""
    since = now()
    there = await visit.ring()
    there.ring()
    await there.answer()
    await visit.call.rtp.wait_speech(3, since=since)
    visit.call.rtp.say(speech(QUESTION))
    await visit.call.rtp.said()
    assert "bridged" not in visit.leg_events(), "the sentence was cut short"
    await visit.until(lambda: "bridged" in visit.leg_events(), 10, "not joined")
    visit.sounds_like(visit.call.rtp.heard(since), SENTENCE)
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")
    assert len(visit.requests()) == 1


# -- requests in the joined call ---------------------------------------------------------------------------------


@case()
async def holds_from_either_side(visit: Visit) -> None:
    """The destination holds and resumes, then the caller does; the other side stays up."""
    there = await visit.bridged()
    held = await there.hold()
    assert held.code == 200
    assert "a=recvonly" in held.body, held.body
    await asyncio.sleep(0.2)
    since, before = now(), len(there.rtp.packets)
    await asyncio.sleep(1.0)
    assert len(there.rtp.packets) == before, "a side that holds us is sent nothing"
    assert visit.call.rtp.packets_a_second(since) > 40, "the caller's stream stopped"
    assert not visit.call.ended.is_set()
    assert (await there.hold("sendrecv")).code == 200
    await talk(visit, there)
    held = await visit.call.hold()
    assert held.code == 200
    assert "a=recvonly" in held.body, held.body
    await asyncio.sleep(0.5)
    assert not there.ended.is_set()
    assert (await visit.call.hold("sendrecv")).code == 200
    await talk(visit, there)
    events = [p["event"] for p in visit.payloads("leg", leg="destination") if p["event"] in ("hold", "resumed")]
    assert events == ["hold", "resumed"]
    assert [p["event"] for p in visit.payloads("leg", leg="caller")] == ["hold", "resumed"]
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case()
async def a_refer_is_declined_and_the_call_goes_on(visit: Visit) -> None:
    there = await visit.bridged()
    refer = (("Refer-To", "<sip:somebody@192.0.2.7>"), ("Referred-By", f"<{there.phone.uri}>"))
    assert (await there.request("REFER", headers=refer)).code == 603
    assert (await visit.call.request("REFER", headers=refer)).code == 603
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case()
async def descriptions_that_change_in_the_call(visit: Visit) -> None:
    """The destination goes over to mu-law, then leaves the offer to us; the caller notices nothing."""
    there = await visit.bridged()
    there.codecs = ("PCMU",)
    assert (await there.hold("sendrecv")).code == 200
    assert there.rtp.codec == "PCMU"
    await talk(visit, there)
    there._offered = False
    there.codecs = ("PCMA",)
    again = await there.request("INVITE")
    assert again.code == 200
    assert "m=audio" in again.body
    await talk(visit, there)
    assert not [e for e in visit.call.requests if e.message.method == "INVITE"], "the caller was asked to change too"
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case()
async def keys_by_other_means(visit: Visit) -> None:
    """The destination has no telephone-event: keys reach it by INFO, and come from it by INFO; each once."""
    there = await visit.ring()
    there.ring()
    there.dtmf = False
    await there.answer()
    await visit.joined()
    visit.call.rtp.press("78")
    assert (await there.press_info("5")).code == 200
    await visit.call.rtp.said()
    assert await visit.call.rtp.wait_digits(1) == "5"
    await asyncio.sleep(1)
    assert there.info_digits == ["7", "8"]
    assert visit.call.rtp.digits == ["5"]
    assert (visit.digits("caller"), visit.digits("destination")) == ("#78", "5")
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case()
async def both_hang_up_at_once(visit: Visit) -> None:
    """The two BYEs cross ours: each is answered, and it is one end."""
    there = await visit.bridged()
    ends = await asyncio.gather(visit.call.bye(), there.bye())
    assert [end.code for end in ends] == [200, 200]
    record = await visit.record()
    assert record["status"] == "transferred"
    assert len([e for e in visit.timeline() if e["kind"] == "hang_up"]) == 1


@case()
async def the_caller_hangs_up_as_it_is_answered(visit: Visit) -> None:
    """The 200 crosses the caller's BYE: nobody is left at the other end."""
    there = await visit.ring()
    there.ring()
    await asyncio.gather(there.answer(), visit.call.bye())
    assert await there.wait_end(2) == "peer"
    await visit.record()
    assert (await visit.outcome())["outcome"] in ("answered", "caller_left")


@case()
async def an_answer_that_cannot_be_used(visit: Visit) -> None:
    """A codec that nobody offered: ACK, BYE, and the agent has the caller."""
    there = await visit.ring()
    there.ring()
    await there.rtp.open(there.phone.rtp_ports, there.phone.host)
    there.codecs = ("PCMA",)
    there.reply(
        200, "OK", body=there.description().replace("rtpmap:8 PCMA", "rtpmap:18 G729").replace("AVP 8", "AVP 18")
    )
    assert await there.wait_end(2) == "peer"
    await visit.fails("unreachable")
