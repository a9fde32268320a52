"""The trunks of an installation over real sockets: what alerts and metrics read of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from parlons.agents.connections import SipConnection
from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.sip.resolver import Resolver
from parlons.telephony.sip.timers import Timers
from parlons.trunks import Trunks

QUICK = Timers(t1=0.02, t2=0.1, t4=0.1)


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint("127.0.0.1", 0, timers=QUICK)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """A port that takes datagrams and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not so():  # noqa: ASYNC110  (looks from outside)
            await asyncio.sleep(0.02)


async def test_up_down_and_not_known_yet() -> None:
    async with endpoint() as ours, endpoint() as peer, silent() as nobody:
        trunks = Trunks(ours, Resolver())
        connections = {
            "good": SipConnection(name="Good", host="127.0.0.1", port=peer.port),
            "gone": SipConnection(name="Gone", host="127.0.0.1", port=nobody),
        }
        assert trunks.up() == {}
        await trunks.configure(connections, {})
        assert trunks.up() == {"good": None, "gone": None}
        await until(lambda: trunks.up() == {"good": True, "gone": False})
        assert trunks.gauges() == {"configured": 2, "down": 1}
        await trunks.configure({"gone": connections["gone"].model_copy(update={"port": peer.port})}, {})
        assert trunks.up() == {"gone": None}
        await until(lambda: trunks.up() == {"gone": True})
        await trunks.stop()
        assert trunks.up() == {}
