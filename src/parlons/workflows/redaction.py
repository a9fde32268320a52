"""Secrets out of what is kept: each value is replaced by ``***`` wherever it occurs, also as it looks once escaped for
JSON or HTML, percent-encoded, or inside a text in base64 (as in basic authentication). Pure."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"
MAX_TEXT = 16_000
"""Characters of one text that is kept."""
MAX_DEPTH = 64
SENSITIVE_HEADERS = frozenset(
    "authorization proxy-authorization cookie set-cookie x-api-key api-key x-auth-token x-parlons-signature".split()
)

_MIN_BASE64 = 4
"""Characters certain in base64 below which they would be found everywhere."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Redactor:
    """Knows the secrets of one run, and hides them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        plain: set[str] = set()
        packed: set[str] = set()
        for secret in secrets:
            for form in {secret, secret.strip(), *(line for line in secret.splitlines() if len(line) >= 8)}:
                plain |= _forms(form)
                packed |= _base64_cores(form)
        self._plain = _pattern(plain, re.IGNORECASE)
        self._packed = _pattern(packed, 0)
        self._longest = max((len(form) for form in plain | packed), default=0)

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, text: str, limit: int = MAX_TEXT) -> str:
        """The text without secrets, cut after ``limit`` characters."""
        cut = len(text) > limit
        head = text[: limit + self._longest]  # whole secrets, also one that begins just before the cut
        found = sorted(_spans(self._plain, head) + [_widened(head, span) for span in _spans(self._packed, head)])
        parts: list[str] = []
        at = 0
        for start, end in found:
            if start >= limit:
                break
            if start < at:
                at = max(at, end)
                continue
            parts += (head[at:start], HIDDEN)
            at = end
        parts.append(head[at:limit])
        return "".join(parts) + ("… (cut)" if cut else "")

    def json(self, value: Any, limit: int = MAX_TEXT, depth: int = MAX_DEPTH) -> Any:
        """A JSON value like this one without secrets, in keys and numbers too; what JSON has not becomes text."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value, limit)
        if isinstance(value, int | float):
            if isinstance(value, float) and not math.isfinite(value):
                return None
            try:
                shown = str(value)
            except ValueError:  # an integer of thousands of digits
                return HIDDEN
            return HIDDEN if _spans(self._plain, shown) else value
        if depth <= 0:
            return "… (too deep)"
        if isinstance(value, Mapping):
            return {self.text(str(key), limit): self.json(item, limit, depth - 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.json(item, limit, depth - 1) for item in value]
        return self.text(str(value), limit)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers without secrets; those made to carry one are hidden whole."""
        return {
            self.text(name, 200): HIDDEN if name.lower() in SENSITIVE_HEADERS else self.text(value, 2_000)
            for name, value in headers.items()
        }


def _forms(secret: str) -> set[str]:
    """A secret, and how it looks inside other texts."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        quote(secret, safe="!$&'()*+,;=:@/?~", errors="replace"),
        html.escape(secret),
        html.escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        repr(secret)[1:-1],
        secret.replace("/", "\\/"),
    } - {""}


def _base64_cores(secret: str) -> set[str]:
    """What is certain in base64 of any text that holds the secret: one form for each place it can begin at."""
    data = secret.encode("utf-8", "replace")
    cores: set[str] = set()
    for before in range(3):
        made = base64.b64encode(b"\0" * before + data).decode()
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        core = made[first:last]
        if len(core) >= _MIN_BASE64:
            cores |= {core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")}
    return cores


def _pattern(forms: set[str], flags: int) -> re.Pattern[str] | None:
    if not forms:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)), flags)


def _spans(pattern: re.Pattern[str] | None, text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)] if pattern is not None else []


def _widened(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """The whole base64 word around a part of it."""
    start, end = span
    while start > 0 and text[start - 1] in _BASE64:
        start -= 1
    while end < len(text) and text[end] in _BASE64:
        end += 1
    return start, end
