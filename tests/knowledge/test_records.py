"""The rows of documents, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from parlons.agents.workflows import DataSource
from parlons.errors import NotFound
from parlons.store import Store
from parlons.store.knowledge import MAX_ERROR, KnowledgeStore, SourceStatus

from .conftest import both_databases

pytestmark = both_databases


@pytest.fixture
async def records(store: Store) -> KnowledgeStore:
    await store.data_sources.put("faq", DataSource(name="Questions"))
    return KnowledgeStore.of(store)


async def test_given_read_and_given_again(records: KnowledgeStore) -> None:
    first = await records.give("faq", "a.txt", size=3, sha256="one")
    assert (first.version, first.state, first.readable) == (1, "waiting", 0)
    assert await records.progress(first.id, 1, 40)
    assert (await records.get(first.id)).progress == 40
    assert await records.read(first.id, 1, passages=2, made_with="en")
    second = await records.give("faq", "a.txt", size=4, sha256="two")
    assert (second.id, second.version, second.state, second.readable) == (first.id, 2, "waiting", 1)
    assert not await records.read(first.id, 1, passages=9, made_with="en")
    assert not await records.refuse(first.id, 1, "late")
    assert await records.refuse(first.id, 2, "e" * 5_000)
    stored = await records.get(first.id)
    assert (stored.state, stored.readable, stored.passages, len(stored.error)) == ("refused", 1, 2, MAX_ERROR)


async def test_the_same_content_is_one_version_unless_it_was_refused_or_is_a_page(records: KnowledgeStore) -> None:
    first = await records.give("faq", "a.txt", size=3, sha256="one")
    assert (await records.give("faq", "a.txt", size=3, sha256="one")).version == 1
    await records.refuse(first.id, 1, "no")
    assert (await records.give("faq", "a.txt", size=3, sha256="one")).version == 2
    for version in (1, 2):
        page = await records.give("faq", "https://a.example", size=0, sha256="", url="https://a.example")
        assert page.version == version


async def test_given_many_times_at_once_it_is_one_document(records: KnowledgeStore) -> None:
    given = await asyncio.gather(*(records.give("faq", "a.txt", size=1, sha256=str(n)) for n in range(10)))
    assert len({document.id for document in given}) == 1
    assert sorted(document.version for document in given) == list(range(1, 11))


async def test_a_source_that_does_not_exist(records: KnowledgeStore) -> None:
    with pytest.raises(NotFound, match="data source 'other'"):
        await records.give("other", "a.txt", size=1, sha256="x")
    with pytest.raises(NotFound):
        await records.get("missing")
    with pytest.raises(NotFound):
        await records.delete("missing")
    with pytest.raises(NotFound):
        await records.again("missing")
    assert await records.find("missing") is None


async def test_the_status_of_sources(records: KnowledgeStore, store: Store) -> None:
    await store.data_sources.put("none", DataSource(name="None"))
    good = await records.give("faq", "a.txt", size=1, sha256="x")
    bad = await records.give("faq", "b.txt", size=1, sha256="y")
    assert (await records.statuses())["faq"] == SourceStatus("indexing", 2, 0, 2, 0)
    await records.refuse(bad.id, 1, "no")
    await records.read(good.id, 1, passages=3, made_with="en")
    assert await records.statuses() == {
        "faq": SourceStatus("ready", 2, 3, 0, 1),
        "none": SourceStatus("empty", 0, 0, 0, 0),
    }
    await records.again(good.id)
    assert (await records.statuses())["faq"].state == "ready"
    await records.delete(good.id)
    assert (await records.statuses())["faq"].state == "error"


async def test_documents_go_with_their_source(records: KnowledgeStore, store: Store) -> None:
    await records.give("faq", "a.txt", size=1, sha256="x")
    await store.data_sources.delete("faq")
    assert list(await records.list()) == []
