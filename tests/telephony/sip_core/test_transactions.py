"""RFC 3261 §17: what is repeated, when, for how long, and what a repetition is answered with."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref

import pytest
from aiosipua.message import SipRequest, SipResponse

from parlons.errors import IllegalMove
from parlons.telephony.sip import transactions as tx
from parlons.telephony.sip.timers import Timers
from parlons.telephony.sip.transactions import TxEvent, TxState
from parlons.telephony.types import Outcome
from tests.support import virtual_time
from tests.telephony.sip_core.network import FakeMedia, Sent
from tests.telephony.sip_core.world import CALLEE, PEER, World, answer_at_once, play

DOUBLING = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
DOUBLING_TO_T2 = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_timers_a_and_b_repeat_an_invite_nobody_answers_for_32_seconds() -> None:
    async def script(w: World) -> None:
        start = asyncio.get_running_loop().time()
        leg = w.dial(PEER, first_response_seconds=100, progress_seconds=100)
        assert await leg.dial() is Outcome.UNREACHABLE
        assert asyncio.get_running_loop().time() - start == pytest.approx(32)
        assert w.network.times("INVITE") == DOUBLING
        assert len({sent.data for sent in w.network.log}) == 1
        await w.idle()

    play(script)


def test_an_invite_with_a_provisional_is_neither_repeated_nor_timed_out() -> None:
    async def script(w: World) -> None:
        leg = w.dial(PEER, ring_seconds=600)
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 180)
        dialling = asyncio.ensure_future(leg.dial())
        await asyncio.sleep(500)
        assert w.network.count("INVITE") == 1
        assert not dialling.done()
        w.peer.answer(w.peer.requests("INVITE")[0], 486)
        assert await dialling is Outcome.BUSY
        await w.idle()

    play(script)


def test_timers_e_and_f_repeat_options_for_32_seconds() -> None:
    async def script(w: World) -> None:
        with pytest.raises(TimeoutError):
            await w.alice.ping(PEER)
        assert w.network.times("OPTIONS") == DOUBLING_TO_T2
        await w.idle()

    play(script)


def test_after_a_provisional_a_request_is_repeated_every_t2() -> None:
    async def script(w: World) -> None:
        w.peer.on["OPTIONS"] = lambda request: w.peer.answer(request, 100)
        with pytest.raises(TimeoutError):
            await w.alice.ping(PEER)
        times = w.network.times("OPTIONS")
        assert times[:2] == [0.0, 0.5]
        assert {round(b - a, 3) for a, b in itertools.pairwise(times[1:])} == {4.0}
        await w.idle()

    play(script)


def test_timer_g_repeats_a_failure_until_its_ack() -> None:
    async def script(w: World) -> None:
        async def refuse(leg: object) -> None:
            w.calls[-1].refuse(486)

        w.on_call = refuse
        invite = w.peer.request("INVITE", body=b"v=0")
        w.peer.send(invite)
        await asyncio.sleep(100)
        assert w.network.times("486 INVITE") == DOUBLING_TO_T2
        w.peer.got.clear()

        invite = w.peer.request("INVITE", call_id="call-2", branch="z9hG4bK-same", body=b"v=0")
        w.peer.send(invite)
        await asyncio.sleep(2)
        ack = w.peer.request("ACK", call_id="call-2", branch="z9hG4bK-same")
        w.peer.send(ack)
        await asyncio.sleep(100)
        assert w.peer.responses("INVITE") == [100, 486, 486, 486]
        await w.idle(w.bob)

    play(script)


def test_a_repeated_failure_is_acked_again_and_told_once() -> None:
    async def script(w: World) -> None:
        leg = w.dial(PEER)
        w.peer.on["INVITE"] = lambda request: w.peer.answer(request, 486)
        assert await leg.dial() is Outcome.BUSY
        invite = w.peer.requests("INVITE")[0]
        for _ in range(3):
            w.peer.answer(invite, 486)
        await asyncio.sleep(1)
        acks = w.peer.requests("ACK")
        assert len(acks) == 4
        assert acks[0].headers.get("via") == invite.headers.get("via")
        assert acks[0].get_header("cseq") == "1 ACK"
        assert acks[0].get_header("to") != invite.get_header("to")
        assert w.seen_out.list == ["ended"]
        await w.idle()

    play(script)


def test_retransmitted_invite_is_one_call() -> None:
    """It rang three times with a stack that has no transactions."""

    async def script(w: World) -> None:
        async def ring(leg: object) -> None:
            w.calls[-1].attach(FakeMedia("bob"))
            w.calls[-1].ring()

        w.on_call = ring
        invite = w.peer.request("INVITE", body=b"v=0")
        for _ in range(3):
            w.peer.send(invite)
            await asyncio.sleep(0.5)
        assert len(w.calls) == 1
        assert w.peer.responses("INVITE") == [100, 180, 180, 180]
        assert len({m.get_header("to") for m in w.peer.got[1:]}) == 1
        await w.calls[0].hang_up()
        await w.idle(w.bob)

    play(script)


def test_retransmitted_bye_is_answered_from_the_transaction() -> None:
    async def script(w: World) -> None:
        out, _ = await w.call()
        w.network.lose("200 BYE", 2)
        await out.hang_up()
        assert w.network.count("BYE") == 3
        assert w.network.count("200 BYE") == 3
        assert w.seen_in.list.count("ended") == 1
        await w.idle()

    play(script)


def test_peer_of_rfc_2543_without_a_unique_branch() -> None:
    async def script(w: World) -> None:
        async def refuse(leg: object) -> None:
            w.calls[-1].refuse(404)

        w.on_call = refuse
        via = {"Via": f"SIP/2.0/UDP {PEER[0]}:{PEER[1]};branch=1"}
        invite = w.peer.request("INVITE", body=b"v=0", headers=via)
        w.peer.send(invite)
        w.peer.send(invite)
        await asyncio.sleep(0.1)
        assert len(w.calls) == 1
        to = w.peer.response("INVITE").get_header("to") or ""
        w.peer.send(w.peer.request("ACK", headers={**via, "To": to}))
        await asyncio.sleep(0.1)
        seen = len(w.peer.got)
        await asyncio.sleep(40)
        assert len(w.peer.got) == seen
        other = w.peer.request("INVITE", body=b"v=0", call_id="call-2", headers=via)
        w.peer.send(other)
        await asyncio.sleep(0.1)
        assert len(w.calls) == 2
        await w.idle(w.bob)

    play(script)


def test_same_branch_from_another_sender_is_another_transaction() -> None:
    async def script(w: World) -> None:
        w.on_call = answer_at_once
        for number, host in enumerate(("a.example", "b.example")):
            via = {"Via": f"SIP/2.0/UDP {host};rport;branch=z9hG4bK-x"}
            w.peer.send(w.peer.request("OPTIONS", call_id=f"c{number}", headers=via))
        await asyncio.sleep(0.1)
        assert w.peer.responses("OPTIONS") == [200, 200]
        assert w.bob.gauges()["server_transactions"] == 2
        await w.idle(w.bob)

    play(script)


@pytest.mark.parametrize(
    ("via", "to"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5099;rport;branch=z9hG4bK1", PEER),
        ("SIP/2.0/UDP 10.0.0.1:5099;branch=z9hG4bK1", (PEER[0], 5099)),
        ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", (PEER[0], 5060)),
        ("SIP/2.0/TCP 10.0.0.1:5099;branch=z9hG4bK1", PEER),
    ],
)
def test_responses_go_where_rfc_3581_says(via: str, to: tuple[str, int]) -> None:
    async def script(w: World) -> None:
        w.peer.send(w.peer.request("OPTIONS", headers={"Via": via}))
        await asyncio.sleep(0.1)
        sent = [s for s in w.network.log if s.source == CALLEE]
        assert [s.to for s in sent] == [to]
        assert "received=192.0.2.9" in (sent[0].message.get_header("via") or "")
        assert ("rport=5070" in (sent[0].message.get_header("via") or "")) == ("rport" in via)

    play(script)


def test_what_is_left_of_a_call_is_gone_after_64_seconds() -> None:
    async def script(w: World) -> None:
        out, _ = await w.call()
        assert w.bob.gauges()["dialogs"] == 1
        assert w.bob.gauges()["legs"] == 1
        await out.hang_up()
        assert w.bob.gauges()["legs"] == 0
        assert w.bob.gauges()["dialogs"] == 0
        assert w.bob.gauges()["server_transactions"] == 2
        await asyncio.sleep(64)
        for endpoint in (w.alice, w.bob):
            assert set(endpoint.gauges().values()) == {0}

    play(script)


def test_what_lingers_does_not_hold_the_leg() -> None:
    """With the leg a call, its conversation and its audio hang on it: 600 of them made the collector stop everybody."""

    async def script(w: World) -> None:
        out, inbound = await w.call()
        left = weakref.ref(inbound)
        await out.hang_up()
        w.calls.clear()
        w.seen_in.list.clear()
        del inbound
        await asyncio.sleep(1)
        gc.collect()
        assert w.bob.gauges()["server_transactions"] == 2
        assert left() is None
        await w.idle()

    play(script)


KINDS = [tx.InviteClientTransaction, tx.ClientTransaction, tx.InviteServerTransaction, tx.ServerTransaction]
FROM_THE_WIRE = {
    tx.InviteClientTransaction: (TxEvent.PROVISIONAL, TxEvent.SUCCESS, TxEvent.FAILURE),
    tx.ClientTransaction: (TxEvent.PROVISIONAL, TxEvent.SUCCESS, TxEvent.FAILURE),
    tx.InviteServerTransaction: (TxEvent.REQUEST, TxEvent.ACK),
    tx.ServerTransaction: (TxEvent.REQUEST,),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_peer_may_send_is_in_the_table_of_every_living_state(kind: type[tx.Transaction]) -> None:
    states = {state for state, _ in kind.TABLE} | set(kind.TABLE.values()) - {TxState.TERMINATED}
    assert len(states - {TxState.TERMINATED}) >= 3
    for state in states:
        for event in FROM_THE_WIRE[kind]:
            assert (state, event) in kind.TABLE


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_ends(kind: type[tx.Transaction]) -> None:
    for state in {state for state, _ in kind.TABLE}:
        seen, todo = set(), [state]
        while todo:
            at = todo.pop()
            seen.add(at)
            todo += [to for (source, _), to in kind.TABLE.items() if source is at and to not in seen]
        assert TxState.TERMINATED in seen


def test_a_second_final_answer_is_an_illegal_move() -> None:
    async def main() -> None:
        request = SipRequest(method="OPTIONS", uri="sip:a@b")
        served = tx.ServerTransaction(request, PEER, lambda _d, _a: None, Timers())
        served.respond(SipResponse(status_code=200))
        with pytest.raises(IllegalMove):
            served.respond(SipResponse(status_code=500))
        served.terminate()

    virtual_time.run(main())


def test_a_fault_in_the_network_rule_shows() -> None:
    """The log tells requests from responses; the tests above rest on it."""
    sent = Sent(0, PEER, CALLEE, b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n")
    assert sent.what == "200 BYE"
