"""The guards against conversations that go nowhere, in every step: each firing counts as one ask to hang up.

Policies only: no voice runtime, no clock. Specification, section 4.3.
"""

from __future__ import annotations

from collections import deque
from difflib import SequenceMatcher

from ..prompt import normalised

REPEATS = 3
SIMILARITY = 0.85
COMPARED_CHARACTERS = 400
SILENCE_CHECKS_UNANSWERED = 2


class RepeatGuard:
    """Fires when the model says nearly the same thing three times in a row."""

    def __init__(self) -> None:
        self._last: deque[str] = deque(maxlen=REPEATS)

    def heard(self, reply: str, *, interrupted: bool) -> bool:
        """Note one reply of the model's; True when it is the third alike. One cut short breaks the row."""
        if interrupted:
            self._last.clear()
            return False
        self._last.append(normalised(reply)[:COMPARED_CHARACTERS])
        newest = self._last[-1]
        return (
            bool(newest)
            and len(self._last) == REPEATS
            and all(_alike(newest, earlier) for earlier in list(self._last)[:-1])
        )


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= SIMILARITY and matcher.ratio() >= SIMILARITY


class SilenceGuard:
    """Fires when two silence checks in a row go unanswered; then it counts again from nothing."""

    def __init__(self) -> None:
        self._unanswered = 0

    def check_said(self) -> None:
        """The other person was asked whether they are there."""
        self._unanswered += 1

    def answered(self) -> None:
        """The other person said or pressed something."""
        self._unanswered = 0

    def silent_again(self) -> bool:
        """Another stretch of silence is over: True when it makes two checks unanswered."""
        if self._unanswered < SILENCE_CHECKS_UNANSWERED:
            return False
        self._unanswered = 0
        return True
