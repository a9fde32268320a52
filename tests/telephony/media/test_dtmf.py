"""Keys in both directions, by every method."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from parlons.errors import LegClosed
from parlons.telephony.media.codecs import PCMA
from parlons.telephony.media.dtmf import DIGITS, parse_info
from parlons.telephony.media.keypad import DtmfMode
from tests.support import virtual_time
from tests.telephony.media.support import (
    SILENCE,
    FakePort,
    Packet,
    Peer,
    frames_of,
    leg,
    offer,
    on_virtual_time,
    rtp,
    speech,
)

NO_EVENTS = offer("8 0", maps=())
PAIRS = {"1": (697, 1209), "5": (770, 1336), "9": (852, 1477), "#": (941, 1477), "D": (941, 1633)}


def events(port: FakePort) -> list[Packet]:
    return [packet for packet in port.packets() if packet.payload_type == 101]


def keys_heard(pcm: bytes) -> str:
    """The keys whose tones sound, by the two strongest frequencies of each stretch."""
    found = ""
    frames = np.frombuffer(pcm, "<i2").astype(float).reshape(-1, 160)
    before = None
    for frame in frames:
        spectrum = np.abs(np.fft.rfft(frame * np.hanning(160), 8000))
        low = max((697, 770, 852, 941), key=lambda hertz: spectrum[hertz])
        high = max((1209, 1336, 1477, 1633), key=lambda hertz: spectrum[hertz])
        loud = spectrum[low] > 100_000 and spectrum[high] > 100_000
        key = next((key for key, pair in PAIRS.items() if pair == (low, high)), None) if loud else None
        if key is not None and key != before:
            found += key
        before = key
    return found


@on_virtual_time
async def test_digit_is_sent_as_rfc_4733_asks() -> None:
    async with leg() as (media, port, _ear, _clock):
        media.source = frames_of(speech(5.0))
        await asyncio.sleep(0.11)
        await media.send_dtmf("5#")
        await asyncio.sleep(0.1)
        packets = port.packets()
        presses = events(port)
        for digit, press in (("5", presses[:7]), ("#", presses[7:])):
            assert {packet.payload[0] for packet in press} == {DIGITS.index(digit)}
            assert [packet.marker for packet in press] == [True] + [False] * 6
            assert len({packet.timestamp for packet in press}) == 1
            assert [int.from_bytes(packet.payload[2:], "big") for packet in press] == [
                160,
                320,
                480,
                640,
                800,
                800,
                800,
            ]
            assert [packet.payload[1] >> 7 for packet in press] == [0, 0, 0, 0, 1, 1, 1]
            assert np.diff([packet.at for packet in press]) == pytest.approx([0.02] * 6)
        assert (presses[7].timestamp - presses[0].timestamp) & 0xFFFFFFFF == 1600
        assert presses[7].at - presses[0].at == pytest.approx(0.2)
        first = packets.index(presses[0])
        for index, packet in enumerate(packets):  # one packet a tick whatever it holds, numbered without a hole
            assert (packet.sequence - packets[0].sequence) & 0xFFFF == index
            if packet.payload_type == 8:
                assert (packet.timestamp - packets[0].timestamp) & 0xFFFFFFFF == index * 160
        assert all(packet.payload == PCMA.silence for packet in packets[first : first + 20] if packet.payload_type == 8)
        assert media.last_sent == "5#"


@on_virtual_time
async def test_source_waits_while_keys_are_pressed_so_nothing_said_is_lost() -> None:
    words = speech(1.0)
    async with leg() as (media, port, _ear, _clock):
        media.source = frames_of(words)
        await asyncio.sleep(0.2)
        await media.send_dtmf("12")
        await asyncio.sleep(1.0)
        heard = [packet.payload for packet in port.packets() if packet.payload_type == 8]
    assert b"".join(payload for payload in heard if payload != PCMA.silence) == PCMA.encode(words)


@on_virtual_time
async def test_pauses_let_the_audio_flow() -> None:
    async with leg() as (media, port, _ear, _clock):
        started = asyncio.get_running_loop().time()
        await media.send_dtmf("1wW2")
        assert asyncio.get_running_loop().time() - started == pytest.approx(1.9, abs=0.03)
        first, second = events(port)[0], events(port)[7]
        assert second.at - first.at == pytest.approx(1.7)
        assert media.last_sent == "12"


@pytest.mark.parametrize("digits", ["5x", "+33", "é", "1 2"])
@on_virtual_time
async def test_what_is_not_a_key_is_refused_before_anything_is_sent(digits: str) -> None:
    async with leg() as (media, port, _ear, _clock):
        with pytest.raises(ValueError, match="not keys"):
            await media.send_dtmf(digits)
        await asyncio.sleep(0.1)
        assert events(port) == []


@on_virtual_time
async def test_cancelled_press_lets_the_key_go_and_says_what_was_sent() -> None:
    async with leg() as (media, port, _ear, _clock):
        task = asyncio.ensure_future(media.send_dtmf("123456"))
        await asyncio.sleep(0.45)  # 1 and 2 are sent, 3 is down
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert media.last_sent == "123"
        await asyncio.sleep(1)
        presses = events(port)
        assert len(presses) == 21
        assert presses[-1].payload[1] & 0x80
        await media.send_dtmf("9")
        assert media.last_sent == "9"


@on_virtual_time
async def test_press_cancelled_on_hold_is_never_sent() -> None:
    async with leg() as (media, port, _ear, _clock):
        media.remote_offer(offer(extra=("a=sendonly",)))
        task = asyncio.ensure_future(media.send_dtmf("5"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert media.last_sent == ""
        media.remote_offer(offer(version=3))
        await asyncio.sleep(1)
        assert events(port) == []


@on_virtual_time
async def test_two_callers_press_one_after_the_other() -> None:
    async with leg() as (media, port, _ear, _clock):
        await asyncio.gather(media.send_dtmf("12"), media.send_dtmf("34"))
        starts = [DIGITS[packet.payload[0]] for packet in events(port) if packet.marker]
        assert starts == ["1", "2", "3", "4"]


@on_virtual_time
async def test_leg_that_closes_wakes_who_presses() -> None:
    async with leg() as (media, _port, _ear, _clock):
        task = asyncio.ensure_future(media.send_dtmf("123"))
        await asyncio.sleep(0.25)
        media.close()
        with pytest.raises(LegClosed):
            await task
        with pytest.raises(LegClosed):
            await media.send_dtmf("1")


@pytest.mark.parametrize(
    ("mode", "body", "answers", "method"),
    [
        ("auto", offer(), 200, "rfc4733"),
        ("rfc4733", offer(), 200, "rfc4733"),
        ("info", offer(), 200, "info"),
        ("inband", offer(), 200, "inband"),
        ("auto", NO_EVENTS, 200, "info"),
        ("auto", NO_EVENTS, 415, "inband"),
        ("auto", NO_EVENTS, None, "inband"),
        ("info", offer(), 501, "inband"),
        ("rfc4733", NO_EVENTS, None, "inband"),
    ],
)
def test_method_follows_the_setting_and_what_the_peer_can_do(
    mode: DtmfMode, body: bytes, answers: int | None, method: str
) -> None:
    async def main() -> None:
        infos: list[tuple[str, bytes]] = []

        async def send_info(content_type: str, content: bytes) -> int:
            infos.append((content_type, content))
            assert answers is not None
            return answers

        async with leg(body, mode) as (media, port, _ear, _clock):
            if answers is not None:
                media.send_info = send_info
            await media.send_dtmf("159#D")
            await asyncio.sleep(0.1)
            assert media.last_sent == "159#D"
            marked = [packet for packet in events(port) if packet.marker]
            heard = keys_heard(b"".join(PCMA.decode(p.payload) for p in port.packets() if p.payload_type == 8))
            assert len(marked) == (5 if method == "rfc4733" else 0)
            assert heard == ("159#D" if method == "inband" else "")
            if method == "info":
                assert infos[3] == ("application/dtmf-relay", b"Signal=#\r\nDuration=100\r\n")
                assert len(infos) == 5
            elif method == "inband" and answers is not None:
                assert len(infos) <= 1  # refused once, not asked again

    virtual_time.run(main())


def press(port: FakePort, event: int, timestamp: int, sequence: int, *, lose: tuple[int, ...] = ()) -> None:
    """The seven packets of one key, some of them lost."""
    for number, duration in enumerate((160, 320, 480, 640, 800, 800, 800)):
        if number not in lose:
            payload = bytes((event, 0x8A if number >= 4 else 0x0A)) + duration.to_bytes(2, "big")
            port.inject(rtp(101, sequence + number, timestamp, payload, marker=number == 0))


@pytest.mark.parametrize("lose", [(), (0,), (0, 1, 2, 3), (4, 5, 6), (0, 1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6)])
@on_virtual_time
async def test_received_key_counts_once_whatever_is_lost(lose: tuple[int, ...]) -> None:
    async with leg() as (media, port, _ear, _clock):
        digits: list[str] = []
        media.on_dtmf = digits.append
        for number, event in enumerate((1, 1, 11, 15)):
            press(port, event, 0xFFFFF000 + number * 1600, 65530 + number * 7, lose=lose)
            await asyncio.sleep(0.2)
        assert digits == ["1", "1", "#", "D"]


@on_virtual_time
async def test_retransmitted_ends_and_older_keys_do_not_count() -> None:
    async with leg() as (media, port, _ear, _clock):
        digits: list[str] = []
        media.on_dtmf = digits.append
        press(port, 1, 1000, 10)
        press(port, 2, 2600, 17)
        port.inject(rtp(101, 24, 1000, b"\x01\x8a\x03\x20"))
        port.inject(rtp(101, 25, 2600, b"\x02\x8a\x03\x20"))
        port.inject(rtp(101, 26, 4200, b"\x10\x8a\x03\x20"))  # event 16 is no key
        port.inject(rtp(101, 27, 4200, b"\x01\x8a"))
        assert digits == ["1", "2"]


@on_virtual_time
async def test_key_held_for_longer_than_a_duration_can_say_counts_once() -> None:
    async with leg() as (media, port, _ear, _clock):
        digits: list[str] = []
        media.on_dtmf = digits.append
        port.inject(rtp(101, 1, 1000, b"\x03\x0a\xff\xff", marker=1))
        port.inject(rtp(101, 2, 1000 + 0xFFFF, b"\x03\x0a\x00\xa0"))
        port.inject(rtp(101, 3, 1000 + 0xFFFF, b"\x03\x8a\x01\x40"))
        assert digits == ["3"]


@on_virtual_time
async def test_sink_hears_silence_while_a_key_is_down_and_speech_after_it() -> None:
    async with leg() as (media, port, ear, _clock):
        peer = Peer(port)
        await peer.play(speech(0.5))
        before = len(ear.frames)
        timestamp = peer.timestamp
        for number in range(10):  # the peer goes on sending audio during its event
            payload = bytes((5, 0x0A)) + (160 * (number + 1)).to_bytes(2, "big")
            port.inject(rtp(101, peer.sequence, timestamp, payload))
            peer.sequence += 1
            port.inject(peer.packets(speech(0.02))[0])
            await asyncio.sleep(0.02)
        assert set(ear.frames[before + 2 : before + 10]) == {SILENCE}
        await peer.play(speech(0.5, seed=2))
        assert SILENCE not in ear.frames[before + 20 :]
        for number in range(10):  # this one falls silent, as most do
            payload = bytes((6, 0x0A)) + (160 * (number + 1)).to_bytes(2, "big")
            port.inject(rtp(101, peer.sequence + number, peer.timestamp, payload))
            await asyncio.sleep(0.02)
        assert media.stats.concealed == 0


@on_virtual_time
async def test_press_reported_by_event_and_by_info_counts_once() -> None:
    async with leg() as (media, port, _ear, _clock):
        digits: list[str] = []
        media.on_dtmf = digits.append
        for number in range(2):
            press(port, 4, 1000 + number * 2400, 10 + number * 7)
            await asyncio.sleep(0.1)
            media.info_dtmf("4")
            await asyncio.sleep(0.2)
        media.info_dtmf("7")
        await asyncio.sleep(0.05)
        press(port, 7, 9000, 30)
        assert digits == ["4", "4", "7"]
        await asyncio.sleep(3)
        media.info_dtmf("d")
        media.info_dtmf("d")
        assert digits == ["4", "4", "7", "D", "D"]


@pytest.mark.parametrize(
    ("content_type", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("Application/DTMF-Relay;charset=x", b"Signal= *\nDuration= 160\n", "*"),
        ("application/dtmf-relay", b"Duration=100\r\nsignal=11", "#"),
        ("application/dtmf-relay", b"Signal=d", "D"),
        ("application/dtmf-relay", b"Signal=16", None),
        ("application/dtmf-relay", b"\xff\xfe", None),
        ("application/dtmf", b" 7\r\n", "7"),
        ("application/dtmf", b"", None),
        ("text/plain", b"5", None),
    ],
)
def test_info_bodies(content_type: str, body: bytes, digit: str | None) -> None:
    assert parse_info(content_type, body) == digit
