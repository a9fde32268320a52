"""Providers as the API tells of them, and asked by a person: the real code against servers on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from parlons.agents.models import Agent
from parlons.api.app import public_app
from parlons.conversation.providers.overview import Overview
from parlons.conversation.providers.readiness import Pace, Readiness
from tests.conversation.providers.drive import agent
from tests.conversation.providers.listings import ListingServer, deaf, free_port
from tests.support.providers.base import Reply

from .stage import BEARER, Stage

SECRET = "sk-never-to-be-shown"
QUICK = Pace(usual=0.1, down=0.05, again=0.05, answer=0.5, person=0.8)
HIDDEN_IN_URL = "http://user:hunter2@"


def talker(url: str, name: str = "Accueil", key: str | None = SECRET) -> Agent:
    """An agent whose language model is OpenAI's at this server."""
    made = agent(llm=[{"type": "openai", "base_url": f"{url}/v1", "api_key": key}])
    return made.model_copy(update={"name": name})


@asynccontextmanager
async def installation(
    stage: Stage, *agents: Agent, environ: dict[str, str] | None = None, pace: Pace = QUICK, watching: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """The API of an installation whose live agents are these; with ``watching`` the background asks too."""
    readiness = Readiness(environ or {}, pace=pace)
    readiness.watch(agents)
    overview = Overview(environ or {}, readiness, lambda: agents)
    services = dataclasses.replace(stage.services, providers=overview.views, check_provider=overview.check)
    job = asyncio.ensure_future(readiness.run()) if watching else None
    transport = httpx.ASGITransport(app=public_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://parlons.test", headers=BEARER) as http:
        yield http
    if job is not None:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def listed(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await http.get("/v1/providers")
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def used(http: httpx.AsyncClient) -> dict[str, Any]:
    """The one provider outside the process that an agent uses."""
    (found,) = [item for item in await listed(http) if item["agents"] and item["type"] != "embedded"]
    return found


async def check(http: httpx.AsyncClient, provider_id: str) -> dict[str, Any]:
    answer = await http.post(f"/v1/providers/{provider_id}/check")
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    told: dict[str, Any] = answer.json()
    return told


async def becomes(http: httpx.AsyncClient, state: str) -> None:
    async with asyncio.timeout(5):
        while (await used(http))["state"] != state:  # noqa: ASYNC110  (looks from outside)
            await asyncio.sleep(0.02)


# -- what goes wrong -----------------------------------------------------------------------------------------------


async def test_nobody_there_is_said_with_what_to_do(stage: Stage) -> None:
    async with installation(stage, talker(f"http://127.0.0.1:{free_port()}")) as http:
        told = await check(http, (await used(http))["id"])
        assert (told["ok"], told["detail"]) == (False, "no connection.")
        assert told["hint"] == "Check that the service is up and reachable from here."
        assert told["provider"]["state"] == "down"
        assert (await used(http))["state"] == "down"  # what a person saw is what calls go by


async def test_a_server_that_says_nothing_is_given_up_in_time(stage: Stage) -> None:
    async with deaf() as url, installation(stage, talker(url)) as http:
        provider = await used(http)
        began = time.monotonic()
        told = await check(http, provider["id"])
        assert time.monotonic() - began < 3
        assert (told["ok"], told["detail"]) == (False, "no answer within 0.8 s.")


def test_a_person_waits_no_longer_than_ten_seconds() -> None:
    assert Pace().person == 10.0


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_names_where_to_mend_it(stage: Stage, status: int) -> None:
    async with ListingServer({"listing": [Reply(status=status)]}) as server:
        of = talker(server.url, key="${TALKING_KEY}")
        async with installation(stage, of, environ={"TALKING_KEY": SECRET}) as http:
            told = await check(http, (await used(http))["id"])
            assert told["detail"] == f"it refused the key ({status})."
            assert told["hint"] == "Check the environment variable TALKING_KEY."
            assert told["provider"]["state"] == "refused"


async def test_a_key_that_is_not_there_asks_nobody(stage: Stage) -> None:
    async with ListingServer() as server:
        of = talker(server.url, key="${TALKING_KEY}")
        async with installation(stage, of) as http:
            provider = await used(http)
            assert (provider["configured"], provider["state"]) == (False, "not_configured")
            told = await check(http, provider["id"])
            assert not told["ok"]
            assert "TALKING_KEY" in told["hint"]
            assert server.count == 0


async def test_a_type_that_does_not_exist_is_listed_with_those_that_do(stage: Stage) -> None:
    async with installation(stage, agent(llm=[{"type": "nobodys"}])) as http:
        provider = await used(http)
        assert provider["state"] == "not_configured"
        assert "embedded" in provider["hint"]
        assert not (await check(http, provider["id"]))["ok"]


async def test_an_id_of_no_provider_is_not_found(stage: Stage) -> None:
    async with installation(stage) as http:
        assert (await http.post("/v1/providers/nobodys/check")).status_code == 404
        assert (await http.post("/v1/providers/%2e%2e/check")).status_code in (404, 405, 422)


async def test_a_failure_that_a_second_question_does_not_find_again_is_none(stage: Stage) -> None:
    replies = [Reply(status=503), Reply()]
    async with ListingServer({"listing": replies}) as server, installation(stage, talker(server.url)) as http:
        assert (await check(http, (await used(http))["id"]))["ok"]
        assert server.count == 2


# -- what is shown -------------------------------------------------------------------------------------------------


async def test_one_that_answers(stage: Stage) -> None:
    async with ListingServer() as server, installation(stage, talker(server.url)) as http:
        provider = await used(http)
        assert (provider["state"], provider["checked_at"], provider["services"]) == ("unknown", None, ["llm"])
        told = await check(http, provider["id"])
        assert (told["ok"], told["detail"], told["hint"]) == (True, "it answered", "")
        assert told["provider"]["state"] == "usable"
        assert told["provider"]["checked_at"] is not None
        assert server.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


async def test_the_background_sees_the_same(stage: Stage) -> None:
    async with ListingServer() as server, installation(stage, talker(server.url), watching=True) as http:
        await becomes(http, "usable")
        server.now(Reply(status=500))
        await becomes(http, "down")
        server.now(Reply())
        assert (await check(http, (await used(http))["id"]))["ok"]
        assert (await used(http))["last_error"] == "it answered 500"


async def test_what_agents_share_is_one_and_what_differs_is_not(stage: Stage) -> None:
    async with ListingServer() as server:
        agents = (talker(server.url), talker(server.url, "Standard"), talker(server.url, "Nuit", "another-key"))
        async with installation(stage, *agents) as http:
            found = [item for item in await listed(http) if item["server"] == f"{server.url}/v1"]
            assert sorted(item["agents"] for item in found) == [["Accueil", "Standard"], ["Nuit"]]
            assert len({item["id"] for item in found}) == 2


async def test_what_no_agent_uses_is_listed_and_can_be_asked(stage: Stage) -> None:
    async with installation(stage) as http:
        found = {item["type"]: item for item in await listed(http)}
        assert set(found) == {"embedded", "openai", "mistral", "deepgram", "elevenlabs"}
        assert (found["openai"]["configured"], found["openai"]["state"]) == (False, "not_configured")
        assert "OPENAI_API_KEY" in found["openai"]["hint"]
        assert found["openai"]["services"] == ["stt", "llm", "tts"]
        assert (found["embedded"]["id"], found["embedded"]["state"]) == ("embedded", "usable")
        assert (await check(http, "embedded"))["ok"]
    async with installation(stage, environ={"OPENAI_API_KEY": SECRET}) as http:
        found = {item["type"]: item for item in await listed(http)}
        assert (found["openai"]["id"], found["openai"]["configured"], found["openai"]["state"]) == (
            "openai", True, "unknown",
        )  # fmt: skip


async def test_no_secret_of_an_address_is_shown(stage: Stage) -> None:
    url = HIDDEN_IN_URL + f"127.0.0.1:{free_port()}"
    async with installation(stage, talker(url)) as http:
        answer = await http.get("/v1/providers")
        assert "hunter2" not in answer.text
        told = await http.post(f"/v1/providers/{(await used(http))['id']}/check")
        assert "hunter2" not in told.text


async def test_ids_tell_nothing_of_keys(stage: Stage) -> None:
    """The same key has another id in another process: no list of keys can be tried on one."""
    ids = set()
    for _ in range(2):
        async with installation(stage, talker("http://127.0.0.1:9")) as http:
            ids.add((await used(http))["id"])
    assert len(ids) == 2


async def test_who_may(stage: Stage) -> None:
    viewer, editor = await stage.signed_in("viewer", "viewer"), await stage.signed_in("editor", "editor")
    assert (await viewer.get("/v1/providers")).status_code == 200
    assert (await viewer.post("/v1/providers/embedded/check")).status_code == 403
    assert (await editor.post("/v1/providers/embedded/check")).status_code == 200
    await viewer.aclose()
    await editor.aclose()
