"""The API against its own description: whatever is sent, no 5xx, no status, type or shape of answer that is not in it.

Schemathesis makes requests out of the OpenAPI document, half of them valid, half not; places of ids and of revisions
are filled with those of things that exist as often as not, else nearly all would be 404. The real application on SQLite
behind a real HTTP server; only the telephone is stood in for, and workflows reach nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import hypothesis
import pytest
import schemathesis
import uvicorn
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parlons.api.app import ROUTERS
from parlons.api.edge import Limits
from parlons.api.idempotency import Route
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.errors import Conflict
from parlons.store import SecretKey, Store
from parlons.workflows.failures import ConnectFailed
from tests.store.conftest import KEY
from tests.support.server import free_port

from .stage import AGENT, BEARER, STARTED, Stage, opened

EXAMPLES = 8
"""Requests to each operation, of each mode."""
MEANT = frozenset({502, 503})
"""5xx that are answers: a peer or a provider that fails, and something that does not do its work now. Only where they
are documented, which ``status_code_conformance`` looks at."""
EVERYTHING = Limits(known_per_minute=10_000_000, strangers_per_minute=10_000_000)


def operations() -> list[tuple[str, str]]:
    """(path, method) of everything that is described."""
    routes = [r for router in ROUTERS for r in router.routes if isinstance(r, Route) and r.include_in_schema]
    return sorted((route.path, method) for route in routes for method in route.methods or ())


def no_fault_of_ours(_context: object, response: Any, _case: object) -> None:
    """A check: schemathesis' own takes every 5xx for a fault."""
    assert response.status_code < 500 or response.status_code in MEANT, f"{response.status_code}: {response.text[:500]}"


