"""What reading a document gives: its title and its text, cut where the document itself is cut."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 20_000_000
"""Characters of text of one document: some ten thousand pages."""


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of text and where it is: ``page 3``, ``row 12``, or the headings it stands under."""

    position: str
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """A document that was read."""

    title: str
    sections: list[Section]
