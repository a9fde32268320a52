"""Somebody who is played: each fate, and nothing left of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from parlons.errors import IllegalMove, LegClosed, PortsExhausted
from parlons.telephony import stand_in
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.stand_in import Fate, StandIn
from parlons.telephony.types import LegEnd, LegState, Outcome

HOST = "127.0.0.1"


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MediaEngine]:
    monkeypatch.setattr(stand_in, "RING_SECONDS", 0.05)
    monkeypatch.setattr(stand_in, "TALK_SECONDS", 0.2)
    made = MediaEngine(HOST, "203.0.113.9", 39700, 39719)
    await made.start()
    yield made
    legs = made.gauges()["legs"]
    await made.stop()
    assert not legs


class Dialled:
    """A stand-in with our media, and what it told."""

    def __init__(self, engine: MediaEngine, fate: Fate) -> None:
        self.media: RtpMedia = engine.open()
        self.leg = StandIn("leg", fate, engine.open, HOST)
        self.told: list[str] = []
        self.ends: list[LegEnd] = []
        self.leg.events.ringing = lambda: self.told.append("ringing")
        self.leg.events.answered = lambda: self.told.append("answered")
        self.leg.events.ended = self.ends.append
        self.leg.attach(self.media)


@pytest.mark.parametrize(
    ("fate", "outcome", "told", "code"),
    [
        ("busy", Outcome.BUSY, ["ringing"], 486),
        ("no_answer", Outcome.NO_ANSWER, ["ringing"], None),
        ("unreachable", Outcome.UNREACHABLE, [], None),
    ],
)
async def test_who_does_not_answer(
    engine: MediaEngine, fate: Fate, outcome: Outcome, told: list[str], code: int | None
) -> None:
    rung = Dialled(engine, fate)
    assert await rung.leg.dial() is outcome
    assert rung.told == told
    assert [end.code for end in rung.ends] == [code]
    await rung.leg.hang_up("over")
    assert len(rung.ends) == 1
    rung.media.close()


async def test_who_answers_can_be_heard_and_hangs_up(engine: MediaEngine) -> None:
    """Whatever address the operator wants peers to be told: their sound comes from this machine."""
    rung = Dialled(engine, "answered")
    assert await rung.leg.dial() is Outcome.ANSWERED
    assert (rung.told, rung.leg.state) == (["ringing", "answered"], LegState.CONFIRMED)
    assert rung.media.remote_address is not None
    assert rung.media.remote_address[0] == HOST
    async with asyncio.timeout(2):
        while not rung.ends:  # noqa: ASYNC110 (real time)
            await asyncio.sleep(0.02)
    assert (rung.ends[0].by, rung.leg.state) == ("peer", LegState.ENDED)
    assert rung.media.stats.received > 3
    with pytest.raises(LegClosed):
        await rung.leg.send_info("text/plain", b"")
    rung.media.close()


@pytest.mark.parametrize("seconds", [0.01, 0.1])
async def test_whoever_rang_hangs_up(engine: MediaEngine, seconds: float) -> None:
    """While it rings, and after the answer."""
    rung = Dialled(engine, "answered")
    dialling = asyncio.ensure_future(rung.leg.dial())
    await asyncio.sleep(seconds)
    await rung.leg.hang_up("enough", code=487)
    assert await dialling is (Outcome.CALLER_LEFT if seconds < 0.05 else Outcome.ANSWERED)
    await asyncio.sleep(0.25)
    assert [(end.by, end.reason) for end in rung.ends] == [("us", "enough")]
    rung.media.close()


async def test_no_port_for_their_media(engine: MediaEngine) -> None:
    rung = Dialled(engine, "answered")
    others = [engine.open() for _ in range(9)]
    with pytest.raises(PortsExhausted):
        await rung.leg.dial()
    await rung.leg.hang_up()
    for media in (rung.media, *others):
        media.close()


async def test_it_is_not_a_caller(engine: MediaEngine) -> None:
    leg = StandIn("leg", "busy", engine.open, HOST)
    for move in (leg.ring, leg.progress, lambda: leg.refuse(486)):
        with pytest.raises(IllegalMove):
            move()
    with pytest.raises(IllegalMove):
        await leg.answer()
