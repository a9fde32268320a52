"""Text, Markdown and CSV as sections. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from ..failures import DocumentRefused
from .sections import Content, Section

MAX_CELL = 100_000
MAX_HEADINGS_SHOWN = 3
_SEPARATORS = ",;\t|"
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_MARKS = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"`([^`]*)`"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])"), r"\1"),
)


def decode(data: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with its mark, else Windows-1252. Raises DocumentRefused."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        raise DocumentRefused(
            "not_text", "The text is neither UTF-8 nor Windows-1252.", hint="Save it as UTF-8."
        ) from None


def plain(text: str) -> Content:
    """One section; where its passages are is told by their number."""
    return Content("", [Section("", text)])


def markdown(text: str) -> Content:
    """A section for each heading, its position the headings it stands under."""
    title, sections = "", list[Section]()
    open_headings: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False

    def close() -> None:
        body = unmarked("\n".join(lines)).strip()
        if body:
            shown = [words for _, words in open_headings][-MAX_HEADINGS_SHOWN:]
            sections.append(Section(" > ".join(shown), body))
        lines.clear()

    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            continue
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        close()
        level, words = len(heading[1]), unmarked(heading[2]).strip()
        open_headings = [(above, text) for above, text in open_headings if above < level]
        if words:
            open_headings.append((level, words))
            title = title or words
    close()
    return Content(title, sections)


def unmarked(text: str) -> str:
    """Markdown without the marks that nobody says: links, emphasis, pictures, escapes, table rules."""
    for pattern, kept in _MARKS:
        text = pattern.sub(kept, text)
    lines = (line for line in text.splitlines() if not re.fullmatch(r"\s*\|?[\s:|-]{3,}\|?\s*", line))
    return "\n".join(re.sub(r"\s*\|\s*", "  ", line).strip() if "|" in line else line for line in lines)


def table(text: str) -> Content:
    """A section for each row: ``heading: value`` for each cell that is not blank.

    Raises:
        DocumentRefused: a cell is too long, as when a quote is never closed.
    """
    rows = _rows(text)
    headings = next(rows, (0, []))[1]
    sections = []
    for number, cells in rows:
        named = [
            f"{headings[index].strip()}: {cell.strip()}" if index < len(headings) and headings[index].strip() else cell
            for index, cell in enumerate(cells)
            if cell.strip()
        ]
        if named:
            sections.append(Section(f"row {number}", "\n".join(named)))
    if not sections:
        raise DocumentRefused("no_text", "The table has no row below its headings.")
    return Content("", sections)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        separator, text = first.strip()[4], text.replace(first, "", 1)
    else:
        separator = max(_SEPARATORS, key=first.count)
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t")
    number = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                number += 1
                yield number, cells
    except csv.Error:
        raise DocumentRefused(
            "damaged",
            f"The table cannot be read from line {reader.line_num} on.",
            hint="Look for a quote that is never closed.",
        ) from None
