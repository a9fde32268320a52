"""The row about failover: how soon a caller gets something once the agent is out of it. Parlons alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks import engine
from benchmarks.bench import Bench, complete, figures, say, trust
from benchmarks.report import Row, shown

PROGRAM = "benchmarks.failoverload"
CALLS_PER_SECOND = 2.0
BACKGROUND_CALLS = 5


def failover_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """From the trigger to the first sound of the message, or to the INVITE at its destination."""
    row = Row("failover trigger to first audio or INVITE, p95", "ms", 200.0, "low", notes=["Parlons alone"])
    answer = next(spec for spec in specs if spec.name == "Parlons").environment["BENCH_ANSWER_PCM"]
    spec = engine.failing_over(Path(answer))
    ports: dict[str, Any] = {
        "workflow_port": engine.WORKFLOW_PORT,
        "desk_host": engine.DESK[0],
        "desk_port": engine.DESK[1],
    }
    for _ in range(bench.size.transfer_runs):
        say(f"failover: {spec.name}, {bench.size.transfers} calls, {CALLS_PER_SECOND:g} a second")
        with bench.start(spec) as running:
            bench.load(running, program=PROGRAM, calls=2, **ports)  # imports and caches
            result, percent = bench.load(
                running,
                program=PROGRAM,
                calls=bench.size.transfers,
                rate=CALLS_PER_SECOND,
                background=BACKGROUND_CALLS,
                **ports,
            )
        delay, spoken, invited = (result[key] for key in ("delay_ms", "spoken_ms", "invited_ms"))
        figures(row, spec).append(math.inf if delay["p95"] is None else delay["p95"])
        row.notes.append(
            f"{delay['count']} calls, median {shown(delay['p50'], 'ms')}, worst {shown(delay['max'], 'ms')}; "
            f"p95 {shown(spoken['p95'], 'ms')} to a message's first loud packet, {shown(invited['p95'], 'ms')} to an "
            f"INVITE; {BACKGROUND_CALLS} calls talking besides, server at {percent:.0f} % of the core"
        )
        trust(row, result, "Parlons")
        complete(row, result)
        if result["told_to_the_end"] * 2 != result["placed"] or result["background"] != BACKGROUND_CALLS:
            row.failed.append(
                f"{result['told_to_the_end']} messages to the end in {result['placed']} calls, "
                f"{result['background']} of {BACKGROUND_CALLS} calls besides were kept"
            )
    return row
