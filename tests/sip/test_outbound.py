"""Calls that we place: every way the other side can take them, or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sip import agents
from tests.sip.talking import SAME_WORDS, ask, goodbye, listen, sounds_like
from tests.support import sip_text
from tests.support.phone import Address, Phone
from tests.support.phone_call import Call
from tests.support.server import ParlonsServer
from tests.support.sip_text import Message

pytestmark = pytest.mark.peer


async def _placed(lab: ParlonsServer, phone: Phone) -> tuple[str, Call]:
    call_id = await asyncio.to_thread(lab.place, "lab", phone.uri)
    return call_id, await asyncio.wait_for(phone.incoming.get(), 5)


async def test_an_answered_call_is_a_conversation(lab: ParlonsServer, phone: Phone) -> None:
    call_id, call = await _placed(lab, phone)
    call.ring()
    await asyncio.sleep(0.3)
    await call.answer()
    assert sounds_like(await listen(call), agents.GREETING) > SAME_WORDS
    assert sounds_like(await ask(call, "quels sont vos horaires"), agents.HOURS) > SAME_WORDS
    await goodbye(call)
    record = await asyncio.to_thread(lab.outcome, call_id)
    assert (record["status"], record["direction"], record["ended_by"]) == ("completed", "outbound", "agent")


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [(486, "Busy Here", "busy"), (603, "Decline", "rejected"), (404, "Not Found", "unreachable")],
)
async def test_refusals(lab: ParlonsServer, phone: Phone, code: int, reason: str, status: str) -> None:
    call_id, call = await _placed(lab, phone)
    call.ring()
    call.reply(code, reason)
    assert (await asyncio.to_thread(lab.outcome, call_id))["status"] == status
    assert any(e.message.method == "ACK" for e in call.requests), "the failure was not ACKed"


async def test_nobody_there(lab: ParlonsServer, phone: Phone) -> None:
    started = asyncio.get_running_loop().time()
    call_id = await asyncio.to_thread(lab.place, "lab", phone.uri)
    record = await asyncio.to_thread(lab.outcome, call_id)
    assert record["status"] == "unreachable"
    assert 5.5 <= asyncio.get_running_loop().time() - started <= 8
    invites = [m for m in _incoming(phone) if m.method == "INVITE"]
    assert len(invites) >= 4, "the INVITE was not repeated"
    assert len({m.branch for m in invites}) == 1


def _incoming(phone: Phone) -> list[Message]:
    return [e.message for e in phone.log if e.incoming]


@pytest.mark.timeout(60)
async def test_it_rings_for_twenty_seconds_then_a_late_answer_is_hung_up(lab: ParlonsServer, phone: Phone) -> None:
    call_id, call = await _placed(lab, phone)
    cancelled: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def answer_too_late(request: Message, source: Address) -> bool:
        """The 200 crosses the CANCEL."""
        if request.method == "CANCEL" and not cancelled.done():
            cancelled.set_result(asyncio.get_running_loop().time())
            phone.spawn(call.answer())
            phone.respond(request, source, 200, "OK")
        return request.method == "CANCEL"

    call.hook = answer_too_late
    await asyncio.sleep(1.0)
    call.ring()
    rang = asyncio.get_running_loop().time()
    await asyncio.sleep(5)
    call.ring()
    assert await asyncio.wait_for(cancelled, 30) - rang == pytest.approx(20.0, abs=0.25)
    assert await call.wait_end(5) == "peer"
    assert [e.message.method for e in call.requests if e.message.method in ("ACK", "BYE")] == ["ACK", "BYE"]
    assert (await asyncio.to_thread(lab.outcome, call_id))["status"] == "no_answer"


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[tuple[ParlonsServer, Phone]]:
    """A trunk that challenges every INVITE (407), and a server that has the password."""
    async with Phone(user="operator") as operator:
        connection = agents.trunk(port=operator.port, username=agents.TRUNK_USER, password="${TRUNK_PASSWORD}")
        configuration = {
            "agents": {"lab": agents.agent(phone_numbers=[agents.NUMBER])},
            "sip_connections": {"operator": connection},
            "settings": {"outbound_connection_id": "operator", "default_country": "FR"},
        }
        secrets = {"TRUNK_PASSWORD": agents.TRUNK_PASSWORD}
        server = ParlonsServer(tmp_path, configuration, rtp_ports=range(36420, 36460), environment=secrets)
        await asyncio.to_thread(server.start)
        try:
            yield server, operator
        finally:
            await asyncio.to_thread(server.stop)


async def test_a_trunk_that_challenges(account: tuple[ParlonsServer, Phone]) -> None:
    server, operator = account
    call_id = await asyncio.to_thread(server.place, "lab", "0612345678")
    first = await asyncio.wait_for(operator.incoming.get(), 5)
    assert first.invitation.uri.startswith("sip:+33612345678@")
    assert agents.NUMBER in first.invitation.get("From")
    challenged: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def again(request: Message, _source: Address) -> bool:
        if request.method == "INVITE" and not challenged.done():
            challenged.set_result(request)
        return request.method == "INVITE"

    first.hook = again
    challenge = 'Digest realm="trunk.example", nonce="abc123", algorithm=MD5, qop="auth"'
    first.reply(407, "Proxy Authentication Required", headers=(("Proxy-Authenticate", challenge),))
    second = await asyncio.wait_for(challenged, 5)
    fields = sip_text.challenge_fields(second.get("Proxy-Authorization"))
    wanted = sip_text.digest_response(fields, agents.TRUNK_USER, agents.TRUNK_PASSWORD, "INVITE", fields["uri"])
    assert fields["response"] == wanted
    assert second.cseq == first.invitation.cseq + 1
    call = Call.incoming(operator, second, ("127.0.0.1", server.sip_port))
    call.ring()
    await call.answer()
    await call.rtp.wait_speech()
    assert (await call.bye()).code == 200
    record = await asyncio.to_thread(server.outcome, call_id)
    assert (record["status"], record["connection_id"]) == ("completed", "operator")
    with contextlib.suppress(TimeoutError):
        await call.leave()
