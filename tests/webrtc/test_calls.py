"""Calls from a browser to the real server, over real ICE, DTLS and SRTP on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from parlons.webrtc.service import CONNECT_SECONDS, GONE_SECONDS, MAX_BROWSER_CALLS
from tests.sip import agents
from tests.sip.talking import PACE, SAME_WORDS, sounds_like
from tests.support import audio
from tests.support.server import ParlonsServer
from tests.support.streams import followed

from .browser import RATE, Browser

pytestmark = pytest.mark.peer

CONFIGURATION = {
    "agents": agents.LAB["agents"] | {"broken": agents.agent(providers={"llm": [{"type": "openai"}]})},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    folder = tmp_path_factory.mktemp("webrtc")
    with ParlonsServer(folder, CONFIGURATION, rtp_ports=range(37000, 37400)) as running:
        yield running
        running.gauges_idle()
        running.assert_no_bug()


@pytest.fixture
async def http(server: ParlonsServer) -> AsyncIterator[httpx.AsyncClient]:
    (key,) = re.findall(r"shown this once: (\S+)", server.log())
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.http_port}", headers=headers, timeout=30
    ) as client:
        yield client


async def released(server: ParlonsServer) -> None:
    """Nothing of any call is left but ports at rest."""
    await asyncio.to_thread(server.gauges_idle, 15.0)


# -- what goes wrong -----------------------------------------------------------------------------------------------


async def test_an_offer_that_is_none_is_named(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        good = await page.offer()
        for offer in ("hello", good.replace("m=audio", "m=video"), good.replace("a=ice-pwd", "a=x"), "v=0\r\n" * 4000):
            answer = await page.post("lab", offer)
            assert answer.status_code == 422, answer.text
            assert [error["path"] for error in answer.json()["errors"]] == ["sdp"]
        assert (await page.post("nobody", good)).status_code == 404
    await released(server)


async def test_calls_are_bounded(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(Browser(http)) for _ in range(MAX_BROWSER_CALLS + 1)]
        answers = [await page.post("lab", await page.offer()) for page in pages]
        assert [answer.status_code for answer in answers] == [201] * MAX_BROWSER_CALLS + [409]
        assert answers[-1].json()["hint"]
        for page, answer in zip(pages, answers[:-1], strict=False):
            page.id = answer.json()["id"]
            await page.hang_up()
            record = await page.ended()
            assert (record["status"], record["answered_at"]) == ("canceled", None)
            await page.hang_up()  # over already: it stays so
            assert (await http.post(f"/v1/browser-calls/{page.id}/digits", json={"digits": "1"})).status_code == 409
    await released(server)


async def test_a_browser_that_never_connects_is_given_up(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        began = asyncio.get_running_loop().time()
        page.id = (await page.post("lab", await page.offer())).json()["id"]
        record = await page.ended(CONNECT_SECONDS + 5)
        assert asyncio.get_running_loop().time() - began < CONNECT_SECONDS + 3
        assert (record["status"], record["answered_at"]) == ("canceled", None)
    await released(server)


async def test_a_browser_that_vanishes_is_noticed(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        await page.call("lab")
        await page.listen()
        page.vanish()
        gone = asyncio.get_running_loop().time()
        record = await page.ended(GONE_SECONDS + 6)
        assert asyncio.get_running_loop().time() - gone > GONE_SECONDS - 1, "a moment's silence is no end"
        assert record["end_code"] == "connection_lost", record
    await released(server)


async def test_the_caller_hears_the_error_message_when_the_agent_cannot_run(
    server: ParlonsServer, http: httpx.AsyncClient
) -> None:
    async with Browser(http) as page:
        await page.call("broken")
        heard = await page.listen()
        assert sounds_like(heard, agents.APOLOGY, rate=RATE) > SAME_WORDS
        record = await page.ended()
        assert record["trigger"] == "agent_unavailable"
    await released(server)


async def test_a_drafts_own_message_is_heard_before_it_is_published(
    server: ParlonsServer, http: httpx.AsyncClient
) -> None:
    text = "Le brouillon est en panne, merci de patienter un instant."
    document = agents.agent(
        providers={"llm": [{"type": "openai"}]}, default_error_message={"text": text, "language": "fr-FR"}
    )
    assert (await http.post("/v1/agents", json={"id": "torn", "document": document})).status_code == 201
    async with Browser(http) as page:
        await page.call("torn", draft=True)
        assert sounds_like(await page.listen(), text, rate=RATE) > SAME_WORDS
        await page.ended()


# -- what goes well ------------------------------------------------------------------------------------------------


async def test_a_conversation_from_the_browser(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        await page.call("lab", caller="+33612345678")
        assert sounds_like(await page.listen(), agents.GREETING, rate=RATE) > SAME_WORDS
        reply = await page.ask("quels sont vos horaires")
        assert sounds_like(reply, agents.HOURS, rate=RATE) > SAME_WORDS
        page.say("merci, au revoir")
        told = [item async for item in followed(http, f"/v1/calls/{page.id}/events")]
        assert told[-1][0] == "end"
        record = await page.record()
        assert (record["status"], record["ended_by"]) == ("completed", "agent"), record
        assert (record["direction"], record["caller"], record["connection_id"]) == ("inbound", "+33612345678", None)
        assert (record["from_browser"], record["anonymous"], record["agent_version"]) == (True, False, 1)
        (came,) = [leg for leg in await page.events("leg") if leg["event"] == "browser"]
        assert came["draft"] is False
        assert came["user"]
        assert (await page.events("answered"))[0]["codec"] == "G722"
        farewell = (await page.words("agent"))[-1]
        await asyncio.sleep(0.6)
        said = audio.speech(farewell, speed=PACE, rate=RATE)
        last = page.heard(page.speech_at()[-1] - len(said) / RATE - 0.3)
        assert audio.speech_seconds(last, RATE) > 0.9 * audio.speech_seconds(said, RATE), "to its last word"
    await released(server)


async def test_keys_are_pressed(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        await page.call("lab")
        await page.listen()
        await page.press("122#")
        await page.listen()
        assert "".join(event["digits"] for event in await page.events("dtmf")) == "122#"
        await page.hang_up()
        record = await page.ended()
        assert (record["ended_by"], record["end_code"]) == ("caller", "hung_up")


async def test_a_page_that_is_closed_ends_its_call_at_once(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    page = Browser(http)
    await page.call("lab")
    await page.listen()
    await page.close()
    record = await page.ended(3)
    assert (record["ended_by"], record["end_code"]) == ("caller", "hung_up")
    await released(server)


async def test_the_operator_hangs_up(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Browser(http) as page:
        await page.call("lab")
        await page.listen()
        assert (await http.post(f"/v1/calls/{page.id}/hang-up")).status_code == 202
        await page.ended()
        async with asyncio.timeout(5):
            while page.peer.connectionState != "closed":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    await released(server)


async def test_the_draft_speaks_before_it_is_published(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    draft = agents.agent(greeting="Ceci est un brouillon, rien de plus.")
    assert (await http.post("/v1/agents", json={"id": "sketch", "document": draft})).status_code == 201
    async with Browser(http) as page:
        refused = await page.post("sketch", await page.offer())
        assert (refused.status_code, "draft" in refused.json()["hint"]) == (409, True)
    async with Browser(http) as page:
        await page.call("sketch", draft=True)
        assert sounds_like(await page.listen(), draft["greeting"], rate=RATE) > SAME_WORDS
        await page.hang_up()
        record = await page.ended()
        assert (record["agent_version"], record["anonymous"], record["caller"]) == (None, True, "")


async def test_five_at_once(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async def one() -> float:
        async with Browser(http) as page:
            await page.call("lab")
            heard = await page.listen(within=15)
            await page.hang_up()
            await page.ended()
            return sounds_like(heard, agents.GREETING, rate=RATE)

    alike = await asyncio.gather(*(one() for _ in range(5)))
    assert min(alike) > SAME_WORDS, alike
    await released(server)
