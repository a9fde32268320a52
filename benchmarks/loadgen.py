"""Calls a SIP server many times over, talks to it, and prints what it saw as JSON lines.

Run as a process of its own (``python -m benchmarks.loadgen PLAN.json``), on a core of its own. Events on standard
output tell the runner when to read the server's CPU and memory: ``up`` (every call stands), ``measuring``,
``measured``, ``ended``, and last ``result``. Imports nothing of Parlons.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import measure
from benchmarks.load.media import MediaLeg, Script, spread
from benchmarks.load.phone import Call, Phone, State, Target

HEALTHY_CPU_PERCENT = 70.0
HEALTHY_LATE_P99_MS = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Args:
        host, port, user: who is called.
        calls: how many calls, placed ``rate`` a second.
        hold_seconds: hang each call up this long after its answer; None keeps all of them for the measured time.
        settle_seconds: wait after the last answer before measuring (greeting, first sentences, warm caches).
        measure_seconds: how long to measure while every call stands.
        talk: whether the callers speak; else they send silence.
        cycle_seconds: one utterance in this time.
        end_of_speech_ms: what the agent is configured to wait after speech; taken off each turn's latency.
        utterance: PCM file, 8 kHz s16le.
        sip_port, rtp_first, rtp_last: what this side listens on; 0 lets the kernel choose the SIP port.
    """

    host: str
    port: int
    user: str
    utterance: str
    calls: int = 10
    rate: float = 10.0
    hold_seconds: float | None = None
    settle_seconds: float = 5.0
    measure_seconds: float = 30.0
    talk: bool = True
    cycle_seconds: float = 10.0
    end_of_speech_ms: float = 600.0
    sip_port: int = 0
    rtp_first: int = 32000
    rtp_last: int = 33999
    local_host: str = "127.0.0.1"


def emit(event: str, **details: Any) -> None:
    """One line for the runner."""
    print(json.dumps({"event": event, **details}), flush=True)


