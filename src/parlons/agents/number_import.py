"""Destinations of a transfer from a CSV file, and back. Pure: bytes in, an answer for every row out.

Nothing is stored here: a person looks at the answer and confirms, then :func:`add` makes the new list. A file of
10 000 rows takes some tenths of a second of CPU: call from a thread.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigurationError
from . import csv_text
from .actions import MAX_DESTINATIONS, Destination
from .numbers import known_country, tidy, to_e164

MAX_BYTES = 5_242_880
MAX_ROWS = 100_000
"""Ten times what a list can hold; a file with more is refused whole, before any of it is read as numbers."""
MAX_DESCRIPTION = 500
"""Characters, as in the model of a destination."""
SHOWN_VALUE = 100
"""Characters of a cell that the answer repeats."""

Outcome = Literal["accepted", "duplicate", "refused"]
Separator = Literal[",", ";", "\t"]

_FORMULA = re.compile(r"[=@-]|\+\s*[^\d(\s]|\+.*([*^&!=]|[A-Za-z]\()")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row."""

    line: int
    """The line of the file it starts on; the header is usually line 1."""
    value: str
    """The phone cell as written, cut to ``SHOWN_VALUE`` characters; the line when its cells cannot be told apart."""
    outcome: Outcome
    phone: str | None
    """As read, E.164; None when refused before it could be."""
    description: str
    reason: str
    """Why it is refused or a duplicate, and the fix; how it was read, when that is not as written; else empty."""


@dataclass(frozen=True, slots=True)
class Import:
    """The answer to a file: every row that is not blank, in order."""

    rows: tuple[Row, ...]
    accepted: list[Destination]
    """The destinations to add."""
    separator: str
    encoding: str
    """``UTF-8`` or ``Windows-1252``."""
    ignored_columns: tuple[str, ...]
    """Headings other than phone and description."""

    def count(self, outcome: Outcome) -> int:
        """How many rows ended so."""
        return sum(row.outcome == outcome for row in self.rows)


def read(data: bytes, *, country: str | None = None, known: Collection[str] = ()) -> Import:
    """Read a CSV file of destinations: columns ``phone`` (required) and ``description``, in any order.

    A row that is refused never stops another one.

    Args:
        data: at most ``MAX_BYTES``; comma, semicolon or tab; UTF-8 with or without a byte order mark, or Windows-1252.
        country: ISO 3166-1 alpha-2 code whose national numbers are accepted; None for international numbers only.
        known: phone or extension of every destination that is there already (see :func:`addresses`).

    Raises:
        ConfigurationError: the file as a whole cannot be read, or the country is not known; with the fix.
    """
    if len(data) > MAX_BYTES:
        raise ConfigurationError(
            f"The file has {len(data):,} bytes; at most {MAX_BYTES:,} are read.", hint="Split it in several files."
        )
    if country is not None:
        try:
            country = known_country(country)
        except ValueError as error:
            raise ConfigurationError(f"country: {error}.") from None
    text, encoding = csv_text.decode(data)
    table = csv_text.parse(text, MAX_ROWS)
    reader = _Reader(table, country, known)
    rows = tuple(reader.answers())
    return Import(rows, reader.accepted, table.separator, encoding, table.ignored)


class _Reader:
    """Goes through the rows of one file."""

    def __init__(self, table: csv_text.Table, country: str | None, known: Collection[str]) -> None:
        self.accepted: list[Destination] = []
        self._table = table
        self._country = country
        self._known = frozenset(known)
        self._lines: dict[str, int] = {}
        """Where each accepted number stands in this file."""

    def answers(self) -> Iterator[Row]:
        for record in self._table.rows:
            value = record.phone[:SHOWN_VALUE]
            phone = None
            try:
                if record.problem:
                    raise ValueError(record.problem)
                phone = self._phone(record.phone)
                outcome, reason = self._judge(record, phone)
            except ValueError as error:
                outcome, reason = "refused", str(error)
            yield Row(record.line, value, outcome, phone, record.description, reason)

    def _judge(self, record: csv_text.Record, phone: str) -> tuple[Outcome, str]:
        if phone in self._known:
            return "duplicate", "already a destination, which keeps its description"
        if phone in self._lines:
            return "duplicate", f"the same number as line {self._lines[phone]}, which is kept"
        if len(record.description) > MAX_DESCRIPTION:
            length = len(record.description)
            raise ValueError(f"description: {length} characters, at most {MAX_DESCRIPTION}: shorten it")
        if len(self._known) + len(self.accepted) >= MAX_DESTINATIONS:
            raise ValueError(f"an action holds at most {MAX_DESTINATIONS:,} destinations: remove some first")
        self.accepted.append(Destination(phone=phone, description=record.description))
        self._lines[phone] = record.line
        written = re.sub(r"[^0-9+]", "", record.phone)
        return "accepted", "" if written == phone else f"read as {phone}"

    def _phone(self, cell: str) -> str:
        text = tidy(cell).removeprefix("'")  # how a spreadsheet marks a cell as text
        if _FORMULA.match(text):
            raise ValueError("phone: a formula, which is never computed: write the number itself")
        try:
            return to_e164(text, self._country)
        except ValueError as error:
            raise ValueError(f"phone: {error}") from None


def addresses(destinations: Iterable[Destination]) -> set[str]:
    """Phone or extension of each: what :func:`read` takes as ``known``."""
    return {d.phone or d.extension or "" for d in destinations}


def add(existing: Sequence[Destination], imported: Iterable[Destination]) -> list[Destination]:
    """The existing destinations, unchanged and first, then the imported ones that are not among them.

    Raises:
        ValueError: they are more than an action holds (the list grew since the file was read).
    """
    taken = addresses(existing)
    merged = list(existing)
    for destination in imported:
        address = destination.phone or destination.extension or ""
        if address not in taken:
            taken.add(address)
            merged.append(destination)
    if len(merged) > MAX_DESTINATIONS:
        raise ValueError(
            f"destinations: {len(merged):,} in all, an action holds at most {MAX_DESTINATIONS:,}: read the file again"
        )
    return merged


def template(separator: Separator = ",") -> bytes:
    """A file to fill in, with example rows. UTF-8 with a byte order mark, so that Excel reads its accents.

    Args:
        separator: Excel splits columns at the semicolon where the comma is the decimal sign, as in French.
    """
    return _written(
        [("phone", "description"), ("+33123456789", "Accueil du siège"), ("+33612345678", "Support technique")],
        separator,
    )


def export(destinations: Sequence[Destination], separator: Separator = ",") -> bytes:
    """Destinations as a file that :func:`read` takes and that no spreadsheet runs.

    A description that starts like a formula gets an apostrophe before it; phones are never touched. PBX extensions
    come in a third column, present when there are any.
    """
    heading = ["phone", "description"]
    extensions = any(d.extension for d in destinations)
    rows = [(*heading, "extension") if extensions else tuple(heading)]
    for d in destinations:
        cells = (d.phone or "", csv_text.harmless(d.description))
        rows.append((*cells, d.extension or "") if extensions else cells)
    return _written(rows, separator)


def _written(rows: Iterable[Sequence[str]], separator: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")
