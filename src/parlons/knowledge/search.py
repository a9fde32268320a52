"""Searching, as calls do it: off the loop, a few at a time, within a deadline, and from what is known without asking.

Words and vectors are looked up at the same time. Vectors are a help, never a condition: when their provider is slow or
down, the words decide alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from .. import logs
from ..errors import ConfigurationError, NotFound
from .embedding import Embedder, EmbeddingSetup
from .failures import EmbeddingFailed, IndexFailed, KnowledgeError
from .index import Found, Index, load
from .ranking import fused

MAX_QUERY = 500
"""Characters of a question that are searched for."""
MAX_LIMIT = 20
SEARCH_SECONDS = 3.0
EMBED_SECONDS = 1.5
AT_ONCE = 2
"""Searches that run at the same time; more of them would only take processor time from the calls."""
CONSIDERED = 20
"""Passages of each ranking that are put together."""
MIN_SIMILARITY = 0.25
"""A passage less alike than this (cosine) is no answer by its vector alone."""

log = logs.get(__name__)


class SourceNotReady(KnowledgeError, ConfigurationError):
    """A data source that holds nothing to search yet; ``state`` is ``empty``, ``indexing`` or ``error``."""

    code: ClassVar[str] = "source_not_ready"

    def __init__(self, source_id: str, state: str) -> None:
        super().__init__(
            f"the data source {source_id!r} is not ready: it is {state}.", hint="See `parlons knowledge list`."
        )
        self.state = state


class Status(Protocol):
    """A data source, as much as searching knows of it."""

    @property
    def state(self) -> str:
        """``ready`` when it can be searched."""
        ...


@dataclass(slots=True)
class Timing:
    """What searches took, for metrics: how many, how many of them failed, and the milliseconds of the last."""

    searches: int = 0
    failures: int = 0
    last_ms: float = 0.0


class Searches:
    """The data sources of an installation.

    Args:
        folder: of the index.
    """

    def __init__(self, folder: Path) -> None:
        self.index = Index(folder)
        self._statuses: Mapping[str, Status] = {}
        self._embedder: Embedder | None = None
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.timing = Timing()

    async def refresh(self, statuses: Mapping[str, Status], embedding: EmbeddingSetup | None) -> None:
        """What there is to search from now on. Opens indexes here, so that no call has to.

        Raises:
            IndexFailed: an index cannot be opened; the others can be searched.
        """
        self._statuses = dict(statuses)
        known = self._embedder.setup if self._embedder else None
        if known != embedding:
            old, self._embedder = self._embedder, Embedder(embedding) if embedding else None
            if old is not None:
                await old.aclose()
        await self.index.prepare([source_id for source_id, status in statuses.items() if status.state == "ready"])

    async def load(self) -> None:
        """Import what searching takes, which holds every thread up for a tenth of a second: before calls."""
        await asyncio.to_thread(load)

    def state(self, source_id: str) -> str | None:
        """``empty, indexing, ready`` or ``error``; None when there is no such source."""
        status = self._statuses.get(source_id)
        return status.state if status is not None else None

    @property
    def ready(self) -> int:
        """How many data sources can be searched."""
        return sum(status.state == "ready" for status in self._statuses.values())

    def is_ready(self, source_id: str) -> bool:
        """Whether there is such a data source, and something in it to search."""
        return self.state(source_id) == "ready"

    async def search(self, source_id: str, query: str, limit: int = 5) -> list[Found]:
        """The best passages, best first; empty when nothing matches.

        Raises:
            NotFound: no such data source.
            SourceNotReady: nothing in it can be searched yet.
            IndexFailed: its index is broken, or did not answer in :data:`SEARCH_SECONDS`.
        """
        state = self.state(source_id)
        if state is None:
            raise NotFound(f"there is no data source {source_id!r}.")
        if state != "ready":
            raise SourceNotReady(source_id, state)
        began = time.monotonic()
        self.timing.searches += 1
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                return await self._search(source_id, query.strip()[:MAX_QUERY], max(1, min(limit, MAX_LIMIT)))
        except TimeoutError:
            self.timing.failures += 1
            raise IndexFailed(f"the data source {source_id} was not searched in {SEARCH_SECONDS:g} s.") from None
        except IndexFailed:
            self.timing.failures += 1
            raise
        finally:
            self.timing.last_ms = (time.monotonic() - began) * 1000

    async def close(self) -> None:
        """Let go of files and connections."""
        if self._embedder is not None:
            await self._embedder.aclose()
        await self.index.close()

    async def _search(self, source_id: str, query: str, limit: int) -> list[Found]:
        if not query:
            return []
        embedding = None
        if self._embedder is not None:
            embedding = asyncio.create_task(_vector(self._embedder, query))
        try:
            async with self._at_once:
                by_words = await self.index.by_words(source_id, query, CONSIDERED if embedding else limit)
            vector = await embedding if embedding else None
            if vector is None:
                return by_words[:limit]
            async with self._at_once:
                by_vector = await self.index.by_vector(source_id, vector, CONSIDERED)
        finally:
            if embedding is not None:
                embedding.cancel()
        alike = [found for found in by_vector if found.score >= MIN_SIMILARITY]
        return fused(by_words, alike, limit) if alike else by_words[:limit]


async def _vector(embedder: Embedder, query: str) -> list[float] | None:
    try:
        return (await embedder.embed([query], seconds=EMBED_SECONDS))[0]
    except EmbeddingFailed as error:
        log.warning("query_not_embedded", error=error.message)
        return None
