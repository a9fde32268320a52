"""The port's two call-backs: segments reported once, positions exact, nothing piles up, stored audio plays whole."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from parlons.conversation.audio import MAX_BUFFERED_SECONDS, PortInput, PortOutput, SpokenText, play_pcm
from tests.support.fakes import FRAME_BYTES, RATE, FakePort
from tests.support.virtual_time import run


def frame(seconds: float, value: int = 1000) -> rtc.AudioFrame:
    samples = round(seconds * RATE)
    data = (np.ones(samples, dtype="<i2") * value).tobytes()
    return rtc.AudioFrame(data=data, sample_rate=RATE, num_channels=1, samples_per_channel=samples)


class Output:
    """A PortOutput and the events it gave."""

    def __init__(self) -> None:
        self.text = SpokenText()
        self.port = PortOutput(RATE, self.text)
        self.started: list[float] = []
        self.finished: list[io.PlaybackFinishedEvent] = []
        self.port.on("playback_started", lambda event: self.started.append(event.created_at))
        self.port.on("playback_finished", self.finished.append)

    def pull(self, frames: int) -> list[bytes | None]:
        return [self.port.pull() for _ in range(frames)]


def test_a_segment_plays_to_its_last_sample_and_is_reported_once() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.05))
        out.port.flush()
        pulled = out.pull(5)
        assert [p is None for p in pulled] == [False, False, False, True, True]
        assert pulled[2] is not None
        assert len(pulled[2]) == FRAME_BYTES
        assert pulled[2][FRAME_BYTES // 2 :] == bytes(FRAME_BYTES // 2), "padded, not cut"
        assert len(out.started) == 1
        (event,) = out.finished
        assert event.playback_position == pytest.approx(0.05)
        assert not event.interrupted
        assert out.port.idle

    run(scenario())


def test_finished_only_after_the_last_frame_was_pulled() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.04))
        out.port.flush()
        out.pull(2)
        assert out.finished == []
        out.pull(1)
        assert len(out.finished) == 1

    run(scenario())


def test_an_underrun_is_silence_and_not_the_end() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.03))
        assert [p is None for p in out.pull(3)] == [False, True, True]
        await out.port.capture_frame(frame(0.01))
        out.port.flush()
        assert out.pull(1)[0] is not None
        out.pull(1)
        assert out.finished[0].playback_position == pytest.approx(0.04)

    run(scenario())


def test_pause_keeps_what_is_left() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.1))
        out.port.flush()
        out.pull(2)
        out.port.pause()
        assert out.pull(10) == [None] * 10
        out.port.resume()
        assert sum(p is not None for p in out.pull(10)) == 3
        assert out.finished[0].playback_position == pytest.approx(0.1)

    run(scenario())


def test_clearing_reports_what_was_sent_and_the_words_heard() -> None:
    async def scenario() -> None:
        out = Output()
        await out.text.capture_text("Un deux trois quatre cinq")
        out.text.flush()
        await out.port.capture_frame(frame(2.5))
        out.port.flush()
        out.pull(50)
        out.port.clear_buffer()
        out.port.clear_buffer()
        (event,) = out.finished
        assert event.playback_position == pytest.approx(1.0)
        assert event.interrupted
        assert event.synchronized_transcript == "Un deux"
        assert out.pull(3) == [None] * 3

    run(scenario())


def test_cleared_while_more_is_coming_drops_the_rest_of_the_segment() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.1))
        out.pull(1)
        out.port.clear_buffer()
        await out.port.capture_frame(frame(0.1))
        assert out.pull(2) == [None, None]
        out.port.flush()
        await out.port.capture_frame(frame(0.02))
        out.port.flush()
        assert out.pull(1)[0] is not None
        out.pull(1)
        assert [event.interrupted for event in out.finished] == [True, False]

    run(scenario())


def test_clearing_a_paused_segment_unpauses_the_next() -> None:
    async def scenario() -> None:
        out = Output()
        await out.port.capture_frame(frame(0.1))
        out.port.pause()
        out.port.clear_buffer()
        out.port.flush()
        await out.port.capture_frame(frame(0.02))
        out.port.flush()
        assert out.pull(1)[0] is not None

    run(scenario())


def test_audio_does_not_pile_up() -> None:
    async def scenario() -> None:
        out = Output()

        async def produce() -> None:
            for _ in range(200):
                await out.port.capture_frame(frame(1.0))
            out.port.flush()

        producing = asyncio.create_task(produce())
        await asyncio.sleep(1)
        assert not producing.done()
        assert len(out.port._buffer) <= (MAX_BUFFERED_SECONDS + 1) * RATE * 2
        out.pull(200 * 50 // 2)
        await asyncio.sleep(1)
        out.port.clear_buffer()
        await asyncio.wait_for(producing, 1)

    run(scenario())


@pytest.mark.parametrize(
    ("position", "duration", "heard"),
    [
        (0.0, 2.0, ""),
        (2.0, 2.0, "Un deux trois"),
        (1.0, 2.0, "Un"),
        (1.3, 2.0, "Un deux"),
        (0.1, 2.0, ""),
        (0.5, None, "Un deux"),
        (9.0, None, "Un deux trois"),
        (1.0, 0.0, ""),
    ],
)
def test_words_heard(position: float, duration: float | None, heard: str) -> None:
    async def scenario() -> None:
        text = SpokenText()
        await text.capture_text("Un deux trois")
        assert text.heard(position, duration) == heard

    run(scenario())


def test_the_next_text_begins_anew() -> None:
    async def scenario() -> None:
        text = SpokenText()
        await text.capture_text("Premier")
        text.flush()
        await text.capture_text("Second")
        assert text.heard(9, 1) == "Second"

    run(scenario())


def test_input_is_bounded_and_drops_the_oldest() -> None:
    async def scenario() -> None:
        source = PortInput(RATE)
        for number in range(1000):
            source.push(bytes([number % 256]) * FRAME_BYTES)
        first = await anext(source)
        assert first.samples_per_channel == 320
        assert bytes(first.data)[0] == (1000 - 100) % 256

    run(scenario())


# -- stored audio --------------------------------------------------------------------------------------------------


def test_stored_audio_plays_to_its_last_sample() -> None:
    async def scenario() -> None:
        port = FakePort(deque())
        port.run()
        pcm = (np.ones(RATE + 40, dtype="<i2") * 1000).tobytes()
        assert await play_pcm(port, pcm, RATE) is True
        assert port.source is None
        assert b"".join(f for _, f in port.spoken)[: len(pcm)] == pcm
        assert len(port.spoken) == 51
        await port.stop()

    run(scenario())


def test_stored_audio_on_a_port_that_no_longer_pulls_gives_up() -> None:
    async def scenario() -> None:
        port = FakePort(deque())
        began = asyncio.get_running_loop().time()
        assert await play_pcm(port, bytes(RATE * 2), RATE) is False
        assert asyncio.get_running_loop().time() - began == pytest.approx(3.0, abs=0.1)
        assert port.source is None

    run(scenario())


def test_stored_audio_leaves_alone_a_source_that_came_after_it() -> None:
    async def scenario() -> None:
        port = FakePort(deque())
        playing = asyncio.create_task(play_pcm(port, bytes(RATE * 2), RATE))
        await asyncio.sleep(0.5)

        def other() -> bytes | None:
            return None

        port.source = other
        await playing
        assert port.source is other

    run(scenario())


@pytest.mark.parametrize(("rate", "port_rate"), [(22050, 8000), (24000, 8000), (8000, 16000)])
def test_stored_audio_at_another_rate_keeps_its_tone(rate: int, port_rate: int) -> None:
    async def scenario() -> None:
        port = FakePort(deque(), rate=port_rate)
        port.run()
        time = np.arange(rate) / rate
        tone = (8000 * np.sin(2 * np.pi * 1000 * time)).astype("<i2").tobytes()
        assert await play_pcm(port, tone, rate) is True
        await port.stop()
        sent = np.frombuffer(b"".join(frame for _, frame in port.spoken), dtype="<i2")[:port_rate]
        assert len(sent) == port_rate
        assert int(np.abs(np.fft.rfft(sent.astype(float))).argmax()) == 1000

    run(scenario())
