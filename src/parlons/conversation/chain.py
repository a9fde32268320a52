"""Which provider of a kind to use next, and what the timeline says about it.

One per kind and conversation. Knows nothing of what a provider does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from ..calls.timeline import Kind, Timeline
from ..logs import get

logger = get(__name__)

REST_SECONDS = 60.0
"""How long a provider that failed is asked only after those that did not."""

P = TypeVar("P")


class Chain(Generic[P]):
    """Providers in order of preference.

    Args:
        service: what they do.
        providers: at least one.
    """

    def __init__(self, service: Literal["stt", "llm", "tts"], providers: Sequence[P], timeline: Timeline) -> None:
        self.service = service
        self._providers = list(providers)
        self._timeline = timeline
        self._clock = asyncio.get_running_loop().time
        self._resting_until = [0.0] * len(self._providers)
        self._serving = 0

    def __len__(self) -> int:
        return len(self._providers)

    def order(self) -> list[P]:
        """Every provider: those at work first, each group in the configured order."""
        now = self._clock()
        ranked = sorted(range(len(self._providers)), key=lambda i: (self._resting_until[i] > now, i))
        return [self._providers[i] for i in ranked]

    def failed(self, provider: P, error: BaseException) -> None:
        """Note a failure: the provider rests."""
        index = self._index(provider)
        self._resting_until[index] = self._clock() + REST_SECONDS
        reason = type(error).__name__  # its text may quote what was said
        if isinstance(status := getattr(error, "status_code", None), int) and status > 0:
            reason = f"{reason} {status}"
        self._note(index, "failed", error=reason)
        logger.warning("provider_failed", service=self.service, provider=self.name(provider), error=reason)

    def worked(self, provider: P) -> None:
        """Note a success; a change of provider goes on the timeline."""
        index = self._index(provider)
        self._resting_until[index] = 0.0
        if index != self._serving:
            self._note(index, "switched" if index > self._serving else "recovered")
            self._serving = index

    def name(self, provider: P) -> str:
        """How the timeline names a provider: its maker and its place in the list."""
        maker = getattr(provider, "provider", "unknown")
        if maker == "unknown":
            maker = type(provider).__name__
        return f"{maker}#{self._index(provider) + 1}"

    def _index(self, provider: P) -> int:
        return next(i for i, known in enumerate(self._providers) if known is provider)

    def _note(self, index: int, event: str, error: str = "") -> None:
        name = self.name(self._providers[index])
        self._timeline.add("system", Kind.PROVIDER, service=self.service, provider=name, event=event, error=error)
