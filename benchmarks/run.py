"""What ``make bench`` runs: every row, Parlons and the peer one after the other, one table.

    python -m benchmarks.run [--quick] [--no-peer] [--rows ROW,ROW]

Rows: setup, cpu, capacity, memory, decision, bridge, failover, knowledge, calls.

Runs what is measured on one core and the load generator on another, and reads cost from /proc itself. See
docs/benchmarks.md for the method and for what the figures do not say.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import audio, engine, procstat
from benchmarks.report import Row, shown, table
from benchmarks.rows import FULL, QUICK, ROWS, Bench, Size, say

RESULTS = Path(__file__).parent / "results" / "latest.json"


def calibrate(bench: Bench, answer: Path) -> str:
    """The same calls to a server that does nothing: what the measuring adds, and how much the generator can send."""
    calls = 60
    say(f"calibration: {calls} calls to a server with no engine")
    with bench.start(engine.floor(answer)) as running:
        result, percent = bench.load(running, calls=calls, rate=20.0, settle_seconds=1.0, measure_seconds=12.0)
    health, overhead = result["generator"], result["turn_overhead_ms"]["p95"]
    return (
        f"calibration, {calls} calls to a server with no engine: turn overhead p95 {shown(overhead, 'ms')} (a frame is "
        f"20 ms), {result['frames']['late_over_40_ms']} frames over 40 ms late, "
        f"generator {health['cpu_percent']} % CPU, "
        f"p99 of its sends {health['send_lateness_ms']['p99']} ms late "
        f"({'fit' if health['healthy'] else 'NOT FIT'}), server {percent / calls:.2f} % of a core a call"
    )


def as_it_comes(bench: Bench, answer: Path) -> str:
    """The peer's own defaults beside the lean pipeline of the table, for the record; in no row and no ratio."""
    spec, calls = engine.pipecat_as_it_comes(answer), bench.size.cpu_calls
    say(f"CPU: {spec.name}, {calls} calls")
    with bench.start(spec) as running:
        before = procstat.memory_mb(running.pid)
        result, percent = bench.load(running, calls=calls, measure_seconds=bench.size.measure_seconds)
        grown = procstat.memory_mb(running.pid) - before
    return (
        f"{spec.name} (with its end-of-turn model, RTVI and turn tracking; the table's pipeline has none of them): "
        f"{percent / calls:.2f} % of a core a call of {calls}, {grown / calls:.0f} MB a call, turns {result['turns']}"
    )


def machine() -> dict[str, str]:
    """What it ran on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": models[0] if models else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def main() -> int:
    """Exit status 0 when every row holds, 1 when one fails, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about seven minutes; figures for a first look only")
    parser.add_argument("--no-peer", action="store_true", help="leave the peer out")
    parser.add_argument("--rows", default=",".join(ROWS), help="which rows, separated by commas")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the results go as JSON")
    options = parser.parse_args()
    chosen = [name for name in options.rows.split(",") if name]
    if unknown := [name for name in chosen if name not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    try:
        return _run(QUICK if options.quick else FULL, chosen, peer=not options.no_peer, output=options.output)
    except engine.EngineFailed as error:
        print(error, file=sys.stderr)
        return 2


def _run(size: Size, chosen: list[str], *, peer: bool, output: Path) -> int:
    about = machine()
    server_core, generator_core = engine.cores()
    with tempfile.TemporaryDirectory(prefix="parlons-bench-") as folder:
        utterance, answer = audio.make_clips(Path(folder))
        bench = Bench(size, Path(folder), utterance, server_core, generator_core)
        specs, remarks = [engine.parlons(answer)], []
        if peer:
            try:
                specs.append(engine.pipecat(answer))
            except engine.EngineFailed as error:
                remarks.append(f"the peer was not measured: {error}")
        remarks.append(calibrate(bench, answer))
        if len(specs) > 1 and "cpu" in chosen:
            remarks.append(as_it_comes(bench, answer))
        rows: list[Row] = [ROWS[name](bench, specs) for name in chosen]
    header = ", ".join(f"{key} {value}" for key, value in about.items())
    method = (
        f"{size.name} run; server on core {server_core}, load generator on core {generator_core}; SIP and RTP (PCMA, "
        "20 ms) on loopback, zero-latency providers, one utterance every 10 s, "
        f"end of speech {engine.END_OF_SPEECH_MS} ms"
    )
    print(f"{header}\n{method}\n\n{table(rows, 'Pipecat 1.14')}")
    for remark in remarks:
        print(f"note: {remark}")
    output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": about,
        "method": method,
        "remarks": remarks,
        "rows": [row.as_dict() for row in rows],
        "runs": bench.raw,
    }
    output.write_text(json.dumps(document, indent=1, default=str) + "\n")
    return 0 if all(row.verdict == "holds" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
