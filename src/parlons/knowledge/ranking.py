"""The rankings of words and of vectors made one, by ranks alone: their scores cannot be compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .index import Found

RANK_CONSTANT = 10
"""Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): rank r of a list is worth 1 / (constant + r)."""
VECTOR_WEIGHT = 0.7
"""What a rank by vector is worth beside one by words: a model may not know the language well (ADR 9)."""


def fused(by_words: Sequence[Found], by_vector: Sequence[Found], limit: int) -> list[Found]:
    """The best of both; equal ones in the order of their words."""
    scores: dict[str, float] = {}
    passages: dict[str, Found] = {}
    for ranking, weight in ((by_words, 1.0), (by_vector, VECTOR_WEIGHT)):
        for rank, found in enumerate(ranking, start=1):
            scores[found.passage_id] = scores.get(found.passage_id, 0.0) + weight / (RANK_CONSTANT + rank)
            passages.setdefault(found.passage_id, found)
    best = sorted(scores, key=lambda passage_id: -scores[passage_id])[:limit]
    return [replace(passages[passage_id], score=round(scores[passage_id], 6)) for passage_id in best]
