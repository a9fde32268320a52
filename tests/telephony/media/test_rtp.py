"""What leaves a leg and whose packets it believes, on virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from aiortp.packet import RtcpByePacket, RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.telephony.media.codecs import PCMA, PCMU
from tests.support import virtual_time
from tests.telephony.media.support import (
    PEER,
    SILENCE,
    Peer,
    frames_of,
    leg,
    likeness,
    offer,
    on_virtual_time,
    rtp,
    speech,
)

STRANGER = ("203.0.113.66", 6666)


@on_virtual_time
async def test_silence_is_sent_fifty_times_a_second_with_continuous_timestamps() -> None:
    async with leg() as (media, port, _ear, _clock):
        await asyncio.sleep(2.01)
        packets = port.packets()
    assert len(packets) == 100
    assert [packet.marker for packet in packets] == [True] + [False] * 99
    for before, after in itertools.pairwise(packets):
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 160
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert after.at - before.at == pytest.approx(0.02)
    assert {packet.payload for packet in packets} == {PCMA.encode(SILENCE)}
    assert {address for _data, address, _at in port.sent} == {PEER}
    assert media.stats.sent == 100


@on_virtual_time
async def test_two_legs_never_start_alike() -> None:
    starts = set()
    for _ in range(3):
        async with leg() as (_media, port, _ear, _clock):
            await asyncio.sleep(0.03)
            first = port.packets()[0]
            starts.add((first.ssrc, first.timestamp))
    assert len({ssrc for ssrc, _ in starts}) == len({timestamp for _, timestamp in starts}) == 3


@on_virtual_time
async def test_g722_steps_160_and_carries_wideband() -> None:
    words = speech(1.0, 16000)
    async with leg(offer("9 8", maps=())) as (media, port, ear, _clock):
        assert (media.codec, media.sample_rate) == ("G722", 16000)
        media.source = frames_of(words, 640)
        await asyncio.sleep(1.01)
        packets = port.packets()
        assert {len(packet.payload) for packet in packets} == {160}
        assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)} == {160}
        for number, packet in enumerate(packets):
            asyncio.get_running_loop().call_later(
                number * 0.02, port.inject, rtp(9, number, number * 160, packet.payload)
            )
        before = len(ear.frames)
        await asyncio.sleep(1.1)
    assert {len(frame) for frame in ear.frames} == {640}
    assert likeness(b"".join(ear.frames[before:]), words, 16000) > 0.97


@on_virtual_time
async def test_sink_gets_one_frame_a_tick_whether_packets_come_or_not() -> None:
    async with leg() as (media, port, ear, _clock):
        await asyncio.sleep(1.01)
        assert ear.frames == [SILENCE] * 50
        await Peer(port).play(speech(1.0))
        await asyncio.sleep(1)
        assert len(ear.frames) == 150
        assert all(
            after - before == pytest.approx(0.02) for before, after in zip(ear.times, ear.times[1:], strict=False)
        )
        assert ear.frames[-1] == SILENCE
        assert media.silent_seconds == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
@on_virtual_time
async def test_peers_may_send_packets_of_any_length(milliseconds: int) -> None:
    words = speech(3.0)
    async with leg() as (media, port, ear, _clock):
        await Peer(port).play(words, milliseconds=milliseconds)
        await asyncio.sleep(0.2)
        assert likeness(ear.pcm, words) > 0.97
        assert {len(frame) for frame in ear.frames} == {320}
        assert media.stats.lost == 0


@on_virtual_time
async def test_loss_jitter_and_reordering_leave_speech_intelligible_and_the_delay_comes_back() -> None:
    chance = random.Random(3)
    words = speech(8.0)
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(words, delay=lambda: chance.uniform(0, 0.06), loss=0.05)
        assert likeness(ear.pcm, words) > 0.85
        assert 10 <= media.stats.lost <= 35
        assert media.delay_ms <= 140
        assert 10 < media.stats.jitter_ms < 60
        started = len(ear.frames)
        calm = speech(12.0, seed=9)
        await peer.play(calm)
        assert media.delay_ms <= 60
        heard = b"".join(ear.frames[started:])
        assert likeness(heard, calm) > 0.95
        concealed = media.stats.concealed
        await peer.play(speech(2.0, seed=10))
        assert media.stats.concealed == concealed


@on_virtual_time
async def test_jitter_that_begins_in_mid_call_makes_the_delay_longer_instead_of_losing_packets() -> None:
    pattern = itertools.cycle((0.0, 0.0, 0.0, 0.0, 0.0, 0.075))
    words = speech(8.0)
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(speech(2.0, seed=2))
        before = len(ear.frames)
        await peer.play(words, delay=lambda: next(pattern))
        await asyncio.sleep(0.2)
        assert media.stats.late <= 4
        assert likeness(b"".join(ear.frames[before:]), words) > 0.95


@on_virtual_time
async def test_delay_that_is_no_longer_needed_goes_away() -> None:
    words = speech(8.0)
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(speech(2.0, seed=2), delay=lambda: 0.2)
        await peer.play(speech(1.0, seed=3))
        assert media.delay_ms >= 160  # the path became 200 ms shorter, what is buffered did not
        await peer.play(speech(6.0, seed=4))
        before = len(ear.frames)
        await peer.play(words)
        assert media.delay_ms <= 60
        assert likeness(b"".join(ear.frames[before:]), words) > 0.95
        assert media.stats.concealed <= 12


@on_virtual_time
async def test_first_lost_packet_costs_one_concealed_frame_and_no_stall() -> None:
    """aiortp's session stalls 320 ms here."""
    words = speech(2.0)
    async with leg() as (media, port, ear, _clock):
        packets = Peer(port).packets(words)
        for number, data in enumerate(packets):
            if number != 20:
                port.inject(data)
            await asyncio.sleep(0.02)
        assert media.stats.concealed == 1
        assert media.stats.lost == 1
        assert likeness(ear.pcm, words) > 0.95
        assert media.delay_ms <= 60


