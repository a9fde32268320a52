"""When a delivery that failed is tried again, and when it is given up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import random as anything

PAUSES: tuple[float, ...] = (10, 30, 60, 300, 900, 1800, 3600, 7200)
"""Seconds after each failed attempt; the last one repeats."""
GIVE_UP_SECONDS = 72 * 3600.0
"""Specification, section 6: from the end of the call, or from when a person has it sent again."""
SPREAD = 0.1
"""Each pause is up to this much longer, so that what failed together is not sent together for ever."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """The pauses between attempts.

    Args:
        pauses: seconds, at least one; the last one repeats.
        give_up: seconds after which there is no further attempt. There is always one at the very end.
        chance: a number from 0 to 1.
    """

    pauses: Sequence[float] = PAUSES
    give_up: float = GIVE_UP_SECONDS
    chance: Callable[[], float] = anything

    def pause(self, failed: int, elapsed: float) -> float | None:
        """Seconds to the next attempt, after so many that failed and so long; None: no more."""
        left = self.give_up - elapsed
        if left <= 0:
            return None
        pause = self.pauses[min(failed, len(self.pauses)) - 1] * (1 + SPREAD * self.chance())
        return min(pause, left)
