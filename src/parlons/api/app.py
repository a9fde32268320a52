"""HTTP: health and metrics for everybody on the port, and control of the process for its owner on a local socket.

The control socket is a file in the data directory with mode 0600: whoever may open it owns the installation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, StringConstraints

from parlons import __version__
from parlons.calls.service import CallService
from parlons.errors import ConfigurationError, Conflict, NotFound, ParlonsError
from parlons.metrics import Metrics

Problems = Callable[[], list[str]]
"""Why calls cannot be taken right now; empty when they can."""


class PlaceCall(BaseModel):
    """A call to place."""

    model_config = ConfigDict(extra="forbid")

    agent_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    to: Annotated[str, StringConstraints(min_length=1, max_length=300)]


def public_app(metrics: Metrics, problems: Problems) -> FastAPI:
    """What listens on the HTTP port."""
    app = FastAPI(title="Parlons", version=__version__, docs_url=None, redoc_url=None)
    _errors(app)

    @app.get("/v1/health")
    async def health(response: Response) -> dict[str, Any]:
        """200 when calls can be taken, 503 with the reasons otherwise."""
        found = problems()
        response.status_code = 503 if found else 200
        return {"status": "unavailable" if found else "ok", "problems": found, "version": __version__}

    @app.get("/metrics", include_in_schema=False)
    @app.get("/v1/metrics")
    async def prometheus() -> Response:
        """Prometheus text format."""
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return app


def control_app(service: CallService, reload: Callable[[], Awaitable[None]]) -> FastAPI:
    """What listens on the control socket: place calls, read new configuration."""
    app = FastAPI(title="Parlons control", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    _errors(app)

    @app.post("/calls", status_code=201)
    async def place(body: PlaceCall) -> dict[str, str]:
        call = await service.place(body.agent_id, body.to)
        return {"id": call.record.id}

    @app.delete("/calls/{call_id}", status_code=202)
    async def hang_up(call_id: str) -> dict[str, str]:
        call = service.get(call_id)
        if call is None:
            raise NotFound(f"No call {call_id!r} is under way.")
        call.stop("ended by the operator")
        return {"id": call_id}

    @app.post("/reload", status_code=204)
    async def read_again() -> None:
        await reload()

    return app


def _errors(app: FastAPI) -> None:
    @app.exception_handler(ParlonsError)
    async def problem(_request: Request, error: ParlonsError) -> JSONResponse:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 500
        if status == 500 and isinstance(error, ConfigurationError):
            status = 422
        body = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": error.message}
        if error.hint:
            body["hint"] = error.hint
        return JSONResponse(body, status, media_type="application/problem+json")
