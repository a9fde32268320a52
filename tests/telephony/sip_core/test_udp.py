"""The same over real sockets on loopback, on the wall clock: few and short."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.sip.timers import Timers
from parlons.telephony.sip.transport import UdpTransport
from parlons.telephony.types import LegState, OutboundInvite, Outcome
from tests.telephony.sip_core.network import FakeMedia
from tests.telephony.sip_core.world import answer_at_once, state

QUICK = Timers(t1=0.05, t2=0.2, t4=0.2)


async def endpoint(host: str = "127.0.0.1") -> tuple[Endpoint, list[InboundLeg]]:
    made = Endpoint(host, 0, timers=QUICK)
    calls: list[InboundLeg] = []
    tasks: set[asyncio.Task[None]] = set()

    def called(leg: InboundLeg) -> None:
        calls.append(leg)
        tasks.add(asyncio.ensure_future(answer_at_once(leg)))

    made.on_invite = called
    await made.start()
    return made, calls


async def test_call_over_loopback() -> None:
    bob, calls = await endpoint("0.0.0.0")
    alice, _ = await endpoint()
    invite = OutboundInvite(f"sip:x@127.0.0.1:{bob.port}", ("127.0.0.1", bob.port), from_user="a")
    leg = alice.invite(invite)
    leg.attach(FakeMedia("alice"))
    assert await leg.dial() is Outcome.ANSWERED
    await asyncio.sleep(0.05)
    assert state(calls[0]) is LegState.CONFIRMED
    # bound to every address, it tells each peer the one that the peer can reach
    assert leg.dialog is not None
    assert leg.dialog.target == f"sip:127.0.0.1:{bob.port}"
    assert bob.host_for(("127.0.0.1", alice.port)) == "127.0.0.1"
    bob.core.public_address = "203.0.113.7"
    assert bob.host_for(("127.0.0.1", alice.port)) == "203.0.113.7"
    await calls[0].hang_up()
    assert state(leg) is LegState.ENDED
    await asyncio.sleep(64 * QUICK.t1 + 0.5)
    assert set(bob.gauges().values()) == set(alice.gauges().values()) == {0}
    await alice.stop()
    await bob.stop()


async def test_a_burst_of_invites_loses_none() -> None:
    bob, calls = await endpoint()
    alice, _ = await endpoint()

    async def call() -> Outcome:
        leg = alice.invite(OutboundInvite(f"sip:x@127.0.0.1:{bob.port}", ("127.0.0.1", bob.port), from_user="a"))
        leg.attach(FakeMedia("alice"))
        outcome = await leg.dial()
        await leg.hang_up()
        return outcome

    assert await asyncio.gather(*(call() for _ in range(200))) == [Outcome.ANSWERED] * 200
    assert len(calls) == 200
    await alice.stop()
    await bob.stop()


async def test_noise_harms_nobody() -> None:
    bob, _ = await endpoint()
    alice, _ = await endpoint()
    draw = random.Random(4)
    words = [
        b"INVITE sip:x@y SIP/2.0\r\n",
        b"Via: SIP/2.0/UDP 127.0.0.1;branch=",
        b"\r\n\r\n",
        b"To: <",
        b"CSeq: 1 BYE\r\n",
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for _ in range(300):
            parts = [draw.choice([*words, draw.randbytes(20)]) for _ in range(draw.randint(0, 8))]
            noise.sendto(b"".join(parts), ("127.0.0.1", bob.port))
        noise.sendto(b"x" * 60_000, ("127.0.0.1", bob.port))
    assert (await alice.ping(("127.0.0.1", bob.port))).status_code == 200
    assert bob.gauges()["faults_total"] == 0
    assert bob.gauges()["dropped_total"] > 100
    await alice.stop()
    await bob.stop()


async def test_a_port_that_is_taken_is_an_error() -> None:
    bob, _ = await endpoint()
    second = Endpoint("127.0.0.1", bob.port)
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
    await bob.stop()


async def test_sending_where_nothing_can_be_sent_is_a_loss() -> None:
    transport = UdpTransport("127.0.0.1", 0)
    transport.send(b"x", ("127.0.0.1", 9))  # not open yet
    await transport.start(lambda _data, _source: None)
    for to in (("::1", 5060), ("127.0.0.1", 0), ("not an address", 5060)):
        transport.send(b"x", to)
    transport.close()
    transport.send(b"x", ("127.0.0.1", 9))
