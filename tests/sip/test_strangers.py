"""Who may call, whom they reach, and what is known of them: addresses, passwords, numbers, withheld callers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sip import agents
from tests.sip.talking import dial
from tests.support import sip_text
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.registrar import Registrar
from tests.support.server import SIP_PORTS, ParlonsServer, free_port

pytestmark = pytest.mark.peer

PBX, STRANGER = "127.0.0.9", "127.0.0.66"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """Takes calls from one address only, and from nobody else."""
    configuration = {
        "agents": {"lab": agents.agent(phone_numbers=[agents.NUMBER]), "english": agents.ENGLISH},
        "sip_connections": {"pbx": agents.trunk(host=PBX, allowed_addresses=[f"{PBX}/32"], default_agent_id="english")},
        "settings": {"default_country": "FR"},
    }
    with ParlonsServer(tmp_path_factory.mktemp("guarded"), configuration, rtp_ports=range(36260, 36340)) as server:
        yield server


@pytest.fixture(scope="module")
def challenging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """Takes calls from one address, and from whoever knows the password."""
    connection = agents.trunk(
        host=PBX, allowed_addresses=[f"{PBX}/32"], inbound_username="desk", inbound_password="${DESK_PASSWORD}"
    )
    configuration = {"agents": {"lab": agents.agent()}, "sip_connections": {"pbx": connection}}
    secrets = {"DESK_PASSWORD": "open sesame"}
    folder = tmp_path_factory.mktemp("challenging")
    with ParlonsServer(folder, configuration, rtp_ports=range(36340, 36380), environment=secrets) as server:
        yield server


async def _try(server: ParlonsServer, phone: Phone, user: str = "lab", **options: object) -> int:
    call = phone.call(server.uri(user), **options)
    code = (await call.invite(timeout=5)).code
    if code == 200:
        await call.bye()
    return code


async def test_an_address_that_is_not_allowed(guarded: ParlonsServer) -> None:
    async with Phone(host=STRANGER) as stranger, Phone(host=PBX) as friend:
        assert await _try(guarded, stranger) == 403
        assert await _try(guarded, friend) == 200
        lists = [c["sip_call_id"] for c in guarded.calls()]
    assert not [key for key in lists if key in stranger.calls], "a stranger's call was recorded as a call"


async def test_a_password_is_asked_of_a_stranger(challenging: ParlonsServer) -> None:
    async with (
        Phone(host=STRANGER) as nobody,
        Phone(host=STRANGER, credentials=("desk", "open sesame")) as desk,
        Phone(host=STRANGER, credentials=("desk", "open sesamE")) as wrong,
        Phone(host=STRANGER, credentials=("admin", "open sesame")) as other,
        Phone(host=PBX) as friend,
    ):
        assert await _try(challenging, nobody) == 401
        assert await _try(challenging, desk) == 200
        assert await _try(challenging, wrong) == 403
        assert await _try(challenging, other) == 403
        assert await _try(challenging, friend) == 200


async def test_an_answer_to_a_challenge_cannot_be_replayed_for_another_call(challenging: ParlonsServer) -> None:
    async with Phone(host=STRANGER, credentials=("desk", "open sesame")) as desk:
        first = desk.call(challenging.uri("lab"))
        assert (await first.invite()).code == 200
        proof = first.invitation.get("Authorization")
        await first.bye()
    async with Phone(host="127.0.0.67") as thief:
        assert await _try(challenging, thief, headers=(("Authorization", proof),)) in (401, 403)


@pytest.mark.parametrize(
    ("user", "options", "agent"),
    [
        ("+33123456789", {}, "lab"),
        ("0123456789", {}, "lab"),
        ("33123456789", {}, "lab"),
        ("lab", {"to": "<sip:english@example.org>"}, "lab"),
        ("unlisted", {"to": "<sip:+33123456789@example.org>"}, "lab"),
        ("unlisted", {"to": "<tel:+33-1-23-45-67-89>"}, "lab"),
        ("unlisted", {"headers": (("P-Called-Party-ID", "<sip:+33123456789@example.org>"),)}, "lab"),
        ("unlisted", {}, "english"),  # the connection's default agent
    ],
)
async def test_the_called_number_finds_its_agent(
    guarded: ParlonsServer, user: str, options: dict[str, object], agent: str
) -> None:
    async with Phone(host=PBX) as friend:
        call = friend.call(guarded.uri(user), **options)
        assert (await call.invite(timeout=5)).code == 200
        await call.bye()
        assert (await asyncio.to_thread(guarded.ended, call.id))["agent_id"] == agent


async def test_an_unknown_number(lab: ParlonsServer, phone: Phone) -> None:
    assert await _try(lab, phone, "+33199999999") == 404
    assert await _try(lab, phone, "nobody") == 404


async def test_a_withheld_caller_leaves_no_number_anywhere(guarded: ParlonsServer) -> None:
    async with Phone(host=PBX) as friend:
        hidden = "+33687654321"
        anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>'
        shown = (("P-Asserted-Identity", f"<sip:{hidden}@example.org>"), ("Privacy", "id"))
        call = await dial(friend, guarded, "lab", from_=anonymous, headers=shown)
        await call.rtp.wait_speech()
        await call.bye()
        record = await asyncio.to_thread(guarded.ended, call.id)
        assert (record["caller"], bool(record["anonymous"])) == ("", True)
        kept = str(record) + str(guarded.timeline(record["id"])) + guarded.log()
        assert "687654321" not in kept
        assert "687654321" not in "".join(bytes(e.message).decode() for e in friend.log if e.incoming)


async def test_a_name_in_latin_1_and_a_national_number(guarded: ParlonsServer) -> None:
    async with Phone(host=PBX) as friend:
        call = friend.call(guarded.uri("lab"), from_='"Andr@E@" <sip:0612345678@127.0.0.9>')
        invite = await call.invite_by_hand()
        friend.send(bytes(invite).replace(b"Andr@E@", b"Andr\xe9"), guarded.sip)
        async with asyncio.timeout(5):
            await call.up.wait()
        await call.bye()
        assert (await asyncio.to_thread(guarded.ended, call.id))["caller"] == "+33612345678"


# -- a trunk that we register with ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trunk:
    """A server registered with our test phone, which plays the operator."""

    server: ParlonsServer
    operator: Phone
    registrar: Registrar


@pytest.fixture
async def trunk(tmp_path: Path) -> AsyncIterator[Trunk]:
    """The registration is done when the test begins."""
    port = free_port(socket.SOCK_DGRAM, SIP_PORTS)
    connection = agents.trunk(
        port=port, register=True, username=agents.TRUNK_USER, password="${TRUNK_PASSWORD}", default_agent_id="english"
    )
    configuration = {
        "agents": {"lab": agents.agent(phone_numbers=[agents.NUMBER]), "english": agents.ENGLISH},
        "sip_connections": {"operator": connection},
        "settings": {"default_country": "FR"},
    }
    async with Phone(user="operator", port=port) as operator:
        registrar = Registrar(operator, agents.TRUNK_USER, agents.TRUNK_PASSWORD, expires=6)
        server = ParlonsServer(
            tmp_path, configuration, rtp_ports=range(36380, 36420),
            environment={"TRUNK_PASSWORD": agents.TRUNK_PASSWORD},
        )  # fmt: skip
        await asyncio.to_thread(server.start)
        try:
            await registrar.wait(1)
            yield Trunk(server, operator, registrar)
        finally:
            await asyncio.to_thread(server.stop)


async def _from_trunk(trunk: Trunk, user: str, to: str) -> Call:
    contact = trunk.registrar.bindings[-1].contact
    host, port = sip_text.host_port(contact)
    call = trunk.operator.call(f"sip:{user}@{host}:{port}", to=to, next_hop=(host, port))
    assert (await call.invite(timeout=5)).code == 200
    await call.bye()
    return call


async def test_a_registered_trunk_that_calls_its_own_user(trunk: Trunk) -> None:
    assert trunk.registrar.refused == 0
    user = trunk.registrar.bindings[0].contact.partition(":")[2].partition("@")[0]
    call = await _from_trunk(trunk, user, f"<sip:{agents.NUMBER}@trunk.example>")
    record = await asyncio.to_thread(trunk.server.ended, call.id)
    assert (record["agent_id"], record["connection_id"]) == ("lab", "operator")
    call = await _from_trunk(trunk, user, f"<sip:{user}@trunk.example>")
    record = await asyncio.to_thread(trunk.server.ended, call.id)
    assert record["agent_id"] == "english", "the default agent of the connection"


async def test_the_registration_is_renewed_and_taken_back(trunk: Trunk) -> None:
    first, second = await trunk.registrar.wait(2)
    assert 3.0 <= second.at - first.at <= 6.0, "renewed at 80 % of the 6 s granted"
    trunk.server.terminate()
    assert await asyncio.to_thread(trunk.server.wait, 15) == 0
    assert trunk.registrar.bindings[-1].expires == 0
