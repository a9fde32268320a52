"""Rehearsals of the failover: the code that calls run, with a caller who is recorded and destinations that are played.

Nothing of it is a call: no record is kept, nothing is counted, nobody is alerted and no telephone rings. A failover
workflow really runs, because only it knows what it decides.
"""

from __future__ import annotations

import asyncio
import io
import time
import uuid
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from parlons import logs
from parlons.agents.common import SpokenText
from parlons.agents.models import Agent
from parlons.errors import Conflict, NotFound
from parlons.metrics import Metrics
from parlons.telephony.local_leg import LocalLeg
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.stand_in import Fate, StandIn
from parlons.telephony.types import InviteInfo
from parlons.workflows.runs import Run

from .call import Call, new_call_id
from .directory import Directory, LiveAgent
from .equipment import Equipment
from .failover import switched_on
from .failover_table import Trigger
from .limits import OutboundLimits
from .messages import SAMPLE_RATE
from .parts import BorrowedResources
from .preparing import COST_THE_CALL
from .record import CallRecord
from .service import CallService
from .timeline import Event

__all__ = ["Fate", "Rehearsal", "Rehearsals", "wav"]

AT_ONCE = 2
"""Rehearsals under way; likewise messages being made to be heard."""
MAX_AUDIO_SECONDS = 30.0
"""What the caller of a rehearsal hears at most; then they are hung up on."""
MAX_SECONDS = 90.0
"""Of one rehearsal, whatever happens in it."""
KEPT_SECONDS = 600.0
MAX_KEPT = 24
"""Recordings kept in memory; 30 s of one are half a megabyte."""
CALLER = "+33639980001"
"""Whoever calls: one of the numbers that France keeps for fiction."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a caller would get.

    Args:
        record: as a call's would be.
        audio_id: of what the caller hears; None when they hear nothing but their own network's ringing.
        seconds: of it.
        agent_answers: with this failover switched off the agent speaks all the same; nothing was rehearsed.
        cut_short: it was stopped after ``MAX_AUDIO_SECONDS``.
        runs: (workflow, run) of what really ran.
    """

    record: CallRecord
    events: tuple[Event, ...] = ()
    audio_id: str | None = None
    seconds: float = 0.0
    agent_answers: bool = False
    cut_short: bool = False
    runs: tuple[tuple[str, Run], ...] = ()


