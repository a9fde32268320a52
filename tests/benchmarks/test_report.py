"""Verdicts: what holds, what fails, and what may not be believed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.engine import Spec
from benchmarks.report import Row, shown, table
from benchmarks.rows import FULL, Bench, carries, complete, trust
from benchmarks.transfer_rows import judge

from benchmarks import rows


def row(**more: Any) -> Row:
    return Row(**{"what": "cpu", "unit": "%", "limit": 2.5, "better": "low", **more})


def result(**more: Any) -> dict[str, Any]:
    frames = {"received": 3000, "expected": 3000, "late_over_40_ms": 0, "lateness_ms": {"max": 5.0}}
    base: dict[str, Any] = {
        "placed": 3, "answered": 3, "ended": 3, "hung_up_by_server": 0, "failures": {}, "frames": frames,
        "turns": {"answered": 9}, "turn_overhead_ms": {"p95": 80.0, "count": 9},
        "generator": {"healthy": True, "cpu_percent": 5.0, "send_lateness_ms": {"p99": 1.0}},
    }  # fmt: skip
    return base | more


def test_the_median_of_the_runs_decides() -> None:
    assert row(measured=[2.0, 2.4, 9.0]).verdict == "holds"
    assert row(measured=[2.0, 2.6, 9.0]).verdict == "FAILS"
    assert row(measured=[30.0, 35.0], better="high", limit=30.0).verdict == "holds"
    assert row(measured=[25.0], better="high", limit=30.0).verdict == "FAILS"


def test_a_run_never_answered_fails_and_nothing_measured_is_not_a_pass() -> None:
    assert row(measured=[math.inf]).verdict == "FAILS"
    assert row().verdict == "not measured"


def test_a_busy_generator_gives_no_verdict() -> None:
    busy = row(measured=[1.0])
    health = {"healthy": False, "cpu_percent": 95.0, "send_lateness_ms": {"p99": 30.0}}
    trust(busy, result(generator=health), "Parlons")
    assert busy.verdict == "invalid"
    trusted = row(measured=[1.0])
    trust(trusted, result(), "Parlons")
    assert trusted.verdict == "holds"


def test_a_good_figure_with_lost_calls_fails() -> None:
    for broken in ({"ended": 2}, {"hung_up_by_server": 1}, {"failures": {"refused with 503": 1}}):
        lost = row(measured=[1.0])
        complete(lost, result(**broken))
        assert lost.verdict == "FAILS", broken
    whole = row(measured=[1.0])
    complete(whole, result())
    assert whole.verdict == "holds"


def test_a_transfer_that_did_not_happen_once_fails_the_row() -> None:
    good = result(decided=3, joined=3, decided_again=0, still_open_at_desk=0, background=2)
    whole = row(measured=[1.0])
    judge(whole, good, 2)
    assert whole.verdict == "holds"
    faults: list[dict[str, Any]] = [
        {"decided": 2}, {"joined": 2}, {"decided_again": 1}, {"still_open_at_desk": 1}, {"background": 1},
        {"ended": 2}, {"failures": {"desk: offer without PCMU": 1}},
    ]  # fmt: skip
    for fault in faults:
        broken = row(measured=[1.0])
        judge(broken, good | fault, 2)
        assert broken.verdict == "FAILS", fault


def test_capacity_needs_every_condition() -> None:
    good = result()
    assert carries(good) == []
    assert carries(good | {"answered": 2})
    assert carries(good | {"turn_overhead_ms": {"p95": 151.0, "count": 9}})
    assert carries(good | {"turn_overhead_ms": {"p95": None, "count": 9}}), "p95 of turns never answered"
    assert carries(good | {"turn_overhead_ms": {"p95": None, "count": 0}}), "no turn at all"
    assert carries(good | {"frames": good["frames"] | {"late_over_40_ms": 1}})
    assert carries(good | {"frames": good["frames"] | {"received": 2990}})


def test_the_ratio_says_how_many_times_better() -> None:
    assert row(measured=[2.0], peer=[9.0]).ratio == 4.5
    assert row(measured=[30.0], peer=[10.0], better="high").ratio == 3.0
    assert row(measured=[2.0]).ratio is None
    assert row(measured=[30.0], peer=[0.0], better="high").ratio is None
    assert row(measured=[math.inf], peer=[9.0]).ratio is None


def test_the_table_is_markdown_with_every_remark_once() -> None:
    text = table([row(measured=[1.0, 3.0, 2.0], failed=["lost"], notes=["n", "n"])], "Peer").splitlines()
    assert text[0].startswith("| what")
    assert "| 2 % " in text[2]
    assert "| 3 % " in text[2]
    assert text[3:] == ["FAILS: cpu: lost", "note: cpu: n"]


def test_results_are_json_that_any_reader_takes() -> None:
    kept = json.loads(json.dumps(row(measured=[math.inf, 1.0]).as_dict(), allow_nan=False))
    assert kept["measured"] == [None, 1.0]
    assert kept["verdict"] == "FAILS"


def test_figures_are_shown_as_a_person_writes_them() -> None:
    assert [shown(v, "ms") for v in (None, math.inf, 6.519, 152.4)] == ["–", "never", "6.52 ms", "152 ms"]
    assert shown(30.0, "calls") == "30 calls"


class Ladder:
    """Stands in for servers that carry a known number of calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.tried: list[int] = []

        def attempt(_bench: Bench, _row: Row, _spec: Spec, calls: int) -> list[str]:
            self.tried.append(calls)
            return [] if calls <= most else ["late"]

        monkeypatch.setattr(rows, "_try_twice", attempt)


@pytest.mark.parametrize(
    ("most", "found", "tried"),
    [
        (33, 30.0, [20, 25, 30, 35]),
        (12, 10.0, [20, 15, 10]),
        (2, 0.0, [20, 15, 10, 5]),
        (500, 120.0, list(range(20, 121, 5))),
    ],
)
def test_the_search_finds_the_last_number_carried(
    monkeypatch: pytest.MonkeyPatch, most: int, found: float, tried: list[int]
) -> None:
    ladder = Ladder(monkeypatch, most)
    bench = Bench(replace(FULL, capacity_runs=1), Path(), Path(), 1, 0)
    got = rows.capacity_row(bench, [Spec("Parlons", [], "bench")])
    assert (got.measured, got.peer, ladder.tried) == ([found], [], tried)
