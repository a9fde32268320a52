"""Two real legs over loopback: everything between the socket and the sink, on the wall clock."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.relay import Relay
from parlons.telephony.media.resample import Resampler
from parlons.telephony.types import AudioPort, MediaSession
from tests.telephony.media.support import Ear, frames_of, likeness, speech


@pytest.mark.parametrize(("codec", "rate"), [("PCMA", 8000), ("PCMU", 8000), ("G722", 16000)])
async def test_two_legs_talk_at_fifty_packets_a_second(codec: str, rate: int) -> None:
    engine = MediaEngine("127.0.0.1", "127.0.0.1", 21000, 21019)
    await engine.start()
    caller, agent = engine.open([codec]), engine.open()
    caller.remote_answer(agent.remote_offer(caller.local_offer()))
    assert (caller.codec, agent.codec) == (codec, codec)
    assert (caller.sample_rate, agent.sample_rate) == (rate, rate)
    ears = Ear(), Ear()
    said = speech(2.0, rate, seed=1), speech(2.0, rate, seed=2)
    for media, ear, words in zip((caller, agent), ears, said, strict=True):
        media.sink, media.source = ear, frames_of(words, rate // 25)
        media.start()
    await asyncio.sleep(2.2)
    for media, ear in zip((caller, agent), ears, strict=True):
        assert 107 <= media.stats.sent <= 111
        assert len(ear.frames) == media.stats.sent
        assert media.stats.lost == media.stats.dropped == 0
        assert media.delay_ms <= 60
    assert likeness(ears[1].pcm, said[0], rate) > 0.97
    assert likeness(ears[0].pcm, said[1], rate) > 0.97
    await engine.stop()
    assert engine.gauges()["legs"] == 0


async def test_keys_hold_and_strangers_over_real_sockets() -> None:
    engine = MediaEngine("127.0.0.1", "127.0.0.1", 21060, 21079)
    await engine.start()
    caller, agent = engine.open(), engine.open()
    session: MediaSession = agent
    port: AudioPort = agent
    caller.remote_answer(session.remote_offer(caller.local_offer()))
    digits: list[str] = []
    port.on_dtmf = digits.append
    caller.start()
    session.start()
    chance = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        await asyncio.sleep(0.1)
        for _ in range(200):
            noise = b"\x80\x08" + chance.randbytes(chance.randrange(0, 200))
            stranger.sendto(noise, ("127.0.0.1", agent.port + chance.randrange(2)))
        await caller.send_dtmf("12#")
    await asyncio.sleep(0.1)
    assert digits == ["1", "2", "#"]
    assert agent.remote_address == ("127.0.0.1", caller.port)
    assert agent.stats.dropped > 50
    held = caller.local_offer().replace(b"a=sendrecv", b"a=sendonly")
    assert b"a=recvonly" in session.remote_offer(held)
    sent = agent.stats.sent
    await asyncio.sleep(0.2)
    assert (port.on_hold, agent.stats.sent) == (True, sent)
    session.remote_offer(caller.local_offer())
    await asyncio.sleep(0.2)
    assert (port.on_hold, agent.stats.sent > sent + 5) == (False, True)
    caller.close()
    await asyncio.sleep(0.3)
    assert port.silent_seconds >= 0.25
    await engine.stop()
    assert engine.gauges()["ports_in_use"] == 0


@pytest.mark.parametrize(("here", "there"), [("PCMA", "PCMA"), ("PCMA", "G722")])
async def test_two_phones_talk_across_a_bridge(here: str, there: str) -> None:
    engine = MediaEngine("127.0.0.1", "127.0.0.1", 21080, 21119)
    await engine.start()
    phones = engine.open([here]), engine.open([there])
    legs = engine.open(), engine.open()
    for phone, leg in zip(phones, legs, strict=True):
        phone.remote_answer(leg.remote_offer(phone.local_offer()))
    ears = Ear(), Ear()
    said = tuple(speech(2.0, phone.sample_rate, seed=seed) for seed, phone in enumerate(phones))
    digits: list[str] = []
    phones[1].on_dtmf = digits.append
    for phone, leg, ear in zip(phones, legs, ears, strict=True):
        phone.sink = ear
        phone.start()
        leg.start()
    relay = Relay(*legs)
    relay.start()
    await asyncio.sleep(0.2)
    for phone, words in zip(phones, said, strict=True):
        phone.source = frames_of(words, phone.sample_rate // 25)
    await asyncio.sleep(2.3)
    assert relay.mode == ("passthrough" if here == there else "transcode")
    for phone, ear, words, talker in zip(phones, ears, reversed(said), reversed(phones), strict=True):
        original = Resampler(talker.sample_rate, phone.sample_rate).push(words)
        assert likeness(ear.pcm[phone.sample_rate // 5 :], original, phone.sample_rate) > 0.9
        assert phone.stats.lost == phone.stats.dropped == 0
        assert phone.delay_ms <= 80
    await phones[0].send_dtmf("1#")
    await asyncio.sleep(0.1)
    assert digits == ["1", "#"]
    relay.close()
    await engine.stop()
    assert engine.gauges()["ports_in_use"] == 0