class Run:
    """Places the plan's calls, waits, hangs up, and adds up."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        script = Script(Path(plan.utterance).read_bytes(), plan.cycle_seconds)
        self.phone = Phone(
            Target(plan.host, plan.port, plan.user),
            (plan.local_host, plan.sip_port),
            range(plan.rtp_first, plan.rtp_last + 1),
            script,
            self._up,
        )
        self.window = (0.0, 0.0)
        self.cpu_percent = 0.0

    async def go(self) -> dict[str, Any]:
        """The whole run; the result."""
        plan = self.plan
        cpu, began = time.process_time(), time.monotonic()
        if plan.hold_seconds is not None:
            emit("measuring")
        await self._place_all()
        if plan.hold_seconds is None:
            await self._measure_together()
        else:
            await self._until(lambda: self.phone.open == 0, plan.hold_seconds + 40)
            self.window = (began, time.monotonic())
            self.cpu_percent = 100 * (time.process_time() - cpu) / (time.monotonic() - began)
            emit("measured")
        emit("ended")
        result = self._result()
        self.phone.close()
        return result

    async def _place_all(self) -> None:
        start = self.loop.time()
        for index in range(self.plan.calls):
            # a little unevenness, as real arrivals have: never in step with anybody's 20 ms clock
            due = start + (index + random.uniform(0, 0.5)) / self.plan.rate
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            self.phone.place()
        await self._until(lambda: not self._in(State.CALLING), 40)

    async def _measure_together(self) -> None:
        plan = self.plan
        up = [call.media for call in self.phone.calls if call.state is State.UP]
        emit("up", calls=len(up))
        if not up:
            return
        if plan.talk:
            spread(up, time.monotonic() + plan.settle_seconds, plan.cycle_seconds)
        # one cycle more, so that every caller has begun to talk
        await asyncio.sleep(plan.settle_seconds + (plan.cycle_seconds if plan.talk else 0.0))
        gc.collect()
        self.phone.sender.reset()
        cpu, start = time.process_time(), time.monotonic()
        emit("measuring")
        await asyncio.sleep(plan.measure_seconds)
        end = time.monotonic()
        self.window = (start, end)
        self.cpu_percent = 100 * (time.process_time() - cpu) / (end - start)
        emit("measured")
        await asyncio.sleep(0.2)
        for call in self.phone.calls:
            call.bye()
            await asyncio.sleep(1 / max(20.0, plan.rate))
        await self._until(lambda: self.phone.open == 0, 40)

    def _up(self, call: Call) -> None:
        if self.plan.hold_seconds is not None:
            self.loop.call_later(self.plan.hold_seconds, call.bye)

    def _in(self, state: State) -> list[Call]:
        return [call for call in self.phone.calls if call.state is state]

    async def _until(self, done: Any, seconds: float) -> None:
        limit = self.loop.time() + seconds
        while not done() and self.loop.time() < limit:  # noqa: ASYNC110 - looked at 20 times a second, not hot
            await asyncio.sleep(0.05)

    def _result(self) -> dict[str, Any]:
        calls, plan = self.phone.calls, self.plan
        answered = [call for call in calls if call.setup is not None]
        failures = Counter(call.failure or "never ended" for call in calls if call.state is not State.ENDED)
        failures.update(call.failure for call in calls if call.state is State.ENDED and call.failure)
        return {
            "plan": asdict(plan),
            "placed": len(calls),
            "answered": len(answered),
            "ended": sum(call.state is State.ENDED for call in calls),
            "hung_up_by_server": sum(call.by_peer for call in calls),
            "failures": dict(failures),
            "sip_repeats": self.phone.repeats,
            "setup_ms": measure.summary_ms([call.setup for call in answered if call.setup is not None]),
            "setups_ms": [round(call.setup * 1000, 3) for call in answered if call.setup is not None],
            "provisional_ms": measure.summary_ms([c.provisional for c in calls if c.provisional is not None]),
            **(self._media(answered) if plan.hold_seconds is None else {}),
            "generator": self._health(),
        }

    def _media(self, answered: list[Call]) -> dict[str, Any]:
        plan, (start, end) = self.plan, self.window
        parts = [measure.frames(call.media.stream, start, end) for call in answered]
        late = np.concatenate([p["late"] for p in parts]) if parts else np.zeros(0)
        steps = np.concatenate([p["steps"] for p in parts]) if parts else np.zeros(0)
        turns = [
            turn
            for call in answered
            for turn in measure.turns(
                call.media.stream, call.media.utterances, plan.end_of_speech_ms / 1000, start, end
            )
        ]
        return {
            "window_seconds": round(end - start, 3),
            "frames": {
                "received": sum(p["received"] for p in parts),
                "expected": sum(p["expected"] for p in parts),
                "lost": sum(p["lost"] for p in parts),
                "late_over_40_ms": int((late > measure.LATE_SECONDS).sum()),
                "lateness_ms": measure.summary_ms(late),
                "inter_arrival_ms": measure.summary_ms(steps),
                "gaps_over_60_ms": int((steps > 0.06).sum()),
                "not_audio": sum(call.media.strange for call in answered),
            },
            "turns": dict(Counter(turn.kind for turn in turns)),
            "turn_overhead_ms": measure.summary_ms([turn.overhead for turn in turns]),
            "turn_overheads_ms": [
                None if np.isinf(turn.overhead) else round(turn.overhead * 1000, 3) for turn in turns
            ],
        }

    def _health(self) -> dict[str, Any]:
        return health(self.cpu_percent, [self.phone], [call.media for call in self.phone.calls])


def health(cpu_percent: float, phones: Sequence[Phone], legs: Sequence[MediaLeg]) -> dict[str, Any]:
    """Whether the generator itself was fit while it measured, and what it sent."""
    late = measure.summary_ms([one for phone in phones for one in phone.sender.lateness])
    p99 = late["p99"] or 0.0
    return {
        "cpu_percent": round(cpu_percent, 1),
        "send_lateness_ms": late,
        "rtp_sent": sum(leg.sent for leg in legs),
        "send_errors": sum(phone.send_errors for phone in phones) + sum(leg.send_errors for leg in legs),
        "without_kernel_time": sum(phone.clock.missing for phone in phones),
        "healthy": bool(cpu_percent <= HEALTHY_CPU_PERCENT and p99 <= HEALTHY_LATE_P99_MS),
    }


async def run(plan: Plan) -> dict[str, Any]:
    """Carry out one plan."""
    return await Run(plan).go()


def main() -> None:
    """``python -m benchmarks.loadgen PLAN.json``."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    gc.disable()  # collected by hand, outside what is measured
    emit("result", result=asyncio.run(run(plan)))


if __name__ == "__main__":
    main()
