"""The load generator against a small server made here, over real sockets: when all is well, and when it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from benchmarks.load import wire
from benchmarks.peers.answerer import Answerer, MakeSession
from benchmarks.peers.floor import parrots

from benchmarks import loadgen
from tests.support.stalls import STALL, own_stalls

from .test_tools import tone

END_OF_SPEECH_MS = 400.0
RTP = range(33000, 33200)


@asynccontextmanager
async def server(make: MakeSession, kind: Callable[..., Answerer] = Answerer) -> AsyncIterator[tuple[Answerer, int]]:
    answerer = kind("127.0.0.1", RTP, make)
    port = await answerer.listen(0)
    yield answerer, port
    await answerer.close()


async def run(tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str], **more: Any) -> dict[str, Any]:
    clip = tmp_path / "utterance.pcm"
    clip.write_bytes(tone(0.5))
    plan: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "user": "bench", "utterance": str(clip), "calls": 3, "rate": 50.0,
        "settle_seconds": 0.7, "cycle_seconds": 1.4, "measure_seconds": 3.0, "end_of_speech_ms": END_OF_SPEECH_MS,
        "rtp_first": 33200, "rtp_last": 33400,
    }  # fmt: skip
    result = await loadgen.run(loadgen.Plan(**plan | more))
    capsys.readouterr()
    return result


async def test_calls_are_answered_talked_to_and_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for again in (True, False):
        async with server(parrots(tone(0.2), END_OF_SPEECH_MS)) as (_, port), own_stalls() as stalled:
            got = await run(tmp_path, port, capsys)
        if stalled[0] < STALL or not again:  # else this process, which is both ends, stood still
            break
    assert (got["placed"], got["answered"], got["ended"], got["failures"]) == (3, 3, 3, {})
    assert got["setup_ms"]["count"] == 3
    # a machine that hiccups moves some frames into the window or out of it; none may be missed for good
    assert got["frames"]["received"] > 0.9 * got["frames"]["expected"] > 100
    assert got["frames"]["lost"] == 0
    assert got["generator"]["without_kernel_time"] == 0
    assert set(got["turns"]) == {"answered"}
    assert got["turns"]["answered"] >= 3
    # the server answers on its next 20 ms; anything wild means that the two ends of a turn are taken wrongly
    assert -30 < got["turn_overhead_ms"]["p50"] < 150


async def test_a_server_that_says_nothing_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with server(parrots(b"", END_OF_SPEECH_MS)) as (_, port):
        got = await run(tmp_path, port, capsys)
    assert set(got["turns"]) == {"unanswered"}
    assert got["turn_overhead_ms"]["p95"] is None


async def test_a_stall_of_the_server_is_late_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Stalling(Answerer):
        stalled = 0.0

        def _tick(self) -> None:
            # skip the sending clock for 0.15 s, once, in the middle of what is measured
            now = asyncio.get_running_loop().time()
            if self._calls and not self.stalled:
                self.stalled = now + 3.2
            if self.stalled and self.stalled < now < self.stalled + 0.15:
                self._timer = asyncio.get_running_loop().call_later(0.01, self._tick)
                return
            super()._tick()

    async with server(parrots(tone(0.2), END_OF_SPEECH_MS), Stalling) as (_, port):
        got = await run(tmp_path, port, capsys)
    assert got["frames"]["late_over_40_ms"] >= 9
    assert got["frames"]["lateness_ms"]["max"] > 100
    assert got["frames"]["gaps_over_60_ms"] >= 3


async def test_a_busy_generator_does_not_make_the_server_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.load import media, sockets

    # every packet is read late, but the kernel knew when it came
    real = media.MediaLeg.readable

    def slow(self: media.MediaLeg) -> None:
        if len(self.stream.arrivals) % 40 == 39:
            time.sleep(0.002)
        real(self)

    monkeypatch.setattr(media.MediaLeg, "readable", slow)
    clock = sockets.KernelClock.receive
    seen: list[float] = []

    def watch(self: sockets.KernelClock, sock: Any, size: int) -> Any:
        got = clock(self, sock, size)
        seen.append(time.monotonic() - got[1])
        return got

    monkeypatch.setattr(sockets.KernelClock, "receive", watch)
    async with server(parrots(tone(0.2), END_OF_SPEECH_MS)) as (_, port):
        await run(tmp_path, port, capsys, measure_seconds=1.0)
    assert max(seen) > 0.0015, "the delay of our own reading is not in the arrival time"
    assert min(seen) > -0.005, "nothing arrives in the future"


async def test_a_lost_invite_is_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Deaf(Answerer):
        dropped = 0

        def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
            if data.startswith(b"INVITE") and not self.dropped:
                self.dropped += 1
                return
            super().datagram_received(data, source)

    async with server(parrots(b"", END_OF_SPEECH_MS), Deaf) as (_, port):
        got = await run(tmp_path, port, capsys, calls=1, hold_seconds=0.1)
    assert (got["answered"], got["ended"], got["sip_repeats"]) == (1, 1, 1)
    assert 500 <= got["setup_ms"]["max"] < 1400, "the wait is the caller's, so it is in the figure"


async def test_a_refusal_is_acknowledged_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Full(Answerer):
        acks = 0

        def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
            message = wire.parse(data)
            assert message is not None
            assert self._transport is not None
            self.acks += message.method == "ACK"
            if message.method == "INVITE":
                self._transport.sendto(wire.respond(message, 503, "Full", to_tag="x"), source)

    async with server(parrots(b"", END_OF_SPEECH_MS), Full) as (answerer, port):
        got = await run(tmp_path, port, capsys)
        assert isinstance(answerer, Full)
        assert answerer.acks == 3
    assert (got["answered"], got["failures"]) == (0, {"refused with 503": 3})
    assert got["turns"] == {}


async def test_a_call_that_the_server_ends_is_answered_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Leaving(Answerer):
        answers: list[bytes] = []

        def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
            message = wire.parse(data)
            if message is not None and message.code:
                self.answers.append(data)
                return
            super().datagram_received(data, source)
            if message is not None and message.method == "ACK":
                lines = [
                    f"BYE sip:bench@{source[0]}:{source[1]} SIP/2.0",
                    "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKbye",
                    f"From: {message.header('to')}",
                    f"To: {message.header('from')}",
                    f"Call-ID: {message.header('call-id')}",
                    "CSeq: 1 BYE",
                ]
                assert self._transport is not None
                self._transport.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), source)

    async with server(parrots(b"", END_OF_SPEECH_MS), Leaving) as (answerer, port):
        got = await run(tmp_path, port, capsys, calls=2, hold_seconds=5.0)
        assert isinstance(answerer, Leaving)
        assert [a.split(b"\r\n")[0] for a in answerer.answers] == [b"SIP/2.0 200 OK"] * 2
    assert (got["ended"], got["hung_up_by_server"]) == (2, 2)
