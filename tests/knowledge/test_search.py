"""Searching: words in every language, vectors beside them, and nothing that a provider does can stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parlons.agents.models import Provider
from parlons.errors import ProviderUnusable
from parlons.knowledge import index_writing, search
from parlons.knowledge.embedding import Embedder, EmbeddingSetup, setup
from parlons.knowledge.failures import EmbeddingFailed
from parlons.knowledge.index import Found, fold
from parlons.knowledge.passages import Passage
from parlons.knowledge.ranking import fused
from parlons.knowledge.search import Searches

from .conftest import Room
from .vectors import VectorServer, vector_server


@dataclass(frozen=True)
class Ready:
    state: str = "ready"


@pytest.fixture
def vectors() -> Iterator[VectorServer]:
    with vector_server() as server:
        yield server


async def searching(folder: Path, language: str, *texts: str) -> Searches:
    passages = [Passage("T", "", text) for text in texts]
    await index_writing.replace(folder, "s", language, "d", 1, passages, None)
    searches = Searches(folder)
    await searches.refresh({"s": Ready()}, None)
    return searches


async def numbers(searches: Searches, query: str) -> list[int]:
    """Which passages are found, best first."""
    return [int(one.passage_id.rpartition("/")[2]) for one in await searches.search("s", query)]


# -- words -----------------------------------------------------------------------------------------------------


async def test_french_words_are_stemmed_and_accents_folded(tmp_path: Path) -> None:
    searches = await searching(
        tmp_path, "fr-FR", "Les chambres réservées à l’avance", "L'œuf du marché", "Un été à vélo"
    )
    for query in ("réserver", "reservees", "RÉSERVÉE", "réservées", "une chambre"):
        assert await numbers(searches, query) == [0], query
    for query in ("oeuf", "œufs", "l’œuf", "marches"):
        assert await numbers(searches, query) == [1], query
    assert await numbers(searches, "velo") == [2]
    assert await numbers(searches, "le la les du un") == []
    await searches.close()


async def test_english_words_are_stemmed(tmp_path: Path) -> None:
    searches = await searching(tmp_path, "en-GB", "Refunds are paid within five days", "The café opens at nine")
    assert await numbers(searches, "when will you refund me?") == [0]
    assert await numbers(searches, "cafe opening") == [1]
    assert await numbers(searches, "are the at") == []
    await searches.close()


async def test_other_languages_are_not_stemmed(tmp_path: Path) -> None:
    searches = await searching(tmp_path, "de-DE", "Die Rückgabe ist möglich", "Zwei Rückgaben")
    assert await numbers(searches, "Rückgabe") == [0]
    assert await numbers(searches, "ruckgaben") == [1]
    assert await numbers(searches, "die") == [0]
    await searches.close()


async def test_languages_without_spaces_are_found_by_a_dictionary(tmp_path: Path) -> None:
    searches = await searching(tmp_path, "ja-JP", "返品は商品到着後三十日以内にお願いします", "駐車場は無料です")
    assert await numbers(searches, "返品したい") == [0]
    await searches.close()


@pytest.mark.parametrize(
    "query", ["", "   ", "\"'(", "a" * 100_000, "x AND (", "*", "-guichet +", "\x00", "\ud800", "guichet\n'; DROP"]
)
async def test_no_query_is_too_strange(tmp_path: Path, query: str) -> None:
    searches = await searching(tmp_path, "fr", "Le guichet ouvre à neuf heures")
    assert len(await searches.search("s", query, limit=10_000)) <= 1
    await searches.close()


@pytest.mark.parametrize("query", ['"guichet neuf"', '"guichet"', '"', '""', '"heures" guichet "'])
async def test_a_question_in_quotes_is_one_without_them(tmp_path: Path, query: str) -> None:
    """Models put what they look for in quotes; LanceDB takes that for a phrase, and fails."""
    searches = await searching(tmp_path, "fr", "Le guichet ouvre à neuf heures")
    assert len(await searches.search("s", query)) == ("guichet" in query)
    await searches.close()


def test_folding_leaves_other_scripts_alone() -> None:
    assert fold("Où réserver l’œuf à Zürich ?", "fr-FR") == "Ou reserver l'oeuf a Zurich ?"
    assert fold("a mêlée, fiancée", "en-GB") == "a melee, fiancee"
    for text in ("한국어", "ガ行", "हिन्दी", "Ελλάδα"):
        assert fold(text, "fr") == text


async def test_searches_leave_the_loop_free(tmp_path: Path) -> None:
    searches = await searching(tmp_path, "fr", *(f"Le guichet numéro {n} ouvre" for n in range(500)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(searches.search("s", "guichet ouvre") for _ in range(20)))
    counting.cancel()
    assert turns > 100
    assert searches.timing.searches == 20
    await searches.close()


# -- vectors ---------------------------------------------------------------------------------------------------


async def test_vectors_find_what_shares_no_word(room: Room, vectors: VectorServer) -> None:
    room.embedding = EmbeddingSetup(vectors.base_url, "m", "key")
    await room.add("a.csv", "q;r\nHoraires;Le guichet ouvre tôt\nAnimaux;Un chien entre sans laisse".encode())
    found = await room.searches.search("faq", "mon toutou")
    assert [one.position for one in found] == ["row 3"]
    headers, body = vectors.asked[0]
    assert headers["authorization"] == "Bearer key"
    assert body["model"] == "m"
    assert len(body["input"]) == 2


async def test_words_answer_when_the_provider_is_slow_down_or_mad(
    room: Room, vectors: VectorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EMBED_SECONDS", 0.3)
    room.embedding = EmbeddingSetup(vectors.base_url, "m")
    await room.add("a.csv", "q;r\nHoraires;Le guichet ouvre tôt".encode())
    assert len(await room.texts("guichet")) == 1
    vectors.seconds = 2.0
    assert len(await room.texts("guichet")) == 1
    vectors.seconds = 0.0
    vectors.status = 500
    assert len(await room.texts("guichet")) == 1
    vectors.status = 200
    for answer in (b"{", b'{"data": []}', b'{"data": [{"index": 0, "embedding": [NaN]}]}', b"[]", b'{"data": null}'):
        vectors.answer = answer
        assert len(await room.texts("guichet")) == 1, answer
    vectors.answer = b'{"data": [{"index": 0, "embedding": [1, 2]}]}'  # of another length than those indexed
    assert len(await room.texts("guichet")) == 1


async def test_another_model_has_documents_read_again_and_words_answer_meanwhile(
    room: Room, vectors: VectorServer
) -> None:
    room.embedding = EmbeddingSetup(vectors.base_url, "small")
    given = await room.add("a.csv", b"q;r\nAnimaux;Un chien entre")
    other = await room.add("b.csv", b"q;r\nHoraires;Le guichet ouvre")
    assert len(await room.texts("toutou")) == 1
    vectors.size = 8
    room.embedding = EmbeddingSetup(vectors.base_url, "large")
    await room.refresh()
    await room.library.refresh()
    again = [await room.records.get(document.id) for document in (given, other)]
    assert [document.state for document in again] == ["waiting", "waiting"]
    await room.read(again[0])
    assert len(await room.texts("toutou")) == 1
    assert len(await room.texts("guichet")) >= 1
    await room.read(again[1])
    assert (await room.texts("matin"))[0].endswith("Le guichet ouvre")


async def test_an_ingestion_whose_provider_is_down_is_tried_again(room: Room, vectors: VectorServer) -> None:
    room.embedding = EmbeddingSetup(vectors.base_url, "m")
    vectors.status = 401
    given = await room.add("a.csv", b"q;r\nx;y", read=False)
    assert await room.library.ingest(given.id, 1) == 10
    assert (await room.records.get(given.id)).readable == 0
    vectors.status = 200
    assert (await room.read(given)).state == "ready"


async def test_an_embedding_request_says_what_failed(vectors: VectorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Embedder(EmbeddingSetup(vectors.base_url, "m")) as embedder:
        assert len(await embedder.embed(["a", "b"], seconds=5)) == 2
        vectors.status = 401
        with pytest.raises(EmbeddingFailed, match="401") as caught:
            await embedder.embed(["a"], seconds=5)
        assert "key" in caught.value.hint
        monkeypatch.setattr("parlons.knowledge.embedding.MAX_REPLY", 10)
        vectors.status = 200
        with pytest.raises(EmbeddingFailed, match="too big"):
            await embedder.embed(["a"], seconds=5)
    with pytest.raises(EmbeddingFailed, match="not reached"):
        await embedder.embed(["closed"], seconds=5)
    async with Embedder(EmbeddingSetup("http://127.0.0.1:9/v1", "m")) as embedder:
        with pytest.raises(EmbeddingFailed, match="not reached"):
            await embedder.embed(["a"], seconds=5)


def test_the_key_of_the_environment_wins() -> None:
    provider = Provider(type="openai", model="m", api_key="${MINE}", base_url="https://vectors.example/v1/")
    assert setup(None, {}) is None
    made = setup(provider, {"MINE": "from the name"})
    assert made == EmbeddingSetup("https://vectors.example/v1", "m", "from the name")
    assert "from the name" not in repr(made)
    assert setup(provider, {"MINE": "a", "OPENAI_API_KEY": "b"}) == EmbeddingSetup(
        "https://vectors.example/v1", "m", "b"
    )
    with pytest.raises(ProviderUnusable, match="MINE"):
        setup(provider, {})
    with pytest.raises(ProviderUnusable, match="no key"):
        setup(Provider(type="openai"), {})
    with pytest.raises(ProviderUnusable, match="mistral"):
        setup(Provider(type="mistral"), {"OPENAI_API_KEY": "b"})
    assert setup(Provider(type="openai", base_url="http://127.0.0.1:1/v1"), {}) is not None


def test_two_rankings_make_one() -> None:
    def found(*names: str) -> list[Found]:
        return [Found(name, "d", "T", "", name, 1.0) for name in names]

    assert [one.text for one in fused(found("a", "b", "c"), found("c", "d"), 3)] == ["c", "a", "b"]
    assert fused([], [], 5) == []
    scores = [one.score for one in fused(found("a", "b"), found("x", "b"), 5)]
    assert scores == sorted(scores, reverse=True)
