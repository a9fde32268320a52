"""CSV as spreadsheets write it: encodings, separators, headings, quotes that are never closed. Pure.

Reads the two columns of a list of destinations and the line each row starts on; knows nothing of phone numbers.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..errors import ConfigurationError

MAX_ROW_LINES = 600
"""A row over more lines than this has a quote that is never closed."""

_SEPARATORS = (",", ";", "\t")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .ods and .xls files begin."""
_FORMULA = re.compile(r"^(?=[ \xa0]*[=+@＝＋－＠\t\r\n-])")
_FORMULA_INSIDE = re.compile(r"""(?<=[,;\t\r\n])(?=[\s\xa0"]*[=+@＝＋－＠-])""")
"""Before what makes a spreadsheet run a cell, full-width forms too; the second in case that a file is split at another
separator than its own."""
_SAVE = "Save it as “CSV UTF-8” and try again."
_HEADING = "The first row must hold the headings phone and, if you like, description."
_QUOTES = "a quote is never closed, or stands inside quoted text: close it, or write the one inside twice"


@dataclass(frozen=True, slots=True)
class Record:
    """One row that is not blank. ``problem`` says why its cells cannot be used; empty when they can."""

    line: int
    phone: str
    description: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows below its headings."""

    rows: list[Record]
    separator: str
    ignored: tuple[str, ...]
    """Headings that are neither phone nor description, as written."""


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file, and the name of its encoding.

    Raises:
        ConfigurationError: not text, or text in UTF-16 or another encoding.
    """
    if data.startswith(_WORKBOOKS):
        raise ConfigurationError("The file is a workbook, not a CSV file.", hint=_SAVE)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError("The file is in UTF-16.", hint=_SAVE)
    if b"\0" in data:
        raise ConfigurationError("The file holds zero bytes: it is UTF-16 or not text at all.", hint=_SAVE)
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if data.startswith(b"\xef\xbb\xbf"):
            raise ConfigurationError(f"The file says that it is UTF-8, and line {line} is not.", hint=_SAVE) from None
    try:
        return data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"The file is neither UTF-8 nor Windows-1252 (line {line}).", hint=_SAVE) from None


def parse(text: str, most: int) -> Table:
    """Read a table with a heading row and at most ``most`` other rows that are not blank.

    Raises:
        ConfigurationError: empty, too long, or its headings cannot be used; with the fix.
    """
    lines = list(io.StringIO(text, newline=""))
    first = 0
    hint = lines[0].strip().lower() if lines else ""
    separators: Sequence[str] = _SEPARATORS
    if hint.startswith("sep=") and hint[4:] in (",", ";", ""):  # a line that Excel takes as the separator
        first, separators = 1, (hint[4:] or "\t",)
    while first < len(lines) and not lines[first].strip(' ,;\t\r\n"'):
        first += 1
    if first == len(lines):
        raise ConfigurationError("The file is empty.", hint=_HEADING)
    start, headings, separator = _headings(lines, first, separators)
    folded = [_folded(h) for h in headings]
    for name in ("phone", "description"):
        if folded.count(name) > 1:
            raise ConfigurationError(f"Two columns are called {name}.", hint="Remove or rename one.")
    phone = folded.index("phone")
    description = folded.index("description") if "description" in folded else None
    ignored = tuple(
        h.strip() for h, name in zip(headings, folded, strict=True) if name not in ("", "phone", "description")
    )
    written = (row for row in _rows(lines, start, separator) if row[1] is None or any(map(str.strip, row[1])))
    rows = [
        _record(line, cells, lines[line - 1], phone, description, len(headings))
        for line, cells in islice(written, most + 1)
    ]
    if len(rows) > most:
        raise ConfigurationError(f"The file has more than {most:,} rows.", hint="Split it in several files.")
    return Table(rows, separator, ignored)


def harmless(text: str, *, inside: bool = False) -> str:
    """A cell that no spreadsheet runs: one that begins like a formula gets an apostrophe before it (OWASP, CSV
    injection).

    Args:
        inside: so does what begins like one after a separator, in case that the file is split at another than its own;
            for files that are not read back.
    """
    begun = _FORMULA.sub("'", text)
    return _FORMULA_INSIDE.sub("'", begun) if inside else begun


def _headings(lines: list[str], first: int, separators: Sequence[str]) -> tuple[int, list[str], str]:
    """(index of the line after the headings, the headings, the separator that shows a phone column)."""
    for separator in separators:
        rows = _rows(lines, first, separator)
        _, cells = next(rows)
        if cells is not None and "phone" in map(_folded, cells):
            after = next(rows, (len(lines) + 1, None))[0] - 1
            return after, cells, separator
    found = lines[first].strip()[:80]
    raise ConfigurationError(f"line {first + 1}: no column is called phone (found: {found}).", hint=_HEADING)


def _record(line: int, cells: list[str] | None, raw: str, phone: int, description: int | None, width: int) -> Record:
    if cells is None:
        return Record(line, raw.strip(), "", _QUOTES)
    words = cells[description].strip() if description is not None and description < len(cells) else ""
    number = cells[phone].strip() if phone < len(cells) else ""
    problem = ""
    if any(cell.strip() for cell in cells[width:]):
        problem = f"{len(cells)} cells under {width} headings: put text that holds the separator between quotes"
    return Record(line, number, words, problem)


class _Unclosed(Exception):
    """A row goes on for too long."""


class _Lines:
    """Lines for the CSV reader, counted from 0."""

    def __init__(self, lines: list[str], start: int) -> None:
        self._lines = lines
        self.next = start
        self.row_start = start

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.next >= len(self._lines):
            raise StopIteration
        if self.next - self.row_start > MAX_ROW_LINES:
            raise _Unclosed
        self.next += 1
        return self._lines[self.next - 1]


def _rows(lines: list[str], start: int, separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """(line number, cells) of each row, blank ones too; None for cells that a wrong quote made one.

    After such a row, reading goes on at the next line: the quote costs its own row and no other. Strict, because a
    lenient reader makes one row of everything up to the next quote, and says nothing.
    """
    while start < len(lines):
        source = _Lines(lines, start)
        reader = csv.reader(source, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
        try:
            for cells in reader:
                yield source.row_start + 1, cells
                source.row_start = source.next
            return
        except (csv.Error, _Unclosed):
            yield source.row_start + 1, None
            start = source.row_start + 1


def _folded(heading: str) -> str:
    """A heading without case, accents, spaces and marks."""
    plain = unicodedata.normalize("NFKD", heading)
    return "".join(c for c in plain if c.isalnum()).casefold()
