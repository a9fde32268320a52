"""What comes in and goes out: JSON read, checked and written in threads, because a list of ten thousand numbers takes
a quarter of a second to check and callers would hear it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from parlons.agents.problems import validate
from parlons.errors import InvalidDocument

from .problems import BadRequest, PreconditionRequired, Stale, UnsupportedMediaType

_SMALL = 2_000
"""Bytes that are read and checked on the loop: less work than handing them to a thread."""
_UNTEXT = re.compile(rb"\\u(d[89a-f][0-9a-f]{2}|0000)", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')

PROBLEMS = "x-problems"
"""Where a route notes statuses for :mod:`.openapi`, which takes the note out again."""

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]


class Shape(BaseModel):
    """Base of what goes out. Every key is always there."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)


class Wanted(BaseModel):
    """Base of what comes in: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=100_000)


class Body:
    """A dependency: the request's body as a document."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    async def __call__(self, request: Request) -> Any:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise UnsupportedMediaType("the body must be JSON.", hint="Send Content-Type: application/json.")
        raw = await request.body()
        if len(raw) <= _SMALL:
            return self._read(raw)
        return await asyncio.to_thread(self._read, raw)

    def _read(self, raw: bytes) -> BaseModel:
        return validate(self.model, parse(raw), "the request")


def parse(raw: bytes) -> Any:
    """JSON (RFC 8259), and only texts that every database takes. Raises BadRequest."""
    try:
        text = raw.decode("utf-8")
        data = json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise BadRequest("the body is JSON that cannot be read: a number too long, or nested too deep.") from None
    if "\0" in text or (_UNTEXT.search(raw) and not _is_text(data)):
        raise BadRequest("the body holds a NUL character, or half of a character, in a text.")
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _is_text(data: Any) -> bool:
    try:
        plain = json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return b"\\u0000" not in plain.replace(b"\\\\", b"")  # a backslash that was written before u0000 is none of them


async def answer(
    shape: BaseModel, status: int = 200, *, revision: int | None = None, location: str | None = None
) -> Response:
    """An answer in JSON, with the revision as its entity tag."""
    content = await asyncio.to_thread(lambda: shape.model_dump_json(by_alias=True).encode())
    headers: dict[str, str] = {}
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    if location is not None:
        headers["Location"] = location
    return Response(content, status, headers, "application/json")


def returns(shape: type[BaseModel], status: int = 200, *problems: int) -> dict[str, Any]:
    """Arguments of a route whose answer is made by :func:`answer`: documented, and not checked a second time.

    Args:
        problems: statuses it may answer with, other than those that follow from what it takes.
    """
    responses = {status: {"model": shape}}
    return {
        "status_code": status,
        "response_class": JSONResponse,
        "responses": responses,
        "openapi_extra": {PROBLEMS: list(problems)},
    }


def nothing(*problems: int) -> dict[str, Any]:
    """Arguments of a route that answers 204."""
    return {"status_code": 204, "response_class": Response, "openapi_extra": {PROBLEMS: list(problems)}}


# -- revisions -----------------------------------------------------------------------------------------------------


class IfMatch:
    """A dependency: the revision that a change was made from, out of ``If-Match``; None for ``*``, whatever is there.

    Args:
        required: refuse a change without it (428), so that nobody overwrites what they have not seen.
    """

    def __init__(self, *, required: bool) -> None:
        self.required = required

    def __call__(self, request: Request) -> int | None:
        sent = request.headers.get("if-match")
        if sent is None:
            if self.required:
                raise PreconditionRequired(
                    "the header If-Match is required.",
                    hint='Send the ETag that you were given, as in If-Match: "3"; or If-Match: * to overwrite.',
                )
            return None
        if sent.strip() == "*":
            return None
        tag = _TAG.fullmatch(sent.strip())
        if tag is None:
            raise InvalidDocument("the request", [("header.If-Match", 'is not an ETag of ours, as in "3"')])
        return int(tag.group(1))


Revision = Annotated[int | None, Depends(IfMatch(required=True))]
MaybeRevision = Annotated[int | None, Depends(IfMatch(required=False))]


def refuse_stale(what: str, current: int, sent: int | None) -> None:
    """Raises Stale when a change was made from another revision than the current one."""
    if sent is not None and sent != current:
        raise Stale(what, current, sent)


# -- pages ---------------------------------------------------------------------------------------------------------


def page(of: str, ids: Iterable[str], limit: int, cursor: str | None) -> tuple[list[str], str | None]:
    """One page of ids in order, and the cursor of the next one: what the list is of, and the last id, which may be
    deleted meanwhile. Raises InvalidDocument when the cursor is not one that this list gave.
    """
    after = None if cursor is None else _after(of, cursor)
    rest = sorted(i for i in ids if after is None or i > after)
    return rest[:limit], _cursor(of, rest[limit - 1]) if len(rest) > limit else None


def _cursor(of: str, last: str) -> str:
    return base64.urlsafe_b64encode(f"{of}|{last}".encode()).decode()


def _after(of: str, cursor: str) -> str:
    try:
        kind, separator, last = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
    except ValueError:
        kind, separator, last = "", "", ""
    if kind != of or not separator:
        raise InvalidDocument("the request", [("query.cursor", "is not one that this list gave")])
    return last
