"""The description of the API (OpenAPI 3.1): what FastAPI finds, and what follows from what a route depends on.

Who may, which errors, which headers: written down once, in the dependencies, and read from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from parlons import __version__

from .access import COOKIE, CSRF_HEADER, MEANINGS, Open
from .bodies import PROBLEMS, Body, IfMatch
from .idempotency import HEADER, Route
from .problems import MEDIA_TYPE, FieldError, Problem, Use
from .routes.numbers import CSV, RawCsv

DESCRIPTION = f"""
Voice agents on the phone: configure them, publish them, read and place their calls.

Send a key as `Authorization: Bearer KEY`. A key holds scopes:

{"".join(f"- `{scope}`: {meaning}" + chr(10) for scope, meaning in MEANINGS.items())}
Every error is a problem document (RFC 9457) that names the value and says what to do. Lists give `next_cursor`; hand it
back as `cursor`. A POST may be sent again with the same `{HEADER}`: it is carried out once. A save needs the `ETag` it
was made from in `If-Match`; one that was changed meanwhile is not overwritten (412). The whole is in docs/api.md.
"""
_OPTIONAL = {Problem.__name__}
"""Whose keys may be missing; every other answer has all of its keys."""
_MEANING = {
    400: "The request cannot be read",
    401: "No key, or one that opens nothing",
    403: "A scope is missing",
    404: "There is no such thing",
    409: "It clashes with what is there",
    412: "It was changed since it was loaded; nothing was saved",
    413: "The body is too big",
    415: "The body is of another type",
    416: "The part that was asked for is not in the file",
    422: "A value is wrong",
    428: "If-Match is required",
    429: "Too many requests",
    502: "A peer or a provider failed",
    503: "Something that is needed does not do its work now",
}
_LONG_NAME = re.compile(r"parlons__agents__([a-z]+)__(\w+)")
_RATE_HEADERS = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}},
}


def describe(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """The whole description of an application made of these routers."""
    made = get_openapi(
        title="Parlons",
        version=__version__,
        openapi_version="3.1.0",
        summary="Self-hosted voice agents on the phone.",
        description=DESCRIPTION.strip(),
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/"}],
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, schema in schemas.items():
        if name not in _OPTIONAL and "properties" in schema:
            schema["required"] = list(schema["properties"])
            for value in schema["properties"].values():
                value.pop("default", None)  # it is always there
    schemas |= _schemas([Problem, FieldError, Use], "")
    wanted: list[type[BaseModel]] = []
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, Route) and route.include_in_schema:
            for method in route.methods or ():
                wanted += _complete(made["paths"][route.path][method.lower()], route, method)
    schemas |= _schemas(wanted, "Input")
    made["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key, or PARLONS_ADMIN_KEY."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": f"The console's session; changes also need the header {CSRF_HEADER}.",
        },
    }
    return _short_names(made)


def _short_names(made: dict[str, Any]) -> dict[str, Any]:
    """``PathBranchStep`` in place of the module's name, where two models have one name."""
    text = _LONG_NAME.sub(lambda found: f"{found[1].title().rstrip('s')}{found[2]}", json.dumps(made))
    short: dict[str, Any] = json.loads(text)
    return short


def _schemas(models: list[type[BaseModel]], suffix: str) -> dict[str, Any]:
    """Schemas of what comes in, under names of their own: what may be left out of them is always in an answer."""
    _, made = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}" + suffix,
    )
    return {f"{name}{suffix}": schema for name, schema in made.get("$defs", {}).items()}


def _complete(operation: dict[str, Any], route: Route, method: str) -> list[type[BaseModel]]:
    """Write down what a route's dependencies say; the models of its body."""
    responses = operation["responses"]
    responses.pop("422", None)
    statuses = {503, 429, *operation.pop(PROBLEMS, ())}
    models: list[type[BaseModel]] = []
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    if not isinstance(route.access, Open):
        operation["security"] = [{"key": []}, {"session": []}]
        operation["x-scope"] = route.access.scope
        statuses |= {401, 403}
        if method == "POST":
            statuses |= {409, 422}
            parameters.append(_header(HEADER, "Carried out once, however often it is sent in 24 hours.", False))
    else:
        operation["security"] = []
    if route.path.startswith("/v1/health") or route.path.startswith("/v1/metrics"):
        statuses -= {429, 503}
    if route.dependant.path_params:
        statuses |= {404, 422}
    if route.dependant.query_params or route.dependant.header_params:
        statuses.add(422)
    for dependency in _calls(route.dependant):
        if isinstance(dependency, Body):
            models.append(dependency.model)
            statuses |= {400, 413, 415, 422}
            operation["requestBody"] = _body("application/json", {"$ref": f"#/components/schemas/{_name(dependency)}"})
        elif isinstance(dependency, RawCsv):
            statuses |= {404, 413, 415, 422}
            operation["requestBody"] = _body(CSV, {"type": "string", "format": "binary"})
        elif isinstance(dependency, IfMatch):
            statuses |= {412, 422} | ({428} if dependency.required else set())
            note = 'The ETag that the change was made from, as in "3"; * to overwrite whatever is there.'
            parameters.append(_header("If-Match", note, dependency.required))
    if not parameters:
        del operation["parameters"]
    for status in sorted(statuses - {int(s) for s in responses if s.isdigit()}):
        responses[str(status)] = _problem(status)
    return models


def _calls(dependant: Dependant) -> list[Any]:
    return [inner.call for inner in dependant.dependencies]


def _name(body: Body) -> str:
    return f"{body.model.__name__}Input"


def _header(name: str, description: str, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": _MEANING[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        made["headers"] = _RATE_HEADERS
    return made
