"""What a conversation may ask of the knowledge of an installation. Shared contract with whoever has it; only types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage of a document.

    Args:
        title: of its document.
        position: where in it: ``page 3``, ``row 12``, ``part 2``, or the headings it stands under.
        score: higher is better; comparable within one search only.
    """

    title: str
    position: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """How a search ended.

    Args:
        status: ``found``; ``nothing`` matched; ``not_found``: no such data source; ``not_ready``: nothing in it can be
            searched yet; ``error``.
        passages: best first; none unless ``found``.
        error: for the person who reads the timeline.
    """

    status: Literal["found", "nothing", "not_found", "not_ready", "error"]
    passages: tuple[FoundPassage, ...] = ()
    error: str = ""


class Knowledge(Protocol):
    """The data sources of an installation, for calls."""

    def is_ready(self, data_source_id: str) -> bool:
        """Whether there is such a data source, and something in it to search. Asks nobody."""
        ...

    def instead(self, data_source_ids: Sequence[str]) -> Knowledge:
        """These same data sources, but every search is of all of these, whichever one is asked for."""
        ...

    async def search(self, data_source_id: str, query: str, limit: int) -> SearchResult:
        """The passages that answer a question best. Never raises for what a search does, and takes 3 s at most."""
        ...
