"""Routes whose POST may be sent twice: with the same ``Idempotency-Key`` it is carried out once and answered alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from parlons.errors import InvalidDocument, ParlonsError
from parlons.store.idempotency import Answer

from . import problems
from .access import Needs, Open
from .problems import NotLive
from .services import services

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEPT_HEADERS = ("content-type", "location", "etag")


class Route(APIRoute):
    """A route of the API. A refused request is not kept: it did nothing, and may be put right under the same key."""

    @property
    def access(self) -> Needs:
        """What it needs. Raises StopIteration for a route that says nothing, which a test looks for."""
        return next(d.call for d in self.dependant.dependencies if isinstance(d.call, Needs))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        if "POST" not in (self.methods or ()) or isinstance(self.access, Open):
            return handler

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return await handler(request)
            if not _KEY.fullmatch(key):
                fault = f"header.{HEADER}", "is not 1 to 200 visible ASCII characters"
                raise InvalidDocument("the request", [fault])
            return await self._once(request, key, handler)

        return once

    async def _once(
        self, request: Request, key: str, handler: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        parts = services(request)
        who = await self.access(request)
        body = await request.body()
        target = f"{request.method} {request.url.path}?{request.url.query}"
        request_id = _digest(who.kind, who.id, key)
        kept = await parts.store.idempotency.begin(request_id, _digest(target, body), parts.clock())
        if kept is not None:
            return Response(kept.body, kept.status, {**kept.headers, "Idempotent-Replayed": "true"})
        try:
            response = await handler(request)
        except NotLive as error:  # it was carried out: the key is spent
            response = problems.response(*problems.of_error(error))
        except (ParlonsError, RequestValidationError, HTTPException):
            await parts.store.idempotency.forget(request_id)
            raise
        if not isinstance(response, StreamingResponse):
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            await parts.store.idempotency.answered(
                request_id, Answer(response.status_code, headers, bytes(response.body))
            )
        return response


def _digest(*parts: str | bytes) -> str:
    made = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        made.update(len(data).to_bytes(8, "big") + data)
    return made.hexdigest()
