"""Sound from one leg's sink to another's source, and early media."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from parlons.telephony.media.codecs import PCMA
from parlons.telephony.media.crossing import Crossing, early_media
from parlons.telephony.media.relay import Relay
from tests.telephony.media.bridging import FAR, bridge, decoded, far_offer, since, sine, tone
from tests.telephony.media.support import Peer, frames_of, likeness, offer, on_virtual_time, speech


def test_frames_come_out_once_and_in_order() -> None:
    crossing = Crossing(8000)
    assert crossing.pull() is None
    crossing.push(b"\x01" * 320)
    crossing.push(b"\x02" * 320)
    assert [crossing.pull(), crossing.pull(), crossing.pull()] == [b"\x01" * 320, b"\x02" * 320, None]


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (16000, 8000), (8000, 24000)])
def test_every_frame_is_twenty_milliseconds_of_the_rate_asked_for(source: int, target: int) -> None:
    crossing, pull = Crossing(target), frames_of(sine(1000, 1.0, source), source // 25)
    out = b""
    for _ in range(50):
        crossing.push(pull() or b"")
        frame = crossing.pull()
        assert frame is not None
        assert len(frame) == target // 25
        out += frame
    hertz, level = tone(out[target // 2 :][:target], target)
    assert hertz == pytest.approx(1000, abs=2)
    assert level == pytest.approx(8000, rel=0.02)


def test_frame_too_many_is_gone_after_a_second_and_its_sound_is_not_cut() -> None:
    crossing, pull = Crossing(8000), frames_of(sine(400, 10.0, 8000))
    for _ in range(3):
        crossing.push(pull() or b"")
    out = []
    for _ in range(200):
        crossing.push(pull() or b"")
        frame = crossing.pull()
        assert frame is not None
        out.append(frame)
    assert crossing.pull() is None
    hertz, level = tone(b"".join(out), 8000)
    assert hertz == pytest.approx(400, abs=2)
    assert level == pytest.approx(8000, rel=0.05)


def test_what_nobody_takes_is_forgotten() -> None:
    crossing = Crossing(8000)
    for number in range(1000):
        crossing.push(number.to_bytes(2, "big") * 160)
    kept = []
    while (frame := crossing.pull()) is not None:
        kept.append(int.from_bytes(frame[:2], "big"))
    assert len(kept) <= 4
    assert kept[-1] == 999
    crossing.push(bytes(320))
    crossing.clear()
    assert crossing.pull() is None


@pytest.mark.parametrize(("caller", "destination"), [("8", "8"), ("8", "9"), ("9", "8")])
@on_virtual_time
async def test_early_media_is_heard_by_the_caller_once_and_without_growing_delay(caller: str, destination: str) -> None:
    rates = {"8": 8000, "9": 16000}
    codecs = {"8": "PCMA", "9": "G722"}
    async with bridge(offer(caller, maps=()), far_offer(destination, maps=()), started=False) as made:
        early = early_media(made.other, made.one.sample_rate)
        made.one.source = early.pull
        assert not early.flowing
        await asyncio.sleep(0.3)
        assert not early.flowing
        begun = asyncio.get_running_loop().time()
        far = Peer(made.far, codecs[destination], int(destination))
        words = speech(5.0, rates[destination])
        await far.play(words, address=FAR)
        assert early.flowing
        heard = decoded(since(made.near, begun), codecs[caller])
        if caller == destination:
            original = words if destination == "9" else PCMA.decode(PCMA.encode(words))
            assert likeness(heard, original, rates[caller]) > 0.97
        assert len(heard) / 2 / rates[caller] == pytest.approx(5.0, abs=0.05)
        click = asyncio.get_running_loop().time()
        await far.play(sine(1000, 0.5, rates[destination]), address=FAR)
        packets = since(made.near, click)
        late = decoded(packets[:8], codecs[caller])
        assert tone(late[-rates[caller] // 25 :], rates[caller])[1] > 4000  # within 160 ms of its first packet
        await asyncio.sleep(2.0)
        assert not early.flowing
        early.close()
        early.close()
        assert made.other.sink is None
        assert early.pull() is None


@on_virtual_time
async def test_relay_takes_over_from_early_media() -> None:
    async with bridge(started=False) as made:
        early = early_media(made.other, made.one.sample_rate)
        made.one.source = early.pull
        far = Peer(made.far)
        await far.play(sine(1000, 0.5, 8000), address=FAR)
        relay = Relay(made.one, made.other)
        relay.start()
        early.close()  # late: must not take what is the relay's
        assert made.other.sink is not None
        await far.play(sine(1000, 0.5, 8000), address=FAR)
        packets = made.near.packets()
        assert [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)] == [160] * (
            len(packets) - 1
        )
        assert tone(decoded(packets[-20:], "PCMA"), 8000)[0] == pytest.approx(1000, abs=3)
        relay.close()