@on_virtual_time
async def test_sender_that_pauses_and_goes_on_with_its_old_timeline_is_heard_at_once() -> None:
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        for pause in (0.3, 1.0, 5.0):
            words = speech(1.0, seed=int(pause * 10))
            before = len(ear.frames)
            await peer.play(words)
            assert likeness(b"".join(ear.frames[before:]), words) > 0.9
            assert media.delay_ms <= 80
            await asyncio.sleep(pause)


@pytest.mark.parametrize("jump", [80_000, -80_000, 1 << 30])
@on_virtual_time
async def test_sender_that_jumps_in_its_timeline_is_followed(jump: int) -> None:
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(speech(1.0))
        peer.timestamp += jump
        words = speech(1.0, seed=4)
        before = len(ear.frames)
        await peer.play(words)
        await asyncio.sleep(0.1)
        assert likeness(b"".join(ear.frames[before:]), words) > 0.9
        assert media.delay_ms <= 80


@on_virtual_time
async def test_duplicates_are_heard_once() -> None:
    words = speech(2.0)
    async with leg() as (media, port, ear, _clock):
        await Peer(port).play(words, copies=3)
        await asyncio.sleep(0.1)
        assert (media.stats.received, media.stats.duplicates, media.stats.lost) == (100, 200, 0)
        assert likeness(ear.pcm, words) > 0.97


@on_virtual_time
async def test_stray_packets_neither_move_the_address_nor_are_heard() -> None:
    words = speech(2.0)
    async with leg() as (media, port, ear, _clock):
        stray = Peer(port, ssrc=99)
        await asyncio.gather(
            Peer(port).play(words), stray.play(speech(2.0, seed=8), address=STRANGER, delay=lambda: 0.01)
        )
        await asyncio.sleep(0.1)
        assert {address for _data, address, _at in port.sent} == {PEER}
        assert media.remote_address == PEER
        assert media.stats.dropped == 100
        assert likeness(ear.pcm, words) > 0.97


@on_virtual_time
async def test_peer_behind_nat_is_sent_to_where_it_sends_from() -> None:
    public = ("198.51.100.9", 31000)
    async with leg() as (media, port, _ear, _clock):
        await Peer(port).play(speech(0.2), address=public)
        await asyncio.sleep(0.1)
        assert media.remote_address == public
        assert port.sent[-1][1] == public


@on_virtual_time
async def test_announced_address_wins_over_a_stranger_who_was_faster() -> None:
    async with leg() as (media, port, _ear, _clock):
        port.inject(rtp(8, 1, 1, bytes(160), ssrc=99), STRANGER)
        assert media.remote_address == STRANGER
        await Peer(port).play(speech(0.2))
        assert media.remote_address == PEER
        port.inject(rtp(8, 2, 161, bytes(160), ssrc=99), STRANGER)
        assert media.remote_address == PEER


@on_virtual_time
async def test_new_ssrc_is_believed_only_when_the_old_one_is_silent() -> None:
    async with leg() as (media, port, ear, _clock):
        first, second = Peer(port), Peer(port, ssrc=8)
        await first.play(speech(1.0))
        words = speech(1.0, seed=8)
        second.timestamp, second.sequence = 12345, 17
        before = len(ear.frames)
        await second.play(words)
        await asyncio.sleep(0.1)
        assert 8 <= media.stats.dropped <= 11  # 200 ms
        assert likeness(b"".join(ear.frames[before:]), words) > 0.75
        assert media.stats.lost == 0
        received = media.stats.received
        port.inject(first.packets(speech(0.02))[0])
        assert media.stats.received == received


@on_virtual_time
async def test_other_payload_types_are_dropped() -> None:
    async with leg() as (media, port, ear, _clock):
        for number in range(50):
            port.inject(rtp(0, number, number * 160, PCMU.encode(speech(0.02))))
            port.inject(rtp(96, number, number * 160, bytes(160)))
            await asyncio.sleep(0.02)
        assert (media.stats.received, media.stats.dropped) == (0, 100)
        assert set(ear.frames) == {SILENCE}
        assert media.silent_seconds == pytest.approx(1.0)


