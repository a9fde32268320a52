"""The generator that is put through, against a switchboard whose delay and faults are known."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from benchmarks import audio, transferload

from .switchboard import HOST, Switchboard
from .test_tools import tone

DESK, DECISIONS = (HOST, 33901), (HOST, 33902)


async def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any] | None = None, **faults: Any
) -> dict[str, Any]:
    clip = tmp_path / "utterance.pcm"
    clip.write_bytes(tone(0.5))
    switchboard = Switchboard(DESK, DECISIONS, **faults)
    plan: dict[str, Any] = {
        "host": HOST, "port": await switchboard.listen(), "user": "switchboard", "utterance": str(clip), "calls": 3,
        "rate": 20.0, "hold_seconds": 0.1, "greeting_seconds": 0.1, "settle_seconds": 0.2, "measure_seconds": 2.0,
        "desk_port": DESK[1], "decisions_port": DECISIONS[1], "rtp_first": 33410, "rtp_last": 33700,
    }  # fmt: skip
    try:
        result = await transferload.run(transferload.Plan(**plan | (more or {})))
    finally:
        switchboard.close()
    capsys.readouterr()
    return result


async def test_the_delay_of_the_switchboard_is_the_delay_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got = await run(tmp_path, capsys, delay=0.03)
    assert (got["placed"], got["decided"], got["joined"], got["ended"], got["failures"]) == (3, 3, 3, 3, {})
    assert (got["still_open_at_desk"], got["decided_again"], got["generator"]["without_kernel_time"]) == (0, 0, 0)
    # the switchboard sleeps at least so long; a machine that hiccups adds to it and never takes away
    assert all(29 <= delay < 130 for delay in got["delays_ms"])
    assert got["delay_ms_silent"]["count"] + got["delay_ms_after_words"]["count"] == 3


async def test_a_caller_nobody_is_rung_for_has_no_delay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transferload, "JOINED_WITHIN_SECONDS", 1.5)
    got = await run(tmp_path, capsys, rings=lambda number: not number.endswith("1"))
    assert (got["decided"], got["joined"], got["ended"]) == (3, 2, 3)
    assert got["delay_ms"]["max"] is None, "infinite: never left out of a percentile"


async def test_both_ways_of_a_joined_call_are_held_against_what_was_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got = (await run(tmp_path, capsys, {"hold_seconds": None}))["passed"]
    assert (got["directions"], got["crossed"]) == (6, 6)
    assert got["expected"] >= 6 * 100
    assert got["sent"] == pytest.approx(got["expected"], rel=0.1)


async def test_a_lossy_way_and_a_silent_one_do_not_count_as_crossed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = itertools.count()
    got = await run(
        tmp_path,
        capsys,
        {"hold_seconds": None},
        onward=lambda packet: packet if next(count) % 10 else None,
        back=lambda packet: packet[:12] + bytes([audio.SILENCE_BYTE]) * 160,
    )
    assert (got["passed"]["directions"], got["passed"]["crossed"]) == (6, 0)


async def test_a_desk_of_the_other_law_refuses_what_it_cannot_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transferload, "JOINED_WITHIN_SECONDS", 1.0)
    got = await run(tmp_path, capsys, {"codec": "PCMU"})
    assert got["joined"] == 0
    assert got["failures"]["desk: offer without PCMU"] == 3
