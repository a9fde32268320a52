"""Session descriptions in and out: what is answered, what is refused, and what a re-offer changes."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from aiosipua.sdp import SdpMessage, parse_sdp
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.errors import SdpError
from parlons.telephony.media import sdp
from parlons.telephony.media.codecs import CODEC_NAMES, make_codec
from parlons.telephony.media.resample import Resampler
from tests.support import virtual_time
from tests.telephony.media.support import (
    PEER,
    SILENCE,
    FakeNetwork,
    Peer,
    engine,
    frames_of,
    leg,
    likeness,
    offer,
    on_virtual_time,
    rtp,
    speech,
)

ELSEWHERE = ("198.51.100.20", 5002)


def read(body: bytes) -> SdpMessage:
    return parse_sdp(body.decode())


def version(body: bytes) -> int:
    return int(read(body).origin.session_version)


@on_virtual_time
async def test_answer_holds_the_offerers_first_codec_that_we_allow_under_its_numbers() -> None:
    network = FakeNetwork()
    clock = await engine(network)
    media = clock.open(["PCMU", "PCMA"])
    answer = media.remote_offer(
        offer("18 9 97 0 110 96", maps=("97 PCMA/8000", "110 telephone-event/48000", "96 telephone-event/8000"))
    )
    audio = read(answer).audio
    assert audio is not None
    assert audio.formats == ["97", "96"]
    assert audio.attributes["rtpmap"] == ["97 PCMA/8000", "96 telephone-event/8000"]
    assert audio.attributes["fmtp"] == ["96 0-15"]
    assert audio.attributes["ptime"] == ["20"]
    assert (audio.port, audio.port % 2, audio.proto, audio.direction) == (media.port, 0, "RTP/AVP", "sendrecv")
    assert read(answer).rtp_address == ("192.0.2.1", media.port)
    assert media.codec == "PCMA"
    await clock.stop()


@on_virtual_time
async def test_every_media_line_is_answered_in_order() -> None:
    network = FakeNetwork()
    clock = await engine(network)
    media = clock.open()
    body = (
        b"v=0\r\no=x 1 1 IN IP4 192.0.2.7\r\ns= \r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        b"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        b"m=audio 4100 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n"
        b"m=audio 4200/2 RTP/AVPF 0\r\na=rtcp-mux\r\na=ptime:30\r\n"
        b"m=image 0 udptl t38\r\n"
        b"m=audio 4300 RTP/AVP 8\r\n"
    )
    lines = read(media.remote_offer(body)).media
    assert [(line.media, line.port, line.proto, line.formats) for line in lines] == [
        ("video", 0, "RTP/AVP", ["96"]),
        ("audio", 0, "RTP/SAVP", ["8"]),
        ("audio", media.port, "RTP/AVPF", ["0"]),
        ("image", 0, "udptl", ["t38"]),
        ("audio", 0, "RTP/AVP", ["8"]),
    ]
    assert "rtcp-mux" not in lines[2].attributes
    assert media.remote_address == (PEER[0], 4200)
    await clock.stop()


BASE = offer().decode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (offer("18 3", maps=("18 G729/8000",)), 488),
        (offer("101"), 488),
        (offer("96", maps=("96 PCMA/16000",)), 488),
        (offer("96", maps=("96 opus/48000/2",)), 488),
        (offer(profile="RTP/SAVP"), 488),
        (offer(profile="UDP/TLS/RTP/SAVPF"), 488),
        (offer(port=0), 488),
        (offer(address="224.2.1.1"), 488),
        (BASE.replace("IP4 192.0.2.7", "IP6 2001:db8::1").encode(), 488),
        (b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n", 488),
        (b"", 400),
        (b"hello", 400),
        (b"\xff\xfe\x00", 400),
        (BASE.replace("v=0", "v=1").encode(), 400),
        (BASE.replace("o=- 1 1 IN IP4 192.0.2.7\r\n", "").encode(), 400),
        (BASE.replace("o=- 1 1 IN IP4 192.0.2.7", "o=- 1").encode(), 400),
        (BASE.replace("c=IN IP4 192.0.2.7\r\n", "").encode(), 400),
        (BASE.replace("c=IN IP4 192.0.2.7", "c=IN").encode(), 400),
        (BASE.replace("c=IN IP4 192.0.2.7", "c=IN IP4 a!b").encode(), 400),
        (BASE.replace("audio 4000", "audio many").encode(), 400),
        (BASE.replace("audio 4000", "audio 99999").encode(), 400),
        (BASE.replace("RTP/AVP 8 0 101", "").encode(), 400),
        (BASE.replace("101 telephone", "x telephone").encode(), 400),
        (BASE.replace("t=0 0", "nonsense").encode(), 400),
        (BASE.encode() + b"a=x\r\n" * 4000, 400),
    ],
)
def test_refused_offer_changes_nothing(body: bytes, code: int) -> None:
    async def main() -> None:
        async with leg() as (media, port, _ear, _clock):
            answer = media.remote_offer(offer())
            with pytest.raises(SdpError) as refusal:
                media.remote_offer(body)
            assert refusal.value.code == code
            media.local_offer()
            with pytest.raises(SdpError) as refusal:
                media.remote_answer(body)
            assert refusal.value.code == code
            await asyncio.sleep(0.1)
            assert {address for _data, address, _at in port.sent} == {PEER}
            assert media.codec == "PCMA"
            assert not media.on_hold
            assert read(media.remote_offer(offer())).audio == read(answer).audio

    virtual_time.run(main())


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_mangled_descriptions_are_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(offer(extra=("a=sendonly", "a=rtcp:4009 IN IP4 192.0.2.7", "m=video 0 RTP/AVP 96")))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        remote = sdp.parse(bytes(body), CODEC_NAMES)
    except SdpError as error:
        refused = error.code
    else:
        refused = 0 if remote.codecs else -1
    assert refused in (0, 400, 488)


@on_virtual_time
async def test_same_offer_twice_gives_the_same_answer_and_keeps_the_stream() -> None:
    async with leg() as (media, port, ear, _clock):
        first = media.remote_offer(offer())
        await Peer(port).play(speech(0.5))
        before = len(ear.frames)
        again = Peer(port)
        assert media.remote_offer(offer()) == first
        assert media.remote_offer(offer(version=2)) == first
        assert media.remote_address == PEER
        again.sequence += 25
        again.timestamp += 4000
        words = speech(0.5, seed=6)
        await again.play(words)
        assert likeness(b"".join(ear.frames[before:]), words) > 0.9


@pytest.mark.parametrize(
    ("extra", "address", "ours"),
    [
        (("a=sendonly",), PEER[0], "recvonly"),
        (("a=inactive",), PEER[0], "inactive"),
        ((), "0.0.0.0", "recvonly"),
        (("a=sendonly",), "0.0.0.0", "recvonly"),
    ],
)
def test_hold_is_mirrored_and_taken_back(extra: tuple[str, ...], address: str, ours: str) -> None:
    async def main() -> None:
        async with leg() as (media, port, ear, _clock):
            plain = media.remote_offer(offer())
            media.source = frames_of(speech(10.0))
            peer = Peer(port)
            await peer.play(speech(1.0))
            await asyncio.sleep(1.0)
            held = media.remote_offer(offer(extra=extra, address=address, version=2))
            audio = read(held).audio
            assert audio is not None
            assert audio.direction == ours
            assert version(held) == version(plain) + 1
            assert media.on_hold
            sent, frames, quiet = media.stats.sent, len(ear.frames), media.silent_seconds
            assert quiet == pytest.approx(1.0, abs=0.05)
            last = port.packets()[-1]
            await peer.play(speech(5.0))  # hold music
            assert media.stats.sent == sent
            assert set(ear.frames[frames + 3 :]) == {SILENCE}
            assert len(ear.frames) - frames == pytest.approx(250, abs=1)
            assert media.silent_seconds == 0.0
            back = media.remote_offer(offer(version=3))
            assert version(back) == version(plain) + 2
            assert not media.on_hold
            await asyncio.sleep(1.0)
            assert media.silent_seconds == pytest.approx(1.0, abs=0.05)
            following = port.packets()[sent]
            assert following.marker
            assert following.ssrc == last.ssrc
            assert (following.sequence - last.sequence) & 0xFFFF == 1
            assert (following.timestamp - last.timestamp) & 0xFFFFFFFF == pytest.approx(251 * 160, abs=320)

    virtual_time.run(main())


@on_virtual_time
async def test_silence_clock_pauses_on_hold_without_packets() -> None:
    async with leg() as (media, _port, _ear, _clock):
        await asyncio.sleep(2)
        media.remote_offer(offer(extra=("a=inactive",)))
        await asyncio.sleep(30)
        assert media.silent_seconds == pytest.approx(2.0)
        media.remote_offer(offer(version=5))
        await asyncio.sleep(1)
        assert media.silent_seconds == pytest.approx(3.0)


@on_virtual_time
async def test_direction_may_stand_at_session_level() -> None:
    async with leg() as (media, _port, _ear, _clock):
        body = offer().replace(b"t=0 0\r\n", b"t=0 0\r\na=sendonly\r\n")
        assert b"a=recvonly" in media.remote_offer(body)
        assert media.on_hold


@on_virtual_time
async def test_re_offer_moves_the_stream_and_packets_under_way_do_not_move_it_back() -> None:
    async with leg() as (media, port, ear, _clock):
        old = Peer(port)
        await old.play(speech(0.5))
        media.remote_offer(offer("8", address=ELSEWHERE[0], port=ELSEWHERE[1], maps=(), version=2))
        for data in old.packets(speech(0.06)):
            port.inject(data)
        assert media.remote_address == ELSEWHERE
        before, count = len(ear.frames), len(port.sent)
        words = speech(1.0, seed=7)
        await Peer(port, ssrc=8).play(words, address=ELSEWHERE)
        assert likeness(b"".join(ear.frames[before:]), words) > 0.9
        moved = port.sent[count:]
        assert {address for _data, address, _at in moved} == {ELSEWHERE}
        ssrcs = {packet.ssrc for packet in port.packets()}
        assert len(ssrcs) == 1


@on_virtual_time
async def test_refresh_does_not_disturb_g722() -> None:
    async with leg(offer("9", maps=())) as (media, port, ear, _clock):
        peer = Peer(port, "G722", 9)
        await peer.play(speech(0.5, 16000))
        before = len(ear.frames)
        for number in range(10):
            media.remote_offer(offer("9", maps=(), version=2 + number))
            await peer.play(speech(0.1, 16000, seed=number))
        assert bytes(640) not in ear.frames[before:]
        assert media.stats.concealed == 0


@on_virtual_time
async def test_codec_that_changes_in_mid_call_leaves_the_sample_rate_as_it_is() -> None:
    async with leg() as (media, port, ear, _clock):
        await Peer(port).play(speech(0.5))
        media.remote_offer(offer("9", maps=(), version=2))
        assert (media.codec, media.sample_rate) == ("G722", 8000)
        words = speech(2.0, seed=3)
        media.source = frames_of(words)
        before, count = len(ear.frames), len(port.sent)
        await Peer(port, "G722", 9, ssrc=8).play(Resampler(8000, 16000).push(words))
        assert {len(frame) for frame in ear.frames} == {320}
        assert likeness(b"".join(ear.frames[before + 10 :]), words[10 * 320 :]) > 0.95
        packets = port.packets()[count:]
        assert {len(packet.payload) for packet in packets} == {160}
        decoder, down = make_codec("G722"), Resampler(16000, 8000)
        assert likeness(b"".join(down.push(decoder.decode(packet.payload)) for packet in packets), words) > 0.9
        assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)} == {160}


@on_virtual_time
async def test_late_offer_ticks_in_silence_until_the_answer_comes() -> None:
    network = FakeNetwork()
    clock = await engine(network)
    media = clock.open(["G722", "PCMA"])
    body = media.local_offer()
    audio = read(body).audio
    assert audio is not None
    assert audio.formats == ["9", "8", "101"]
    assert audio.direction == "sendrecv"
    frames: list[bytes] = []
    media.sink = frames.append
    media.start()
    await asyncio.sleep(0.5)
    port = network.ports[media.port]
    port.inject(rtp(13, 1, 1, b"\x40"), ELSEWHERE)  # nobody is believed before the answer
    assert media.remote_address is None
    assert (len(frames), len(port.sent)) == (25, 0)
    answer = offer("8 97", maps=("97 telephone-event/8000",))
    media.remote_answer(answer)
    await asyncio.sleep(0.5)
    assert {packet.payload_type for packet in port.packets()} == {8}
    digits: list[str] = []
    media.on_dtmf = digits.append
    port.inject(rtp(101, 1, 1, b"\x05\x0a\x00\xa0"))
    port.inject(rtp(97, 2, 9999, b"\x06\x0a\x00\xa0"))
    assert digits == ["5", "6"]
    await media.send_dtmf("7")
    assert {packet.payload_type for packet in port.packets()} == {8, 97}
    sent = media.stats.sent
    media.remote_answer(answer)  # the 200 repeats what the 183 said
    await asyncio.sleep(0.1)
    assert media.stats.sent == sent + 5
    await clock.stop()


@on_virtual_time
async def test_answer_may_differ_from_an_earlier_one_of_another_fork() -> None:
    network = FakeNetwork()
    clock = await engine(network)
    media = clock.open()
    media.local_offer()
    media.remote_answer(offer("8 101"))
    media.start()
    port = network.ports[media.port]
    await Peer(port).play(speech(0.3))
    media.remote_answer(offer("0 101", address=ELSEWHERE[0], port=ELSEWHERE[1]))
    await asyncio.sleep(0.1)
    assert port.sent[-1][1] == ELSEWHERE
    assert port.packets()[-1].payload_type == 0
    await clock.stop()


@on_virtual_time
async def test_peer_named_by_a_host_name_is_waited_for() -> None:
    async with leg(offer(address="media.example.net")) as (media, port, _ear, _clock):
        await asyncio.sleep(0.2)
        assert port.sent == []
        port.inject(rtp(8, 1, 1, bytes(160)))
        await asyncio.sleep(0.2)
        assert {address for _data, address, _at in port.sent} == {PEER}
        assert media.remote_address == PEER
