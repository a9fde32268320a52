"""Failover as one table: what triggers it, what each action lets the caller hear, and where each event leads.

The state machine of ``failover`` follows this table and ``docs/failover.md`` is drawn from it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class Trigger(enum.StrEnum):
    """Why the agent does not speak (specification, section 5)."""

    PRE_CALL_TIMEOUT = "pre_call_timeout"
    PRE_CALL_ERROR = "pre_call_error"
    PRE_CALL_INVALID = "pre_call_invalid"
    PRE_CALL_REQUESTED = "pre_call_requested"
    CONFIGURATION_REJECTED = "configuration_rejected"
    PROMPT_UNRENDERABLE = "prompt_unrenderable"
    AGENT_UNAVAILABLE = "agent_unavailable"
    OPERATOR_FORCED = "operator_forced"
    DURING_CALL = "during_call"


MEANINGS: Final[Mapping[Trigger, str]] = {
    Trigger.PRE_CALL_TIMEOUT: "the pre-call workflow was not done in its time",
    Trigger.PRE_CALL_ERROR: "the pre-call workflow failed, or is not published",
    Trigger.PRE_CALL_INVALID: "its answer is not one that a call can use",
    Trigger.PRE_CALL_REQUESTED: "its answer says `failover: true`",
    Trigger.CONFIGURATION_REJECTED: "the agent configuration in its answer cannot be applied",
    Trigger.PROMPT_UNRENDERABLE: "a text that the first step needs cannot be rendered",
    Trigger.AGENT_UNAVAILABLE: "no usable provider for hearing, thinking or speaking",
    Trigger.OPERATOR_FORCED: "`forced_until` has not passed; the pre-call workflow is not run",
    Trigger.DURING_CALL: "the conversation broke down for good and `during_call` is on",
}


class Phase(enum.StrEnum):
    """Where a failover stands."""

    BEGUN = "begun"
    WORKFLOW = "workflow"
    SAYING = "saying"
    RINGING = "ringing"
    JOINED = "joined"
    LAST_RESORT = "last_resort"
    OVER = "over"


HEARD: Final[Mapping[Phase, str]] = {
    Phase.BEGUN: "the ringing of their own network",
    Phase.WORKFLOW: "answered: ringback while the failover workflow runs",
    Phase.SAYING: "answered: the message",
    Phase.RINGING: "unanswered: ringing, or what the destination sends before it answers",
    Phase.JOINED: "answered: the destination",
    Phase.LAST_RESORT: "answered: the default error message",
    Phase.OVER: "hung up",
}


class Event(enum.StrEnum):
    """What moves a failover on."""

    MESSAGE = "message"
    TRANSFER = "transfer"
    RUN_WORKFLOW = "workflow"
    NOTHING = "nothing"
    """Failover is off, or an outbound call: there is no action."""
    PLAYED = "played"
    ANSWERED = "answered"
    NO_ACTION = "no_action"
    FAILED = "failed"
    HUNG_UP = "hung_up"


MOVES: Final[Mapping[tuple[Phase, Event], Phase]] = {
    (Phase.BEGUN, Event.MESSAGE): Phase.SAYING,
    (Phase.BEGUN, Event.TRANSFER): Phase.RINGING,
    (Phase.BEGUN, Event.RUN_WORKFLOW): Phase.WORKFLOW,
    (Phase.BEGUN, Event.NOTHING): Phase.LAST_RESORT,
    (Phase.WORKFLOW, Event.MESSAGE): Phase.SAYING,
    (Phase.WORKFLOW, Event.TRANSFER): Phase.RINGING,
    (Phase.WORKFLOW, Event.NO_ACTION): Phase.OVER,
    (Phase.WORKFLOW, Event.FAILED): Phase.LAST_RESORT,
    (Phase.SAYING, Event.PLAYED): Phase.OVER,
    (Phase.SAYING, Event.FAILED): Phase.LAST_RESORT,
    (Phase.RINGING, Event.ANSWERED): Phase.JOINED,
    (Phase.RINGING, Event.FAILED): Phase.LAST_RESORT,
    (Phase.JOINED, Event.HUNG_UP): Phase.OVER,
    (Phase.LAST_RESORT, Event.PLAYED): Phase.OVER,
    (Phase.LAST_RESORT, Event.FAILED): Phase.OVER,
}
"""Besides, a caller who leaves ends it from anywhere."""

OUTCOMES: Final[Mapping[Phase, str]] = {
    Phase.WORKFLOW: "ended",
    Phase.SAYING: "played",
    Phase.JOINED: "transferred",
    Phase.LAST_RESORT: "default_error_message",
}
"""The outcome on the call, by the last phase before it was over; those below besides."""
CALLER_LEFT: Final = "caller_left"
NOTHING_HEARD: Final = "nothing_heard"
"""Not even the default error message could be played: the caller's telephone took no audio."""
