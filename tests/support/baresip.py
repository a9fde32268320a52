"""baresip as a peer: one call, a file for a microphone, a file of what it heard. Headless, loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.support.audio import NARROW, Pcm, read_wav, resample, silence, write_wav

MODULES = Path("/usr/lib/baresip/modules")
NEEDED = ("account", "aubridge", "aufile", "g711", "menu", "sndfile")


@dataclass(frozen=True, slots=True)
class BaresipCall:
    """How the call went, as baresip tells it."""

    established: bool
    closed: str
    """The reason of the end, in baresip's words; empty when it hung up itself at ``seconds``."""
    heard: Pcm
    """8 kHz."""
    log: str


def _configure(
    folder: Path, port: int, track: Pcm, codecs: tuple[str, ...], rtp: tuple[int, int], more: str = ""
) -> None:
    names = {"PCMA": "PCMA/8000/1", "PCMU": "PCMU/8000/1", "G722": "G722/16000/1"}
    modules = [*NEEDED, *(["g722"] if "G722" in codecs else [])]
    folder.mkdir(parents=True, exist_ok=True)
    microphone = write_wav(folder / "microphone.wav", track)
    lines = [
        f"module_path {MODULES}",
        *(f"module {m}.so" for m in modules if m not in ("account", "menu")),
        "module_app account.so",
        "module_app menu.so",
        f"sip_listen 127.0.0.1:{port}",
        f"audio_source aufile,{microphone}",
        "audio_player aubridge,ear",
        "audio_alert aubridge,bell",
        "ausrc_srate 8000",
        "auplay_srate 8000",
        "audio_channels 1-1",
        f"rtp_ports {rtp[0]}-{rtp[1]}",
        f"snd_path {folder}",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n", "utf-8")
    account = f"<sip:bench@127.0.0.1:{port}>;regint=0;audio_codecs={','.join(names[c] for c in codecs)}{more}\n"
    (folder / "accounts").write_text(account, "utf-8")
    (folder / "contacts").write_text("", "utf-8")


async def call(
    target: str,
    folder: Path,
    *,
    script: list[tuple[float, Pcm]],
    seconds: float,
    port: int = 15480,
    codecs: tuple[str, ...] = ("PCMA",),
    rtp: tuple[int, int] = (36600, 36690),
) -> BaresipCall:
    """Dial ``target``, say each part of ``script`` that many seconds into the call, hang up after ``seconds``.

    Returns sooner when the other side hangs up.
    """
    _configure(folder, port, _track(script, seconds), codecs, rtp)
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder), "-e", f"/dial {target}",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    lines: list[str] = []
    closed = ""
    try:
        async with asyncio.timeout(seconds):
            async for raw in process.stdout:
                line = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace")).rstrip()
                lines.append(line)
                found = re.search(r"session closed:? ?(.*)", line)
                if found:
                    closed = found.group(1) or "closed"
                    break
    except TimeoutError:
        closed = ""
    finally:
        await _quit(process)
    log = "\n".join(lines)
    return BaresipCall("Call established" in log, closed, _heard(folder), log)


def _track(script: list[tuple[float, Pcm]], seconds: float) -> Pcm:
    """A microphone's file: each part that many seconds into the call."""
    track = silence(seconds + 5)
    for at, words in script:
        start = round(at * NARROW)
        track[start : start + len(words)] = words[: len(track) - start]
    return track


@dataclass
class Answering:
    """A baresip that waits for a call to ``uri`` and answers it at once. ``call`` is known after the block."""

    uri: str
    lines: list[str] = field(default_factory=list)
    call: BaresipCall | None = None


@contextlib.asynccontextmanager
async def answering(
    folder: Path,
    *,
    script: list[tuple[float, Pcm]],
    seconds: float,
    port: int = 15481,
    codecs: tuple[str, ...] = ("PCMA",),
    rtp: tuple[int, int] = (36600, 36690),
) -> AsyncIterator[Answering]:
    """Wait for one call as ``sip:bench@127.0.0.1:port``, answer it and say each part that many seconds into it.

    Args:
        seconds: how long the microphone has something to say, or silence.
    """
    _configure(folder, port, _track(script, seconds), codecs, rtp, ";answermode=auto")
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = process.stdout
    assert output is not None
    waiting = Answering(f"sip:bench@127.0.0.1:{port}")
    ready = asyncio.Event()

    async def read() -> None:
        async for raw in output:
            waiting.lines.append(re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace")).rstrip())
            if "baresip is ready" in waiting.lines[-1]:
                ready.set()

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(10):
            await ready.wait()
        yield waiting
    finally:
        if process.returncode is None:
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reading, 5)
        await _quit(process)
        log = "\n".join(waiting.lines)
        closed = re.search(r"session closed:? ?(.*)", log)
        waiting.call = BaresipCall(
            "Call established" in log, (closed.group(1) or "closed") if closed else "", _heard(folder), log
        )


async def _quit(process: asyncio.subprocess.Process) -> None:
    """Let it send its BYE and close its files."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


def _heard(folder: Path) -> Pcm:
    """What sndfile wrote of the decoded side."""
    recordings = sorted(folder.glob("dump-*-dec.wav"))
    if not recordings:
        return np.zeros(0, dtype=np.int16)
    pcm, rate = read_wav(recordings[-1])
    return resample(pcm, rate, NARROW)
