"""What happened in a call, as it happened: the events and the record. Shared contract; no I/O here."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Actor = Literal["system", "agent", "caller", "destination"]


class CallStatus(enum.StrEnum):
    """How a call stands, or how it ended (specification, section 5)."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    FAILOVER = "failover"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CANCELED = "canceled"
    VOICEMAIL = "voicemail"
    FAILED = "failed"


class EndCode(enum.StrEnum):
    """Why a call ended: the same for every language and version, where the reason beside it is a sentence in English.

    ``ended_by`` says who; what failed before a call could begin, and how a failover went, are on the record too.
    """

    HUNG_UP = "hung_up"
    """The caller, or whoever they were put through to or who was called; also as they were answered."""
    LEFT_BEFORE_ANSWER = "left_before_answer"
    AGENT_HUNG_UP = "agent_hung_up"
    NOBODY_SPOKE = "nobody_spoke"
    """Silence checks went unanswered."""
    AGENT_REPEATED_ITSELF = "agent_repeated_itself"
    PATH_ENDED = "path_ended"
    VOICEMAIL = "voicemail"
    MAX_CALL_SECONDS = "max_call_seconds"
    MAX_BRIDGED_SECONDS = "max_bridged_seconds"
    NO_AUDIO = "no_audio"
    """None came for a minute."""
    CONNECTION_LOST = "connection_lost"
    """A leg ended, and its other side did not hang up."""
    ENDED_BY_OPERATOR = "ended_by_operator"
    SHUT_DOWN = "shut_down"
    INTERRUPTED = "interrupted"
    """The process died in the call."""
    FAILOVER = "failover"
    """It did what it does; see the outcome."""
    COULD_NOT_START = "could_not_start"
    """The agent could not run; see the trigger."""
    BROKE_DOWN = "broke_down"
    """The conversation, for good: a provider failed, and so did those that stand in for it."""
    NO_COMMON_AUDIO = "no_common_audio"
    NO_PORTS = "no_ports"
    INTERNAL_ERROR = "internal_error"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    INVALID_DESTINATION = "invalid_destination"
    REFUSED_BY_POLICY = "refused_by_policy"
    CONNECTION_FULL = "connection_full"


class Kind(enum.StrEnum):
    """Every kind of timeline event, with the payload it carries."""

    RINGING = "ringing"
    """{}"""
    PRE_CALL = "pre_call"
    """{outcome: ok, cancelled or the failover trigger, detail, duration_ms}"""
    FAILOVER = "failover"
    """{event: begun, failed or over, trigger, and detail, action, phase, outcome, duration_ms}"""
    ANSWERED = "answered"
    """{codec, setup_ms}"""
    TRANSCRIPT = "transcript"
    """{text, interrupted?}: one side's words; the actor says whose. For the agent: what was really heard."""
    AGENT = "agent"
    """{agent, version, language}: another agent has the call from now on"""
    STEP_ENTERED = "step_entered"
    """{step, name, from?, and why: transition and values?, condition, or outcome}"""
    ACTION_STARTED = "action_started"
    """{action, type, arguments}"""
    ACTION_FINISHED = "action_finished"
    """{action, type, outcome, duration_ms, ...}"""
    DTMF = "dtmf"
    """{digits, method}: received (actor caller) or sent (actor agent)"""
    LATENCY = "latency"
    """{end_of_turn_ms, llm_first_token_ms, tts_first_audio_ms, total_ms}: one turn"""
    LEG = "leg"
    """{leg, event, ...}: hold, resumed, rtp_silence, rtp_resumed, voicemail {frequency_hz, tone_ms}; of a
    destination also dialled, ringing, early_media, answered, whisper, accepted, not_accepted, redirected,
    headers_left_out, bridged, ended, and in a chat would_ring {user, connection}, would_take_over {agent}; of a caller
    at a browser also browser {user, draft}, no_audio {seconds}"""
    PROVIDER = "provider"
    """{service, provider, event: failed|switched|recovered, error}"""
    SILENCE_CHECK = "silence_check"
    """{count}"""
    NEVER_SILENT = "never_silent"
    """{rule: empty_answer|slow_answer|unrecoverable, ...}"""
    VARIABLE_UNDEFINED = "variable_undefined"
    """{name, field}"""
    RECORDING = "recording"
    """{event: started|stopped|failed, file}"""
    HANG_UP = "hang_up"
    """{who: caller|agent|system|destination, why, code}"""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``at_ms`` counts from the call's start."""

    at_ms: int
    actor: Actor
    kind: Kind
    payload: dict[str, Any] = field(default_factory=dict)


class Timeline:
    """Append-only; hands every event to ``listener`` at once. Never blocks, so it can be used from the audio path."""

    def __init__(self, listener: Callable[[Event], None] | None = None) -> None:
        self._clock = asyncio.get_running_loop().time
        self._start = self._clock()
        self._listener = listener
        self.events: list[Event] = []

    def add(self, actor: Actor, kind: Kind, **payload: Any) -> Event:
        """Note that something happened now."""
        event = Event(round((self._clock() - self._start) * 1000), actor, kind, payload)
        self.events.append(event)
        if self._listener is not None:
            self._listener(event)
        return event
