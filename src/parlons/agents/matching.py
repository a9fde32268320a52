"""Whom the caller wants, among many: destinations whose descriptions resemble some words. Pure.

Words count by how rare they are among the descriptions, so "support Lyon" finds the one in Lyon among forty supports.
A word matches itself, a word that it begins (or that begins it), and one a slip of the ear or of the finger away.
Case, accents and punctuation never matter.
"""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from .actions import Destination

MAX_WORDS = 24
"""Words of a request that are looked at; more is not a description of anybody."""

_CUT = 0.5
"""Results with less than this share of the best score are left out."""
_MIN_PREFIX = 3
_MIN_TYPO = 4
_SHARED_PAIRS = 0.4
"""Share of letter pairs (Dice) below which two words are not compared further."""
_ALIKE = 0.72
"""``SequenceMatcher.ratio`` from which two words count as one with a slip in it."""
_COMPARED = 24
"""Words compared closely for each word that is not found as it is."""

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
_DOTTED = re.compile(r"\b(?:\w\.){2,}(?:\w\b)?")
_SMALL = frozenset(
    "a au aux avec ce ces cette d de des du elle en et il je j l la le les leur m ma me mes moi mon n ne nous on ou "
    "par pas pour qu que qui s sa se ses si son sur t te un une voudrais veux souhaite aimerais parler joindre svp "
    "plait monsieur madame mr mme "
    "an and at for from i in is it like my of or please somebody someone speak talk that the their to want with would "
    "you your".split()
)
"""Words that describe nobody. Looked at only when a request holds no other."""


def match(who: str, destinations: Sequence[Destination], limit: int = 5) -> list[int]:
    """Indexes of the destinations that ``who`` may mean, best first. For one question; else keep an index."""
    return DescriptionIndex(destinations).match(who, limit)


class DescriptionIndex:
    """Destinations made ready for many questions. Made once for a version of an agent; never changes."""

    def __init__(self, destinations: Sequence[Destination]) -> None:
        self._lengths: list[int] = []
        holders: dict[str, list[int]] = defaultdict(list)
        for index, destination in enumerate(destinations):
            words = dict.fromkeys(_words(f"{destination.description} {destination.extension or ''}"))
            self._lengths.append(sum(word not in _SMALL for word in words) or len(words))
            for word in words:
                holders[word].append(index)
        self._holders = dict(holders)
        self._by_start: dict[str, list[str]] = defaultdict(list)
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        for word in self._holders:
            self._by_start[word[:_MIN_PREFIX]].append(word)
            if _may_slip(word):
                for pair in _pairs(word):
                    self._by_pair[pair].append(word)

    def match(self, who: str, limit: int = 5) -> list[int]:
        """Indexes of the destinations that ``who`` may mean, best first; none when nothing resembles it.

        Args:
            who: what the model understood, any text.
            limit: at most so many; more than 0.
        """
        words = list(dict.fromkeys(_words(who)))
        words = ([w for w in words if w not in _SMALL] or words)[:MAX_WORDS]
        scores: dict[int, float] = defaultdict(float)
        found: dict[int, int] = defaultdict(int)
        for word in words:
            best: dict[int, float] = {}
            for other, likeness in self._alike(word).items():
                holders = self._holders[other]
                weight = likeness * math.log(1 + len(self._lengths) / len(holders))
                for index in holders:
                    if weight > best.get(index, 0.0):
                        best[index] = weight
            for index, weight in best.items():
                scores[index] += weight
                found[index] += 1
        if not scores:
            return []
        ranked = {
            index: score * (0.8 + 0.2 * min(found[index] / self._lengths[index], 1.0))
            for index, score in scores.items()
        }
        floor = _CUT * max(ranked.values())
        kept = (index for index, score in ranked.items() if score >= floor)
        return heapq.nsmallest(limit, kept, key=lambda index: (-ranked[index], index))

    def _alike(self, word: str) -> dict[str, float]:
        """Known words that ``word`` may be, with how much it is like them: 1.0 for itself."""
        found: dict[str, float] = {}
        if word in self._holders:
            found[word] = 1.0
        if len(word) >= _MIN_PREFIX:
            for other in self._by_start.get(word[:_MIN_PREFIX], ()):
                short, long = sorted((word, other), key=len)
                if other != word and long.startswith(short) and not other.isdecimal():  # room 204 is not room 2045
                    found[other] = 0.5 + 0.4 * len(short) / len(long)
        return found or dict(self._slips(word))

    def _slips(self, word: str) -> Iterable[tuple[str, float]]:
        """Known words that differ by a slip or two."""
        if not _may_slip(word):
            return
        mine = _pairs(word)
        shared: dict[str, int] = defaultdict(int)
        for pair in mine:
            for other in self._by_pair.get(pair, ()):
                shared[other] += 1
        likeness = ((2 * count / (len(mine) + len(other) + 1), other) for other, count in shared.items())
        for dice, other in heapq.nlargest(_COMPARED, likeness):
            if dice < _SHARED_PAIRS:
                return
            ratio = SequenceMatcher(None, word, other, autojunk=False).ratio()
            if ratio >= _ALIKE:
                yield other, 0.8 * ratio


def _words(text: str) -> list[str]:
    """Words without case, accents and punctuation; S.A.V. is one word."""
    joined = _DOTTED.sub(lambda found: found.group().replace(".", ""), text)
    plain = unicodedata.normalize("NFKD", joined.casefold().translate(_LIGATURES))
    folded = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", folded)


def _may_slip(word: str) -> bool:
    return len(word) >= _MIN_TYPO and not any(c.isdecimal() for c in word)


def _pairs(word: str) -> set[str]:
    """Pairs of neighbouring letters, the ends marked."""
    marked = f"^{word}$"
    return {marked[i : i + 2] for i in range(len(marked) - 1)}
