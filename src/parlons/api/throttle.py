"""Counting per somebody, bounded in memory: token buckets that fill up evenly. The clock is injected."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_KNOWN = 10_000
"""Buckets held; of more, those used longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands after a request.

    Args:
        allowed: whether it may go on.
        remaining: requests that may follow at once.
        reset_seconds: until all of them may again.
        retry_seconds: until one more may; 0 when it may now.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    retry_seconds: int


class Throttle:
    """``limit`` requests in ``seconds`` for each key, all at once or spread out."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def knows(self, key: str) -> bool:
        """Whether this one was counted lately."""
        return key in self._buckets

    def take(self, key: str, cost: int = 1) -> Standing:
        """Count a request; one that is not allowed costs nothing. ``cost`` 0 only looks."""
        now = self._clock()
        level, at = self._buckets.get(key, (float(self.limit), now))
        level = min(self.limit, level + (now - at) * self.limit / self.seconds)
        allowed = level >= max(cost, 1)
        if allowed:
            level -= cost
        if cost:
            self._buckets[key] = (level, now)
            self._buckets.move_to_end(key)
            while len(self._buckets) > MAX_KNOWN:
                self._buckets.popitem(last=False)
        rate = self.limit / self.seconds
        retry = 0 if level >= 1 else math.ceil((1 - level) / rate)
        return Standing(allowed, self.limit, int(level), math.ceil((self.limit - level) / rate), retry)

    def give_back(self, key: str) -> None:
        """What was counted was none of what is counted here."""
        if key in self._buckets:
            level, at = self._buckets[key]
            self._buckets[key] = (min(self.limit, level + 1), at)
