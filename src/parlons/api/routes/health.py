"""``/v1/health``, ``/v1/metrics`` and the description of the API itself: for everybody on the port."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from parlons import __version__

from ..access import Open
from ..bodies import Shape
from ..idempotency import Route
from ..services import Parts

router = APIRouter(tags=["health"], route_class=Route)


class Health(Shape):
    """Whether calls can be taken."""

    status: Literal["ok", "unavailable"]
    problems: list[str]
    version: str


@router.get(
    "/v1/health",
    response_class=JSONResponse,
    responses={200: {"model": Health}, 503: {"model": Health, "description": "No call can be taken now"}},
)
async def get_health(
    parts: Parts, _open: Annotated[None, Depends(Open("load balancers hold no key; it names no customer"))]
) -> Response:
    """200 when calls can be taken, 503 with the reasons otherwise."""
    found = parts.problems()
    shape = Health(status="unavailable" if found else "ok", problems=found, version=__version__)
    return JSONResponse(shape.model_dump(), 503 if found else 200)


_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/metrics", include_in_schema=False, response_class=Response)
@router.get("/v1/metrics", response_class=Response, responses=_TEXT)
async def get_metrics(
    parts: Parts, _open: Annotated[None, Depends(Open("counts and gauges only; scrapers hold no key"))]
) -> Response:
    """Prometheus text format."""
    return Response(parts.metrics.render(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/openapi.json", include_in_schema=False, response_class=JSONResponse)
async def get_openapi(
    request: Request, _open: Annotated[None, Depends(Open("it is the same for every installation"))]
) -> Response:
    """This API (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())
