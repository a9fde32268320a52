"""Where a conversation stands, and the moves it may make."""

from __future__ import annotations

import enum
from typing import Final

from ..errors import IllegalMove


class Phase(enum.Enum):
    """Where a conversation stands."""

    NEW = "new"
    RUNNING = "running"
    OVER = "over"
    """It has said how its call should end."""
    CLOSED = "closed"


MOVES: Final[dict[Phase, frozenset[Phase]]] = {
    Phase.NEW: frozenset({Phase.RUNNING, Phase.CLOSED}),
    Phase.RUNNING: frozenset({Phase.OVER, Phase.CLOSED}),
    Phase.OVER: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}


def move(start: Phase, to: Phase) -> Phase:
    """The new phase. Raises IllegalMove."""
    if to not in MOVES[start]:
        raise IllegalMove(f"a conversation cannot go from {start.value} to {to.value}")
    return to
