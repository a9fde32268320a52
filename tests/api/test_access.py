"""Who may do what: every route of the application × everybody who must not, from the routes themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Mount

from parlons.api.access import Needs, Open, Scope
from parlons.api.app import ROUTERS
from parlons.api.idempotency import Route

from .stage import ADMIN_KEY, BEARER, Stage

OPEN = {
    ("GET", "/v1/session"),
    ("POST", "/v1/session"),
    ("POST", "/v1/session/first"),
    ("GET", "/v1/health"),
    ("GET", "/v1/metrics"),
    ("GET", "/metrics"),
    ("GET", "/v1/openapi.json"),
}
"""Routes for everybody. A new one has to be written here too."""
EVERYBODY = {("DELETE", "/v1/session"), ("PUT", "/v1/session/password")}
"""Routes for whoever is known."""


def routes() -> Iterator[tuple[str, str, Needs]]:
    """(method, path, what it needs) of every route there is."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, Route), f"{route} is not one of ours"
            for method in route.methods or ():
                yield method, route.path, route.access


def address(path: str) -> str:
    """A path with something in each of its places."""
    return path.replace("{version}", "1").replace("{", "x").replace("}", "")


def test_every_route_says_who_may() -> None:
    found = list(routes())
    for method, path, access in found:
        if isinstance(access, Open):
            assert (method, path) in OPEN, f"{method} {path} is open to everybody"
            assert access.why
        else:
            assert (method, path) in EVERYBODY or access.scope is not None, f"{method} {path} needs no scope"
    assert len(found) > 60


def test_no_route_is_outside_of_the_routers(stage: Stage) -> None:
    """What the application answers is what the matrix below goes through."""
    listed = {path for _, path, _ in routes()}
    described = set(stage.app.openapi()["paths"])
    assert described <= listed
    assert listed - described == {"/metrics", "/v1/openapi.json"}
    assert not [route for route in stage.app.routes if isinstance(route, (Route, Mount))]


def test_changes_need_more_than_read() -> None:
    harmless = {("POST", "/v1/agents/check"), ("POST", "/v1/data-sources/{source_id}/search")}
    for method, path, access in routes():
        if method != "GET" and (method, path) not in OPEN | EVERYBODY | harmless:
            assert access.scope in ("write", "calls", "admin"), f"{method} {path}"


async def sweep(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[tuple[str, str], httpx.Response]:
    """Ask every route that is not open; a body only where it would be read."""
    answers = {}
    for method, path, access in routes():
        if not isinstance(access, Open) and path != "/v1/session":
            answers[method, path] = await client.request(method, address(path), headers=headers)
    return answers


def needs() -> dict[tuple[str, str], Scope | None]:
    return {(method, path): access.scope for method, path, access in routes()}


@pytest.mark.parametrize("kind", ["nothing", "wrong", "basic", "revoked", "expired", "old session", "no key of ours"])
async def test_nobody_gets_in(stage: Stage, kind: str) -> None:
    headers: dict[str, str] = {}
    if kind == "wrong":
        headers = {"Authorization": "Bearer parlons_wrong"}
    elif kind == "basic":
        headers = {"Authorization": f"Basic {ADMIN_KEY}"}
    elif kind == "no key of ours":
        headers = {"Authorization": "Bearer é\x7f "}
    elif kind == "old session":
        headers = {"Cookie": "parlons_session=gone"}
    elif kind == "revoked":
        headers = await stage.key("admin")
        revoked = (await stage.http.get("/v1/keys")).json()["items"][0]["id"]
        assert (await stage.http.post(f"/v1/keys/{revoked}/revoke")).status_code == 200
    elif kind == "expired":
        body = {"name": "short", "scopes": ["admin"], "expires_in_days": 1}
        secret = (await stage.http.post("/v1/keys", json=body)).json()["secret"]
        headers = {"Authorization": f"Bearer {secret}"}
        stage.now = stage.services.clock() + timedelta(days=2)
    async with stage.client() as client:
        encoded: Any = {key: value.encode("utf-8") for key, value in headers.items()}
        answers = await sweep(client, encoded)
    for route, answer in answers.items():
        assert answer.status_code == 401, f"{route}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json", route
        assert answer.headers["www-authenticate"].startswith("Bearer"), route


@pytest.mark.parametrize("scope", ["read", "write", "calls"])
async def test_a_key_without_the_scope_is_refused_everywhere(stage: Stage, scope: Scope) -> None:
    headers = await stage.key(scope)
    async with stage.client() as client:
        answers = await sweep(client, headers)
    for route, answer in answers.items():
        wanted = needs()[route]
        if wanted not in (scope, None):
            assert answer.status_code == 403, f"{route}: {answer.status_code} {answer.text}"
            assert wanted in answer.json()["detail"]
        elif wanted == scope:
            assert answer.status_code not in (401, 403), f"{route}: {answer.text}"
            assert answer.status_code < 500, f"{route}: {answer.text}"


@pytest.mark.parametrize(("role", "holds"), [("viewer", {"read"}), ("editor", {"read", "write", "calls"})])
async def test_a_role_is_refused_what_it_does_not_hold(stage: Stage, role: str, holds: set[str]) -> None:
    client = await stage.signed_in(role)
    answers = await sweep(client, {})
    for route, answer in answers.items():
        wanted = needs()[route]
        if wanted is not None:
            assert (answer.status_code == 403) == (wanted not in holds), f"{route}: {answer.status_code} {answer.text}"
        assert answer.status_code < 500, f"{route}: {answer.text}"
    await client.aclose()


async def test_an_administrator_may_everything(stage: Stage) -> None:
    for headers in (BEARER, await stage.key("admin")):
        async with stage.client() as client:
            for route, answer in (await sweep(client, headers)).items():
                if route != ("PUT", "/v1/session/password"):  # a key has none
                    assert answer.status_code not in (401, 403), f"{route}: {answer.text}"
                assert answer.status_code < 500, f"{route}: {answer.text}"


async def test_a_session_changes_nothing_for_another_site(stage: Stage) -> None:
    """A page elsewhere can make a browser send the cookie, and neither read nor make the token."""
    client = await stage.signed_in("admin")
    for token in (None, "", "0" * 64, "é"):
        headers = {} if token is None else {"X-CSRF-Token": token.encode()}
        client.headers.pop("X-CSRF-Token", None)
        encoded: Any = headers
        for (method, path), answer in (await sweep(client, encoded)).items():
            if method != "GET":
                assert answer.status_code == 403, f"{method} {path}: {answer.text}"
                assert "X-CSRF-Token" in answer.json()["detail"]
            else:
                assert answer.status_code != 403, f"{method} {path}: {answer.text}"
    await client.aclose()


async def test_a_key_beside_a_cookie_is_what_counts(stage: Stage) -> None:
    client = await stage.signed_in("admin")
    answer = await client.get("/v1/users", headers=await stage.key("read"))
    assert answer.status_code == 403
    await client.aclose()