CHECKS = [
    no_fault_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class World(threading.Thread):
    """A stage that is served, on a loop in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="served")
        self.folder = folder
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready = threading.Event()
        self.server: uvicorn.Server | None = None
        self.stage: Stage | None = None
        self.schema: Any = None

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        store = await Store.open(f"sqlite:///{self.folder}/parlons.db", SecretKey(KEY))
        try:
            async with opened(store, self.folder, EVERYTHING) as stage:
                self.stage = stage
                stage.line.http.send = _nobody_there  # type: ignore[method-assign]
                rehearsals: Any = stage.services.rehearsals
                rehearsals.play = rehearsals.speech = _no_telephone
                await self._furnish(stage)
                config = uvicorn.Config(stage.app, port=self.port, log_level="error", lifespan="off", ws="none")
                self.server = uvicorn.Server(config)
                self.schema = schemathesis.openapi.from_dict(stage.app.openapi())
                self.ready.set()
                await self.server.serve()
        finally:
            self.ready.set()
            await store.close()

    async def _furnish(self, stage: Stage) -> None:
        record = CallRecord(
            id="over", direction="inbound", started_at=STARTED, recording="over.wav", agent_id="accueil"
        )
        record.status, record.ended_at = CallStatus.COMPLETED, STARTED
        (stage.recordings / "over.wav").write_bytes(b"RIFF" * 100)
        await stage.store.calls.create(record)
        await stage.store.calls.append_events("over", [Event(0, "system", Kind.RINGING)])

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
        self.join(20)


async def _nobody_there(*_: object, **__: object) -> NoReturn:
    raise ConnectFailed("nobody is there.")


async def _no_telephone(*_: object, **__: object) -> NoReturn:
    raise Conflict("there is no telephone here.")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("described"))
    made.start()
    made.ready.wait(30)
    assert made.server is not None
    with httpx.Client(base_url=made.url, headers=BEARER) as client:
        for _ in range(100):
            try:
                client.get("/v1/health")
                break
            except httpx.ConnectError:
                made.ready.wait(0.05)
                threading.Event().wait(0.05)
    yield made
    made.stop()


def known(client: httpx.Client) -> dict[str, str]:
    """Ids of things that exist, by the name of their place in a path; made again when a request deleted them."""
    post = client.post
    post("/v1/agents", json={"id": "accueil", "document": AGENT})
    post("/v1/workflows", json={"id": "crm", "document": {"name": "crm", "trigger": "pre_call", "steps": []}})
    post("/v1/data-sources", json={"id": "faq", "document": {"name": "faq", "language": "fr-FR"}})
    post("/v1/sip-connections", json={"id": "trunk", "document": {"name": "trunk", "host": "192.0.2.1"}})
    client.put("/v1/secrets/token", json={"value": "x"})
    post("/v1/keys", json={"name": "k", "scopes": ["read"]})
    keys = client.get("/v1/keys").json()["items"]
    users = client.get("/v1/users").json()["items"] or [
        post("/v1/users", json={"name": "somebody", "role": "viewer", "password": "a long enough password"}).json()
    ]
    placed = post("/v1/calls", json={"agent_id": "accueil", "to": "+33612345678"}).json()["id"]
    return {
        "agent_id": "accueil", "workflow_id": "crm", "source_id": "faq", "connection_id": "trunk", "name": "token",
        "key_id": keys[0]["id"], "user_id": users[0]["id"], "call_id": placed, "version": "1",
    }  # fmt: skip


def shortened(body: Any) -> Any:
    """The same, where no step of a workflow waits for long."""
    if isinstance(body, dict):
        made = {key: shortened(value) for key, value in body.items()}
        if made.get("type") == "delay" and isinstance(made.get("seconds"), (int, float)):
            made["seconds"] = min(made["seconds"], 0.1)
        return made
    return [shortened(value) for value in body] if isinstance(body, list) else body


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("path", "method"), operations(), ids=lambda part: str(part))
def test_an_operation_does_what_its_description_says(world: World, path: str, method: str) -> None:
    operation = world.schema[path][method]
    with httpx.Client(base_url=world.url, headers=BEARER) as client:
        ids = known(client)
    if path.endswith("/events"):
        ids["call_id"] = "over"  # told from its beginning to its end; one under way would be told for ever
    # OpenAPI 3.1 describes the whole of a stream, as text; schemathesis holds every single event against that
    checks = [check for check in CHECKS if check is not response_schema_conformance or not path.endswith("/events")]

    @hypothesis.settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(data=st.data())
    def ask(data: Any, mode: GenerationMode) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for name in case.path_parameters or {}:
            if name in ids and data.draw(st.booleans()):
                case.path_parameters[name] = ids[name]
        if case.headers and "If-Match" in case.headers and data.draw(st.booleans()):
            case.headers["If-Match"] = "*"
        if isinstance(case.body, (dict, list)):
            case.body = shortened(case.body)
        case.call_and_validate(base_url=world.url, headers=BEARER, checks=checks, timeout=5)

    ask(mode=GenerationMode.POSITIVE)
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # it takes nothing that could be wrong
        ask(mode=GenerationMode.NEGATIVE)


def no_missing(description: dict[str, Any]) -> None:
    del description["paths"]["/v1/agents/{agent_id}"]["get"]["responses"]["404"]


def no_problem(description: dict[str, Any]) -> None:
    answer = description["paths"]["/v1/agents/{agent_id}"]["get"]["responses"]["404"]
    answer["content"] = {"application/json": next(iter(answer["content"].values()))}


def no_title(description: dict[str, Any]) -> None:
    description["components"]["schemas"]["Problem"]["properties"]["title"] = {"type": "integer"}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("spoil", [no_missing, no_problem, no_title])
def test_a_description_that_is_wrong_is_found_out(world: World, spoil: Callable[[dict[str, Any]], None]) -> None:
    assert world.stage is not None
    description = copy.deepcopy(world.stage.app.openapi())
    for found in (False, True):
        if found:
            spoil(description)
        case = schemathesis.openapi.from_dict(description)["/v1/agents/{agent_id}"]["GET"].Case(
            path_parameters={"agent_id": "gone"}
        )
        expected = pytest.raises(FailureGroup) if found else contextlib.nullcontext()
        with expected:
            case.call_and_validate(base_url=world.url, headers=BEARER, checks=CHECKS, timeout=5)
