"""Thirty calls whose pre-call workflow hangs at the same time, and one that is talking meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
from dataclasses import dataclass

from tests.sip.failover_stage import Stage, Visit, now
from tests.sip.failover_world import (
    CASES,
    CLOSED,
    DEADLINE_TOLERANCE,
    GREETING,
    MESSAGE,
    PRE_CALL_SECONDS,
    asks,
    case,
    failing_over,
)
from tests.support.phone_call import Call
from tests.support.stalls import STALL, own_stalls

MANY = 30
OUTLIERS = 3
"""How many of them may be late because the machine was: the phones' own process is one of two that share it."""
MOST_SKIPS = 3
MOST_LATE = 1.0
TALKS = "Bonjour. " + "Notre cabinet accueille tous les patients, avec ou sans rendez-vous. " * 6
PAUSE = 0.12
"""Between two packets, at most: what a telephone's jitter buffer takes."""


@case(alone=True, **asks("hang"), **failing_over(MESSAGE))
async def one_of_many_that_fail_over(visit: Visit) -> None:
    await visit.dial()
    await visit.gets_only(CLOSED)
    visit.record("failover", "pre_call_timeout", "message", "played", ended_by="system")


@case(alone=True, **asks("hang"))
async def one_of_many_in_degraded_mode(visit: Visit) -> None:
    await visit.dial()
    await visit.is_greeted(8)
    visit.heard(GREETING)
    await visit.hang_up()
    visit.record("completed", "pre_call_timeout", None, None, ended_by="caller")


@case(alone=True, greeting=TALKS)
async def who_talks_meanwhile(visit: Visit) -> None:
    await visit.dial()
    await visit.is_answered()
    await visit.call.rtp.wait_speech(4)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of them. ``visits`` were played; times are the loop's."""

    visits: list[Visit]
    faults: list[BaseException]
    waited: list[float]
    """From 180 to 200, sorted."""
    talking: Call
    began: float
    ended: float
    stalled: float
    """The phones' own longest stop."""

    def judge(self) -> None:
        """All of them, their deadline, and the call that went on beside them."""
        if self.faults:
            raise self.faults[0]
        for visit in self.visits:
            for check in visit.checks:
                check()
        assert len(self.waited) == MANY
        assert abs(statistics.median(self.waited) - PRE_CALL_SECONDS) <= DEADLINE_TOLERANCE, self.waited
        assert self.waited[-1 - OUTLIERS] <= PRE_CALL_SECONDS + DEADLINE_TOLERANCE, self.waited
        assert self.waited[-1] <= PRE_CALL_SECONDS + MOST_LATE, self.waited

    def judge_the_other(self) -> None:
        """None of its packets came too late to be played, and none was left out unless the machine stopped."""
        rtp = self.talking.rtp
        packets = rtp.audio_packets(self.began, self.ended)
        seconds = self.ended - self.began
        assert len(packets) >= 50 * seconds * 0.95, f"{len(packets)} packets in {seconds:.1f} s"
        skipped = [(b.timestamp - a.timestamp) & 0xFFFFFFFF != 160 for a, b in itertools.pairwise(packets)]
        allowed = MOST_SKIPS if self.stalled > STALL else 0
        assert sum(skipped) <= allowed, f"{sum(skipped)} times; the phones stopped for {self.stalled:.3f} s"
        assert rtp.longest_gap(self.began, self.ended) <= PAUSE


async def crowd(stage: Stage, name: str) -> Crowd:
    """Play a case thirty times at once, while another call is talked to; again when that was not heard as it should be:
    a stop of the server's comes again, one of the machine's seldom."""
    played = await _crowd(stage, name)
    try:
        played.judge_the_other()
    except AssertionError:
        return await _crowd(stage, name)
    return played


async def _crowd(stage: Stage, name: str) -> Crowd:
    one, other = CASES[name], CASES[who_talks_meanwhile.__name__]
    beside, visits = Visit(stage, other.name), [Visit(stage, name) for _ in range(MANY)]
    await other.play(beside)
    began = now()
    async with asyncio.timeout(40), own_stalls() as stalled:
        results = await asyncio.gather(*(one.play(visit) for visit in visits), return_exceptions=True)
    ended = now()
    await beside.hang_up()
    for visit in visits:
        with contextlib.suppress(TimeoutError, OSError):
            await visit.call.leave()
    faults = [result for result in results if result is not None]
    return Crowd(visits, faults, sorted(map(_waited, visits)), beside.call, began, ended, stalled[0])


def _waited(visit: Visit) -> float:
    rang = next(e.at for e in visit.call.responses if e.message.code == 180)
    return visit.call.up_at - rang