class Rehearsals:
    """Of one process.

    Args:
        calls: whose equipment and configuration they use.
        host: the address that the media engine binds.
    """

    def __init__(self, calls: CallService, host: str) -> None:
        self._calls = calls
        self._host = host
        self._metrics = Metrics()
        """Nobody reads them."""
        self.ended = 0
        """How many are over, since the start."""
        self._under_way = 0
        self._speaking = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, tuple[float, str, bytes]] = {}
        """Since when, whose, and the WAV."""

    async def play(self, live: LiveAgent, trigger: Trigger, fate: Fate) -> Rehearsal:
        """Let a call to this agent fail by this trigger, with the installation's switch on, and record it. Who is
        cancelled has hung up.

        Args:
            fate: what destinations do when they are rung.

        Raises:
            Conflict: ``AT_ONCE`` are under way, or no call can be taken.
            PortsExhausted: no RTP port is free.
        """
        if self._under_way >= AT_ONCE:
            raise Conflict(f"{AT_ONCE} rehearsals are under way.", hint="Try again when one of them has ended.")
        if not self._calls.ready:
            raise Conflict("No more calls can be taken right now.", hint="Try again when others have ended.")
        self._under_way += 1
        try:
            with structlog.contextvars.bound_contextvars(rehearsal=trigger.value):
                return await self._play(live, trigger, fate)
        finally:
            self._under_way -= 1
            self.ended += 1

    async def _play(self, live: LiveAgent, trigger: Trigger, fate: Fate) -> Rehearsal:
        directory = self._calls.directory
        settings = directory.settings.model_copy(update={"failover_enabled": True})
        record = self._record(live, directory)
        if not switched_on(live.agent, settings) and trigger not in COST_THE_CALL:
            return Rehearsal(record, agent_answers=True)
        resources = _Resources(self._calls, replace(directory, settings=settings))
        equipment = await self._equipment(live.agent, resources.directory, fate)
        peer = equipment.media.open(codecs=("PCMA",))
        info = InviteInfo(record.id, ("", 0), (record.called,), CALLER, "", False, "", {})
        leg = LocalLeg(info, peer, self._host)
        call = Call(equipment, live, leg, record, resources, None, rehearsed=trigger)
        ear = _Ear(peer, lambda: call.stop("the rehearsal is long enough"))
        await self._run(call, leg)
        audio_id = self._keep(live.id, bytes(ear.heard)) if ear.heard else None
        seconds = len(ear.heard) / 2 / SAMPLE_RATE
        return Rehearsal(
            record,
            tuple(call.timeline.events),
            audio_id,
            seconds,
            cut_short=ear.full,
            runs=tuple(resources.kept),
        )

    @staticmethod
    async def _run(call: Call, leg: LocalLeg) -> None:
        running = asyncio.ensure_future(call.run_inbound())
        try:
            await asyncio.wait({running}, timeout=MAX_SECONDS)
        finally:
            leg.leave()
            await asyncio.wait({running}, timeout=5)
            running.cancel()

    def _record(self, live: LiveAgent, directory: Directory) -> CallRecord:
        """Of a call that comes in over the first SIP connection, if there is any: a transfer may go out by it."""
        numbers = live.agent.phone_numbers
        return CallRecord(
            id=new_call_id(),
            direction="inbound",
            started_at=datetime.now(UTC),
            agent_id=live.id,
            agent_version=live.version,
            caller=CALLER,
            called=numbers[0] if numbers else live.id,
            connection_id=min(directory.connections, default=None),
            language=live.agent.language,
        )

    async def _equipment(self, agent: Agent, directory: Directory, fate: Fate) -> Equipment:
        """The process's own, with nobody who writes down, counts or rings."""
        own = self._calls.equipment
        return replace(
            own,
            writer=_Nobody(),
            messages=await own.messages.with_messages_of(agent, directory.settings),
            metrics=self._metrics,
            ended=_forget,
            exchange=replace(
                own.exchange,
                invite=lambda _invite: StandIn(uuid.uuid4().hex, fate, own.media.open, self._host),
                limits=OutboundLimits(asyncio.get_running_loop().time),
            ),
        )

    # -- audio ---------------------------------------------------------------------------------------------------

    async def speech(self, agent: Agent, message: SpokenText | None) -> bytes:
        """A message of an agent's as its callers hear it, saved or not, as WAV; None: the built-in message.

        Never fails for what a provider does: then the built-in voice says it, to callers too.
        """
        async with self._speaking:
            return await asyncio.to_thread(wav, await self._calls.equipment.messages.spoken(agent, message))

    def audio(self, agent_id: str, audio_id: str) -> bytes:
        """What a caller heard, as WAV. Raises NotFound, also once it was kept for ``KEPT_SECONDS``."""
        self._forget_old()
        found = self._kept.get(audio_id)
        if found is None or found[1] != agent_id:
            raise NotFound("there is no such recording any more.", hint="Try it again: it is kept for ten minutes.")
        return found[2]

    def _keep(self, agent_id: str, pcm: bytes) -> str:
        self._forget_old()
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        audio_id = uuid.uuid4().hex
        self._kept[audio_id] = (time.monotonic(), agent_id, wav(pcm))
        return audio_id

    def _forget_old(self) -> None:
        oldest = time.monotonic() - KEPT_SECONDS
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > oldest}


class _Ear:
    """The caller of a rehearsal: keeps what they hear.

    Args:
        full: called once, when that is ``MAX_AUDIO_SECONDS``.
    """

    def __init__(self, peer: RtpMedia, full: Callable[[], None]) -> None:
        self.heard = bytearray()
        self.full = False
        self._when_full = full
        peer.sink = self._hear

    def _hear(self, frame: bytes) -> None:
        if self.full:
            return
        self.heard += frame
        if len(self.heard) >= MAX_AUDIO_SECONDS * SAMPLE_RATE * 2:
            self.full = True
            self._when_full()


class _Nobody:
    """``equipment.Writer``: a rehearsal is no call."""

    def record(self, record: CallRecord) -> None:
        """Forget it."""

    def event(self, call_id: str, event: Event) -> None:
        """Forget it: the call's own timeline has it."""


@dataclass(slots=True)
class _Resources(BorrowedResources):
    """``parts.CallResources``: what is live now, with no password that would open a way out."""

    calls: CallService
    directory: Directory
    outbound_passwords: Mapping[str, str] = field(default_factory=dict)
    kept: list[tuple[str, Run]] = field(default_factory=list)

    @property
    def runs(self) -> _Resources:
        return self

    def run(self, workflow_id: str, _call_id: str, run: Run) -> None:
        """Keep a run that ended, with no call."""
        self.kept.append((workflow_id, run))

    def take(self, _connection_id: str) -> Callable[[], None]:
        """A stand-in's leg takes no room."""
        return lambda: None


def _forget(_record: CallRecord) -> None:
    """It counts for no alert."""


def wav(pcm: bytes) -> bytes:
    """s16le mono at 8 kHz as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(pcm)
    return file.getvalue()
