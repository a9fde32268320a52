"""The real process: what is saved over HTTP is what the next caller meets, and a call is watched while it goes on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer

FRONT = {"name": "Front desk", "language": "en-GB", "greeting": "Good morning, this is the front desk."}
PBX = {
    "name": "PBX", "host": "127.0.0.1", "allowed_addresses": ["127.0.0.2/32"],
    "inbound_username": "desk", "inbound_password": "first-password",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    folder = tmp_path_factory.mktemp("api")
    with ParlonsServer(folder, {"agents": {}}, rtp_ports=range(36460, 36520)) as running:
        yield running
        running.assert_no_bug()


@pytest.fixture
async def http(server: ParlonsServer) -> AsyncIterator[httpx.AsyncClient]:
    found = re.findall(r"shown this once: (\S+)", server.log())
    assert len(found) == 1
    headers = {"Authorization": f"Bearer {found[0]}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.http_port}", headers=headers, timeout=20
    ) as client:
        yield client


async def code_of(phone: Phone, server: ParlonsServer, user: str) -> int:
    """What an INVITE to a user is answered; a call that is answered is hung up."""
    call = phone.call(server.uri(user))
    answer = await call.invite()
    if answer.code == 200:
        await call.leave()
    return answer.code


async def test_what_is_published_is_met_by_the_next_caller(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    async with Phone() as phone:
        made = await http.post("/v1/agents", json={"id": "front", "document": FRONT})
        assert made.status_code == 201, made.text
        assert await code_of(phone, server, "front") == 404
        assert (await http.post("/v1/agents/front/publish")).status_code == 200
        assert await code_of(phone, server, "front") == 200
        document = made.json()["document"] | {"active": False}
        await http.put("/v1/agents/front", json=document, headers={"If-Match": "*"})
        assert await code_of(phone, server, "front") == 200, "a draft is in no call"
        await http.post("/v1/agents/front/publish")
        assert await code_of(phone, server, "front") == 404
        await http.put("/v1/agents/front", json=made.json()["document"], headers={"If-Match": "*"})
        await http.post("/v1/agents/front/publish")


async def test_a_password_that_was_changed_counts_from_the_next_call(
    server: ParlonsServer, http: httpx.AsyncClient
) -> None:
    """The document looks the same, because a stored password never shows."""
    async with (
        Phone(credentials=("desk", "first-password")) as old,
        Phone(credentials=("desk", "second-password")) as new,
    ):
        made = await http.post("/v1/sip-connections", json={"id": "pbx", "document": PBX | {"port": new.port}})
        assert made.status_code == 201, made.text
        assert await code_of(old, server, "front") == 200
        assert await code_of(new, server, "front") == 403
        changed = made.json()["document"] | {"inbound_password": "second-password"}
        saved = await http.put("/v1/sip-connections/pbx", json=changed, headers={"If-Match": '"1"'})
        assert saved.status_code == 200
        assert await code_of(new, server, "front") == 200
        assert await code_of(old, server, "front") == 403
        tested = (await http.post("/v1/sip-connections/pbx/test")).json()
        assert (tested["ok"], tested["detail"]) == (True, "200 OK")
    assert (await http.delete("/v1/sip-connections/pbx")).status_code == 204


async def test_a_call_is_watched_and_hung_up(server: ParlonsServer, http: httpx.AsyncClient) -> None:
    recording = FRONT | {"announcement": "This call is recorded.", "record_audio": True}
    await http.post("/v1/agents", json={"id": "taped", "document": recording})
    assert (await http.post("/v1/agents/taped/publish")).status_code == 200
    async with Phone() as phone:
        placed = await http.post("/v1/calls", json={"agent_id": "taped", "to": phone.uri})
        assert placed.status_code == 201, placed.text
        call_id = placed.json()["id"]
        call = await asyncio.wait_for(phone.incoming.get(), 5)
        kinds: list[str] = []
        async with http.stream("GET", f"/v1/calls/{call_id}/events") as stream:
            await call.answer()
            async for line in stream.aiter_lines():
                if line.startswith("data: ") and '"transcript"' in line and "front desk" in line:
                    assert (await http.get(f"/v1/calls/{call_id}")).json()["status"] == "in_progress"
                    assert (await http.get(f"/v1/calls/{call_id}/recording")).status_code == 409
                    assert (await http.post(f"/v1/calls/{call_id}/hang-up")).status_code == 202
                if line.startswith("event: "):
                    kinds.append(line.removeprefix("event: "))
        assert kinds[-1] == "end"
        assert kinds.count("timeline") >= 4
        assert await call.wait_end(5) == "peer"
    record = (await http.get(f"/v1/calls/{call_id}")).json()
    assert (record["status"], record["has_recording"]) == ("completed", True)
    part = await http.get(f"/v1/calls/{call_id}/recording", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    said = (await http.get(f"/v1/calls/{call_id}/transcript")).json()["items"]
    assert any("front desk" in utterance["text"] for utterance in said)
    assert (await http.delete(f"/v1/calls/{call_id}")).status_code == 204
    assert not list((server.data / "recordings").glob(f"{call_id}*"))


def test_the_administrators_key_is_made_and_told_once(tmp_path: Path) -> None:
    server = ParlonsServer(tmp_path, {"agents": {}}, rtp_ports=range(36520, 36540))
    with server:
        assert server.log().count("shown this once") == 1
    own = "an-operators-own-key-000"
    server.environment["PARLONS_ADMIN_KEY"] = own
    with server:
        address = f"http://127.0.0.1:{server.http_port}/v1/users"
        assert httpx.get(address, headers={"Authorization": f"Bearer {own}"}).status_code == 200
    assert server.log().count("shown this once") == 1
    assert own not in server.log()
