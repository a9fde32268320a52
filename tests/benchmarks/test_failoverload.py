"""What the generator of failing calls makes of what it saw: a call without its sound or INVITE is never left out."""

from __future__ import annotations

from pathlib import Path

from benchmarks.failoverload import Plan, Run

from .test_tools import tone


async def test_delays_run_from_the_trigger_and_what_never_came_is_infinite(tmp_path: Path) -> None:
    clip = tmp_path / "utterance.pcm"
    clip.write_bytes(tone(0.5))
    run = Run(Plan("127.0.0.1", 9, "told", str(clip), 0, rtp_first=33710, rtp_last=33890))
    try:
        told = [run.told.place() for _ in range(3)]
        rung = [run.rung.place() for _ in range(2)]
        assert len({call.number for call in (*told, *rung)}) == 5
        for call in (*told[:2], *rung):
            run.workflow.answered[call.number] = 10.0
        stream = told[0].media.stream
        stream.arrivals.extend([10.02, 10.04, 10.06])
        stream.loud.extend([0, 1, 1])
        run.desk.invited[rung[0].number] = 10.005
        spoken, invited = run._waited()
        assert [round(one, 3) for one in spoken[:1]] == [0.04]
        assert spoken[1:] == [float("inf")] * 2
        assert [round(one, 3) for one in invited] == [0.005, float("inf")]
    finally:
        run.desk.close()
        for phone in (run.told, run.rung, run.others):
            phone.close()
