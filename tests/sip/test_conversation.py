"""Whole conversations with the demo agents and with the laboratory's, by three different peers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.sip import agents
from tests.sip.talking import PACE, SAME_WORDS, ask, dial, goodbye, listen, sounds_like
from tests.support import audio, baresip, capture, sipp, sippy_b2bua
from tests.support.audio import Pcm
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer


def _raw(path: Path, pcm: Pcm) -> str:
    path.write_bytes(audio.g711_encode("PCMA", pcm))
    return str(path)


def _conversed(server: ParlonsServer, sip_call_id: str, word: str) -> list[str]:
    """The record of a conversation in which the caller said ``word`` and goodbye; the agent's sentences."""
    record = server.ended(sip_call_id)
    assert (record["status"], record["ended_by"]) == ("completed", "agent"), record
    caller = server.said(sip_call_id, "caller")
    assert any(word in text.lower() for text in caller), caller
    said = server.said(sip_call_id, "agent")
    assert len(said) >= 3, said
    return said


async def test_sipp_talks_with_the_demo_agent(demo: ParlonsServer, tmp_path: Path) -> None:
    words = {"QUESTION": "quels sont vos horaires", "GOODBYE": "merci, au revoir"}
    values = {
        name: _raw(tmp_path / f"{name}.al", np.concatenate([audio.speech(text), audio.silence(25)]))
        for name, text in words.items()
    }
    values |= {"SILENCE": _raw(tmp_path / "silence.al", audio.silence(2)), "GREETING": "9500", "ANSWER": "9500"}
    before = {c["id"] for c in demo.calls()}
    async with capture.capture(tmp_path / "wire.pcap", "udp port 36800"):
        result = await sipp.run("conversation", demo.sip, tmp_path, values=values, seconds=45)
    assert (result.successful, result.failed) == (1, 0), result.errors
    ear = capture.heard_at(tmp_path / "wire.pcap", 36800)
    assert ear.codecs_heard() == {"PCMA"}
    assert 49 <= ear.packets_a_second() <= 51
    (record,) = [c for c in demo.calls() if c["id"] not in before]
    said = _conversed(demo, record["sip_call_id"], "horaire")
    assert sounds_like(ear.heard(), said[0]) > SAME_WORDS


async def test_baresip_talks_with_the_demo_agent(demo: ParlonsServer, tmp_path: Path) -> None:
    before = {c["id"] for c in demo.calls()}
    script = [(9.5, audio.speech("quels sont vos horaires")), (19.0, audio.speech("merci, au revoir"))]
    outcome = await baresip.call(demo.uri("accueil"), tmp_path / "baresip", script=script, seconds=40)
    assert outcome.established, outcome.log
    assert outcome.closed, f"baresip was not hung up on: {outcome.log}"
    (record,) = [c for c in demo.calls() if c["id"] not in before]
    said = _conversed(demo, record["sip_call_id"], "horaire")
    assert audio.speech_seconds(outcome.heard) > 3
    for sentence in (said[0], said[-1]):
        assert sounds_like(outcome.heard, sentence) > SAME_WORDS, sentence


async def test_a_conversation_through_sippy(lab: ParlonsServer, phone: Phone, tmp_path: Path) -> None:
    async with sippy_b2bua.b2bua(tmp_path, lab.sip) as (host, port):
        for codec in ("PCMA", "PCMU"):
            call = phone.call(f"sip:lab@{host}:{port}", codecs=(codec,))
            assert (await call.invite()).code == 200
            heard = await listen(call)
            assert call.rtp.codecs_heard() == {codec}
            assert sounds_like(heard, agents.GREETING) > SAME_WORDS
            assert (await call.hold()).code == 200
            assert (await call.hold("sendrecv")).code == 200
            reply = await ask(call, "quels sont vos horaires")
            assert sounds_like(reply, agents.HOURS) > SAME_WORDS
            await goodbye(call)


