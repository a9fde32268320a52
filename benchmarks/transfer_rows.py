"""The two rows about calls that are put through: how soon the INVITE leaves, and what the joined legs cost.

Parlons alone: the peer cannot join two SIP legs.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks import engine
from benchmarks.bench import Bench, complete, figures, say, trust
from benchmarks.report import Row, shown

PROGRAM = "benchmarks.transferload"
TRANSFERS_PER_SECOND = 2.0
BACKGROUND_CALLS = 5
HOLD_SECONDS = 0.5
ALONE = "Parlons alone: the peer joins no two SIP legs"


def decision_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """From the model's tool call to the INVITE at its destination."""
    row = Row("transfer decision to INVITE, p95", "ms", 50.0, "low", notes=[ALONE])
    spec = _switchboard(specs, "PCMA")
    for _ in range(bench.size.transfer_runs):
        say(f"decision: {spec.name}, {bench.size.transfers} transfers, {TRANSFERS_PER_SECOND:g} a second")
        with bench.start(spec) as running:
            bench.load(running, program=PROGRAM, calls=2, hold_seconds=HOLD_SECONDS, **_ports())  # imports and caches
            result, percent = bench.load(
                running,
                program=PROGRAM,
                calls=bench.size.transfers,
                rate=TRANSFERS_PER_SECOND,
                background=BACKGROUND_CALLS,
                hold_seconds=HOLD_SECONDS,
                **_ports(),
            )
        delay, silent, worded = (result[key] for key in ("delay_ms", "delay_ms_silent", "delay_ms_after_words"))
        figures(row, spec).append(math.inf if delay["p95"] is None else delay["p95"])
        row.notes.append(
            f"{delay['count']} transfers, median {shown(delay['p50'], 'ms')}, worst {shown(delay['max'], 'ms')}; p95 "
            f"{shown(silent['p95'], 'ms')} with nothing said before, {shown(worded['p95'], 'ms')} with a sentence "
            f"before; {BACKGROUND_CALLS} calls talking besides, server at {percent:.0f} % of the core"
        )
        judge(row, result, BACKGROUND_CALLS)
    return row


def bridge_row(bench: Bench, specs: list[engine.Spec]) -> Row:
    """CPU for one joined call, both legs, nothing taken off for the idle process."""
    row = Row(f"CPU for one bridged call, of {bench.size.bridged_calls}", "% of a core", 0.6, "low", notes=[ALONE])
    for _ in range(bench.size.transfer_runs):
        spec = _switchboard(specs, "PCMA")
        figures(row, spec).append(_bridged(bench, spec, row, "PCMA both sides, passed through"))
    each = _bridged(bench, _switchboard(specs, "PCMU"), row, "PCMA and PCMU, transcoded")
    row.notes.append(f"PCMA to PCMU, transcoded (in no figure of the row): {shown(each, '% of a core')}")
    return row


def _bridged(bench: Bench, spec: engine.Spec, row: Row, what: str) -> float:
    count = bench.size.bridged_calls
    say(f"bridge: {spec.name}, {count} calls, {what}")
    with bench.start(spec) as running:
        result, percent = bench.load(
            running,
            program=PROGRAM,
            calls=count,
            measure_seconds=bench.size.measure_seconds,
            codec="PCMU" if "PCMU" in what else "PCMA",
            **_ports(),
        )
    judge(row, result, 0)
    passed = result["passed"]
    row.notes.append(
        f"{what}: {passed['sent']} packets sent at both ends and {passed['received']} received, "
        f"{passed['loud_sent']} and {passed['loud_received']} with speech"
    )
    if passed["directions"] < 2 * count or passed["crossed"] < passed["directions"]:
        row.failed.append(f"{what}: sound crossed in {passed['crossed']} of {2 * count} directions, {passed}")
    joined: int = result["joined"]
    return percent / joined if joined else math.inf


def judge(row: Row, result: dict[str, Any], background: int) -> None:
    """Every caller must have been put through, once, and heard at the desk; every call must have ended."""
    trust(row, result, "Parlons")
    complete(row, result)
    placed = result["placed"]
    counts = {key: result[key] for key in ("decided", "joined")}
    if any(count != placed for count in counts.values()) or result["decided_again"] or result["still_open_at_desk"]:
        row.failed.append(
            f"{placed} callers, {counts['decided']} decisions and {result['decided_again']} repeated, "
            f"{counts['joined']} heard at the desk, {result['still_open_at_desk']} not ended there"
        )
    if result["background"] != background:
        row.failed.append(f"{result['background']} of {background} calls besides were kept to the end")


def _switchboard(specs: list[engine.Spec], codec: str) -> engine.Spec:
    answer = next(spec for spec in specs if spec.name == "Parlons").environment["BENCH_ANSWER_PCM"]
    return engine.switchboard(Path(answer), codec)


def _ports() -> dict[str, Any]:
    return {"desk_host": engine.DESK[0], "desk_port": engine.DESK[1], "decisions_port": engine.DECISIONS_PORT}
