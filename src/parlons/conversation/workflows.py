"""What a conversation may ask of workflows. Shared contract with whoever runs them; only types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..agents.workflows import InputField


@dataclass(frozen=True, slots=True)
class WorkflowResult:
    """How a run ended. ``context`` has been merged into the call's already.

    Args:
        result: any JSON, for the model.
        error: for the person who reads the timeline; never holds a secret.
        run_id: of the stored run.
    """

    status: Literal["ok", "error", "timeout"]
    result: Any = None
    context: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    run_id: str = ""


class Workflows(Protocol):
    """The live-call workflows of an installation, for one call."""

    def input_of(self, workflow_id: str) -> Sequence[InputField] | None:
        """The typed values it takes; None when there is no published live-call workflow of this name."""
        ...

    async def run(self, workflow_id: str, values: Mapping[str, Any], *, seconds: float) -> WorkflowResult:
        """Run it with checked values, for at most so long, and merge the context it returns into the call's. Never
        raises for what a workflow does."""
        ...
