"""Where failovers are played: a caller's telephone, and those who are rung.

Every case is a call to an agent of its own, played by one coroutine; most of what they do is wait, so many are played
at a time. What was heard, and what the record says, is judged afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.sip.failover_service import Service
from tests.sip.failover_world import CALLER_NUMBER, PHRASES, Case
from tests.sip.talking import PACE, SAME_WORDS
from tests.sip.transfer_ears import sound
from tests.sip.transfer_peers import CALLER, EXCHANGE, Exchange
from tests.support.audio import NARROW, Pcm, likeness, segments, speech
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.phone_rtp import RtpEnd
from tests.support.server import ParlonsServer
from tests.support.sip_text import Message

AT_ONCE = 24


# -- one case being played ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stage:
    """What all cases share."""

    server: ParlonsServer
    service: Service
    caller: Phone
    exchange: Exchange


@dataclass
class Visit:
    """A caller's call to one case's agent, and what may be asked about it."""

    stage: Stage
    name: str
    checks: list[Callable[[], None]] = field(default_factory=list)
    """Judged when all is over."""
    calls: list[Call] = field(default_factory=list)
    """The caller's and all that were rung: left at the end."""
    trigger: str = ""

    # -- doing ---------------------------------------------------------------------------------------------------
    async def dial(self, *, deaf_to: int = 0, **options: Any) -> None:
        """Call the agent; it rings from here on. ``deaf_to``: responses of this code are lost."""
        options.setdefault("from_", f"<sip:{CALLER_NUMBER}@{CALLER[0]}>")
        self.call = self.stage.caller.call(self.stage.server.uri(self.name), **options)
        self.calls.append(self.call)
        if deaf_to:
            self.call.deaf_to = lambda response: response.code == deaf_to
        self._inviting = asyncio.create_task(self.call.invite())
        await self.call.sent.wait()

    async def is_answered(self, within: float = 12.0) -> None:
        """Wait for the answer."""
        answer = await asyncio.wait_for(asyncio.shield(self._inviting), within)
        assert answer.code == 200, answer.start

    async def hang_up(self) -> None:
        """The caller leaves: CANCEL before the answer, else BYE."""
        if self.call.up.is_set():
            assert (await self.call.bye()).code == 200
            return
        assert (await self.call.cancel()).code == 200
        assert (await asyncio.wait_for(self._inviting, 4)).code == 487

    async def rung(self, user: str = "", within: float = 4.0) -> Call:
        """The call that comes for a user of the exchange, the case's own name if not told."""
        call = await self.stage.exchange.rung(user or self.name, within)
        self.calls.append(call)
        return call

    async def is_hung_up(self, within: float = 15.0) -> None:
        """The server ends the call."""
        assert await self.call.wait_end(within) == "peer"

    async def is_greeted(self, within: float = 4.0) -> None:
        """Answered, and spoken to."""
        await self.is_answered()
        await self.call.rtp.wait_speech(within)
        await self.call.rtp.wait_quiet(0.5)

    async def gets_only(self, words: str) -> None:
        """Answered, told this to its end, and hung up on."""
        await self.is_answered()
        await self.is_hung_up()
        self.heard_only(words)

    def unanswered(self) -> None:
        """Nothing but ringing so far."""
        assert set(self.call.codes()) <= {100, 180, 183}, self.call.codes()

    # -- judging later -------------------------------------------------------------------------------------------
    def heard_only(self, words: str, *others: str) -> None:
        """All of this phrase and none of the others (all, if not told); the server hung up after its last sample."""
        rtp = self.call.rtp

        def check() -> None:
            self._whole(rtp.heard(), words)
            self._none_of(rtp.heard(), *(other for other in others or PHRASES if other != words))
            pause = rtp.quiet_tail()
            assert 0.12 <= pause <= 1.5, f"{self.name}: hung up {pause:.2f} s after the last word"

        self.checks.append(check)

    def heard(self, words: str) -> None:
        """All of this phrase."""
        self.checks.append(lambda: self._whole(self.call.rtp.heard(), words))

    def heard_tone(self, hertz: float, seconds: float) -> None:
        """So much of a tone, at least."""

        def check() -> None:
            tone = sound(self.call.rtp, hertz).tone
            assert tone >= seconds, f"{self.name}: {tone:.2f} s of {hertz:g} Hz"

        self.checks.append(check)

    def heard_nothing_said(self) -> None:
        """None of the phrases."""
        self.checks.append(lambda: self._none_of(self.call.rtp.heard(), *PHRASES))

    def heard_ringback(self, seconds: float) -> None:
        """So much of a French ringing tone, at least."""

        def check() -> None:
            tone = sound(self.call.rtp).tone
            assert tone >= seconds, f"{self.name}: {tone:.2f} s of ringback"

        self.checks.append(check)

    def carries(self, rtp: RtpEnd, words: str) -> None:
        """These words, as a telephone of ours said them, came across."""

        def check() -> None:
            score = likeness(rtp.heard(), speech(words)).score
            assert score > SAME_WORDS, f"{self.name}: {words!r} did not come across ({score:.2f})"

        self.checks.append(check)

    def record(self, status: str, trigger: str | None, action: str | None, outcome: str | None, **more: Any) -> None:
        """What the call's record says in the end."""
        wanted = {
            "status": status,
            "trigger": trigger,
            "failover_action": action,
            "failover_outcome": outcome,
            **more,
        }

        def check() -> None:
            record = self.stage.server.ended(self.call.id)
            assert {key: record[key] for key in wanted} == wanted, self.timeline()
            said = [e["payload"]["text"] for e in self.timeline() if e["kind"] == "transcript"]
            assert not any("{" in text for text in said), said

        self.checks.append(check)

    def timeline(self) -> list[dict[str, Any]]:
        """The call's events so far."""
        server = self.stage.server
        return server.timeline(server.call(self.call.id)["id"])

    def events(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Payloads of one kind of event that hold these fields."""
        found = [e["payload"] for e in self.timeline() if e["kind"] == kind]
        return [p for p in found if fields.items() <= p.items()]

    def _whole(self, heard: Pcm, words: str) -> None:
        came, wanted = without_gaps(heard), speech(words, speed=PACE)
        found = likeness(came, wanted)
        assert found.score > SAME_WORDS, f"{self.name}: {words!r} was not heard ({found.score:.2f})"
        missing = found.at + segments(wanted)[-1].end - segments(came)[-1].end
        assert missing < 0.1, f"{self.name}: {words!r} was cut short by {missing:.2f} s"

    def _none_of(self, heard: Pcm, *phrases: str) -> None:
        came = without_gaps(heard)
        told = [p for p in phrases if len(came) and likeness(came, speech(p, speed=PACE)).score > SAME_WORDS]
        assert not told, f"{self.name}: {told} was heard too"


def without_gaps(pcm: Pcm) -> Pcm:
    """What came in packets: a machine that is busy makes pauses of its own, and leaves no word out.

    No sample of G.711's A-law is zero.
    """
    size = NARROW // 50
    frames = pcm[: len(pcm) // size * size].reshape(-1, size)
    return frames[frames.any(axis=1)].reshape(-1)


def now() -> float:
    return asyncio.get_running_loop().time()


def cancelled(there: Call) -> asyncio.Future[float]:
    """When the CANCEL of somebody who is rung comes."""
    came: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def watch(request: Message, _source: tuple[str, int]) -> bool:
        if request.method == "CANCEL" and not came.done():
            came.set_result(now())
        return False

    there.hook = watch
    return came


# -- all of it ---------------------------------------------------------------------------------------------------


@dataclass
class Played:
    """What became of every case."""

    faults: dict[str, BaseException] = field(default_factory=dict)
    checks: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, more: Played) -> None:
        """These were played too."""
        self.faults |= more.faults
        self.checks |= more.checks
        self.seconds |= more.seconds

    def judge(self, name: str) -> None:
        """Raise what went wrong in a case."""
        if name in self.faults:
            raise self.faults[name]
        for check in self.checks[name]:
            check()


@contextlib.asynccontextmanager
async def staged(server: ParlonsServer, service: Service) -> AsyncIterator[Stage]:
    """The telephones."""
    many = range(36700, 36900)
    async with (
        Phone(user="caller", host=CALLER[0], port=CALLER[1], rtp_ports=many) as caller,
        Phone(user="desk", host=EXCHANGE[0], port=EXCHANGE[1], rtp_ports=many) as desk,
    ):
        exchange = Exchange(desk)
        sorting = asyncio.create_task(exchange.sort())
        yield Stage(server, service, caller, exchange)
        sorting.cancel()


async def play(stage: Stage, cases: Iterable[Case], at_once: int = AT_ONCE) -> Played:
    """Play cases, ``at_once`` at a time, the long ones first."""
    played = Played()
    turns = asyncio.Semaphore(at_once)

    async def run(one: Case) -> None:
        async with turns:
            began = now()
            visit = Visit(stage, one.name)
            try:
                async with asyncio.timeout(50):
                    await one.play(visit)
            except BaseException as fault:
                played.faults[one.name] = fault
                with contextlib.suppress(AssertionError, AttributeError):
                    fault.add_note("\n".join(map(str, visit.timeline())))
            for call in visit.calls:
                with contextlib.suppress(TimeoutError, OSError):
                    await call.leave()
            played.checks[one.name] = visit.checks
            played.seconds[one.name] = now() - began

    await asyncio.gather(*(run(one) for one in sorted(cases, key=lambda one: not one.first)))
    return played
