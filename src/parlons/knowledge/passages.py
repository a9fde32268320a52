"""Sections become passages: short enough to be read to a caller, whole enough to be understood. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .failures import DocumentRefused
from .reading.sections import Content, Section

TARGET_WORDS = 120
"""A passage is closed once it has this many words."""
MAX_WORDS = 160
MAX_CHARACTERS = 1_600
"""For scripts without spaces between words."""
MIN_WORDS = 25
"""A section shorter than this is joined with the next one under the same headings or on the next page."""
MAX_PASSAGES = 50_000
MAX_TITLE = 200
MAX_POSITION = 300

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[\"'«“(\[]?[A-ZÀ-ÖØ-Þ0-9])|(?<=[。！？])")
_PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search gives back. ``position``: ``page 3``, ``row 12``, ``part 2``, or headings."""

    title: str
    position: str
    text: str


def passages(content: Content, name: str) -> list[Passage]:
    """The passages of a document.

    Args:
        name: its title when it has none of its own.

    Raises:
        DocumentRefused: no text, or too many passages.
    """
    title = clean(content.title or name)[:MAX_TITLE]
    made = list(islice(_passages(content, title), MAX_PASSAGES + 1))
    if len(made) > MAX_PASSAGES:
        raise DocumentRefused("too_big", f"The document holds over {MAX_PASSAGES:,} passages.", hint="Split it.")
    if not made:
        raise DocumentRefused("no_text", "The document holds no text.")
    return made


def clean(text: str) -> str:
    """Text that every store takes: no NUL, no lone surrogates, no control characters but line breaks, NFC."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = re.sub(r"[^\S\n]+", " ", re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", " ", text))
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


def _passages(content: Content, title: str) -> Iterator[Passage]:
    only = len(content.sections) == 1 and not content.sections[0].position
    for section in _joined(content.sections):
        for number, text in enumerate(_pieces(section.text), start=1):
            position = f"part {number}" if only else section.position
            yield Passage(title, clean(position)[:MAX_POSITION], text)


def _joined(sections: list[Section]) -> Iterator[Section]:
    """Cleaned sections; rows and pages stay alone, a heading with next to nothing below it does not."""
    waiting: Section | None = None
    for section in sections:
        text = clean(section.text)
        if not text:
            continue
        if waiting is not None:
            if _same_place(waiting.position, section.position):
                text = f"{waiting.text}\n\n{section.position.split(' > ')[-1]}: {text}"
                section = Section(waiting.position, text)
            else:
                yield waiting
            waiting = None
        made = Section(section.position, text)
        if len(text.split()) < MIN_WORDS and len(text) < MIN_WORDS * 8 and not _counted(section.position):
            waiting = made
        else:
            yield made
    if waiting is not None:
        yield waiting


def _counted(position: str) -> bool:
    return not position or re.fullmatch(r"(page|row) \d+", position) is not None


def _same_place(first: str, second: str) -> bool:
    """Whether a section stands under the heading of the one before it, not beside it."""
    return second.startswith(f"{first} > ")


def _pieces(text: str) -> Iterator[str]:
    """Cut at paragraphs, else at sentences, else anywhere, so that no piece is over the bounds."""
    piece: list[str] = []
    words = characters = 0
    for part in _parts(text):
        count = len(part.split())
        if piece and (words + count > MAX_WORDS or characters + len(part) > MAX_CHARACTERS or words >= TARGET_WORDS):
            yield "".join(piece).strip()
            piece, words, characters = [], 0, 0
        piece.append(part)
        words, characters = words + count, characters + len(part)
    if last := "".join(piece).strip():
        yield last


def _parts(text: str) -> Iterator[str]:
    for paragraph in _PARAGRAPH.split(text):
        if not _over(paragraph):
            yield f"{paragraph}\n\n"
            continue
        for sentence in _SENTENCE_END.split(paragraph):
            yield from _cut(f"{sentence} ") if _over(sentence) else (f"{sentence} ",)
        yield "\n\n"


def _over(text: str) -> bool:
    return len(text) > MAX_CHARACTERS or len(text.split()) > MAX_WORDS


def _cut(text: str) -> Iterator[str]:
    words: list[str] = []
    length = 0
    for word in text.split():
        while len(word) > MAX_CHARACTERS:
            yield word[:MAX_CHARACTERS]
            word = word[MAX_CHARACTERS:]
        if words and (len(words) >= MAX_WORDS or length + len(word) > MAX_CHARACTERS - 1):
            yield " ".join(words) + " "
            words, length = [], 0
        words.append(word)
        length += len(word) + 1
    if words:
        yield " ".join(words) + " "
