"""Bridged calls: packets and sound between two legs, on virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.telephony.media.codecs import PCMA
from tests.support import virtual_time
from tests.telephony.media.bridging import (
    FAR,
    MASK,
    Bridge,
    Sender,
    bridge,
    decoded,
    far_offer,
    numbers,
    since,
    sine,
    times,
    tone,
)
from tests.telephony.media.support import (
    PEER,
    SILENCE,
    Ear,
    Packet,
    Peer,
    frames_of,
    offer,
    on_virtual_time,
    rtp,
    speech,
)
from tests.telephony.media.test_engine import stall

DYNAMIC = far_offer("96 101", maps=("96 PCMA/8000", "101 telephone-event/8000"))
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}


def now() -> float:
    return asyncio.get_running_loop().time()


def near(made: Bridge, **changes: int) -> Sender:
    return Sender(made.near, PEER, **changes)


def audio(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if packet.payload != PCMA.silence]


@on_virtual_time
async def test_payloads_pass_untouched_at_once_under_our_own_numbers() -> None:
    async with bridge(other=DYNAMIC, started=False) as made:
        words = speech(1.0)
        made.other.source = frames_of(words)  # an agent talks first
        await asyncio.sleep(0.505)
        before = made.far.packets()[-1]
        made.relay.start()
        begun = now()
        sender = near(made)
        await sender.play(100)
        passed = since(made.far, begun)
        assert made.relay.modes == ("passthrough", "passthrough")
        assert [packet.payload for packet in passed] == sender.sent
        assert {packet.payload_type for packet in passed} == {96}
        assert {packet.ssrc for packet in passed} == {before.ssrc} != {7}
        assert [packet.at - begun for packet in passed] == pytest.approx([n * 0.02 for n in range(100)])
        assert numbers([before, *passed]) == [1] * 100
        assert times([before, *passed]) == [160] * 100
        assert [packet.marker for packet in passed] == [True] + [False] * 99
        assert {address for _data, address, _at in made.far.sent} == {FAR}
        assert made.other.stats.sent == len(made.far.sent)
        assert (made.one.stats.received, made.one.stats.lost, made.one.stats.concealed) == (100, 0, 0)
        # and the way back, which nobody uses, is fed silence meanwhile
        assert numbers(made.near.packets()) == [1] * (len(made.near.sent) - 1)
        assert times(made.near.packets()) == [160] * (len(made.near.sent) - 1)


@on_virtual_time
async def test_legs_go_on_after_the_relay_as_if_nothing_had_been() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        made.relay.close()
        made.relay.close()
        made.relay.start()
        words = speech(0.5)
        made.other.source = frames_of(words)
        begun = now()
        await asyncio.sleep(0.5)
        packets = made.far.packets()
        assert numbers(packets) == [1] * (len(packets) - 1)
        assert times(packets) == [160] * (len(packets) - 1)
        spoken = since(made.far, begun)
        assert b"".join(packet.payload for packet in spoken) in PCMA.encode(words)
        assert spoken[0].marker
        assert {packet.ssrc for packet in packets} == {packets[0].ssrc}
        sender.inject(sender.make())
        assert made.far.packets()[-1].payload != sender.sent[-1]


@pytest.mark.parametrize("octets", [80, 240, 480])
@on_virtual_time
async def test_packets_of_any_length_pass(octets: int) -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50, octets=octets)
        passed = audio(made.far.packets())
        assert [packet.payload for packet in passed] == sender.sent
        assert numbers(passed) == [1] * 49
        assert times(passed) == [octets] * 49


@on_virtual_time
async def test_loss_and_reordering_stay_visible_and_duplicates_do_not_pass() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(10)
        begun = now()
        packets = [sender.make() for _ in range(10)]
        first = len(sender.sent) - 10
        order = [0, 1, 4, 3, 4, 5, 3, 9, 8]  # 2, 6 and 7 are lost
        for index in order:
            sender.inject(packets[index])
            await asyncio.sleep(0.018)
        passed = since(made.far, begun)
        arrived = [0, 1, 4, 3, 5, 9, 8]
        assert [packet.payload for packet in passed] == [sender.sent[first + index] for index in arrived]
        wanted = [after - before for before, after in itertools.pairwise(arrived)]
        assert numbers(passed) == wanted
        assert times(passed) == [160 * step for step in wanted]
        assert made.one.stats.duplicates == 2


@pytest.mark.parametrize(
    ("sequence", "timestamp", "ssrc"),
    [(0, 1_000_000, 7), (0, -4_000, 7), (20_000, 0, 7), (40_000, 1 << 31, 7), (12_345, 987_654_321, 8), (0, 0, 8)],
    ids=["clock ahead", "clock back", "renumbered", "both", "another SSRC", "the same numbers, another SSRC"],
)
@on_virtual_time
async def test_stream_that_becomes_another_one_continues_the_first(sequence: int, timestamp: int, ssrc: int) -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        if ssrc != sender.ssrc:
            await asyncio.sleep(0.19)  # before that nobody else is believed; at 0.2 s silence would fill in
            sender.ssrc = ssrc
        sender.sequence += sequence
        sender.timestamp += timestamp
        before = audio(made.far.packets())[-1]
        await sender.play(50)
        passed = audio(made.far.packets())
        assert [packet.payload for packet in passed] == sender.sent
        following = passed[passed.index(before) :]
        assert numbers(following) == [1] * 50
        pause = 160 + (160 * 10 if ssrc != 7 else 0)
        assert times(following)[0] == pytest.approx(pause, abs=160)
        assert times(following)[1:] == [160] * 49
        assert following[1].marker == (ssrc != 7 or timestamp != 0)


@on_virtual_time
async def test_silence_fills_in_while_nothing_comes_and_the_rest_follows_in_time() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        paused = now()
        await asyncio.sleep(60)
        sender.timestamp += 60 * 8000  # a phone that sends nothing while nobody speaks
        await sender.play(50)
        packets = since(made.far, paused - 1)
        filled = [packet for packet in packets if packet.payload == PCMA.silence and packet.at > paused]
        assert filled[0].at - paused <= 0.2201
        assert filled[0].marker
        assert max(after.at - before.at for before, after in itertools.pairwise(packets)) <= 0.2401
        assert [packet.payload for packet in audio(packets)][-50:] == sender.sent[-50:]
        assert numbers(packets) == [1] * (len(packets) - 1)
        assert all(step >= 160 for step in times(packets))
        elapsed = packets[-1].at - packets[0].at
        assert sum(times(packets)) == pytest.approx(elapsed * 8000, abs=320)
        assert made.one.silent_seconds < 0.1


@on_virtual_time
async def test_jitter_shorter_than_the_patience_costs_nothing() -> None:
    async with bridge() as made:
        sender = near(made)
        chance = random.Random(4)
        loop = asyncio.get_running_loop()
        for _ in range(500):
            loop.call_later(chance.choice((0.0, 0.0, 0.004, 0.03, 0.18)), sender.inject, sender.make())
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.19)
        passed = audio(made.far.packets())
        assert sorted(packet.payload for packet in passed) == sorted(sender.sent)
        assert len({(p.sequence - int.from_bytes(p.payload[:4], "big")) & 0xFFFF for p in passed}) == 1
        assert len({(p.timestamp - 160 * int.from_bytes(p.payload[:4], "big")) & MASK for p in passed}) == 1


@pytest.mark.parametrize("speed", [0.0, 0.004])
@on_virtual_time
async def test_what_a_stalled_network_delivers_in_a_heap_does_not_delay_the_call_for_good(speed: float) -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        last = audio(made.far.packets())[-1]
        heap = [sender.make() for _ in range(100)]
        await asyncio.sleep(2.0)
        for data in heap:
            sender.inject(data)
            await asyncio.sleep(speed)
        for _ in range(int(speed * 100 / 0.02)):
            sender.inject(sender.make())
        await sender.play(50)
        end = audio(made.far.packets())[-1]
        assert end.payload == sender.sent[-1]
        # in time with where it would be had nothing happened: our delay is what it was
        assert ((end.timestamp - last.timestamp) & MASK) / 8000 == pytest.approx(end.at - last.at, abs=0.08)
        packets = made.far.packets()
        assert numbers(packets) == [1] * (len(packets) - 1)
        assert all(step > 0 for step in times(packets))


@on_virtual_time
async def test_sender_whose_clock_stands_still_in_pauses_is_heard_again_soon() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        await asyncio.sleep(5.0)
        await sender.play(50)
        passed = [packet.payload for packet in audio(made.far.packets())]
        assert passed[50:] == sender.sent[-len(passed) + 50 :]
        assert len(passed) - 50 >= 43
        assert all(step >= 160 for step in times(made.far.packets()))
        await asyncio.sleep(5.0)
        sender.inject(sender.make(marker=1))  # says itself that a spurt begins
        assert made.far.packets()[-1].payload == sender.sent[-1]


@on_virtual_time
async def test_stall_of_our_own_loop_loses_nothing() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(50)
        packets = [sender.make() for _ in range(25)]
        stall(0.5)
        for data in packets:
            sender.inject(data)
        await asyncio.sleep(0.01)
        await sender.play(50)
        passed = audio(made.far.packets())
        assert [packet.payload for packet in passed] == sender.sent
        assert numbers(passed) == [1] * 124
        assert times(passed) == [160] * 124


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize(("here", "there"), [(a, b) for a in PAYLOAD_TYPES for b in PAYLOAD_TYPES])
@on_virtual_time
async def test_tone_crosses_between_any_two_codecs(here: str, there: str, decode: bool) -> None:
    offers = offer(f"{PAYLOAD_TYPES[here]}"), far_offer(f"{PAYLOAD_TYPES[there]}")
    async with bridge(*offers, decode=decode) as made:
        mode = "passthrough" if here == there and not decode else "transcode"
        assert made.relay.mode == mode
        rates = [16000 if codec == "G722" else 8000 for codec in (here, there)]
        onward = Peer(made.near, here, PAYLOAD_TYPES[here]).play(sine(1000, 2.0, rates[0], 8000))
        back = Peer(made.far, there, PAYLOAD_TYPES[there]).play(sine(440, 2.0, rates[1], 4000), address=FAR)
        begun = now()
        await asyncio.gather(onward, back)
        assert made.relay.modes == (mode, mode)
        for port, codec, rate, hertz, level in (
            (made.far, there, rates[1], 1000, 8000),
            (made.near, here, rates[0], 440, 4000),
        ):
            packets = since(port, begun)
            assert {packet.payload_type for packet in packets} == {PAYLOAD_TYPES[codec]}
            assert {len(packet.payload) for packet in packets} == {160}
            assert numbers(packets) == [1] * (len(packets) - 1)
            assert times(packets) == [160] * (len(packets) - 1)
            assert len(packets) == pytest.approx(100, abs=1)
            heard = decoded(packets, codec)
            second = heard[rate // 2 * 2 : rate // 2 * 2 + rate * 2]
            found, loudness = tone(second, rate)
            assert found == pytest.approx(hertz, abs=2)
            assert loudness == pytest.approx(level, rel=0.06)
            quiet = next(at for at in range(0, len(heard), rate // 50 * 2) if tone(heard[at : at + 160], rate)[1] > 500)
            assert quiet / 2 / rate <= (0.081 if mode == "transcode" else 0.001)


@on_virtual_time
async def test_decoded_bridge_can_be_recorded_on_both_legs() -> None:
    async with bridge(decode=True) as made:
        taps: dict[str, list[tuple[bytes, bytes]]] = {"one": [], "other": []}
        made.one.tap = lambda received, sent: taps["one"].append((received, sent))
        made.other.tap = lambda received, sent: taps["other"].append((received, sent))
        words = speech(1.0)
        await Peer(made.near).play(words)
        await asyncio.sleep(0.1)
        heard = b"".join(received for received, _sent in taps["one"])
        passed = b"".join(sent for _received, sent in taps["other"])
        assert PCMA.decode(PCMA.encode(words)) in heard
        assert PCMA.decode(PCMA.encode(words)) in passed


@on_virtual_time
async def test_delay_does_not_grow_by_stalls_and_holds() -> None:
    async with bridge(other=far_offer("0 101")) as made:

        async def delay() -> float:
            """From a click at the near peer to the packet that carries it."""
            peer.timestamp, peer.sequence = round(now() * 8000), peer.sequence + 3
            begun = now()
            await peer.play(bytes(320) * 10 + b"\xff\x3f" * 160)
            await asyncio.sleep(0.3)
            packets = since(made.far, begun)
            loud = next(packet for packet in packets if max(decoded([packet], "PCMU")[1::2]) > 30)
            return loud.at - begun - 0.2

        peer = Peer(made.near)
        fresh = await delay()
        for round_ in range(5):
            stall(0.11)
            await asyncio.sleep(0.05)
            made.other.remote_offer(far_offer("0 101", extra=("a=inactive",), version=2 + 2 * round_))
            await asyncio.sleep(1.0)
            made.other.remote_offer(far_offer("0 101", version=3 + 2 * round_))
        await asyncio.sleep(3.0)
        assert await delay() <= fresh + 0.021
        assert fresh <= 0.081


@pytest.mark.parametrize("codec", ["8", "0"], ids=["passthrough", "transcode"])
@on_virtual_time
async def test_music_of_who_holds_is_passed_and_nothing_is_sent_to_them(codec: str) -> None:
    async with bridge(other=far_offer(f"{codec} 101")) as made:
        caller, words = near(made), sine(1000, 1.0, 8000)
        far = Peer(made.far, "PCMA" if codec == "8" else "PCMU", int(codec))
        await asyncio.gather(caller.play(50), far.play(words, address=FAR))
        before = made.far.packets()[-1]
        made.other.remote_offer(far_offer(f"{codec} 101", extra=("a=sendonly",), version=2))
        begun = now()
        await asyncio.gather(caller.play(50), far.play(words, address=FAR))
        assert since(made.far, begun + 1e-6) == []
        music = decoded(since(made.near, begun + 0.1), "PCMA")[:8000]
        assert tone(music, 8000)[0] == pytest.approx(1000, abs=3)
        assert tone(music, 8000)[1] == pytest.approx(8000, rel=0.1)
        made.other.remote_offer(far_offer(f"{codec} 101", version=3))
        back = now()
        await asyncio.gather(caller.play(50), far.play(words, address=FAR))
        after = [packet for packet in since(made.far, back) if packet.at > before.at]
        assert len(after) >= 49
        assert numbers([before, *after]) == [1] * len(after)
        assert after[0].marker
        elapsed = after[-1].at - before.at
        assert sum(times([before, *after])) == pytest.approx(elapsed * 8000, abs=480)
        if codec == "8":
            assert [packet.payload for packet in after] == caller.sent[-50:]
        assert made.near.packets()[-1].at - back >= 0.97


@pytest.mark.parametrize("codec", ["8", "0"], ids=["passthrough", "transcode"])
@on_virtual_time
async def test_leg_that_says_inactive_is_neither_sent_to_nor_heard(codec: str) -> None:
    async with bridge(offer(f"{codec} 101")) as made:
        caller, callee = near(made, payload_type=int(codec)), Sender(made.far, FAR)
        await asyncio.gather(caller.play(50), callee.play(50))
        made.one.remote_offer(offer(f"{codec} 101", extra=("a=inactive",), version=2))
        await asyncio.sleep(0.3)
        begun = now()
        await asyncio.gather(caller.play(50), callee.play(50))
        assert since(made.near, begun + 1e-6) == []
        assert {packet.payload for packet in since(made.far, begun + 1e-6)} == {PCMA.silence}
        assert len(since(made.far, begun + 1e-6)) == pytest.approx(50, abs=1)
        assert made.one.silent_seconds < 0.5


@on_virtual_time
async def test_codec_payload_type_and_address_change_in_the_middle() -> None:
    moved = ("198.51.100.10", 5002)
    async with bridge() as made:
        words = sine(1000, 1.0, 8000)
        peer = Peer(made.near)
        await peer.play(words)
        for version, (formats, maps, codec, number, mode) in enumerate(
            [
                ("0 101", (), "PCMU", 0, "transcode"),
                ("97", ("97 PCMA/8000",), "PCMA", 97, "passthrough"),
                ("9", (), "G722", 9, "transcode"),
                ("8", (), "PCMA", 8, "passthrough"),
            ],
            2,
        ):
            made.other.remote_offer(offer(formats, address=moved[0], port=moved[1], maps=maps, version=version))
            begun = now() + 1e-6  # the tick of this moment may have been before
            await peer.play(words)
            packets = since(made.far, begun)
            assert {packet.payload_type for packet in packets} == {number}
            assert made.relay.modes[0] == mode
            assert {address for _data, address, at in made.far.sent if at >= begun} == {moved}
            heard = decoded(packets, codec)
            rate = 16000 if codec == "G722" else 8000
            assert tone(heard[rate // 2 :][:rate], rate)[0] == pytest.approx(1000, abs=3)
        packets = made.far.packets()
        assert made.one.stats.concealed == 0
        assert numbers(packets) == [1] * (len(packets) - 1)
        assert min(times(packets)) >= 0
        assert sum(times(packets)) == pytest.approx((packets[-1].at - packets[0].at) * 8000, abs=960)


@on_virtual_time
async def test_peer_that_changes_codec_from_packet_to_packet_harms_nothing() -> None:
    async with bridge() as made:
        made.one.local_offer()
        made.one.remote_answer(offer("8 0 101"))  # it may use either
        sender = near(made)
        for _ in range(100):
            sender.payload_type = 8 - sender.payload_type
            sender.inject(sender.make())
            await asyncio.sleep(0.02)
        packets = made.far.packets()
        assert len(packets) >= 100
        assert {packet.payload_type for packet in packets} == {8}
        assert len({packet.sequence for packet in packets}) == len(packets)


@on_virtual_time
async def test_packet_overtaken_by_silence_or_by_another_stream_does_not_pass() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(20)
        late = sender.make()
        await sender.play(5)
        await asyncio.sleep(0.5)
        sender.inject(late)
        assert made.far.packets()[-1].payload == PCMA.silence
        sender.timestamp += 4000
        await sender.play(1)
        sender.inject(late)
        packets = made.far.packets()
        assert sender.sent[20] not in [packet.payload for packet in packets]
        assert packets[-1].payload == sender.sent[-1]
        assert len({packet.sequence for packet in packets}) == len(packets)


@on_virtual_time
async def test_late_packet_of_a_peer_with_long_packets_is_waited_for() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(5, octets=800)
        await asyncio.sleep(0.12)
        begun = now()
        await sender.play(5, octets=800)
        packets = since(made.far, begun - 0.7)
        assert PCMA.silence not in [packet.payload for packet in packets[1:]]
        assert set(times(packets[1:])) == {800}


@on_virtual_time
async def test_comfort_noise_is_not_passed_and_not_a_loss() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(10)
        sender.inject(rtp(13, sender.sequence, sender.timestamp, b"\x40", ssrc=7))
        sender.sequence += 1
        await asyncio.sleep(0.1)
        sender.timestamp += 800
        await sender.play(10)
        passed = audio(made.far.packets())
        assert [packet.payload for packet in passed] == sender.sent
        assert numbers(passed) == [1] * 19
        assert times(passed)[9] == 960
        assert {packet.payload_type for packet in made.far.packets()} == {8}


@on_virtual_time
async def test_strangers_and_other_sources_do_not_pass() -> None:
    async with bridge() as made:
        sender = near(made)
        await sender.play(20)
        begun = now()
        for number in range(20):
            made.near.inject(rtp(8, number, number * 160, b"\x11" * 160, ssrc=99), ("203.0.113.66", 6666))
            made.near.inject(rtp(8, number, number * 160, b"\x11" * 160, ssrc=98), PEER)
            made.near.inject(rtp(3, sender.sequence, 5, b"\x11" * 33), PEER)
            sender.inject(sender.make())
            await asyncio.sleep(0.02)
        assert [packet.payload for packet in since(made.far, begun)] == sender.sent[-20:]


@on_virtual_time
async def test_silence_of_a_dead_peer_is_counted_on_its_leg_alone() -> None:
    async with bridge() as made:
        far = Sender(made.far, FAR)
        await near(made).play(50)
        await far.play(3000)
        assert made.one.silent_seconds == pytest.approx(60.0, abs=0.05)
        assert made.other.silent_seconds <= 0.021
        assert made.other.stats.received == 3000
        assert made.one.stats.sent >= 3000
        assert made.clock.gauges()["late_frames"] == 0


@pytest.mark.parametrize("first", ["one", "other"])
@pytest.mark.parametrize("decode", [False, True])
@on_virtual_time
async def test_leg_that_closes_by_itself_does_not_harm_the_other(first: str, decode: bool) -> None:
    async with bridge(decode=decode) as made:
        caller, callee = near(made), Sender(made.far, FAR)
        await asyncio.gather(caller.play(20), callee.play(20))
        gone, left = (made.one, made.other) if first == "one" else (made.other, made.one)
        port, peer = (made.far, callee) if first == "one" else (made.near, caller)
        gone.close()
        gone.remote_offer(offer("0"))  # a re-INVITE that crosses the BYE
        gone.info_dtmf("5")
        begun = now()
        await peer.play(50)
        packets = since(port, begun)
        assert len(packets) >= 39
        assert packets[-1].payload == PCMA.silence
        made.relay.close()
        left.source = frames_of(speech(0.1))
        await asyncio.sleep(0.1)
        assert port.packets()[-1].payload != PCMA.silence
        left.close()
        made.relay.close()


@on_virtual_time
async def test_close_leaves_alone_what_others_took() -> None:
    async with bridge() as made:
        ear, digits = Ear(), list[str]()
        source = frames_of(speech(0.2))
        made.one.sink, made.one.source, made.one.on_dtmf = ear, source, digits.append
        made.relay.close()
        assert (made.one.sink, made.one.source) == (ear, source)
        assert (made.other.sink, made.other.source, made.other.on_dtmf) == (None, None, None)
        await Peer(made.near).play(speech(0.5))
        assert set(ear.frames[:1]) == {SILENCE}
        assert len(set(ear.frames)) > 10  # the leg decodes again
        made.one.info_dtmf("4")
        assert digits == ["4"]


@on_virtual_time
async def test_relay_of_closed_or_unconnected_legs_does_nothing() -> None:
    async with bridge(started=False) as made:
        made.one.close()
        made.relay.start()
        await Sender(made.far, FAR).play(20)
        assert {packet.payload for packet in made.far.packets()} == {PCMA.silence}
        made.other.close()
        await asyncio.sleep(0.1)
        made.relay.close()


GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda rest: b"\x80\x08" + rest),
    st.binary(max_size=200).map(lambda rest: b"\xbf\x08" + rest),
    st.binary(max_size=60).map(lambda rest: b"\x80\x65" + rest),
    st.binary(max_size=200).map(lambda rest: b"\x80\xc8" + rest),
    st.tuples(st.integers(0, 65535), st.integers(0, MASK), st.integers(1, 600), st.integers(6, 8)).map(
        lambda drawn: rtp(8, drawn[0], drawn[1], bytes(drawn[2]), ssrc=drawn[3])
    ),
    st.tuples(st.integers(0, 65535), st.integers(0, 3), st.binary(max_size=9)).map(
        lambda drawn: rtp(101, drawn[0], drawn[1] * 0xFFFF, drawn[2])
    ),
    st.tuples(st.integers(0, 65535), st.integers(0, MASK)).map(lambda drawn: rtp(13, drawn[0], drawn[1], b"\x40")),
)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(GARBAGE, max_size=40), st.lists(GARBAGE, max_size=40), st.booleans(), st.sampled_from([0.0, 0.015, 0.3])
)
def test_no_datagram_hurts_a_bridge(onward: list[bytes], back: list[bytes], transcode: bool, pace: float) -> None:
    async def attack() -> None:
        async with bridge(other=far_offer("0 101" if transcode else "8 101")) as made:
            for index in range(max(len(onward), len(back))):
                if index < len(onward):
                    made.near.inject(onward[index], PEER)
                if index < len(back):
                    made.far.inject(back[index], FAR)
                await asyncio.sleep(pace)
            await asyncio.sleep(1.5)
            for port, media in ((made.near, made.one), (made.far, made.other)):
                packets = port.packets()
                assert len({packet.ssrc for packet in packets}) == 1
                assert {packet.payload_type for packet in packets} <= {media.outbound.payload_type, 101}
                assert len({packet.sequence for packet in packets}) == len(packets)
                assert packets[-1].at >= now() - 0.021
            # whatever held the latch is gone: the ones who come now are heard
            before = now()
            words = sine(1000, 1.0, 8000)
            await Peer(made.near, ssrc=1234567).play(words)
            heard = decoded(since(made.far, before + 0.1), "PCMU" if transcode else "PCMA")[8000:14000]
            assert tone(heard, 8000)[0] == pytest.approx(1000, abs=5)
            assert made.clock.gauges()["late_frames"] == 0

    virtual_time.run(attack())
