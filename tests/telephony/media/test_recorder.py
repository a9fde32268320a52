from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import wave
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from parlons.telephony.media.recorder import Recorder

LEFT = np.full(160, 1000, "<i2").tobytes()
RIGHT = np.full(160, -2000, "<i2").tobytes()


def sides(path: Path) -> tuple[int, np.ndarray]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


@pytest.mark.parametrize("frames", [1, 50, 137])
async def test_every_frame_is_in_the_file_left_caller_right_agent(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "2026" / "call.wav"
    recorder = Recorder(path, 8000)
    for _ in range(frames):
        recorder.tap(LEFT, RIGHT)
        await asyncio.sleep(0)
    await recorder.close()
    await recorder.close()
    recorder.tap(LEFT, RIGHT)
    rate, samples = sides(path)
    assert rate == 8000
    assert samples.shape == (frames * 160, 2)
    assert (samples[:, 0] == 1000).all()
    assert (samples[:, 1] == -2000).all()


async def test_muted_stretch_is_silence_and_keeps_its_length(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "call.wav", 8000)
    for number in range(30):
        recorder.muted = 10 <= number < 20
        recorder.tap(LEFT, RIGHT)
    await recorder.close()
    samples = sides(tmp_path / "call.wav")[1].reshape(30, 160, 2)
    assert not samples[10:20].any()
    assert samples[:10].all()
    assert samples[20:].all()


async def test_slow_disk_costs_silence_not_memory(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "call.wav", 8000)
    release = threading.Event()
    write = recorder._write

    def slow(chunk: tuple[bytes, bytes] | int) -> None:
        release.wait(10)
        write(chunk)

    with mock.patch.object(recorder, "_write", slow):
        for _ in range(50 * 60):  # a minute while the disk stands still
            recorder.tap(LEFT, RIGHT)
        waiting = sum(len(chunk[0]) + len(chunk[1]) for chunk in recorder._waiting if not isinstance(chunk, int))
        assert waiting <= 21 * 50 * 640
        release.set()
        await recorder.close()
    assert recorder.dropped_frames == 39 * 50
    samples = sides(recorder.path)[1]
    assert len(samples) == 50 * 60 * 160
    assert not samples[-1000:].any()


async def test_disk_error_ends_the_recording_not_the_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recorder = Recorder(tmp_path / "file" / "call.wav", 8000)
    for _ in range(120):
        recorder.tap(LEFT, RIGHT)
        await asyncio.sleep(0)
    await recorder.close()
    assert isinstance(recorder.error, OSError)


def test_file_is_valid_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    script = textwrap.dedent(
        f"""
        import asyncio, pathlib
        from parlons.telephony.media.recorder import Recorder
        async def main():
            recorder = Recorder(pathlib.Path({str(path)!r}), 8000)
            for number in range(10**9):
                recorder.tap({LEFT!r}, {RIGHT!r})
                if number == 275:
                    while recorder._writing is not None:
                        await asyncio.sleep(0.01)
                    print("ready", flush=True)
                    await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    samples = sides(path)[1]
    assert len(samples) == 250 * 160  # what is missing is under a second, plus what waits for the disk
    assert (samples[:, 0] == 1000).all()
