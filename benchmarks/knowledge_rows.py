"""The row about knowledge: how long a question takes among 10 000 passages. Parlons alone: the peer has none.

The searches run in a process of their own on the server's core (``python -m benchmarks.knowledge_rows FOLDER``),
through the same ``Searches`` as a call's. Passages are made of sentences of the tests' question set, shuffled; the
questions are that set's, French and English.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.knowledge import question_set

from benchmarks import engine, procstat
from benchmarks.bench import Bench, say
from benchmarks.load.measure import percentile
from benchmarks.report import Row, shown
from parlons.knowledge import index_writing
from parlons.knowledge.passages import Passage
from parlons.knowledge.search import AT_ONCE, Searches

PASSAGES = 10_000
DOCUMENTS = 100
SENTENCES = 4
ROUNDS = 5
"""Each question is asked so many times."""


def knowledge_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """From the question to the passages, one question at a time."""
    row = Row(f"knowledge search, {PASSAGES:,} passages, p95", "ms", 20.0, "low", notes=["Parlons alone"])
    for run in range(bench.size.transfer_runs):
        say(f"knowledge: {PASSAGES:,} passages")
        folder = bench.folder / f"knowledge-{run}"
        command = engine.pinned([sys.executable, "-m", "benchmarks.knowledge_rows", str(folder)], bench.server_core)
        done = subprocess.run(command, cwd=engine.ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise engine.EngineFailed("the searches ended by themselves")
        result: dict[str, Any] = json.loads(done.stdout)
        bench.raw.append({"engine": "Parlons knowledge", **result})
        row.measured.append(max(each["p95"] for each in result["languages"].values()))
        if result["unanswered"]:
            row.failed.append(f"{result['unanswered']} of {result['asked']} questions found nothing")
        row.notes.append("; ".join(_note(language, each) for language, each in result["languages"].items()))
        row.notes.append(f"indexed in {result['index_seconds']:.1f} s, {result['memory_mb']:.0f} MB in all")
    return row


def _note(language: str, each: dict[str, float]) -> str:
    return (
        f"{language}: median {shown(each['p50'], 'ms')}, p95 {shown(each['p95'], 'ms')}, worst "
        f"{shown(each['max'], 'ms')}; {AT_ONCE} at a time p95 {shown(each['p95_together'], 'ms')}; the loop was held "
        f"up {shown(each['held_up'], 'ms')} at most"
    )


# -- the process that searches -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ready:
    state: str = "ready"


async def _measure(folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    sets = {language: question_set.load(language) for language in question_set.LANGUAGES}
    for questions in sets.values():
        await _index(folder, questions)
    taken = time.monotonic() - began
    searches = Searches(folder)
    await searches.refresh(dict.fromkeys(sets, _Ready()), None)
    result: dict[str, Any] = {"languages": {}, "asked": 0, "unanswered": 0, "index_seconds": taken}
    for language, questions in sets.items():
        asked = [question.text for question in questions.questions] * ROUNDS
        await _ask(searches, language, asked[:20], 1)  # files and caches
        times, held_up, unanswered = await _ask(searches, language, asked, 1)
        together, _, _ = await _ask(searches, language, asked, AT_ONCE)
        result["asked"] += len(asked)
        result["unanswered"] += unanswered
        result["languages"][language] = {
            "p50": percentile(times, 50),
            "p95": percentile(times, 95),
            "max": max(times),
            "p95_together": percentile(together, 95),
            "held_up": held_up,
        }
    await searches.close()
    return {**result, "memory_mb": procstat.memory_mb(os.getpid())}


async def _index(folder: Path, questions: question_set.QuestionSet) -> None:
    chance = random.Random(7)
    texts = [passage.text for passage in questions.passages.values()]
    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?!])\s", text)]
    each = PASSAGES // DOCUMENTS
    for document in range(DOCUMENTS):
        made = [
            Passage(f"Document {document}", f"row {number}", " ".join(chance.sample(sentences, SENTENCES)))
            for number in range(each)
        ]
        await index_writing.replace(folder, questions.language, questions.language, f"d{document}", 1, made, None)


async def _ask(searches: Searches, source: str, questions: list[str], at_once: int) -> tuple[list[float], float, int]:
    """(milliseconds of each, the longest that the loop was held up, how many found nothing)."""
    times: list[float] = []
    found_nothing = 0
    waiting = iter(questions)

    async def ask() -> None:
        nonlocal found_nothing
        for question in waiting:
            began = time.perf_counter()
            found_nothing += not await searches.search(source, question)
            times.append((time.perf_counter() - began) * 1000)

    held_up = 0.0

    async def watch() -> None:
        nonlocal held_up
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            held_up = max(held_up, (time.perf_counter() - began) * 1000 - 1)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(ask() for _ in range(at_once)))
    watching.cancel()
    return times, held_up, found_nothing


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(Path(sys.argv[1])))))
