"""One whole benchmark: how much is run, what starts and loads an engine, and what makes a run fit to be believed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import engine, procstat
from benchmarks.report import Row

REST_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run. ``quick`` is for a first look; only ``full`` figures belong in the documentation."""

    name: str
    runs: int
    setups: int
    cpu_calls: int
    measure_seconds: float
    first_capacity: int
    capacity_step: int
    most_calls: int
    capacity_runs: int
    memory_calls: int
    rest_seconds: float
    transfer_runs: int
    transfers: int
    bridged_calls: int


QUICK = Size(
    name="quick", runs=1, setups=60, cpu_calls=10, measure_seconds=12.0, first_capacity=30, capacity_step=10,
    most_calls=30, capacity_runs=1, memory_calls=10, rest_seconds=0.0, transfer_runs=1, transfers=24,
    bridged_calls=10,
)  # fmt: skip
FULL = Size(
    name="full", runs=5, setups=300, cpu_calls=15, measure_seconds=30.0, first_capacity=20, capacity_step=5,
    most_calls=120, capacity_runs=3, memory_calls=20,
    rest_seconds=REST_SECONDS, transfer_runs=3, transfers=120, bridged_calls=20,
)  # fmt: skip


def say(text: str) -> None:
    """Progress, on standard error: standard output is the table."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class Bench:
    """One whole benchmark: the folder it works in, the cores it may use, and everything it saw."""

    size: Size
    folder: Path
    utterance: Path
    server_core: int
    generator_core: int
    raw: list[dict[str, Any]] = field(default_factory=list)
    _count: int = 0

    def start(self, spec: engine.Spec) -> engine.Engine:
        """A fresh engine in a fresh folder."""
        self._count += 1
        return engine.Engine(spec, self.server_core, self.folder / f"{self._count:03d}")

    def load(
        self,
        running: engine.Engine,
        at: Callable[[str], None] | None = None,
        program: str = "benchmarks.loadgen",
        **plan: Any,
    ) -> tuple[dict[str, Any], float]:
        """One run of the load generator; its result, and the server's CPU in percent of a core while it measured.

        Raises:
            EngineFailed: the server died under it, or the generator did.
        """
        file = self.folder / "plan.json"
        plan = {
            "host": "127.0.0.1",
            "port": engine.SIP_PORT,
            "user": running.spec.user,
            "utterance": str(self.utterance),
            "sip_port": engine.GENERATOR_SIP_PORT,
            "end_of_speech_ms": float(engine.END_OF_SPEECH_MS),
            **plan,
        }
        file.write_text(json.dumps(plan))
        meter, percent, result = procstat.CpuMeter(running.pid), 0.0, None
        command = engine.pinned([sys.executable, "-m", program, str(file)], self.generator_core)
        with subprocess.Popen(command, cwd=engine.ROOT, stdout=subprocess.PIPE, text=True) as generator:
            assert generator.stdout is not None
            for line in generator.stdout:
                event = json.loads(line)
                if event["event"] == "measuring":
                    meter.start()
                elif event["event"] == "measured":
                    percent = meter.percent()
                elif event["event"] == "result":
                    result = event["result"]
                if at is not None:
                    at(event["event"])
        if not running.alive:
            raise engine.EngineFailed(f"{running.spec.name} died under load:\n{running.log_tail()}")
        if result is None:
            raise engine.EngineFailed("the load generator gave no result")
        self.raw.append({"engine": running.spec.name, "server_cpu_percent": round(percent, 2), **result})
        return result, percent


def trust(row: Row, result: dict[str, Any], who: str) -> None:
    """Note on the row what makes a run's figures unfit: a generator that was itself too busy."""
    health = result["generator"]
    if not health["healthy"]:
        late = health["send_lateness_ms"]["p99"]
        row.invalid.append(
            f"the load generator was busy ({who}: {health['cpu_percent']} % CPU, p99 send {late} ms late)"
        )


def complete(row: Row, result: dict[str, Any]) -> None:
    """Every call must have been answered and ended by the generator."""
    if result["ended"] != result["placed"] or result["hung_up_by_server"] or result["failures"]:
        row.failed.append(
            f"{result['placed']} calls placed, {result['answered']} answered, {result['ended']} ended, "
            f"{result['hung_up_by_server']} hung up by the server, failures {result['failures']}"
        )


def figures(row: Row, spec: engine.Spec) -> list[float]:
    """The column of the row that a run of this belongs in."""
    return row.measured if spec.name == "Parlons" else row.peer
