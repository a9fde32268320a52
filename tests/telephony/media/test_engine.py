"""The one clock and the ports."""

from __future__ import annotations

import asyncio
import logging

import pytest

from parlons.errors import LegClosed, PortsExhausted
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.ports import REST_SECONDS, PortPool
from tests.support.virtual_time import VirtualLoop
from tests.telephony.media.support import (
    Ear,
    FakeNetwork,
    Peer,
    engine,
    frames_of,
    leg,
    likeness,
    offer,
    on_virtual_time,
    speech,
)


def stall(seconds: float) -> None:
    """Something blocks the loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.jump(seconds)


@on_virtual_time
async def test_clock_does_not_drift_when_every_tick_is_a_little_late() -> None:
    async with leg() as (_media, port, ear, clock):
        started = asyncio.get_running_loop().time()

        def dawdle() -> bytes | None:
            stall(0.004)
            return None

        _media.source = dawdle
        await asyncio.sleep(60)
        elapsed = asyncio.get_running_loop().time() - started
        assert len(port.sent) == pytest.approx(elapsed * 50, abs=1)
        assert len(ear.frames) == len(port.sent)
        assert clock.gauges()["late_frames"] == 0


@pytest.mark.parametrize(("seconds", "sent_at_once", "late"), [(0.025, 1, 0), (0.045, 2, 0), (0.305, 3, 13)])
@on_virtual_time
async def test_stall_is_caught_up_without_a_burst_and_time_stays_right(
    seconds: float, sent_at_once: int, late: int
) -> None:
    async with leg() as (_media, port, ear, clock):
        await asyncio.sleep(0.51)
        before, heard = port.packets()[-1], len(ear.frames)
        stall(seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        burst = [packet for packet in port.packets() if packet.at > before.at]
        slots = int((seconds + 0.01) / 0.02)
        assert len(burst) == sent_at_once
        assert len(ear.frames) - heard == slots  # voice detection counts frames
        assert (burst[-1].timestamp - before.timestamp) & 0xFFFFFFFF == slots * 160
        assert (burst[-1].sequence - before.sequence) & 0xFFFF == sent_at_once
        assert burst[0].marker == (slots > sent_at_once)
        await asyncio.sleep(0.2)
        following = [packet for packet in port.packets() if packet.at > burst[-1].at]
        assert (following[0].timestamp - burst[-1].timestamp) & 0xFFFFFFFF == 160
        assert following[1].at - following[0].at == pytest.approx(0.02)
        assert clock.gauges()["late_frames"] == late
        assert clock.gauges()["max_lateness_seconds"] == pytest.approx(seconds - 0.01)


@on_virtual_time
async def test_machine_that_slept_for_ten_minutes_goes_on() -> None:
    async with leg() as (_media, port, ear, _clock):
        await asyncio.sleep(0.51)
        before, heard = port.packets()[-1], len(ear.frames)
        stall(600)
        await asyncio.sleep(0.5)
        assert len(ear.frames) - heard < 80
        last = port.packets()[-1]
        ticks = round((last.at - before.at) / 0.02)
        assert (last.timestamp - before.timestamp) & 0xFFFFFFFF == pytest.approx(ticks * 160, abs=160)


@on_virtual_time
async def test_speech_under_way_survives_a_stall_of_our_loop() -> None:
    words = speech(3.0)
    async with leg() as (media, port, ear, _clock):
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, stall, 0.25)
        await Peer(port).play(words)
        await asyncio.sleep(0.3)
        assert likeness(ear.pcm, words) > 0.9
        assert media.stats.lost == 0


@on_virtual_time
async def test_call_back_that_fails_harms_no_other_leg(caplog: pytest.LogCaptureFixture) -> None:
    network = FakeNetwork()
    clock = await engine(network)
    bad, good = clock.open(), clock.open()
    ear = Ear()

    def broken(pcm: bytes) -> None:
        raise RuntimeError("a bug above")

    for media, sink in ((bad, broken), (good, ear)):
        media.remote_offer(offer())
        media.sink = sink
        media.start()
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(0.5)
    assert len(ear.frames) == 24 or len(ear.frames) == 25
    assert good.stats.sent == len(ear.frames)
    assert "call-back" in caplog.text
    await clock.stop()


@on_virtual_time
async def test_call_back_may_close_any_leg(caplog: pytest.LogCaptureFixture) -> None:
    network = FakeNetwork()
    clock = await engine(network)
    first, second = clock.open(), clock.open()
    for media in (first, second):
        media.remote_offer(offer())
        media.start()

    def hang_up(_pcm: bytes) -> None:
        first.close()
        second.close()

    first.sink = hang_up
    await asyncio.sleep(0.1)
    assert clock.gauges()["legs"] == clock.gauges()["ports_in_use"] == 0
    assert first.stats.sent + second.stats.sent == 0
    third = clock.open()
    third.remote_offer(offer())

    def play() -> bytes | None:
        third.close()
        return bytes(320)

    third.source = play
    third.start()
    await asyncio.sleep(0.1)
    assert (clock.gauges()["legs"], third.stats.sent) == (0, 0)
    assert not caplog.records
    await clock.stop()


@on_virtual_time
async def test_leg_started_while_the_clock_idles_begins_within_a_frame() -> None:
    network = FakeNetwork()
    clock = await engine(network)
    await asyncio.sleep(7.013)
    media = clock.open()
    media.remote_offer(offer())
    started = asyncio.get_running_loop().time()
    media.start()
    media.start()
    await asyncio.sleep(0.1)
    packets = network.ports[media.port].packets()
    assert packets[0].at - started <= 0.0201
    assert len(packets) <= 5
    await clock.stop()


@on_virtual_time
async def test_ports_are_even_pairs_and_rest_before_they_are_used_again() -> None:
    network = FakeNetwork()
    clock = await engine(network, first=30001, last=30006)
    first, second = clock.open(), clock.open()
    assert {first.port, second.port} == {30002, 30004}
    assert set(network.ports) == {30002, 30003, 30004, 30005}
    with pytest.raises(PortsExhausted):
        clock.open()
    assert clock.gauges()["ports_in_use"] == 2
    first.close()
    first.close()
    assert clock.gauges()["ports_in_use"] == 1
    assert set(network.ports) == {30004, 30005}
    await asyncio.sleep(REST_SECONDS - 1)
    with pytest.raises(PortsExhausted):
        clock.open()
    await asyncio.sleep(1.1)
    assert clock.open().port == 30002
    await clock.stop()
    assert clock.gauges() == clock.gauges() | {"legs": 0, "ports_in_use": 0}
    with pytest.raises(LegClosed):
        clock.open()


@on_virtual_time
async def test_port_that_somebody_else_holds_is_passed_over() -> None:
    network = FakeNetwork()
    network.open("", 30001)  # as if another process held the first RTCP port
    clock = await engine(network, first=30000, last=30003)
    assert clock.open().port == 30002
    assert 30000 not in network.ports
    with pytest.raises(PortsExhausted):
        clock.open()
    network.ports[30001].close()
    assert clock.open().port == 30000
    await clock.stop()


@on_virtual_time
async def test_address_that_is_not_ours_is_not_called_exhaustion() -> None:
    def refuse(host: str, port: int) -> object:
        raise OSError(99, "Cannot assign requested address")

    pool = PortPool("192.0.2.200", 30000, 30010, refuse)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="Cannot assign"):
        pool.acquire()


@pytest.mark.parametrize("codecs", [[], ["OPUS"], ["PCMA", "GSM"]])
@on_virtual_time
async def test_codecs_must_be_ours(codecs: list[str]) -> None:
    clock = await engine(FakeNetwork())
    with pytest.raises(ValueError, match="codecs must be"):
        clock.open(codecs)
    await clock.stop()


@on_virtual_time
async def test_closed_leg_is_silent_and_drops_its_call_backs() -> None:
    async with leg() as (media, port, ear, _clock):
        media.source = frames_of(speech(1.0))
        await asyncio.sleep(0.1)
        media.close()
        sent, heard = len(port.sent), len(ear.frames)
        media.start()
        await asyncio.sleep(0.5)
        assert (len(port.sent), len(ear.frames)) == (sent, heard)
        assert [media.source, media.sink, media.tap, media.on_dtmf, media.send_info] == [None] * 5
        assert media.silent_seconds == 0.0


async def test_real_ports_are_bound_and_freed() -> None:
    clock = MediaEngine("127.0.0.1", "127.0.0.1", 21040, 21043)
    await clock.start()
    legs = [clock.open(), clock.open()]
    with pytest.raises(PortsExhausted):
        clock.open()
    other = MediaEngine("127.0.0.1", "127.0.0.1", 21040, 21045)
    await other.start()
    assert other.open().port == 21044
    for media in legs:
        media.close()
    assert other.open().port in (21040, 21042)
    await other.stop()
    await clock.stop()


async def test_ipv6_legs_talk() -> None:
    clock = MediaEngine("::1", "::1", 21050, 21059)
    await clock.start()
    try:
        one, two = clock.open(), clock.open()
    except OSError:
        await clock.stop()
        pytest.skip("no IPv6 on this machine")
    one.remote_answer(two.remote_offer(one.local_offer()))
    one.start()
    two.start()
    await asyncio.sleep(0.3)
    assert one.stats.received > 10
    assert two.stats.received > 10
    await clock.stop()
