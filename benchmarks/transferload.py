"""Calls an agent that puts every caller through, is the one who is rung, and prints what it saw as JSON lines.

Run as ``python -m benchmarks.transferload PLAN.json`` in place of ``benchmarks.loadgen``, with the same events. Callers
and desk are one process and one clock: decisions and INVITEs are stamped by the same kernel. Imports nothing of
Parlons.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import audio
from benchmarks.load import measure
from benchmarks.load.desk import Decisions, Desk, Visit
from benchmarks.load.media import MediaLeg, Script, spread
from benchmarks.load.phone import Call, Phone, State, Target
from benchmarks.loadgen import emit, health

PAUSE_SECONDS = 0.3
"""Between two sentences of somebody who talks without an end."""
ONCE_SECONDS = 600.0
"""A cycle longer than any run: the sentence is said once."""
JOINED_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Args:
        host, port, user: whom the callers call: the agent that puts through.
        calls: how many of them, placed ``rate`` a second.
        talker, background: an agent that talks, and how many callers talk to it all the time.
        hold_seconds: hang each call up this long after it was heard at the desk; None keeps all of them for the
            measured time.
        greeting_seconds: from the answer to when the caller speaks.
        settle_seconds: wait after the last call was heard at the desk before measuring.
        measure_seconds: how long to measure while every call stands.
        codec: of the desk, PCMA or PCMU; callers are PCMA.
        utterance: PCM file, 8 kHz s16le.
        sip_port, desk_host, desk_port, decisions_port, rtp_first, rtp_last: what this side listens on.
    """

    host: str
    port: int
    user: str
    utterance: str
    calls: int = 10
    rate: float = 2.0
    talker: str = "bench"
    background: int = 0
    hold_seconds: float | None = None
    greeting_seconds: float = 6.0
    settle_seconds: float = 4.0
    measure_seconds: float = 30.0
    codec: str = "PCMA"
    end_of_speech_ms: float = 600.0
    sip_port: int = 0
    desk_host: str = "127.0.0.1"
    desk_port: int = 0
    decisions_port: int = 0
    rtp_first: int = 32000
    rtp_last: int = 33999
    local_host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class _Count:
    """What one leg has sent so far."""

    sent: int
    loud: int


