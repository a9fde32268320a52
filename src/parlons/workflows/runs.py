"""One run of a workflow as it is kept: how it ended, and each step's timing, request and reply. Holds no secret."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "error", "timeout", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run did not end well. ``step`` is empty when no step is to blame."""

    step: str
    code: str
    message: str


@dataclass(slots=True)
class StepRun:
    """One step that ran. Times in milliseconds, ``started_ms`` from the start of the run."""

    id: str
    type: str
    started_ms: int
    duration_ms: int = 0
    request: Any = None
    reply: Any = None
    error: RunError | None = None


@dataclass(slots=True)
class Run:
    """A run that ended.

    Args:
        result: what ``return`` or the webhook gave; None when nothing did.
        context: the variables that ``set`` steps set, for the call's context.
        started_at: seconds since 1970.
    """

    id: str
    trigger: str
    status: Status
    started_at: float
    duration_ms: int = 0
    result: Any = None
    context: dict[str, Any] = field(default_factory=dict)
    error: RunError | None = None
    steps: list[StepRun] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for storing and for the API."""
        return dataclasses.asdict(self)