@on_virtual_time
async def test_our_own_packets_coming_back_are_not_the_peer() -> None:
    async with leg() as (media, port, _ear, _clock):
        await asyncio.sleep(0.1)
        for data, _address, _at in list(port.sent):
            port.inject(data, STRANGER)
        assert media.remote_address == PEER
        assert media.stats.received == 0


@on_virtual_time
async def test_comfort_noise_is_silence_not_loss() -> None:
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(speech(0.5))
        concealed = media.stats.concealed
        for _ in range(3):
            port.inject(rtp(13, peer.sequence, peer.timestamp, b"\x40"))
            peer.sequence += 1
            peer.timestamp += 1600
            await asyncio.sleep(0.2)
        assert media.stats.concealed <= concealed + 1
        assert ear.frames[-5:] == [SILENCE] * 5
        assert media.silent_seconds < 0.25
        words = speech(1.0, seed=2)
        before = len(ear.frames)
        await peer.play(words)
        assert likeness(b"".join(ear.frames[before:]), words) > 0.9


GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda rest: b"\x80\x08" + rest),
    st.binary(max_size=200).map(lambda rest: b"\xbf\x08" + rest),
    st.binary(max_size=200).map(lambda rest: b"\x80\x65" + rest),
    st.binary(max_size=200).map(lambda rest: b"\x80\xc8" + rest),
    st.binary(max_size=60).map(lambda rest: rtp(8, 5, 5, rest)),
    st.tuples(st.integers(0, 65535), st.integers(0, (1 << 32) - 1), st.integers(1, 600)).map(
        lambda drawn: rtp(8, drawn[0], drawn[1], bytes(drawn[2]))
    ),
    st.tuples(st.integers(0, 65535), st.binary(max_size=9)).map(lambda drawn: rtp(101, drawn[0], drawn[0], drawn[1])),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(GARBAGE, max_size=40), st.booleans())
def test_no_datagram_hurts_the_leg(datagrams: list[bytes], control: bool) -> None:
    async def attack() -> None:
        async with leg() as (media, port, ear, clock):
            if control:
                port.inject(rtp(8, 1, 1, bytes(160)))
                network_port = port._network.ports[media.port + 1]
                for data in datagrams:
                    network_port.inject(data)
            for data in datagrams:
                port.inject(data)
                await asyncio.sleep(0.015)
            await asyncio.sleep(0.5)
            assert {len(frame) for frame in ear.frames} == {320}
            assert len(ear.frames) == media.stats.sent > 0
            # the attacker holds the latch perhaps; its timeline must not break the one that follows
            await asyncio.sleep(1.5)
            words = speech(1.0)
            before = len(ear.frames)
            await Peer(port, ssrc=1234567).play(words)
            assert likeness(b"".join(ear.frames[before:]), words) > 0.8
            assert clock.gauges()["late_frames"] == 0

    virtual_time.run(attack())


@on_virtual_time
async def test_reports_are_sent_every_five_seconds_read_and_end_with_bye() -> None:
    async with leg(offer(extra=("a=rtcp:4009",))) as (media, port, _ear, _clock):
        control = port._network.ports[media.port + 1]
        await Peer(port).play(speech(12.0), loss=0.1)
        assert len(control.sent) == 2
        report, names = RtcpPacket.parse(control.sent[-1][0])
        assert isinstance(report, RtcpSrPacket)
        assert isinstance(names, RtcpSdesPacket)
        assert control.sent[0][1] == (PEER[0], 4009)
        assert report.sender_info.packet_count > 370
        assert report.sender_info.octet_count == report.sender_info.packet_count * 160
        (block,) = report.reports
        assert (block.ssrc, block.packets_lost > 20, 10 < block.fraction_lost < 60) == (7, True, True)
        assert names.chunks[0].items[0][0] == 1
        ours = port.packets()[0].ssrc
        echo = RtcpRrPacket(
            7, [RtcpReceiverInfo(ours, 0, 12, 0, 80, report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF, 0)]
        )
        sent_at = control.sent[-1][2]
        control.inject(bytes(echo), STRANGER)
        assert media.stats.remote_lost == -1
        control.inject(bytes(echo), (PEER[0], 4009))
        assert (media.stats.remote_lost, media.stats.remote_jitter_ms) == (12, 10.0)
        elapsed = (asyncio.get_running_loop().time() - sent_at) * 1000
        assert media.stats.round_trip_ms == pytest.approx(elapsed, abs=1)
    last = RtcpPacket.parse(control.sent[-1][0])
    assert isinstance(last[-1], RtcpByePacket)


@on_virtual_time
async def test_tap_hears_both_sides_of_every_tick() -> None:
    words = speech(1.0)
    pairs: list[tuple[bytes, bytes]] = []
    async with leg() as (media, port, ear, _clock):
        media.tap = lambda received, sent: pairs.append((received, sent))
        media.source = frames_of(words)
        await Peer(port).play(speech(1.0, seed=3))
        assert [received for received, _ in pairs] == ear.frames
        assert b"".join(sent for _, sent in pairs)[: len(words) - 320] == words[: len(words) - 320]
