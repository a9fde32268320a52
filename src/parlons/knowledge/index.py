"""The index of passages: one LanceDB table a data source, read here. ``index_writing`` writes it, in another process.

A table has one full-text index over ``words``: title, place and text with accents folded *before* stemming, so that
"lycées" and "lycees" are one word (LanceDB stems first and folds after: measured in ADR 9). Every commit is one
version: a search sees all of a document's passages of before, or all of after.
"""

from __future__ import annotations

import asyncio
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import IndexFailed

if TYPE_CHECKING:
    from lancedb import AsyncConnection, AsyncTable

WORDS = "words"
VECTOR = "vector"
FIELDS = ["passage_id", "document_id", "title", "position", "text"]
MAX_FOUND = 50

_STEMMED = {"fr": "French", "en": "English"}
_UNSPACED = frozenset({"zh", "ja", "th", "km", "lo", "my", "yue"})
_PARTICIPLE = re.compile(r"(?<=\w\w\w)(?:ées|ée|és|é|ees|ee)\b", re.IGNORECASE)
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "’": "'"})


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how well it answers: BM25, or cosine similarity, or ranks put together. Higher is better."""

    passage_id: str
    document_id: str
    title: str
    position: str
    text: str
    score: float


class Index:
    """The tables of an installation, for searching. Safe for concurrent use; searches run on LanceDB's threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: AsyncConnection | None = None
        self._tables: dict[str, AsyncTable] = {}
        self._french: set[str] = set()

    async def prepare(self, source_ids: Sequence[str]) -> None:
        """Open tables ahead of calls; those of other sources are let go. Raises IndexFailed."""
        for gone in set(self._tables) - set(source_ids):
            del self._tables[gone]
        for source_id in source_ids:
            if (table := await self._table(source_id)) is not None:
                await self._learn_language(source_id, table)

    async def by_words(self, source_id: str, query: str, limit: int) -> list[Found]:
        """BM25. Empty when no word of the query is in any passage. Raises IndexFailed."""
        table = await self._table(source_id)
        if table is None:
            return []
        try:
            unquoted = query.replace('"', " ")  # in quotes it would be looked for as a phrase, which no index is for
            folded = fold(unquoted, "fr" if source_id in self._french else "")
            if not folded.strip():
                return []
            found = await (
                table.query().nearest_to_text(folded, columns=[WORDS]).select([*FIELDS, "_score"]).limit(limit)
            ).to_list()
        except Exception as error:  # lancedb names no base of what it raises
            raise self._failed(source_id, error) from error
        return [_found(row, row["_score"]) for row in found]

    async def by_vector(self, source_id: str, vector: Sequence[float], limit: int) -> list[Found]:
        """Cosine similarity, among the passages that have a vector of this length. Raises IndexFailed."""
        table = await self._table(source_id)
        if table is None:
            return []
        try:
            schema = await table.schema()
            at = schema.get_field_index(VECTOR)
            if at < 0 or schema.field(at).type.list_size != len(vector):
                return []
            query = table.query().nearest_to(list(vector)).column(VECTOR).distance_type("cosine")
            found = await query.select([*FIELDS, "_distance"]).limit(limit).to_list()
        except Exception as error:  # lancedb names no base of what it raises
            raise self._failed(source_id, error) from error
        return [_found(row, 1.0 - row["_distance"]) for row in found]

    async def close(self) -> None:
        """Let go of every file."""
        self._tables.clear()
        if self._database is not None:
            self._database.close()  # type: ignore[no-untyped-call]
            self._database = None

    async def _table(self, source_id: str) -> AsyncTable | None:
        if (known := self._tables.get(source_id)) is not None:
            return known
        try:
            if self._database is None:
                self._database = await connect(self._folder)
            table = await self._database.open_table(table_name(source_id))
            await self._learn_language(source_id, table)
        except (ValueError, FileNotFoundError):  # how a table that was never written is said to be missing
            return None
        except Exception as error:  # lancedb names no base of what it raises
            raise self._failed(source_id, error) from error
        return self._tables.setdefault(source_id, table)

    async def _learn_language(self, source_id: str, table: AsyncTable) -> None:
        """Questions are folded as the passages were."""
        french = text_index("fr")[0] in {index.name for index in await table.list_indices()}
        (self._french.add if french else self._french.discard)(source_id)

    def _failed(self, source_id: str, error: Exception) -> IndexFailed:
        self._tables.pop(source_id, None)
        return IndexFailed(
            f"the index of the data source {source_id} cannot be searched ({type(error).__name__}).",
            hint="Check the disk, then `parlons knowledge refresh`.",
        )


def load() -> None:
    """Import LanceDB: 80 MB and most of a second. Blocks."""
    os.environ.setdefault("LANCEDB_LOG", "error")
    import lancedb  # noqa: F401


async def connect(folder: Path) -> AsyncConnection:
    """Open the index of an installation; every read sees what any process committed last."""
    await asyncio.to_thread(load)
    import lancedb

    return await lancedb.connect_async(str(folder), read_consistency_interval=timedelta(0))


def table_name(source_id: str) -> str:
    """Of a data source; ids hold nothing that a file name may not."""
    return f"s_{source_id}"


def text_index(language: str) -> tuple[str, dict[str, Any]]:
    """The full-text index of a language: its name, which says how it was made, and LanceDB's options for it.

    French and English are stemmed and lose their stop words; other languages keep every word as it is. Where words
    are not separated by spaces they are found by a dictionary.
    """
    spoken = language.partition("-")[0]
    if spoken in _STEMMED:
        return f"words_{spoken}", {"language": _STEMMED[spoken], "stem": True, "remove_stop_words": True}
    options: dict[str, Any] = {"stem": False, "remove_stop_words": False}
    if spoken in _UNSPACED:
        return "words_unspaced", {**options, "base_tokenizer": "icu"}
    return "words_plain", options


def fold(text: str, language: str) -> str:
    """Latin letters without their accents, ligatures as two letters; other scripts as they are.

    French participles become infinitives on the way: without its accent no stemmer knows "réservées" for what it is.

    >>> fold("Où réserver l’œuf ?", "fr-FR")
    "Ou reserver l'oeuf ?"
    >>> fold("les chambres réservées", "fr-FR")
    'les chambres reserver'
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode().translate(_LIGATURES))
    if language.partition("-")[0] == "fr":
        text = _PARTICIPLE.sub("er", text)
    folded = []
    for letter in text:
        base = unicodedata.normalize("NFD", letter)[0]
        folded.append(base if base.isascii() else letter)
    return "".join(folded)


def _found(row: dict[str, Any], score: float) -> Found:
    return Found(score=round(float(score), 4), **{name: row[name] for name in FIELDS})
