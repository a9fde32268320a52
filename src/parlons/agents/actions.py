"""The six kinds of global action, as data. Behaviour lives in ``conversation``; limits live here, once."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from .common import (
    E164,
    Description,
    Document,
    Extension,
    Header,
    Identifier,
    Template,
    unique,
)

ActionName = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
RingSeconds = Annotated[int, Field(ge=5, le=45)]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]

MAX_DESTINATIONS = 10_000
WHO_THRESHOLD = 20
"""Above this many destinations the model describes whom it wants instead of picking from a list."""

KEYPAD_DESCRIPTION = (
    "Press keys on the telephone keypad, to answer an automated menu or to dial an extension that the other "
    "side asks for."
)
WAIT_DESCRIPTION = (
    "Say nothing for now and keep listening: hold music is playing, a recorded menu is still being read out, "
    "or the other side asked you to hold on."
)


class PreMessage(Document):
    """What is said while an action runs: in the agent's own words, or near ``example``."""

    enabled: bool = False
    example: Annotated[str, StringConstraints(max_length=500)] | None = None


class Destination(Document):
    """Somebody a transfer may ring: exactly one of ``phone`` (E.164) and ``extension`` (PBX only)."""

    phone: E164 | None = None
    extension: Extension | None = None
    description: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.phone is None) == (self.extension is None):
            raise ValueError("give exactly one of phone and extension")
        return self


class TimeRange(Document):
    """Opening hours on some days, in the agent's time zone; ``end`` is exclusive and may be 24:00."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    start: ClockTime
    end: ClockTime

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start ({self.start}) must be before end ({self.end}); split a night in two ranges")
        unique(list(self.days), "day")
        return self


class Schedule(Document):
    """When a transfer is allowed. ``outside`` allows it exactly when ``inside`` would refuse it."""

    enabled: bool = False
    mode: Literal["inside", "outside"] = "inside"
    ranges: Annotated[list[TimeRange], Field(max_length=100)] = []
    closed_dates: Annotated[list[date], Field(max_length=1000)] = []

    @model_validator(mode="after")
    def _has_ranges(self) -> Self:
        if self.enabled and not self.ranges:
            raise ValueError("an enabled schedule needs at least one range of hours")
        return self


class Action(Document):
    """What every action has. ``description`` tells the model when to use it."""

    name: ActionName
    description: Description


class TransferAction(Action):
    """Ring somebody and bridge the caller to them. See the specification, section 4.1."""

    type: Literal["transfer"]
    max_ring_seconds: RingSeconds = 20
    destinations: Annotated[list[Destination], Field(max_length=MAX_DESTINATIONS)] = []
    sip_connection_id: Identifier | None = None
    destination_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    user_to_user: Annotated[Template, StringConstraints(max_length=1000)] | None = None
    headers: Annotated[list[Header], Field(max_length=50)] = []
    target_agent_id: Identifier | None = None
    whisper: Template | None = None
    accept_key: Key | None = None
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _where(self) -> Self:
        if self.target_agent_id is not None:
            if self.destinations or self.sip_connection_id or self.destination_id:
                raise ValueError(
                    "target_agent_id hands the call to another agent: leave destinations, "
                    "sip_connection_id and destination_id out"
                )
            if self.user_to_user or self.headers or self.whisper or self.accept_key:
                raise ValueError("user_to_user, headers, whisper and accept_key need a destination to ring")
        elif self.sip_connection_id is not None:
            if self.destinations and self.destination_id:
                raise ValueError("give destinations or destination_id with sip_connection_id, not both")
        else:
            if self.destination_id:
                raise ValueError("destination_id needs a sip_connection_id")
            if not self.destinations:
                raise ValueError("say where to: destinations, sip_connection_id or target_agent_id")
            if any(d.extension for d in self.destinations):
                raise ValueError("a destination's extension needs a sip_connection_id")
        unique([d.phone or d.extension or "" for d in self.destinations], "destination")
        unique([h.name.lower() for h in self.headers], "header")
        return self


class WorkflowAction(Action):
    """Run a live-call workflow with the model's typed arguments."""

    type: Literal["workflow"]
    workflow_id: Identifier
    pre_message: PreMessage = PreMessage()
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 10


class HangUpAction(Action):
    """End the call once the model has asked for it ``min_attempts`` times, at most once per turn."""

    type: Literal["hang_up"]
    min_attempts: Annotated[int, Field(ge=1, le=5)] = 1


class RagAction(Action):
    """Search a data source."""

    type: Literal["rag"]
    data_source_id: Identifier
    pre_message: PreMessage = PreMessage()


class KeypadAction(Action):
    """Press keys on the caller leg."""

    type: Literal["keypad"]
    description: Description = KEYPAD_DESCRIPTION


class WaitAction(Action):
    """Say nothing for this turn and keep listening."""

    type: Literal["wait"]
    description: Description = WAIT_DESCRIPTION
    max_wait_seconds: Annotated[int, Field(ge=5, le=1800)] = 300


AnyAction = Annotated[
    TransferAction | WorkflowAction | HangUpAction | RagAction | KeypadAction | WaitAction,
    Field(discriminator="type"),
]

KEYPAD_SYMBOLS = re.compile(r"^[0-9*#wW]{1,32}$")
"""Digits, ``w`` (0.5 s pause) and ``W`` (1 s pause), at most 32 of them."""
