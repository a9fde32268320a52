"""HTTP: the API on the port, and control of the process for its owner on a local socket.

The control socket is a file in the data directory with mode 0600: whoever may open it owns the installation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, StringConstraints

from parlons import __version__
from parlons.calls.service import CallService
from parlons.errors import NotFound

from . import openapi, problems
from .edge import Edge, Limits
from .idempotency import Route
from .routes import (
    agent_checks,
    agents,
    alerts,
    audit,
    browser_calls,
    call_lists,
    calls,
    chats,
    connections,
    data_sources,
    deliveries,
    documents,
    erasures,
    failover_tries,
    health,
    keys,
    live,
    numbers,
    providers,
    secrets,
    session,
    settings,
    users,
    workflows,
)
from .services import Services

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        session, agent_checks, agents, live, call_lists, calls, erasures,
        connections, workflows, deliveries, data_sources,
        documents, numbers, secrets, settings, keys, users, audit, providers, alerts, health,
        failover_tries, browser_calls, chats,
    )
)  # fmt: skip


class _PublicApp(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self, ROUTERS)
        return self.openapi_schema


def public_app(services: Services, limits: Limits | None = None) -> FastAPI:
    """What listens on the HTTP port."""
    app = _PublicApp(
        title="Parlons",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    problems.handle(app, _methods_of)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Edge, limits=limits or Limits())
    return app


def _methods_of(path: str) -> set[str]:
    routes = (route for router in ROUTERS for route in router.routes)
    return {
        m for route in routes if isinstance(route, Route) and route.path_regex.match(path) for m in route.methods or ()
    }


def _operation_id(route: APIRoute) -> str:
    """Names of a generated client's functions: those of ours."""
    return route.name


class PlaceCall(BaseModel):
    """A call to place."""

    model_config = ConfigDict(extra="forbid")

    agent_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    to: Annotated[str, StringConstraints(min_length=1, max_length=300)]


def control_app(service: CallService, reload: Callable[[], Awaitable[None]]) -> FastAPI:
    """What listens on the control socket: place calls, read new configuration."""
    app = FastAPI(title="Parlons control", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    problems.handle(app)

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
