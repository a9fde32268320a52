"""Words without accents, and the answers written in a prompt as ``- keyword, keyword : Answer.`` lines.

Pure text. Shared by the recogniser (what may be said) and the model (what it means).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_KEYWORD_WORDS = 6

_LINE = re.compile(r"^[ \t]*[-*•][ \t]+([^:{}\n]+?)[ \t]*:[ \t]+(\S.*)$", re.MULTILINE)
_HINTS = re.compile(r"\b(?:mots|words)[ \t]*[-–:][ \t]*([^.\n]+)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Lower case, no accents, ligatures opened.

    >>> fold("Où êtes-vous, ŒUVRE ?")
    'ou etes-vous, oeuvre ?'
    """
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """The folded words of a text; apostrophes and hyphens part words."""
    return _WORD.findall(fold(text))


def stem(word: str) -> str:
    """A word without its plural mark, so that ``horaire`` meets ``horaires``."""
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word


@lru_cache(maxsize=4096)
def _stems(phrase: str) -> tuple[str, ...]:
    return tuple(stem(w) for w in words(phrase))


def holds(said: list[str], phrase: str) -> bool:
    """Whether these words hold the phrase: its words in a row, plurals apart. ``said`` comes from ``words``."""
    wanted = _stems(phrase)
    have = [stem(w) for w in said]
    return bool(wanted) and any(tuple(have[i : i + len(wanted)]) == wanted for i in range(len(have)))


def holds_any(said: list[str], phrases: Iterable[str]) -> bool:
    """Whether these words hold one of the phrases."""
    return any(holds(said, phrase) for phrase in phrases)


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of a prompt, and the words that call for it, as written."""

    keywords: tuple[str, ...]
    answer: str


def _keywords(text: str) -> Iterator[str]:
    for part in text.split(","):
        keyword = " ".join(part.split())
        if keyword and len(_stems(keyword)) <= MAX_KEYWORD_WORDS:
            yield keyword


def lines(prompt: str) -> list[Line]:
    """Every ``- keyword, keyword : Answer.`` line of a prompt, in order. Other lines mean nothing here."""
    found = []
    for match in _LINE.finditer(prompt):
        keywords = tuple(_keywords(match[1]))
        if keywords:
            found.append(Line(keywords, match[2].strip()))
    return found


def hints(description: str) -> tuple[str, ...]:
    """The words that call for an action or a transition, when its description lists them: ``Mots : panne, dépannage.``

    >>> hints("Passe le support. Mots : panne, en panne.")
    ('panne', 'en panne')
    """
    return tuple(keyword for match in _HINTS.finditer(description) for keyword in _keywords(match[1]))


def best_line(said: list[str], candidates: Iterable[Line]) -> tuple[Line, int] | None:
    """The line with the longest keyword that was said, and that keyword's length in letters."""
    best: tuple[Line, int] | None = None
    for line in candidates:
        for keyword in line.keywords:
            length = sum(len(w) for w in _stems(keyword))
            if (best is None or length > best[1]) and holds(said, keyword):
                best = (line, length)
    return best
