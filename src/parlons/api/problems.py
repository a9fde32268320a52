"""Every error as a problem document (RFC 9457): what is wrong, with which value, and what a person can do.

Nothing of the inside of the process is in one: no stack, no query, no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from parlons import logs
from parlons.errors import (
    ConfigurationError,
    Conflict,
    InvalidDocument,
    NotFound,
    ParlonsError,
    ProviderError,
    SecretUnreadable,
    StoreError,
    TelephonyError,
)

MEDIA_TYPE = "application/problem+json"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Stored text comes back as data, and nothing that a browser makes of it may run, be framed or be kept."""

log = logs.get(__name__)


class FieldError(BaseModel):
    """One value that is wrong."""

    path: Annotated[str, Field(examples=["actions[1].max_ring_seconds"])]
    message: Annotated[str, Field(examples=["Input should be less than or equal to 45"])]


class Use(BaseModel):
    """Something that names what was to be deleted."""

    kind: Annotated[str, Field(examples=["agent"])]
    id: Annotated[str, Field(examples=["accueil"])]
    name: Annotated[str, Field(examples=["Accueil"])]
    path: Annotated[str, Field(examples=["actions[0].workflow_id"])]
    live: Annotated[bool, Field(description="calls use it now; else only a draft does")]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: Annotated[str, Field(examples=["urn:parlons:problem:invalid"])]
    title: Annotated[str, Field(examples=["Unprocessable Content"])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(examples=["the request is not valid."])]
    hint: Annotated[str | None, Field(description="what to do about it")] = None
    errors: Annotated[list[FieldError] | None, Field(description="each value that is wrong")] = None
    current_revision: Annotated[int | None, Field(description="what is stored now, on 412")] = None
    your_revision: Annotated[int | None, Field(description="what the change was made from, on 412")] = None
    used_by: Annotated[list[Use] | None, Field(description="what names it, on 409 to a deletion")] = None


class HttpProblem(ParlonsError):
    """An error that the API itself finds. ``code`` ends its type, ``status`` is its HTTP status."""

    status = 400
    code = "bad-request"

    def __init__(
        self, message: str, *, hint: str = "", headers: dict[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(message, hint=hint)
        self.headers = headers or {}
        self.members = members


class BadRequest(HttpProblem):
    """The request cannot be read."""


class Unauthenticated(HttpProblem):
    """No key and no session, or one that opens nothing."""

    status, code = 401, "unauthenticated"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, headers={"WWW-Authenticate": 'Bearer realm="parlons"'})


class Forbidden(HttpProblem):
    """Known, and not allowed."""

    status, code = 403, "forbidden"


class InUse(HttpProblem):
    """It cannot go: something names it."""

    status, code = 409, "in-use"


class Stale(HttpProblem):
    """A change made from a revision that is not the current one any more (RFC 9110 section 13.1.1)."""

    status, code = 412, "stale"

    def __init__(self, what: str, current: int, yours: int) -> None:
        super().__init__(
            f"{what} was changed meanwhile: revision {current} is stored, and the change was made from {yours}.",
            hint="Nothing was saved. Load it again, redo the change and save that.",
            current_revision=current,
            your_revision=yours,
        )


class TooLarge(HttpProblem):
    """The body is bigger than is taken here."""

    status, code = 413, "too-large"


class UnsupportedMediaType(HttpProblem):
    """The body is not of a type that is read here."""

    status, code = 415, "unsupported-media-type"


class RangeNotSatisfiable(HttpProblem):
    """The part of a file that was asked for is not in it."""

    status, code = 416, "range-not-satisfiable"


class PreconditionRequired(HttpProblem):
    """A change without the revision it was made from (RFC 6585 section 3)."""

    status, code = 428, "precondition-required"


class TooManyRequests(HttpProblem):
    """Slower, please (RFC 6585 section 4)."""

    status, code = 429, "too-many-requests"


class NotLive(HttpProblem):
    """A change is stored, and the running process could not take it in."""

    status, code = 503, "saved-not-live"


_STATUS: tuple[tuple[type[ParlonsError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (SecretUnreadable, 500, "secret-unreadable"),
    (ConfigurationError, 422, "invalid"),
    (ProviderError, 502, "provider"),
    (TelephonyError, 502, "telephony"),
    (StoreError, 503, "storage"),
)


_TITLES = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""As RFC 9110 has them; older versions of Python know others."""


def of_error(error: ParlonsError) -> tuple[Problem, dict[str, str]]:
    """The problem that tells of an error, and the headers that go with it."""
    if isinstance(error, HttpProblem):
        return _problem(error.status, error.code, error.message, error.hint, **error.members), error.headers
    if isinstance(error, InvalidDocument):
        fields = [FieldError(path=path, message=text) for path, text in error.problems]
        return _problem(422, "invalid", f"{error.what} is not valid.", error.hint, errors=fields), {}
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            headers = {"Retry-After": "2"} if status == 503 else {}
            return _problem(status, code, error.message, error.hint), headers
    return _problem(500, "internal", error.message, error.hint), {}


def _problem(status: int, code: str, detail: str, hint: str = "", **members: Any) -> Problem:
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return Problem(
        type=f"urn:parlons:problem:{code}", title=title, status=status, detail=detail, hint=hint or None, **members
    )


def response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as an answer."""
    body = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, problem.status, headers=headers, media_type=MEDIA_TYPE)


def handle(app: FastAPI, methods_of: Callable[[str], Iterable[str]] | None = None) -> None:
    """Answer every error of an application so.

    Args:
        methods_of: what can be done at a path; the framework names one route's methods, RFC 9110 wants all of them.
    """

    @app.exception_handler(ParlonsError)
    async def ours(_request: Request, error: ParlonsError) -> JSONResponse:
        return response(*of_error(error))

    @app.exception_handler(RequestValidationError)
    async def parameters(_request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [FieldError(path=_place(item["loc"]), message=item["msg"]) for item in error.errors()]
        return response(_problem(422, "invalid", "the request is not valid.", errors=fields))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        detail = {404: f"there is nothing at {request.url.path[:200]}.", 405: f"{request.method} cannot be done here."}
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        problem = _problem(error.status_code, code, detail.get(error.status_code, str(error.detail)))
        headers = dict(error.headers or {})
        if error.status_code == 405 and methods_of is not None:
            headers["Allow"] = ", ".join(sorted(methods_of(request.url.path)))
        return response(problem, headers)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", method=request.method, path=request.url.path, error=type(error).__name__)
        found = _problem(500, "internal", "something is wrong inside Parlons.", "See the server's log.")
        return response(found, SECURITY_HEADERS)  # made outside of all that labels other answers


def _place(location: tuple[int | str, ...]) -> str:
    """``query.limit``, ``path.agent_id`` or, of a body, just the path inside it."""
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts[:1] == ["body"] else parts)
