"""How each row is measured: what is started, what is called, and which figure is taken. Prints nothing but progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from benchmarks import engine, procstat
from benchmarks.bench import FULL, QUICK, Bench, Size, complete, figures, say, trust
from benchmarks.browser_rows import browser_row
from benchmarks.failover_rows import failover_row
from benchmarks.knowledge_rows import knowledge_row
from benchmarks.list_rows import calls_row
from benchmarks.report import Row
from benchmarks.transfer_rows import bridge_row, decision_row

__all__ = ["FULL", "QUICK", "ROWS", "Bench", "Size", "carries", "complete", "say", "trust"]

SETUPS_PER_SECOND = 10.0
OVERHEAD_LIMIT_MS = 150.0
MEMORY_NOISE_MB = 2.0
"""What the same server may differ by, between two moments of rest, from its allocators alone."""


def setup_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """INVITE to 200 at ten set-ups a second."""
    row = Row("INVITE to 200 OK, p95, 10 set-ups/s", "ms", 60.0, "low")
    for _ in range(bench.size.runs):
        for spec in specs:
            say(f"set-up: {spec.name}")
            with bench.start(spec) as running:
                bench.load(running, calls=2, rate=2.0, hold_seconds=1.0, talk=False)  # imports and caches
                result, _ = bench.load(
                    running, calls=bench.size.setups, rate=SETUPS_PER_SECOND, hold_seconds=2.0, talk=False
                )
            figure = result["setup_ms"]["p95"]
            figures(row, spec).append(math.inf if figure is None or result["answered"] < result["placed"] else figure)
            trust(row, result, spec.name)
            if spec.name == "Parlons":
                complete(row, result)
    return row


def cpu_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """CPU for one talking call, nothing taken off for the idle process."""
    row = Row(f"CPU for one talking call, of {bench.size.cpu_calls}", "% of a core", 2.5, "low")
    for _ in range(bench.size.runs):
        for spec in specs:
            say(f"CPU: {spec.name}, {bench.size.cpu_calls} calls")
            with bench.start(spec) as running:
                result, percent = bench.load(
                    running, calls=bench.size.cpu_calls, measure_seconds=bench.size.measure_seconds
                )
            figures(row, spec).append(percent / max(1, result["answered"]))
            trust(row, result, spec.name)
            if spec.name == "Parlons":
                complete(row, result)
                if result["turns"].get("answered", 0) < sum(result["turns"].values()) or not result["turns"]:
                    row.failed.append(f"turns {result['turns']}")
    return row


def carries(result: dict[str, Any]) -> list[str]:
    """Why a server does not carry this many calls; empty when it does."""
    reasons = []
    if result["answered"] < result["placed"]:
        reasons.append(f"{result['placed'] - result['answered']} calls were not answered")
        return reasons
    overhead, count = result["turn_overhead_ms"]["p95"], result["turn_overhead_ms"]["count"]
    if not count or overhead is None:
        reasons.append(f"turns {result['turns']}")
    elif overhead > OVERHEAD_LIMIT_MS:
        reasons.append(f"p95 turn overhead {overhead:.0f} ms")
    frames = result["frames"]
    if frames["late_over_40_ms"]:
        worst = frames["lateness_ms"]["max"]
        reasons.append(
            f"{frames['late_over_40_ms']} of {frames['received']} frames over 40 ms late, worst {worst:.0f} ms"
        )
    if frames["received"] < 0.999 * frames["expected"]:
        reasons.append(f"{frames['expected'] - frames['received']} frames missing of {frames['expected']}")
    return reasons


def capacity_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """The most calls on one core whose turns and frames are in time."""
    size = bench.size
    row = Row("calls on one core in time", "calls", 30.0, "high")
    for _ in range(size.capacity_runs):
        for spec in specs:
            best, why = 0, "the largest number tried"
            calls = size.first_capacity
            while calls <= size.most_calls:
                reasons = _try_twice(bench, row, spec, calls)
                if reasons:
                    why = f"at {calls}: {'; '.join(reasons)}"
                    if best or calls <= size.capacity_step:
                        break
                    calls -= size.capacity_step  # even the first was too many: go down
                    continue
                best = calls
                if why.startswith("at "):
                    break
                calls += size.capacity_step
            figures(row, spec).append(float(best))
            row.notes.append(f"{spec.name} carries {best}; {why}")
    return row


def _try_twice(bench: Bench, row: Row, spec: engine.Spec, calls: int) -> list[str]:
    """Why it fails with that many calls. A failure is tried once more, in a fresh process: the machine hiccups too."""
    reasons: list[str] = []
    for _ in range(1 if bench.size.name == "quick" else 2):
        say(f"capacity: {spec.name}, {calls} calls")
        with bench.start(spec) as running:
            result, percent = bench.load(running, calls=calls, measure_seconds=bench.size.measure_seconds)
        reasons = carries(result)
        say(
            f"capacity: {percent:.0f} % of the core, turn overhead {result['turn_overhead_ms']}, {reasons or 'carried'}"
        )
        trust(row, result, spec.name)
        if not reasons:
            break
    return reasons


def memory_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """Memory for one more call, and whether it comes back.

    One call first (what is loaded once), rest, then a round of calls; a second round after the first has been
    forgotten shows whether anything is kept: what is kept by the allocators is used again, a leak is not.
    """
    row = Row("memory for one more call", "MB", 4.0, "low")
    count, rest = bench.size.memory_calls, bench.size.rest_seconds
    for spec in specs:
        say(f"memory: {spec.name}, {count} calls, twice" if rest else f"memory: {spec.name}, {count} calls")
        with bench.start(spec) as running:
            bench.load(running, calls=1, settle_seconds=1.0, measure_seconds=5.0, talk=bool(rest))
            time.sleep(3)
            at_rest = [procstat.memory_mb(running.pid)]
            peaks: list[float] = []

            def read(event: str, pid: int = running.pid, peaks: list[float] = peaks) -> None:
                if event == "measured":
                    peaks.append(procstat.memory_mb(pid))

            for _ in range(2 if rest else 1):
                result, _percent = bench.load(running, read, calls=count, measure_seconds=10.0, talk=bool(rest))
                trust(row, result, spec.name)
                time.sleep(rest)
                if rest:
                    at_rest.append(procstat.memory_mb(running.pid))
        each = (peaks[0] - at_rest[0]) / max(1, result["answered"])
        figures(row, spec).append(each)
        if not rest:
            row.notes.append(f"{spec.name}: whether it all comes back is not measured in a quick run")
            continue
        kept = at_rest[2] - at_rest[1]
        row.notes.append(
            f"{spec.name}: PSS at rest {at_rest[0]:.1f} MB, with {count} calls {peaks[0]:.1f}, {rest:.0f} s after "
            f"{at_rest[1]:.1f}; second round {peaks[1]:.1f}, {rest:.0f} s after {at_rest[2]:.1f}"
        )
        if spec.name == "Parlons" and kept > MEMORY_NOISE_MB:
            row.failed.append(f"{kept:.1f} MB of the second round's {count} calls had not come back after {rest:.0f} s")
    return row


ROWS: dict[str, Callable[[Bench, list[engine.Spec]], Row]] = {
    "setup": setup_row,
    "cpu": cpu_row,
    "capacity": capacity_row,
    "memory": memory_row,
    "decision": decision_row,
    "bridge": bridge_row,
    "failover": failover_row,
    "knowledge": knowledge_row,
    "calls": calls_row,
    "browser": browser_row,
}
