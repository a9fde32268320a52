"""The data sources of the installation as calls search them. Implements ``conversation.knowledge``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from parlons.conversation.knowledge import FoundPassage, SearchResult
from parlons.errors import NotFound, ParlonsError
from parlons.knowledge.search import Searches, SourceNotReady


@dataclass(frozen=True, slots=True)
class CallKnowledge:
    """For every call, or with ``sources`` for one whose pre-call workflow named them."""

    searches: Searches
    sources: tuple[str, ...] = ()

    def is_ready(self, data_source_id: str) -> bool:
        return self.searches.is_ready(data_source_id)

    def instead(self, data_source_ids: Sequence[str]) -> CallKnowledge:
        return CallKnowledge(self.searches, tuple(data_source_ids))

    async def search(self, data_source_id: str, query: str, limit: int) -> SearchResult:
        if not self.sources:
            return await self._one(data_source_id, query, limit)
        results = await asyncio.gather(*(self._one(source, query, limit) for source in self.sources))
        ranks = zip_longest(*(result.passages for result in results))  # scores of two sources cannot be compared
        if found := [passage for rank in ranks for passage in rank if passage is not None]:
            return SearchResult("found", tuple(found[:limit]))
        return next((result for result in results if result.status != "nothing"), results[0])

    async def _one(self, source: str, query: str, limit: int) -> SearchResult:
        try:
            found = await self.searches.search(source, query, limit)
        except NotFound as error:
            return SearchResult("not_found", error=error.message)
        except SourceNotReady as error:
            return SearchResult("not_ready", error=error.message)
        except ParlonsError as error:
            return SearchResult("error", error=error.message)
        passages = tuple(FoundPassage(one.title, one.position, one.text, one.score) for one in found)
        return SearchResult("found" if passages else "nothing", passages)
