"""Keys across a bridged call: every method on one side with every method on the other, each press once."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from parlons.telephony.media.codecs import PCMA
from parlons.telephony.media.dtmf import DIGITS
from parlons.telephony.media.keypad import DtmfMode
from parlons.telephony.media.tones import key_tone
from tests.telephony.media.bridging import (
    FAR,
    MASK,
    Bridge,
    Sender,
    bridge,
    decoded,
    digits_heard,
    far_offer,
    numbers,
    since,
    times,
)
from tests.telephony.media.support import PEER, Packet, Peer, offer, on_virtual_time, speech
from tests.telephony.media.test_dtmf import keys_heard

METHODS: tuple[DtmfMode, ...] = ("rfc4733", "info", "inband")


def events(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if packet.payload_type == 101]


def tones_heard(packets: list[Packet]) -> str:
    return keys_heard(decoded([packet for packet in packets if packet.payload_type == 8], "PCMA"))


def of_method(method: DtmfMode, *, far: bool) -> bytes:
    """A description of a peer that takes keys by ``method``."""
    make = far_offer if far else offer
    return make("8 101") if method == "rfc4733" else make("8", maps=())


async def type_in(made: Bridge, side: str, method: DtmfMode, digits: str) -> None:
    """The peer on ``side`` presses keys its way, while it speaks."""
    media, port, address = (made.one, made.near, PEER) if side == "one" else (made.other, made.far, FAR)
    sender = Sender(port, address)
    await sender.play(10)
    for digit in digits:
        if method == "rfc4733":
            await sender.press(DIGITS.index(digit))
        elif method == "info":
            media.info_dtmf(digit)
            await sender.play(20)
        else:
            peer = Peer(port)
            peer.sequence, peer.timestamp = sender.sequence, sender.timestamp
            await peer.play(b"".join(key_tone(digit, 8000, 0.1)), address=address)
            sender.sequence, sender.timestamp = peer.sequence, peer.timestamp
            sender.payload_type = 8
            for _ in range(5):
                sender.inject(sender.make())
                await asyncio.sleep(0.02)
    await sender.play(20)


@pytest.mark.parametrize("side", ["one", "other"])
@pytest.mark.parametrize("there", METHODS)
@pytest.mark.parametrize("here", METHODS)
@on_virtual_time
async def test_keys_pass_by_the_method_of_the_other_side(here: DtmfMode, there: DtmfMode, side: str) -> None:
    methods = (here, there) if side == "one" else (there, here)
    async with bridge(of_method(methods[0], far=False), of_method(methods[1], far=True)) as made:
        receiver, port = (made.other, made.far) if side == "one" else (made.one, made.near)
        if there == "info":
            receiver.send_info = made.info
        await type_in(made, side, here, "19#")
        await asyncio.sleep(1.0)
        packets = port.packets()
        if here == "inband":  # sound it is, and sound it stays
            assert tones_heard(packets) == "19#"
            assert (made.infos, events(packets), made.pressed) == ([], [], [])
            return
        assert made.pressed == [(side, digit) for digit in "19#"]
        assert digits_heard(packets) == ("19#" if there == "rfc4733" else "")
        assert made.infos == (list("19#") if there == "info" else [])
        if there == "inband":
            assert tones_heard(packets) == "19#"
        assert len({packet.sequence for packet in packets}) == len(packets)
        assert set(numbers(packets)) == {1}
        assert since(port, packets[-1].at - 0.1)[-1].payload == PCMA.silence


@on_virtual_time
async def test_event_passes_packet_by_packet_in_step_with_the_audio() -> None:
    async with bridge(
        offer("8 96", maps=("96 telephone-event/8000",)), far_offer("8 100", maps=("100 telephone-event/8000",))
    ) as made:
        sender = Sender(made.near, PEER)
        await sender.play(10)
        start = sender.timestamp
        await sender.press(5, number=96)
        await sender.play(10)
        packets = made.far.packets()[-27:]
        press = [packet for packet in packets if packet.payload_type == 100]
        assert [packet.marker for packet in press] == [True] + [False] * 6
        assert [packet.payload[1] >> 7 for packet in press] == [0, 0, 0, 0, 1, 1, 1]
        assert [int.from_bytes(packet.payload[2:], "big") for packet in press] == [160, 320, 480, 640, 800, 800, 800]
        assert len({packet.timestamp for packet in press}) == 1
        assert numbers(packets) == [1] * 26
        spoken = [packet for packet in packets if packet.payload_type == 8]
        assert [packet.payload for packet in spoken] == sender.sent
        # the press lies where it lay for the peer: after ten packets
        assert (press[0].timestamp - spoken[0].timestamp) & MASK == (
            start - (sender.timestamp - 20 * 160 - 1120)
        ) & MASK
        assert times(spoken)[9] == 160 + 1120
        assert made.pressed == [("one", "5")]


@pytest.mark.parametrize("event_first", [True, False])
@pytest.mark.parametrize("there", METHODS)
@on_virtual_time
async def test_press_that_comes_by_event_and_by_info_passes_once(there: DtmfMode, event_first: bool) -> None:
    async with bridge(other=of_method(there, far=True)) as made:
        if there == "info":
            made.other.send_info = made.info
        sender = Sender(made.near, PEER)
        await sender.play(10)
        for digit in (1, 1, 5):
            if not event_first:
                made.one.info_dtmf(str(digit))
            await sender.press(digit)
            if event_first:
                made.one.info_dtmf(str(digit))
            await sender.play(10)
        await asyncio.sleep(1)
        packets = made.far.packets()
        heard = {
            "rfc4733": digits_heard(packets),
            "info": "".join(made.infos),
            "inband": tones_heard(packets),
        }
        assert heard == {method: "115" if method == there else "" for method in METHODS}
        assert made.pressed == [("one", "1"), ("one", "1"), ("one", "5")]


@on_virtual_time
async def test_leg_set_to_info_gets_info_although_it_takes_events() -> None:
    async with bridge(dtmf=("auto", "info")) as made:
        made.other.send_info = made.info
        await type_in(made, "one", "rfc4733", "42")
        await asyncio.sleep(0.5)
        assert made.infos == ["4", "2"]
        assert events(made.far.packets()) == []


@on_virtual_time
async def test_lost_and_repeated_event_packets_count_once() -> None:
    async with bridge() as made:
        sender = Sender(made.near, PEER)
        await sender.play(10)
        for digit in range(4):
            for step in range(1, 8):
                if step == digit + 1:
                    sender.sequence += 1  # that one was lost
                else:
                    sender.event(digit, min(step, 5) * 160, end=step >= 5, marker=step == 1)
                await asyncio.sleep(0.02)
            sender.timestamp += 1120
            await sender.play(5)
        assert digits_heard(made.far.packets()) == "0123"
        assert made.pressed == [("one", digit) for digit in "0123"]
        assert [step for step in numbers(made.far.packets()) if step != 1] == [2] * 4


@on_virtual_time
async def test_very_long_press_goes_on_in_segments() -> None:
    async with bridge() as made:
        sender = Sender(made.near, PEER)
        await sender.play(5)
        for begin in (0, 0xFFFF):
            for duration in (*range(160, 0xFFFF, 1600), 0xFFFF):
                sender.event(7, duration, marker=begin == duration == 0)
                await asyncio.sleep(0.02)
            sender.timestamp += 0xFFFF
        sender.event(7, 160, end=True)
        await asyncio.sleep(0.1)
        press = events(made.far.packets())
        assert digits_heard(press) == "7"
        assert [step for step in times(press) if step] == [0xFFFF, 0xFFFF]
        assert press[-1].payload[1] & 0x80
        assert made.pressed == [("one", "7")]


@pytest.mark.parametrize(("pause", "jump"), [(30, 0), (0.5, 0), (0, 1_000_000)])
@on_virtual_time
async def test_key_before_any_audio_and_key_after_a_pause(pause: float, jump: int) -> None:
    async with bridge() as made:
        sender = Sender(made.near, PEER)
        await asyncio.sleep(0.5)
        await sender.press(3)
        await sender.play(10)
        await asyncio.sleep(pause)  # its clock stands still meanwhile
        sender.timestamp += jump
        await sender.press(4)
        await sender.play(10)
        packets = made.far.packets()
        assert digits_heard(packets) == "34"
        spoken = [packet for packet in packets if packet.payload_type == 8 and packet.payload != PCMA.silence]
        assert [packet.payload for packet in spoken] == sender.sent
        assert set(numbers(packets)) == {1}
        ends = [packet.timestamp for packet in packets]
        assert all((later - earlier) & MASK < 1 << 31 for earlier, later in itertools.pairwise(ends))
        assert sum(times(packets)) == pytest.approx((packets[-1].at - packets[0].at) * 8000, abs=480)


@pytest.mark.parametrize("decode", [True, False])
@on_virtual_time
async def test_key_passes_while_sound_is_transcoded_and_the_sound_waits(decode: bool) -> None:
    async with bridge(other=far_offer(("8" if decode else "0") + " 101"), decode=decode) as made:
        sender = Sender(made.near, PEER)
        await sender.play(20)
        await sender.press(8)
        await sender.play(20)
        packets = made.far.packets()
        press = events(packets)
        assert digits_heard(packets) == "8"
        assert len(press) == 7
        assert len({packet.timestamp for packet in press}) == 1
        first, last = packets.index(press[0]), packets.index(press[-1])
        assert last - first == 6  # nothing in between
        assert numbers(packets) == [1] * (len(packets) - 1)
        spoken = [packet for packet in packets if packet.payload_type != 101]
        assert all(step % 160 == 0 and step > 0 for step in times(spoken))
        assert sum(times(spoken)) == pytest.approx((spoken[-1].at - spoken[0].at) * 8000, abs=160)
        assert (press[0].timestamp - spoken[0].timestamp) & MASK == pytest.approx(
            (press[0].at - spoken[0].at) * 8000, abs=320
        )


@on_virtual_time
async def test_key_pressed_by_us_silences_what_passes_until_it_is_over() -> None:
    async with bridge() as made:
        sender = Sender(made.near, PEER)
        playing = asyncio.ensure_future(sender.play(100))
        await asyncio.sleep(0.5)
        await made.other.send_dtmf("5")
        await playing
        packets = made.far.packets()
        assert digits_heard(packets) == "5"
        assert set(numbers(packets)) == {1}
        assert min(times(packets)) >= -160 * 2
        assert packets[-1].payload == sender.sent[-1]
        press = events(packets)
        assert packets.index(press[-1]) - packets.index(press[0]) == 6


@on_virtual_time
async def test_key_by_event_right_after_one_by_info_keeps_its_place() -> None:
    async with bridge() as made:
        sender = Sender(made.near, PEER)
        await sender.play(10)
        made.one.info_dtmf("1")
        await sender.press(2)
        await sender.press(3)
        await sender.play(50)
        assert digits_heard(made.far.packets()) == "123"
        assert made.pressed == [("one", digit) for digit in "123"]
        assert set(numbers(made.far.packets())) == {1}


@on_virtual_time
async def test_keys_toward_a_held_or_closing_leg_neither_crash_nor_pile_up() -> None:
    async with bridge(other=far_offer("8", maps=())) as made:
        made.other.remote_offer(far_offer("8", maps=(), extra=("a=inactive",), version=2))
        for index in range(200):
            made.one.info_dtmf(DIGITS[index % 16])
            await asyncio.sleep(0.01)
        assert len(made.pressed) == 200
        assert len(asyncio.all_tasks()) < 40
        made.other.close()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= 2
        made.one.info_dtmf("1")
        await asyncio.sleep(0.1)
        made.relay.close()


@on_virtual_time
async def test_info_that_fails_with_an_error_does_not_break_the_bridge(caplog: pytest.LogCaptureFixture) -> None:
    async with bridge(other=far_offer("8", maps=())) as made:

        async def broken(content_type: str, body: bytes) -> int:
            raise OSError("the transport is gone")

        made.other.send_info = broken
        made.one.info_dtmf("1")
        await asyncio.sleep(0.1)
        assert "key could not be passed" in caplog.text
        made.other.send_info = made.info
        made.one.info_dtmf("2")
        sender = Sender(made.near, PEER)
        await sender.play(5)
        assert made.infos == ["2"]
        assert made.far.packets()[-1].payload == sender.sent[-1]


@on_virtual_time
async def test_keys_after_the_relay_belong_to_whoever_listens_then() -> None:
    async with bridge() as made:
        await type_in(made, "one", "rfc4733", "1")
        made.relay.close()
        digits: list[str] = []
        made.one.on_dtmf = digits.append
        sent = len(events(made.far.packets()))
        sender = Sender(made.near, PEER)
        sender.sequence, sender.timestamp = 40, 400_000
        await Peer(made.near).play(speech(0.1))
        await sender.press(2)
        assert digits == ["2"]
        assert made.pressed == [("one", "1")]
        assert len(events(made.far.packets())) == sent
