"""The process that makes an index: reads a document (in a further process), has it embedded, writes its passages.

``python -m parlons.knowledge.worker`` takes one task as JSON on its standard input and writes lines of JSON:
``{"progress": 40}``, then ``{"done": …}``, ``{"refused": …}`` or ``{"failed": …}``. Of low priority, and it dies with
the process that started it. What that process asks it by is :func:`carry_out`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ParlonsError
from . import index_writing
from .embedding import BATCH, Embedder, EmbeddingSetup
from .failures import DocumentRefused, EmbeddingFailed, IndexFailed
from .passages import Passage, passages
from .reading import process

EMBED_SECONDS = 60.0
EMBED_TRIES = 3
_PRIORITY = 10
_READ_SHARE = 50
"""Percents of the progress that reading has when there is embedding to do."""


async def carry_out(
    task: Mapping[str, Any], *, seconds: float, progress: Callable[[int], None] = lambda percent: None
) -> Mapping[str, Any]:
    """Have a worker carry out a task, and return what it made.

    Raises:
        DocumentRefused: the document cannot be read.
        EmbeddingFailed, IndexFailed: trying again may work.
    """
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=process.environment(),
        cwd="/",
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                worker.stdin.write(json.dumps({**task, "parent": os.getpid()}).encode())
                await worker.stdin.drain()
                worker.stdin.close()
            async for line in worker.stdout:
                answer: dict[str, Any] = json.loads(line)
                if "progress" in answer:
                    progress(answer["progress"])
                else:
                    return _outcome(answer)
    except TimeoutError:
        raise IndexFailed(f"indexing was not done within {seconds:g} s.") from None
    finally:
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
        await worker.wait()
    raise IndexFailed(f"the process that indexes ended by itself (status {worker.returncode}).")


def _outcome(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "refused" in answer:
        raise DocumentRefused(**answer["refused"])
    if "failed" in answer:
        failed = answer["failed"]
        kind = EmbeddingFailed if failed["embedding"] else IndexFailed
        raise kind(failed["message"], hint=failed["hint"])
    done: Mapping[str, Any] = answer["done"]
    return done


# -- inside the process --------------------------------------------------------------------------------------


def _main() -> None:
    process.die_with_parent()
    os.nice(_PRIORITY)
    task = json.load(sys.stdin)
    if os.getppid() != task["parent"]:
        return  # it died before we could be told
    try:
        answer = {"done": asyncio.run(_carry_out(task))}
    except DocumentRefused as error:
        answer = {"refused": {"reason": error.reason, "message": error.message, "hint": error.hint}}
    except ParlonsError as error:
        embedding = isinstance(error, EmbeddingFailed)
        answer = {"failed": {"embedding": embedding, "message": error.message, "hint": error.hint}}
    _say(answer)


async def _carry_out(task: Mapping[str, Any]) -> dict[str, Any]:
    folder, source_id = Path(task["folder"]), task["source_id"]
    if task["do"] == "remove":
        await index_writing.remove(folder, source_id, task["document_id"])
        return {}
    if task["do"] == "drop":
        await index_writing.drop(folder, source_id)
        return {}
    share = _READ_SHARE if task["embedding"] else 90
    content = await process.read(
        task["name"], Path(task["path"]), progress=lambda percent: _say({"progress": percent * share // 100})
    )
    made = await asyncio.to_thread(passages, content, task["title"])
    vectors = await _embedded(task["embedding"], made)
    kept = await index_writing.replace(
        folder, source_id, task["language"], task["document_id"], task["version"], made, vectors
    )
    return {"passages": len(made), "kept": kept}


async def _embedded(embedding: Mapping[str, str] | None, made: Sequence[Passage]) -> list[list[float]] | None:
    if embedding is None:
        return None
    vectors: list[list[float]] = []
    async with Embedder(EmbeddingSetup(**embedding)) as embedder:
        for first in range(0, len(made), BATCH):
            texts = [f"{passage.title}\n{passage.position}\n{passage.text}" for passage in made[first : first + BATCH]]
            vectors += await _patiently(embedder, texts)
            _say({"progress": _READ_SHARE + len(vectors) * (95 - _READ_SHARE) // len(made)})
    if len({len(vector) for vector in vectors}) != 1:
        raise EmbeddingFailed("the embedding provider's vectors are of several lengths.")
    return vectors


async def _patiently(embedder: Embedder, texts: list[str]) -> list[list[float]]:
    for attempt in range(EMBED_TRIES):
        try:
            return await embedder.embed(texts, seconds=EMBED_SECONDS)
        except EmbeddingFailed:
            if attempt == EMBED_TRIES - 1:
                raise
            await asyncio.sleep(2**attempt)
    raise AssertionError("not reached")


def embedding_task(setup: EmbeddingSetup | None) -> dict[str, str] | None:
    """The part of a task that says where vectors come from; holds the key, so it goes over the pipe alone."""
    return None if setup is None else asdict(setup)


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
