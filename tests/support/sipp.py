"""SIPp as a peer: runs a scenario file with bounded calls and time, and reads its statistics."""

from __future__ import annotations

import asyncio
import csv
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parents[1] / "sip" / "scenarios"


@dataclass(frozen=True, slots=True)
class SippResult:
    """What SIPp counted."""

    code: int
    """0: every call went as the scenario says. 1: at least one did not."""
    successful: int
    failed: int
    retransmissions: int
    set_up_ms: float
    """Mean time between ``start_rtd`` and ``rtd`` of timer 1."""
    unexpected: int
    errors: str
    """SIPp's error log, shortened."""

    @property
    def total(self) -> int:
        return self.successful + self.failed


async def run(
    scenario: str,
    target: tuple[str, int],
    folder: Path,
    *,
    user: str = "accueil",
    calls: int = 1,
    rate: float = 10.0,
    at_once: int = 200,
    seconds: float = 60.0,
    port: int = 15490,
    media_port: int = 36800,
    values: dict[str, str] | None = None,
) -> SippResult:
    """Run ``tests/sip/scenarios/<scenario>.xml`` against ``target`` and wait for its end.

    Args:
        folder: where the copy of the scenario and SIPp's logs go.
        user: what ``[service]`` is, in the scenario.
        at_once: the most calls up at any time.
        seconds: SIPp is stopped after that long and the calls left count as failed.
        values: ``@NAME@`` in the scenario is replaced by these.
    """
    text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
    for name, value in (values or {}).items():
        text = text.replace(f"@{name}@", value)
    copy = folder / f"{scenario}.xml"
    copy.write_text(text, "utf-8")
    statistics, errors = folder / f"{scenario}.csv", folder / f"{scenario}.errors"
    command = ["sipp", f"{target[0]}:{target[1]}", "-sf", str(copy), "-s", user, "-m", str(calls), "-r", str(rate)]
    command += ["-l", str(at_once), "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(media_port)]
    command += ["-trace_stat", "-stf", str(statistics), "-fd", "1", "-trace_err", "-error_file", str(errors)]
    command += ["-nostdin", "-timeout", f"{seconds:.0f}s", "-timeout_error", "-deadcall_wait", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd=folder
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), seconds + 15)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    log = errors.read_text("utf-8", "replace")[:3000] if errors.is_file() else ""
    row = _last_row(statistics)
    if row is None:
        raise AssertionError(f"sipp did not run: {said.decode(errors='replace')[-2000:]} {log}")
    return SippResult(
        code=process.returncode or 0,
        successful=int(row["SuccessfulCall(C)"]),
        failed=int(row["FailedCall(C)"]),
        retransmissions=int(row["Retransmissions(C)"]),
        set_up_ms=_milliseconds(row.get("ResponseTime1(C)", "")),
        unexpected=int(row["FailedUnexpectedMessage(C)"]),
        errors=log,
    )


def _last_row(path: Path) -> dict[str, str] | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return rows[-1] if rows else None


def _milliseconds(value: str) -> float:
    """SIPp writes times as ``00:00:00:123000`` (microseconds last)."""
    parts = value.split(":")
    if len(parts) != 4:
        return 0.0
    hours, minutes, seconds, micro = (int(p) for p in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + micro / 1000
