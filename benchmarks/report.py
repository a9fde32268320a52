"""Figures to verdicts, and verdicts to one table. Pure: runs nothing, reads nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from benchmarks.load.measure import percentile


@dataclass(slots=True)
class Row:
    """One line: what was measured, how often, and the bar it is held against.

    ``measured`` and ``peer`` hold one figure a run; infinite means that the run had no figure because something was
    never answered. ``invalid`` says why a figure may not be believed (a busy load generator): then there is no verdict.
    """

    what: str
    unit: str
    limit: float
    better: Literal["low", "high"]
    measured: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Conditions beside the figure that were not met; any makes the verdict a failure."""
    invalid: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def bar(self) -> str:
        return f"{'≤' if self.better == 'low' else '≥'} {shown(self.limit, self.unit)}"

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer, median against median; None when one is missing."""
        if not self.measured or not self.peer:
            return None
        ours, theirs = statistics.median(self.measured), statistics.median(self.peer)
        over, under = (theirs, ours) if self.better == "low" else (ours, theirs)
        return over / under if under > 0 and math.isfinite(over) and math.isfinite(under) else None

    @property
    def verdict(self) -> str:
        """``holds`` when the median of the runs meets the bar, and so do the conditions beside it."""
        if self.invalid:
            return "invalid"
        if not self.measured:
            return "not measured"
        middle = statistics.median(self.measured)
        met = middle <= self.limit if self.better == "low" else middle >= self.limit
        return "holds" if met and not self.failed else "FAILS"

    def as_dict(self) -> dict[str, Any]:
        """For the results file; a run without a figure is null there."""
        figures = {name: [None if math.isinf(v) else v for v in getattr(self, name)] for name in ("measured", "peer")}
        return {**asdict(self), **figures, "bar": self.bar, "ratio": self.ratio, "verdict": self.verdict}


def shown(value: float | None, unit: str) -> str:
    """A figure with its unit, as a person writes it."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "never"
    text = f"{value:.0f}" if unit == "calls" or abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}"


def table(rows: Sequence[Row], peer: str) -> str:
    """The one table, in Markdown."""
    head = ["what", "bar", "median", "p95 of runs", "runs", f"{peer} (median)", "times better", "verdict"]
    lines = [head]
    for row in rows:
        middle = statistics.median(row.measured) if row.measured else None
        # the bad end of the runs: high where low is better, low where high is
        worst = percentile(row.measured, 95) if row.better == "low" else percentile(row.measured, 5)
        theirs = statistics.median(row.peer) if row.peer else None
        lines.append(
            [
                row.what,
                row.bar,
                shown(middle, row.unit),
                shown(worst, row.unit),
                str(len(row.measured)),
                shown(theirs, row.unit),
                "–" if row.ratio is None else f"{row.ratio:.1f}",
                row.verdict,
            ]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        for kind, remarks in (("FAILS", row.failed), ("invalid", row.invalid), ("note", row.notes)):
            text += [f"{kind}: {row.what}: {remark}" for remark in dict.fromkeys(remarks)]
    return "\n".join(text)
