"""A bad network for the audio: loss, jitter, strangers' packets, and a caller whose packets stop."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.sip import agents
from tests.sip.talking import SAME_WORDS, ask, dial, goodbye, listen, sounds_like
from tests.support import audio
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer


async def test_loss_and_jitter_speech_is_understood_and_latency_comes_back(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    clean = await _answer_delay(call_phone=phone, server=lab)
    call.rtp.out.loss, call.rtp.out.jitter = 0.05, 0.06
    call.rtp.inward.loss, call.rtp.inward.jitter = 0.05, 0.06
    await asyncio.sleep(2)
    reply = await ask(call, "quels sont vos horaires")
    assert audio.speech_seconds(reply) > 1
    assert agents.HOURS in lab.said(call.id, "agent")
    call.rtp.out.loss = call.rtp.out.jitter = call.rtp.inward.loss = call.rtp.inward.jitter = 0.0
    await asyncio.sleep(3)
    asked = asyncio.get_running_loop().time() + len(audio.speech("quelle est votre adresse")) / 8000
    call.rtp.say(audio.speech("quelle est votre adresse"))
    await call.rtp.said()
    after = await call.rtp.wait_speech(8, since=asked) - asked
    assert after < clean + 0.3, (clean, after)
    await call.bye()


async def _answer_delay(call_phone: Phone, server: ParlonsServer) -> float:
    """From the end of a question to the first word of the answer, on a good network."""
    call = await dial(call_phone, server, "lab")
    await listen(call)
    words = audio.speech("quelle est votre adresse")
    asked = asyncio.get_running_loop().time() + len(words) / 8000
    call.rtp.say(words)
    await call.rtp.said()
    delay = await call.rtp.wait_speech(8, since=asked) - asked
    await call.bye()
    return delay


async def test_the_callers_packets_stop_and_come_back(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    call.rtp.muted = True
    await asyncio.sleep(7)
    assert not call.ended.is_set()
    call.rtp.muted = False
    await call.rtp.wait_quiet(1.0)  # the silence check may be speaking
    reply = await ask(call, "quels sont vos horaires")
    assert sounds_like(reply, agents.HOURS) > SAME_WORDS
    await goodbye(call)
    events = [e["payload"]["event"] for e in lab.timeline(lab.call(call.id)["id"]) if e["kind"] == "leg"]
    assert events == ["rtp_silence", "rtp_resumed"], events


async def test_a_strangers_packets_change_nothing(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    await call.rtp.wait_speech()
    assert call.rtp.remote is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(100):
            packet = bytes([0x80, 8]) + number.to_bytes(2, "big") + bytes(4) + b"evil" + b"\x2a" * 160
            stranger.sendto(packet, call.rtp.remote)
            stranger.sendto(b"\x80\x08junk", call.rtp.remote)
            await asyncio.sleep(0.005)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(0.5)
    assert len(call.rtp.audio_packets(since)) > 20
    await call.bye()


async def test_a_caller_who_restarts_their_stream_is_still_heard(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "lab")
    await listen(call)
    call.rtp._ssrc ^= 0x5A5A5A5A
    call.rtp._sequence, call.rtp._timestamp = 65530, 0xFFFFFF00
    reply = await ask(call, "quels sont vos horaires")
    assert sounds_like(reply, agents.HOURS) > SAME_WORDS
    await call.bye()
