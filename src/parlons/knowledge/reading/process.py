"""The process that reads one document, and whoever starts it: limits on memory, time and output, and a clear reason.

``python -m parlons.knowledge.reading.process NAME`` reads the document on its standard input and writes lines of JSON:
``{"progress": 40}``, then ``{"content": …}`` or ``{"refused": …}``. It has no part of our environment but the path.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..failures import DocumentRefused
from .sections import MAX_TEXT, Content, Section

MAX_BYTES = 50 * 1024 * 1024
"""Of one document, as given."""
_MAX_LINE = 8 * MAX_TEXT
_PRIORITY = 15
_PDEATHSIG = 1

_TOO_HEAVY = "Reading the document takes more {} than a document may."


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may take: bytes of address space, seconds of CPU, seconds by the clock."""

    memory: int = 2 * 1024**3
    cpu_seconds: int = 120
    seconds: float = 240.0


async def read(
    name: str, path: Path, *, limits: Limits | None = None, progress: Callable[[int], None] = lambda percent: None
) -> Content:
    """Read a document in a process of its own.

    Args:
        name: as a person gave it; its ending decides between kinds of text.
        progress: told of percents, while it is read.

    Raises:
        DocumentRefused: with the reason.
    """
    limits = limits or Limits()
    size = await asyncio.to_thread(lambda: path.stat().st_size)
    if size > MAX_BYTES:
        raise too_big(size)
    with await asyncio.to_thread(path.open, "rb") as source:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            f"document{_ending(name)}",
            str(limits.memory),
            str(limits.cpu_seconds),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MAX_LINE,
            cwd="/",
            env=environment(),
        )
    try:
        async with asyncio.timeout(limits.seconds):
            answer = await _answer(process, progress)
            await process.wait()
    except TimeoutError:
        raise _heavy("time") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if answer is None:
        raise _heavy("time" if process.returncode == -signal.SIGXCPU else "memory")
    if "refused" in answer:
        raise DocumentRefused(**answer["refused"])
    return await asyncio.to_thread(_content, answer["content"])


def _ending(name: str) -> str:
    """All that is told of a name: what a person called a file may hold anything."""
    ending = PurePosixPath(name.lower()).suffix
    return ending if re.fullmatch(r"\.[a-z0-9]{1,10}", ending) else ""


def environment() -> dict[str, str]:
    """What a process that reads or indexes sees of our environment: no key and no address is among it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "LANCEDB_LOG": "error"}


def too_big(size: int) -> DocumentRefused:
    return DocumentRefused(
        "too_big", f"The document has {size:,} bytes; {MAX_BYTES:,} (50 MB) are allowed.", hint="Split it."
    )


async def _answer(process: asyncio.subprocess.Process, progress: Callable[[int], None]) -> dict[str, Any] | None:
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:  # longer than the limit
            raise _heavy("room") from None
        if not line:
            return None
        if line.startswith(b'{"progress"'):
            progress(int(json.loads(line)["progress"]))
        else:
            made: dict[str, Any] = await asyncio.to_thread(json.loads, line)
            return made


def _heavy(what: str) -> DocumentRefused:
    return DocumentRefused("too_heavy", _TOO_HEAVY.format(what), hint="Split it, or save it in a simpler form.")


def _content(data: dict[str, Any]) -> Content:
    return Content(data["title"], [Section(**section) for section in data["sections"]])


# -- inside the process --------------------------------------------------------------------------------------


def die_with_parent() -> None:
    """Called in a process that was started: it ends when the one that started it does, however that ends (Linux)."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def _main(name: str, memory: int, cpu_seconds: int) -> None:
    die_with_parent()
    os.nice(_PRIORITY)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, memory),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        answer = _read(name, data)
    except DocumentRefused as refused:
        answer = _refusal(refused)
    except MemoryError:
        answer = _refusal(_heavy("memory"))
    _say(answer)


def _refusal(error: DocumentRefused) -> dict[str, Any]:
    return {"refused": {"reason": error.reason, "message": error.message, "hint": error.hint}}


def _read(name: str, data: bytes) -> dict[str, Any]:
    from .documents import read as read_document

    if len(data) > MAX_BYTES:
        raise too_big(len(data))
    told = [0]

    def progress(percent: int) -> None:
        if percent >= told[0] + 5:
            told[0] = percent
            _say({"progress": percent})

    try:
        content = read_document(name, data, progress)
    except (DocumentRefused, MemoryError):
        raise
    except RecursionError:
        raise DocumentRefused(
            "too_heavy", "The document is nested too deep.", hint="Save it in a simpler form."
        ) from None
    except Exception as error:  # each reader raises its own, and more on damaged input
        raise DocumentRefused(
            "damaged", f"The document is damaged ({type(error).__name__}).", hint="Save it again, or as another kind."
        ) from None
    if sum(len(section.text) for section in content.sections) > MAX_TEXT:
        raise DocumentRefused("too_big", f"The document holds over {MAX_TEXT:,} characters.", hint="Split it.")
    return {"content": asdict(content)}


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
