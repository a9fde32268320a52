"""What calls are told of a search, and of several data sources asked at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from parlons.calls.knowledge import CallKnowledge
from parlons.errors import NotFound
from parlons.knowledge.failures import IndexFailed
from parlons.knowledge.index import Found
from parlons.knowledge.search import SourceNotReady


def found(text: str, score: float) -> Found:
    return Found("p", "d", "Title", "page 1", text, score)


class Sources:
    """Answers, or failures, by source."""

    def __init__(self, **known: list[Found] | Exception) -> None:
        self.known: Mapping[str, Any] = known

    def is_ready(self, source: str) -> bool:
        return isinstance(self.known.get(source), list)

    async def search(self, source: str, _query: str, limit: int) -> list[Found]:
        answer = self.known.get(source, NotFound("there is no such data source."))
        if isinstance(answer, Exception):
            raise answer
        return cast("list[Found]", answer)[:limit]


def knowledge(**known: list[Found] | Exception) -> CallKnowledge:
    return CallKnowledge(cast("Any", Sources(**known)))


async def test_every_end_of_a_search_is_a_status() -> None:
    asked = knowledge(
        faq=[found("Open at nine.", 3.0)],
        none=[],
        new=SourceNotReady("new", "indexing"),
        broken=IndexFailed("cannot be read."),
    )
    for source, status in {
        "faq": "found", "none": "nothing", "new": "not_ready", "broken": "error", "unknown": "not_found"
    }.items():  # fmt: skip
        result = await asked.search(source, "when", 5)
        assert result.status == status
        assert bool(result.error) == (status in ("not_ready", "error", "not_found"))
    (passage,) = (await asked.search("faq", "when", 5)).passages
    assert (passage.title, passage.position, passage.text) == ("Title", "page 1", "Open at nine.")
    assert (asked.is_ready("faq"), asked.is_ready("new")) == (True, False)


async def test_sources_named_for_a_call_are_all_asked_and_the_best_of_each_come_first() -> None:
    asked = knowledge(
        own=[found("own", 99.0)],
        a=[found("a1", 20.0), found("a2", 19.0)],
        b=[found("b1", 1.0), found("b2", 0.5)],
        new=SourceNotReady("new", "empty"),
        none=[],
    )
    result = await asked.instead(["a", "b", "new"]).search("own", "when", 3)
    assert [one.text for one in result.passages] == ["a1", "b1", "a2"]
    assert (await asked.instead(["none"]).search("own", "when", 3)).status == "nothing"
    assert (await asked.instead(["none", "new"]).search("own", "when", 3)).status == "not_ready"
