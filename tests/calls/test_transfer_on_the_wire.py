"""One transfer over real sockets: a real engine and endpoint, a telephone that shares no code with them. Wall clock."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.calls.dialling import Party, Route
from parlons.calls.limits import OutboundLimits
from parlons.calls.timeline import Kind, Timeline
from parlons.calls.transferring import Asking, Exchange, Transfer
from parlons.conversation.line import TransferOrder
from parlons.telephony.media.crossing import early_media
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.relay import Relay
from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.types import LegEnd, Outcome
from tests.support.phone import Phone
from tests.telephony.media.support import Ear, frames_of, speech


def loudness(ear: Ear, last_seconds: float) -> float:
    pcm = np.frombuffer(b"".join(ear.frames[-round(last_seconds * 50) :]), dtype="<i2").astype(float)
    return float(np.sqrt((pcm**2).mean()))


@pytest.mark.parametrize("codec", ["PCMA", "G722"])
async def test_a_caller_is_put_through_and_either_can_be_heard(codec: str) -> None:
    loop = asyncio.get_running_loop()
    engine = MediaEngine("127.0.0.1", "127.0.0.1", 21200, 21239)
    endpoint = Endpoint("127.0.0.1", 0)
    await engine.start()
    await endpoint.start()
    caller, far = engine.open(), engine.open(["PCMA"])
    far.remote_answer(caller.remote_offer(far.local_offer()))
    ear, spoken = Ear(), speech(8.0, 8000, seed=3)
    far.sink, far.source = ear, frames_of(spoken)
    far.start()
    caller.start()
    timeline, gone = Timeline(), loop.create_future()
    limits = OutboundLimits(loop.time)

    async def plain(template: str, _where: str) -> str:
        return template

    async def speak(_text: str, rate: int) -> bytes:
        return speech(1.0, rate, seed=4)

    async with Phone(user="support") as phone:
        connection = SipConnection.model_validate(
            {"name": "t", "host": "127.0.0.1", "port": phone.port, "codecs": [codec]}
        )
        transfer = Transfer(
            TransferOrder("Transfert", "600", whisper="Un appel", accept_key="5", ring_seconds=10),
            Asking(caller, gone, timeline, Party("+33123456789", "+33711223344"), "+33123456789", "FR"),
            Exchange(endpoint.invite, engine.open, limits, Relay, early_media),
            Route("t", connection),
            InstallationSettings(),
            render=plain,
            speak=speak,
        )
        running = asyncio.ensure_future(transfer.run(asyncio.sleep(0.1)))
        call = await asyncio.wait_for(phone.incoming.get(), 3)
        call.ring()
        await asyncio.sleep(0.8)
        assert loudness(ear, 0.4) > 500  # ringback
        await call.answer()
        await call.rtp.wait_speech(3)  # the whisper
        assert loudness(ear, 1.0) > 500  # the caller still hears ringback
        call.rtp.press("5")
        result = await asyncio.wait_for(running, 3)
        assert result.outcome is Outcome.ANSWERED
        assert transfer.bridge is not None
        bridging = asyncio.ensure_future(transfer.bridge.run())

        since = loop.time() + 0.3
        await asyncio.sleep(1.0)
        await call.rtp.wait_speech(2, since=since)  # the caller, at the destination
        assert loudness(ear, 0.3) < 400  # the destination is silent (a G.722 silence is not quite): no ringback is left
        call.rtp.say(np.frombuffer(speech(1.0, 8000, seed=5), dtype="<i2").astype(np.int16))
        await asyncio.sleep(0.8)
        assert loudness(ear, 0.4) > 600  # the destination, at the caller
        await far.send_dtmf("7")
        assert await call.rtp.wait_digits(1) == "7"
        await call.bye()
        end = await asyncio.wait_for(bridging, 2)
    assert (end.who, end.why) == ("destination", "hung up")
    digits = [(e.actor, e.payload["digits"]) for e in timeline.events if e.kind is Kind.DTMF]
    assert digits == [("destination", "5"), ("caller", "7")]
    events = [e.payload["event"] for e in timeline.events if e.kind is Kind.LEG]
    assert events == ["dialled", "ringing", "answered", "whisper", "accepted", "bridged", "ended"]
    assert limits.legs == 0
    gone.set_result(LegEnd("us", "done"))
    far.close()
    caller.close()
    assert engine.gauges()["ports_in_use"] == 0
    await endpoint.stop()
    await engine.stop()