async def test_the_english_demo_agent(demo: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, demo, "reception")
    await listen(call)
    await ask(call, "what are your opening hours", "en-gb")
    await goodbye(call, "thank you, goodbye", "en-gb")
    _conversed(demo, call.id, "hours")


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722"])
async def test_a_conversation_in_each_codec(lab: ParlonsServer, phone: Phone, codec: str) -> None:
    call = await dial(phone, lab, "lab", codecs=(codec,))
    rate = call.rtp.rate
    heard = await listen(call)
    assert call.rtp.codecs_heard() == {codec}
    assert call.rtp.timestamp_steps() == {160}
    assert 49 <= call.rtp.packets_a_second() <= 51
    assert call.rtp.longest_gap() < 0.15
    assert sounds_like(heard, agents.GREETING, rate=rate) > SAME_WORDS
    reply = await ask(call, "quels sont vos horaires")
    assert sounds_like(reply, agents.HOURS, rate=rate) > SAME_WORDS
    assert sounds_like(reply, agents.GREETING, rate=rate) < SAME_WORDS
    farewell = await goodbye(call)
    said = _conversed(lab, call.id, "horaire")
    assert said[:2] == [agents.GREETING, agents.HOURS]
    assert sounds_like(farewell, said[-1], rate=rate) > SAME_WORDS


async def test_the_goodbye_is_played_to_its_end_before_the_bye(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    farewell = await goodbye(call)
    last_word = call.rtp.speech_at[-1]
    assert 0.1 <= call.ended_at - last_word <= 2.0
    whole = audio.segments(audio.speech(lab.said(call.id, "agent")[-1], speed=PACE))
    assert audio.speech_seconds(farewell) > 0.8 * sum(s.seconds for s in whole)


async def test_talking_over_the_agent_makes_it_stop(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    await call.rtp.wait_speech()
    await asyncio.sleep(2)
    began = asyncio.get_running_loop().time()
    call.rtp.say(audio.speech("quels sont vos horaires s'il vous plaît"))
    await call.rtp.said()
    ended = asyncio.get_running_loop().time()
    over_us = [at for at in call.rtp.speech_at if began + 1.2 < at < ended]
    assert not over_us, "the agent went on talking"
    reply = await listen(call)
    assert sounds_like(reply, agents.HOURS) > SAME_WORDS
    await call.bye()
    greeting = lab.said(call.id, "agent")[0]
    assert len(greeting) < 300, "the history holds words that the caller never heard"


async def test_a_caller_who_speaks_during_the_goodbye_keeps_the_call(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    call.rtp.say(audio.speech("merci, au revoir"))
    await call.rtp.said()
    await call.rtp.wait_speech(8.0, since=asyncio.get_running_loop().time())
    call.rtp.say(audio.speech("attendez, quels sont vos horaires s'il vous plaît"))
    await call.rtp.said()
    await listen(call)
    assert not call.ended.is_set()
    await goodbye(call)


async def test_the_longest_call(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "brief")
    await listen(call)
    reply = await ask(call, "quels sont vos horaires")
    assert audio.speech_seconds(reply) > 1
    assert await call.wait_end(20) == "peer"
    assert 9.5 <= call.ended_at - call.up_at <= 20
    assert call.ended_at - call.rtp.speech_at[-1] < 2.0, "the limit was not announced"


async def test_a_silent_caller_is_asked_twice_and_left(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "patient")
    await listen(call)
    assert await call.wait_end(40) == "peer"
    record = lab.ended(call.id)
    checks = [e for e in lab.timeline(record["id"]) if e["kind"] == "silence_check"]
    assert len(checks) >= 2, checks
    assert record["ended_by"] in ("agent", "system")


async def test_the_log_holds_no_words_of_the_conversation(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    await ask(call, "quels sont vos horaires")
    await call.bye()
    record = lab.ended(call.id)
    assert agents.HOURS in lab.said(call.id, "agent")
    log = lab.log()
    assert record["id"] in log
    for words in (agents.HOURS, "neuf heures", *lab.said(call.id, "caller")):
        assert words not in log
