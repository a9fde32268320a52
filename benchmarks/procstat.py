"""What a process and its children cost, read from /proc by somebody else than the process itself. Linux."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def parse_stat(text: str) -> tuple[int, float]:
    """(parent's pid, CPU seconds of all its threads and of the children it has reaped) of one /proc/PID/stat."""
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), sum(int(n) for n in fields[11:15]) / _TICK


def tree(pid: int) -> list[int]:
    """The process and everything it started that still runs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent, _ = parse_stat((entry / "stat").read_text())
            except OSError:  # gone meanwhile
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_seconds(pid: int) -> float:
    """CPU seconds, user and system, of the whole tree since it started (resolution 10 ms)."""
    total = 0.0
    for each in tree(pid):
        try:
            total += parse_stat(Path(f"/proc/{each}/stat").read_text())[1]
        except OSError:
            continue
    return total


def memory_mb(pid: int) -> float:
    """Proportional set size of the whole tree, MB (10^6 bytes): shared pages are counted once."""
    total = 0
    for each in tree(pid):
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total * 1024 / 1e6


@dataclass(slots=True)
class CpuMeter:
    """CPU used between two moments, in percent of one core."""

    pid: int
    _cpu: float = 0.0
    _wall: float = 0.0

    def start(self) -> None:
        """From now on."""
        self._cpu, self._wall = cpu_seconds(self.pid), time.monotonic()

    def percent(self) -> float:
        """Since ``start``."""
        return 100 * (cpu_seconds(self.pid) - self._cpu) / (time.monotonic() - self._wall)
