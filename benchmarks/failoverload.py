"""Calls agents whose pre-call workflow asks for failover, answers that workflow, and prints what it saw as JSON lines.

Run as ``python -m benchmarks.failoverload PLAN.json`` in place of ``benchmarks.loadgen``, with the same events. The
trigger is the moment at which the workflow's reply is handed to the kernel; the figure ends with the first loud packet
that the caller gets (message), or with the INVITE's arrival at the desk (transfer). One process, one clock. Imports
nothing of Parlons.
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

from benchmarks.load import measure
from benchmarks.load.desk import Desk, Visit
from benchmarks.load.media import Script, spread
from benchmarks.load.phone import Call, Phone, State, Target
from benchmarks.loadgen import emit, health

REPLY = b'{"failover": true}'
HOLD_SECONDS = 0.5
ENDED_WITHIN_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Args:
        host, port: where Parlons is called.
        user: the agent whose failover is a message.
        transferring: the agent whose failover rings the desk.
        calls: how many, half to each, placed ``rate`` a second.
        talker, background: an agent that talks, and how many callers talk to it all the time.
        utterance: PCM file, 8 kHz s16le.
        workflow_port: where pre-call workflows ask.
        sip_port, desk_host, desk_port, rtp_first, rtp_last: what this side listens on.
    """

    host: str
    port: int
    user: str
    utterance: str
    workflow_port: int
    transferring: str = "rings"
    calls: int = 24
    rate: float = 2.0
    talker: str = "bench"
    background: int = 0
    greeting_seconds: float = 6.0
    end_of_speech_ms: float = 600.0
    sip_port: int = 0
    desk_host: str = "127.0.0.1"
    desk_port: int = 0
    rtp_first: int = 32000
    rtp_last: int = 33999
    local_host: str = "127.0.0.1"


class Workflow:
    """Answers every request on one port; notes when it did, by the mark in its path."""

    def __init__(self) -> None:
        self.answered: dict[str, float] = {}

    async def serve(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._one, host, port)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                mark = head.split(b" ", 2)[1].decode().rpartition("/")[2]
                about = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(REPLY)}\r\n\r\n"
                self.answered[mark] = time.monotonic()
                writer.write(about.encode() + REPLY)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the server keeps connections until it stops
        finally:
            writer.close()


class Run:
    """Places the plan's calls, answers workflows and the desk, and adds up."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        words = Path(plan.utterance).read_bytes()
        quiet, talk = Script(words, 600.0), Script(words, 10.0)
        quarter = (plan.rtp_last + 1 - plan.rtp_first) // 4
        ports = [range(plan.rtp_first + i * quarter, plan.rtp_first + (i + 1) * quarter) for i in range(4)]
        self.told = self._phone(plan.user, plan.sip_port, ports[0], quiet, lambda _call: None)
        self.rung = self._phone(plan.transferring, 0, ports[1], quiet, self._put_through)
        self.others = self._phone(plan.talker, 0, ports[2], talk, lambda _call: None)
        address = (plan.desk_host, plan.desk_port)
        self.desk = Desk(address, ports[3], talk, self.told.clock, self.told.sender, self._desk_up)
        self.workflow = Workflow()
        self.cpu_percent = 0.0

    def _phone(self, user: str, port: int, rtp: range, script: Script, up: Callable[[Call], None]) -> Phone:
        plan = self.plan
        phone = Phone(Target(plan.host, plan.port, user), (plan.local_host, port), rtp, script, up)
        phone.first_index = {plan.user: 0, plan.transferring: 4000, plan.talker: 8000}[user]
        return phone

    async def go(self) -> dict[str, Any]:
        """The whole run; the result."""
        server = await self.workflow.serve(self.plan.local_host, self.plan.workflow_port)
        try:
            await self._talk_in_the_background()
            gc.collect()
            for phone in (self.told, self.rung, self.others):
                phone.sender.reset()
            cpu, start = time.process_time(), time.monotonic()
            emit("measuring")
            await self._place_all()
            await self._until(lambda: not (self.told.open or self.rung.open), ENDED_WITHIN_SECONDS)
            emit("measured")
            self.cpu_percent = 100 * (time.process_time() - cpu) / (time.monotonic() - start)
            for call in self.others.calls:
                call.bye()
            await self._until(lambda: not (self.others.open or self.desk.open), ENDED_WITHIN_SECONDS)
            emit("ended")
            return self._result()
        finally:
            server.close()
            self.desk.close()
            for phone in (self.told, self.rung, self.others):
                phone.close()

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
            due = start + (index + random.uniform(0, 0.5)) / self.plan.rate  # never in step with a 20 ms clock
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            (self.told, self.rung)[index % 2].place()

    def _put_through(self, call: Call) -> None:
        self.loop.call_later(HOLD_SECONDS, call.bye)

    def _desk_up(self, _visit: Visit) -> None:
        """The caller hangs up; the desk waits for that."""

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        limit = self.loop.time() + seconds
        while not done() and self.loop.time() < limit:  # noqa: ASYNC110 - looked at 20 times a second, not hot
            await asyncio.sleep(0.05)

    # -- what came of it ---------------------------------------------------------------------------------------------

    def _waited(self) -> tuple[list[float], list[float]]:
        """Seconds from the trigger to the first loud packet, and to the INVITE; infinite when it never came."""
        answered, never = self.workflow.answered, float("inf")
        spoken, invited = [], []
        for call in self.told.calls:
            stream = call.media.stream
            first = next((at for at, loud in zip(stream.arrivals, stream.loud, strict=True) if loud), never)
            spoken.append(first - answered.get(call.number, never) if call.number in answered else never)
        for call in self.rung.calls:
            came = self.desk.invited.get(call.number, never)
            invited.append(came - answered[call.number] if call.number in answered else never)
        return spoken, invited

    def _result(self) -> dict[str, Any]:
        calls = [*self.told.calls, *self.rung.calls]
        spoken, invited = self._waited()
        failures = Counter(call.failure or "never ended" for call in calls if call.state is not State.ENDED)
        failures.update(f"desk: {strange}" for strange in self.desk.strange)
        legs = [call.media for call in (*calls, *self.others.calls)] + [visit.media for visit in self.desk.visits]
        return {
            "plan": asdict(self.plan),
            "placed": len(calls),
            "answered": sum(call.setup is not None for call in calls),
            "ended": sum(call.state is State.ENDED for call in calls),
            "hung_up_by_server": sum(call.by_peer for call in self.rung.calls),
            "told_to_the_end": sum(call.by_peer for call in self.told.calls),
            "failures": dict(failures),
            "still_open_at_desk": self.desk.open,
            "background": sum(call.state is State.ENDED and not call.by_peer for call in self.others.calls),
            "spoken_ms": measure.summary_ms(spoken),
            "invited_ms": measure.summary_ms(invited),
            "delay_ms": measure.summary_ms([*spoken, *invited]),
            "generator": health(self.cpu_percent, [self.told, self.rung, self.others], legs),
        }


async def run(plan: Plan) -> dict[str, Any]:
    """Carry out one plan."""
    return await Run(plan).go()


def main() -> None:
    """``python -m benchmarks.failoverload PLAN.json``."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    gc.disable()  # collected by hand, outside what is measured
    emit("result", result=asyncio.run(run(plan)))


if __name__ == "__main__":
    main()
