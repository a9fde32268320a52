"""Words replaced just before speech synthesis, so that they are said right. Transcripts and history keep the original.

Pure: no I/O. Works on a stream of text that may break anywhere, also inside a word.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Mapping


class Pronunciations:
    """Whole-word replacements for one language.

    A word written in lower case matches in any case; one with capitals only as it is written (so that ``US`` leaves
    ``us`` alone). A map of languages gives a word its own reading in each; a language that is not there (nor another
    region of it) leaves the word alone.
    """

    def __init__(self, words: Mapping[str, str | Mapping[str, str]], language: str) -> None:
        self._exact: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        for word, reading in words.items():
            said = reading if isinstance(reading, str) else _for_language(reading, language)
            if said is not None:
                (self._folded if word == word.lower() else self._exact)[word] = said
        known = sorted({*self._exact, *self._folded}, key=len, reverse=True)
        joined = "|".join(re.escape(word) for word in known)
        self._pattern = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if known else None
        self._reach = max((len(word) for word in known if re.search(r"\s", word)), default=0)

    def apply(self, text: str) -> str:
        """Replace every known word."""
        return self._pattern.sub(self._replace, text) if self._pattern else text

    def _replace(self, match: re.Match[str]) -> str:
        found = match.group()
        return self._exact.get(found) or self._folded.get(found.lower()) or found

    async def stream(self, text: AsyncIterable[str]) -> AsyncGenerator[str, None]:
        """Replace in a stream; holds back only what the next piece could still turn into a known word."""
        if self._pattern is None:
            async for piece in text:
                yield piece
            return
        pending = ""
        async for piece in text:
            pending += piece
            cut = self._safe_cut(pending)
            if cut:
                yield self.apply(pending[:cut])
                pending = pending[cut:]
        if pending:
            yield self.apply(pending)

    def _safe_cut(self, pending: str) -> int:
        """Where the text can be cut so that no known word reaches across: after a blank, before any such match."""
        assert self._pattern is not None
        end = len(pending) - self._reach
        cut = next((i + 1 for i in range(end - 1, -1, -1) if pending[i].isspace()), 0)
        for match in self._pattern.finditer(pending):
            if match.start() < cut < match.end():
                return match.start()
        return cut


def _for_language(readings: Mapping[str, str], language: str) -> str | None:
    if language in readings:
        return readings[language]
    primary = language.split("-")[0]
    return next((said for tag, said in readings.items() if tag.split("-")[0] == primary), None)
