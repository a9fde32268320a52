"""The test phone calls itself: what the other tests trust must first be able to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.support import audio, sip_text
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.proxy import UdpRelay
from tests.support.registrar import Registrar

WORDS = "bonjour, bienvenue chez nous"


@pytest.fixture
async def answering() -> AsyncIterator[Phone]:
    """A phone that picks up and says something."""
    async with Phone(user="callee", rtp_ports=range(36900, 36940)) as phone:

        async def pick_up(call: Call) -> None:
            call.ring()
            await call.answer()
            call.rtp.say(audio.speech(WORDS))

        async def watch() -> None:
            while True:
                phone.spawn(pick_up(await phone.incoming.get()))

        phone.spawn(watch())
        yield phone


@pytest.fixture
async def caller() -> AsyncIterator[Phone]:
    async with Phone(user="caller", rtp_ports=range(36940, 36980)) as phone:
        yield phone


def test_g711_keeps_the_signal_and_its_ends() -> None:
    tone = (8000 * np.sin(np.arange(8000) * 0.2)).astype(np.int16)
    for codec in ("PCMA", "PCMU"):
        back = audio.g711_decode(codec, audio.g711_encode(codec, tone))
        assert np.abs(back.astype(int) - tone.astype(int)).max() < 300
    assert audio.g711_decode("PCMA", b"\xd5\x55\xaa\x2a").tolist() == [8, -8, 32256, -32256]
    assert audio.g711_decode("PCMU", b"\xff\x80\x00").tolist() == [0, 32124, -32124]


def test_likeness_tells_sentences_apart() -> None:
    said, other = audio.speech(WORDS), audio.speech("quels sont vos horaires d'ouverture")
    heard = np.concatenate([audio.silence(0.7), said, audio.silence(0.5)])
    found = audio.likeness(heard, said)
    assert found.score > 0.9
    assert abs(found.at - 0.7) < 0.05
    assert audio.likeness(heard, other).score < 0.5
    assert audio.likeness(audio.silence(3), said).score == 0.0


def test_segments_are_where_the_speech_is() -> None:
    pcm = np.concatenate(
        [audio.silence(1), audio.speech("oui"), audio.silence(1), audio.speech("non"), audio.silence(1)]
    )
    assert len(audio.segments(pcm)) == 2
    assert audio.segments(audio.silence(2)) == []


def test_a_wav_file_comes_back(tmp_path: Path) -> None:
    pcm = audio.speech("oui")
    back, rate = audio.read_wav(audio.write_wav(tmp_path / "a.wav", pcm))
    assert rate == 8000
    assert np.array_equal(back, pcm)


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722"])
async def test_a_call_in_each_codec(answering: Phone, caller: Phone, codec: str) -> None:
    call = caller.call(answering.uri, codecs=(codec,))
    assert (await call.invite()).code == 200
    await call.rtp.wait_speech()
    await call.rtp.wait_quiet(0.5)
    assert call.rtp.codecs_heard() == {codec}
    assert call.rtp.timestamp_steps() == {160}
    assert 49 < call.rtp.packets_a_second() < 51
    reference = audio.resample(audio.speech(WORDS), 8000, call.rtp.rate)
    assert audio.likeness(call.rtp.heard(), reference, call.rtp.rate).score > 0.9
    peer = answering.calls[call.id]
    call.rtp.press("12#")
    assert await peer.rtp.wait_digits(3) == "12#"
    await call.press_info("5")
    assert peer.info_digits == ["5"]
    assert (await call.hold()).code == 200
    assert (await call.bye()).code == 200
    assert await peer.wait_end() == "peer"


async def test_a_late_offer(answering: Phone, caller: Phone) -> None:
    call = caller.call(answering.uri)
    assert (await call.invite(late=True)).code == 200
    await call.rtp.wait_speech()
    await call.bye()


async def test_cancel_and_refusal(caller: Phone) -> None:
    async with Phone(user="busy") as callee:
        call = caller.call(callee.uri)
        answer = asyncio.create_task(call.invite())
        theirs = await callee.incoming.get()
        theirs.ring()
        await call.heard_back.wait()
        assert (await call.cancel()).code == 200
        assert (await answer).code == 487
        assert theirs.ended_by == "peer"
        second = asyncio.create_task(caller.call(callee.uri).invite())
        (await callee.incoming.get()).reply(486, "Busy Here")
        assert (await second).code == 486


async def test_calls_survive_a_bad_network_and_feel_it(answering: Phone) -> None:
    target = ("127.0.0.1", answering.port)
    async with (
        UdpRelay(target, loss=0.3, duplicate=0.2, delay=0.05, seed=3) as relay,
        Phone(outbound=relay.front, contact=relay.back, rtp_ports=range(36980, 36998)) as phone,
    ):
        for _ in range(3):
            call = phone.call(answering.uri)
            assert (await call.invite()).code == 200
            assert (await call.bye()).code == 200
        assert relay.dropped > 0
        assert len(phone.log) > 3 * 5, "nothing was repeated"


async def test_loss_on_the_wire_is_seen(answering: Phone, caller: Phone) -> None:
    call = caller.call(answering.uri)
    await call.invite()
    call.rtp.inward.loss = 0.3
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(1.0)
    assert len(call.rtp.audio_packets(since)) < 45
    call.rtp.muted = True
    await asyncio.sleep(0.1)
    peer = answering.calls[call.id].rtp
    count = len(peer.packets)
    await asyncio.sleep(0.2)
    assert len(peer.packets) == count
    await call.bye()


async def test_digest_as_registrar_and_as_client(caller: Phone) -> None:
    async with Phone(user="trunk") as trunk:
        registrar = Registrar(trunk, "me", "right")
        for password, code in (("wrong", 403), ("right", 200)):
            request = caller.new_request("REGISTER", f"sip:127.0.0.1:{trunk.port}")
            challenged = await caller.transact(request, ("127.0.0.1", trunk.port))
            assert challenged.code == 401
            proof = sip_text.authorization(challenged.get("WWW-Authenticate"), "me", password, "REGISTER", request.uri)
            again = caller.new_request("REGISTER", request.uri, headers=(("Authorization", proof), ("Expires", "60")))
            assert (await caller.transact(again, ("127.0.0.1", trunk.port))).code == code
        assert (await registrar.wait(1))[0].expires == 60
        assert registrar.refused == 1


def test_the_digest_of_the_rfc() -> None:
    """RFC 2617, section 3.5."""
    fields = {
        "realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093", "qop": "auth",
        "nc": "00000001", "cnonce": "0a4f113b",
    }  # fmt: skip
    answer = sip_text.digest_response(fields, "Mufasa", "Circle Of Life", "GET", "/dir/index.html")
    assert answer == "6629fae49393a05397450978507c4ef1"
