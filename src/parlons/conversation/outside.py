"""What a conversation may ask of the world around it. Only types."""

from __future__ import annotations

from dataclasses import dataclass

from .knowledge import Knowledge
from .line import Line
from .workflows import Workflows


@dataclass(frozen=True, slots=True)
class Outside:
    """Each is None where there is no such thing: in text there is no line.

    Args:
        line: the call, for actions that ring somebody or hand over.
        workflows: what runs the agent's workflows.
        knowledge: the data sources that ``rag`` actions search.
    """

    line: Line | None = None
    workflows: Workflows | None = None
    knowledge: Knowledge | None = None


NOTHING = Outside()
