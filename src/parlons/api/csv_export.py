"""Calls as rows of a CSV file that a spreadsheet opens and never runs. Pure.

Callers choose what stands in their calls (a SIP name or number is any text), and an export is opened where formulas
run. Every text is written as OWASP advises for CSV injection, with one exception: a number in E.164 begins with + and
stays as it is, because it holds digits alone and would be of no use with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from parlons.agents.csv_text import harmless
from parlons.calls.record import CallRecord

Separator = Literal["comma", "semicolon", "tab"]
_SEPARATORS: dict[Separator, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")

COLUMNS = (
    "id", "started_at", "answered_at", "ended_at", "duration_seconds", "direction", "status", "agent_id",
    "agent_version", "caller", "called", "anonymous", "from_browser", "connection_id", "language", "ended_by",
    "end_code", "end_reason", "trigger", "failover_action", "failover_outcome", "has_recording",
)  # fmt: skip


def rows_of(records: Iterable[CallRecord]) -> list[list[str]]:
    """A row for each call, its cells in the order of :data:`COLUMNS`."""
    return [[_cell(_value(record, name)) for name in COLUMNS] for record in records]


def table(rows: Sequence[Sequence[str]], separator: Separator, *, heading: bool = False) -> bytes:
    """Rows as they stand in the file.

    Args:
        heading: the file begins here: a byte order mark, so that Excel reads its accents, and the names of the columns.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=_SEPARATORS[separator], lineterminator="\r\n")
    if heading:
        writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if heading else "utf-8")


def _value(record: CallRecord, name: str) -> object:
    if name == "duration_seconds":
        return _duration(record.answered_at, record.ended_at)
    return record.recording is not None if name == "has_recording" else getattr(record, name)


def _duration(start: datetime | None, end: datetime | None) -> float | None:
    """From the answer to the end; None when nobody answered, or the call is under way."""
    return None if start is None or end is None else round((end - start).total_seconds(), 1)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case str():
            return value if _E164.fullmatch(value) else harmless(value, inside=True)
    return str(value)
