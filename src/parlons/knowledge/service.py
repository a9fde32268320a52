"""Knowledge as the server runs it: documents read by jobs, and what calls may search kept up to date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .. import logs
from ..errors import ParlonsError
from .embedding import EmbeddingSetup
from .library import Library
from .search import Searches, Status

log = logs.get(__name__)


class KnowledgeService:
    """Of one process.

    Args:
        statuses: every data source's state, by id.
        embedding: the provider of vectors now; raises ProviderUnusable.
    """

    def __init__(
        self,
        library: Library,
        statuses: Callable[[], Awaitable[Mapping[str, Status]]],
        embedding: Callable[[], Awaitable[EmbeddingSetup | None]],
    ) -> None:
        self.library = library
        self.searches = Searches(library.index_folder)
        self._statuses = statuses
        self._embedding = embedding

    async def refresh(self) -> None:
        """Have read what waits, and make what is read known to calls. Never raises: calls go on with what there is."""
        for work in (self.library.refresh, self._look):
            try:
                await work()
            except ParlonsError as error:
                log.error("knowledge_not_refreshed", error=error.message, fix=error.hint)

    async def ingest(self, payload: Mapping[str, Any], attempt: int) -> float | None:
        """Carry out one job of the kind :data:`library.KIND`."""
        pause = await self.library.ingest(payload["document"], payload["version"], attempt)
        await self._look()
        return pause

    async def close(self) -> None:
        """Let go of files and connections."""
        await self.searches.close()

    def gauges(self) -> dict[str, float]:
        """Data sources that can be searched, and what searches took."""
        timing = self.searches.timing
        return {
            "sources_ready": self.searches.ready,
            "searches_total": timing.searches,
            "search_failures_total": timing.failures,
            "last_search_ms": timing.last_ms,
        }

    async def _look(self) -> None:
        embedding: EmbeddingSetup | None = None
        try:
            embedding = await self._embedding()
        finally:  # words can be searched without it
            await self.searches.refresh(await self._statuses(), embedding)