class Run:
    """Places the plan's calls, answers at the desk, hangs up, and adds up."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        words = Path(plan.utterance).read_bytes()
        endless = len(words) / 2 / audio.RATE + PAUSE_SECONDS
        self._endless = Script(words, endless)
        third = (plan.rtp_last + 1 - plan.rtp_first) // 3
        ports = [range(plan.rtp_first + i * third, plan.rtp_first + (i + 1) * third) for i in range(3)]
        self.phone = self._phone(plan.user, plan.sip_port, ports[0], Script(words, ONCE_SECONDS), self._answered)
        self.others = self._phone(plan.talker, 0, ports[1], Script(words, 10.0), lambda _call: None)
        at_desk = Script(words, endless, audio.CODECS[plan.codec])
        address, clock = (plan.desk_host, plan.desk_port), self.phone.clock
        self.desk = Desk(address, ports[2], at_desk, clock, self.phone.sender, self._up)
        self.decisions = Decisions((plan.local_host, plan.decisions_port), clock)
        self.joined: dict[str, Visit] = {}
        self._callers: dict[str, Call] = {}
        self._hanging_up: set[str] = set()
        self.window = (0.0, 0.0)
        self.cpu_percent = 0.0
        self._passed: list[measure.Passed] = []

    def _phone(self, user: str, port: int, rtp: range, script: Script, up: Callable[[Call], None]) -> Phone:
        plan = self.plan
        return Phone(Target(plan.host, plan.port, user), (plan.local_host, port), rtp, script, up)

    async def go(self) -> dict[str, Any]:
        """The whole run; the result."""
        try:
            await self._talk_in_the_background()
            if self.plan.hold_seconds is None:
                await self._place_all()
                await self._until(self._all_joined, JOINED_WITHIN_SECONDS)
                emit("up", calls=len(self.joined))
                await asyncio.sleep(self.plan.settle_seconds)
                await self._measured(asyncio.sleep(self.plan.measure_seconds))
            else:
                await self._measured(self._one_after_the_other())
            await self._hang_up()
            emit("ended")
            return self._result()
        finally:
            self.decisions.close()
            self.desk.close()
            self.phone.close()
            self.others.close()

    # -- what is done ------------------------------------------------------------------------------------------------

    async def _talk_in_the_background(self) -> None:
        for _ in range(self.plan.background):
            self.others.place()
            await asyncio.sleep(0.2)
        if self.plan.background:
            await self._until(lambda: all(call.state is not State.CALLING for call in self.others.calls), 40)
            legs = [call.media for call in self.others.calls if call.state is State.UP]
            spread(legs, time.monotonic() + self.plan.greeting_seconds, 10.0)

    async def _place_all(self) -> None:
        start = self.loop.time()
        for index in range(self.plan.calls):
            # a little unevenly, as real arrivals have: never in step with anybody's 20 ms clock
            due = start + (index + random.uniform(0, 0.5)) / self.plan.rate
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            call = self.phone.place()
            self._callers[call.number] = call

    async def _one_after_the_other(self) -> None:
        await self._place_all()
        await self._until(lambda: self._all_joined() and not self.phone.open, JOINED_WITHIN_SECONDS)

    async def _measured(self, work: Any) -> None:
        gc.collect()
        await asyncio.sleep(0.2)  # what was to be sent during the collection has been sent
        self.phone.sender.reset()
        self.others.sender.reset()
        cpu, start, before = time.process_time(), time.monotonic(), self._counts()
        emit("measuring")
        await work
        end, after = time.monotonic(), self._counts()
        emit("measured")
        self.window = (start, end)
        self.cpu_percent = 100 * (time.process_time() - cpu) / (end - start)
        await asyncio.sleep(0.2)
        if self.plan.hold_seconds is None:
            self._passed = self._compare(before, after)

    async def _hang_up(self) -> None:
        for call in (*self.phone.calls, *self.others.calls):
            call.bye()
            await asyncio.sleep(0.05)
        await self._until(lambda: not (self.phone.open or self.others.open or self.desk.open), 40)

    def _answered(self, call: Call) -> None:
        call.media.talk_at = time.monotonic() + self.plan.greeting_seconds

    def _up(self, visit: Visit) -> None:
        """The desk has answered: the caller talks without an end, until it is heard there."""
        call = self._callers.get(visit.mark)
        if call is not None and call.state is State.UP:
            call.media.recite(self._endless)
            self._listen(call, visit)

    def _listen(self, call: Call, visit: Visit) -> None:
        if visit.over:
            return
        if 1 not in visit.media.stream.loud:
            self.loop.call_later(0.05, self._listen, call, visit)
            return
        self.joined[visit.mark] = visit
        if self.plan.hold_seconds is not None:
            self.loop.call_later(self.plan.hold_seconds, call.bye)

    def _all_joined(self) -> bool:
        alive = [call for call in self.phone.calls if call.state is not State.FAILED]
        return len(self.joined) >= len(alive)

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        limit = self.loop.time() + seconds
        while not done() and self.loop.time() < limit:  # noqa: ASYNC110 - looked at 20 times a second, not hot
            await asyncio.sleep(0.05)

    # -- what came of it ---------------------------------------------------------------------------------------------

    def _pairs(self) -> list[tuple[MediaLeg, MediaLeg]]:
        """Both ends of each joined call: the caller's, the desk's."""
        return [(self._callers[mark].media, visit.media) for mark, visit in self.joined.items()]

    def _counts(self) -> dict[MediaLeg, _Count]:
        return {leg: _Count(leg.sent, leg.loud_sent) for pair in self._pairs() for leg in pair}

    def _compare(self, before: dict[MediaLeg, _Count], after: dict[MediaLeg, _Count]) -> list[measure.Passed]:
        found = []
        for caller, desk in self._pairs():
            for source, target in ((caller, desk), (desk, caller)):
                if source in before and source in after:
                    sent = after[source].sent - before[source].sent
                    loud = after[source].loud - before[source].loud
                    found.append(measure.passed(target.stream, sent, loud, *self.window))
        return found

    def _result(self) -> dict[str, Any]:
        calls, others = self.phone.calls, self.others.calls
        waited = measure.delays(self.decisions.decided, self.desk.invited)
        failures = Counter(call.failure or "never ended" for call in calls if call.state is not State.ENDED)
        failures.update(f"desk: {strange}" for strange in self.desk.strange)
        legs = [call.media for call in (*calls, *others)] + [visit.media for visit in self.desk.visits]
        return {
            "plan": asdict(self.plan),
            "placed": len(calls),
            "answered": sum(call.setup is not None for call in calls),
            "ended": sum(call.state is State.ENDED for call in calls),
            "hung_up_by_server": sum(call.by_peer for call in calls),
            "failures": dict(failures),
            "decided": len(waited),
            "decided_again": self.decisions.repeated,
            "joined": len(self.joined),
            "still_open_at_desk": self.desk.open,
            "background": sum(call.state is State.ENDED and not call.by_peer for call in others),
            "delay_ms": measure.summary_ms(list(waited.values())),
            "delay_ms_silent": measure.summary_ms([v for mark, v in waited.items() if not int(mark[-1]) % 2]),
            "delay_ms_after_words": measure.summary_ms([v for mark, v in waited.items() if int(mark[-1]) % 2]),
            "delays_ms": [round(seconds * 1000, 3) for seconds in waited.values()],
            "passed": {
                "directions": len(self._passed),
                "crossed": sum(one.crossed for one in self._passed),
                **{key: sum(asdict(one)[key] for one in self._passed) for key in measure.Passed.__slots__},
            },
            "generator": health(self.cpu_percent, [self.phone, self.others], legs),
        }


async def run(plan: Plan) -> dict[str, Any]:
    """Carry out one plan."""
    return await Run(plan).go()


def main() -> None:
    """``python -m benchmarks.transferload PLAN.json``."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    gc.disable()  # collected by hand, outside what is measured
    emit("result", result=asyncio.run(run(plan)))


if __name__ == "__main__":
    main()
