"""Bodies of replies: unpacked under a cap, then read as JSON or text. Pure."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from typing import Any

from .failures import ReplyInvalid, ReplyTooBig

MAX_REPLY = 1_000_000
"""Bytes of a reply, both as it travels and unpacked."""
MAX_DEPTH = 64
"""Objects and lists inside each other."""


class Unpacker:
    """Takes the bytes of a reply as they come; never holds more than the cap, whatever they would unpack to."""

    def __init__(self, encoding: str, cap: int = MAX_REPLY) -> None:
        self._cap = cap
        self._body = bytearray()
        self._travelled = 0
        names = [name for name in re.split(r"[\s,]+", encoding.lower()) if name not in ("", "identity")]
        if len(names) > 1 or any(name not in ("gzip", "x-gzip", "deflate") for name in names):
            raise ReplyInvalid("the reply is packed in a way that was not asked for (Content-Encoding).")
        self._inflate = zlib.decompressobj(47) if names else None

    def feed(self, data: bytes) -> None:
        """Raises ReplyTooBig or ReplyInvalid; then nothing more need be read."""
        self._travelled += len(data)
        if self._travelled > self._cap:
            raise self._too_big()
        if self._inflate is None:
            self._body += data
        else:
            try:
                while data and not self._inflate.eof:
                    self._body += self._inflate.decompress(data, self._cap - len(self._body) + 1)
                    data = self._inflate.unconsumed_tail
                    if len(self._body) > self._cap:
                        break
            except zlib.error as error:
                raise ReplyInvalid("the reply cannot be unpacked (Content-Encoding).") from error
        if len(self._body) > self._cap:
            raise self._too_big()

    def _too_big(self) -> ReplyTooBig:
        return ReplyTooBig(
            f"the reply is over {self._cap} bytes.", hint="Ask the service for fewer fields or fewer items."
        )

    def finish(self) -> bytes:
        """The whole body. Raises ReplyInvalid when what was packed ends early."""
        if self._inflate is not None and self._travelled and not self._inflate.eof:
            raise ReplyInvalid("the reply ends before what was packed in it does.")
        return bytes(self._body)


def read(body: bytes, content_type: str) -> tuple[Any, str]:
    """The value of a body and its text: JSON when the reply says so or looks so, else text; None when it is empty.

    Raises:
        ReplyInvalid: it says it is JSON and is not, or is nested too deep.
    """
    text = _decoded(body, content_type)
    if not text.strip():
        return None, ""
    media_type = content_type.split(";")[0].strip().lower()
    says_json = media_type in ("application/json", "text/json") or media_type.endswith("+json")
    if not says_json and not text.lstrip().startswith(("{", "[")):
        return text, text
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if not says_json:
            return text, text
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ReplyInvalid(f"the reply says it is JSON and is not{place}.", hint="Look at what was sent.") from error
    if depth_over(value, MAX_DEPTH):
        raise ReplyInvalid(f"the reply's JSON is nested more than {MAX_DEPTH} deep.")
    return (_storable(value) if "\\u" in text else value), text


def depth_over(value: Any, most: int) -> bool:
    """Whether objects and lists lie inside each other more than ``most`` deep."""
    level = [value]
    for _ in range(most + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list | tuple):
                inner += item
        level = [item for item in inner if isinstance(item, dict | list | tuple)]
        if not level:
            return False
    return True


def _storable(value: Any) -> Any:
    """Without NUL and lone surrogates, which JSON can escape and neither a database nor a socket takes."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _decoded(body: bytes, content_type: str) -> str:
    named = re.search(r"charset\s*=\s*\"?([\w.:+-]+)", content_type, re.IGNORECASE)
    encoding = named.group(1) if named else "utf-8"
    try:
        is_text = codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        is_text = False
    text = body.decode(encoding if is_text else "utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\x00", "\ufffd")
