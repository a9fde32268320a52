"""Many calls: a burst of short ones, and thirty that talk at the same time."""

from __future__ import annotations

import asyncio

import pytest

from tests.sip import agents
from tests.sip.conftest import Burst
from tests.sip.talking import SAME_WORDS, dial, listen, sounds_like
from tests.support import audio
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer


def test_six_hundred_calls_at_fifty_a_second(burst: Burst) -> None:
    assert (burst.result.successful, burst.result.failed) == (600, 0), burst.result.errors
    assert burst.server.alive


async def _talk(phone: Phone, server: ParlonsServer, after: float) -> Call:
    await asyncio.sleep(after)
    call = await dial(phone, server, "lab")
    heard = await listen(call, within=10)
    assert sounds_like(heard, agents.GREETING) > SAME_WORDS
    since = asyncio.get_running_loop().time()
    call.rtp.say(audio.speech("quels sont vos horaires"))
    await call.rtp.said()
    await listen(call, within=15)
    assert 45 <= call.rtp.packets_a_second(since) <= 55
    return call


@pytest.mark.timeout(90)
async def test_thirty_talking_calls(burst_server: ParlonsServer) -> None:
    async with Phone() as phone:
        calls = await asyncio.gather(*(_talk(phone, burst_server, 0.1 * i) for i in range(30)))
        understood = sum(agents.HOURS in burst_server.said(call.id, "agent") for call in calls)
        assert understood >= 24  # 27 was measured; all 30 is the aim
        late = [
            round(call.rtp.longest_gap(), 3) for call in calls if call.rtp.longest_gap() > 0.5
        ]  # 0.33 s was seen once, cause unknown: 0.2 is the aim
        assert not late, late
        for call in calls:
            await call.bye()
