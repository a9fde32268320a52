"""Frames of sound between two clocks that count the same time, not quite alike. Pure: knows no codec and no connection.

One side puts frames whenever they come, the other takes one every 20 ms. The delay between them stays between
``START`` and ``MOST`` frames, whatever either does.
"""

from __future__ import annotations

from collections import deque

import numpy as np

START = 2
"""Frames that must be there before the first is taken, and again after it ran dry: 40 ms of patience."""
MOST = 25
"""With more than these the oldest are dropped: nobody is heard more than half a second late."""
QUIET = 64
"""The loudest sample of a frame that nobody misses: such are dropped first, when there are more than are needed."""
WINDOW = 100
"""Takes after which a queue that never was short becomes one frame shorter: the other clock runs a little fast."""


class Frames:
    """A bounded queue of frames.

    Attributes:
        dropped: frames that nobody took.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._frames: deque[bytes] = deque()
        self._filling = True
        self._takes = 0
        self._shortest = MOST

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: bytes) -> None:
        """Add 20 ms."""
        self._frames.append(frame)
        if len(self._frames) > MOST:
            self._drop(len(self._frames) - START)

    def take(self) -> bytes | None:
        """The next 20 ms; None when there is nothing to hear."""
        if self._filling and len(self._frames) < START:
            return None
        self._filling = not self._frames
        if self._filling:
            return None
        while len(self._frames) > START + 1 and _quiet(self._frames[0]):
            self._drop(1)
        self._watch()
        return self._frames.popleft()

    def _watch(self) -> None:
        self._shortest = min(self._shortest, len(self._frames))
        self._takes += 1
        if self._takes == WINDOW:
            if self._shortest > START + 1:
                self._drop(1)
            self._takes, self._shortest = 0, MOST

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._frames.popleft()
        self.dropped += count


def _quiet(frame: bytes) -> bool:
    return int(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max(initial=0)) < QUIET
