"""Transfers in which the destination is told who calls, alone, and says by a key that it takes the call."""

from __future__ import annotations

from typing import Any

from tests.sip.transfer_bridged import talk, transferred
from tests.sip.transfer_ears import sound
from tests.sip.transfer_stage import Visit, case, now, transfer
from tests.support.phone_call import Call

WHISPER = "Vous avez un appel du standard. Pour le prendre, appuyez sur la touche un."


def _guarded(key: str) -> dict[str, Any]:
    return transfer(destinations=[{"extension": key}], whisper=WHISPER, accept_key="1")


async def _whispered(visit: Visit) -> Call:
    """Answered; the whisper has been heard there, and nowhere else."""
    there = await visit.ring()
    there.ring()
    await there.answer()
    await there.rtp.wait_speech(5)
    await there.rtp.wait_quiet(0.8)
    visit.sounds_like(there.rtp.heard(), WHISPER)
    heard = sound(visit.call.rtp, since=visit.asked_at + 0.3, until=now())
    assert heard.tone > 0.5, f"the caller heard no ringback: {heard}"
    assert heard.other < 0.15, f"the caller heard the whisper: {heard}"
    assert "bridged" not in visit.leg_events()
    return there


@case(first=True, actions=[_guarded("accepted")])
async def accepted(visit: Visit) -> None:
    """The key is pressed: joined, and the caller never hears it."""
    there = await _whispered(visit)
    there.rtp.press("1")
    await visit.joined()
    await talk(visit, there)
    assert visit.call.rtp.digits == []
    assert visit.digits("destination") == "1"
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case(first=True, actions=[_guarded("accepted_early")])
async def accepted_early(visit: Visit) -> None:
    """The key is pressed while the whisper is said, which then ends."""
    there = await visit.ring()
    there.ring()
    await there.answer()
    await there.rtp.wait_speech(5)
    pressed = now()
    there.rtp.press("1")
    await visit.joined()
    assert now() - pressed < 1.5
    await talk(visit, there)
    await visit.hang_up()
    assert await there.wait_end(1) == "peer"
    await transferred(visit, "caller")


@case(first=True, actions=[_guarded("not_accepted")])
async def not_accepted(visit: Visit) -> None:
    """A voicemail presses nothing: hung up after 10 s, and the agent has the caller."""
    there = await _whispered(visit)
    since = now() - 0.8
    assert await there.wait_end(14) == "peer"
    assert 9.0 <= now() - since <= 11.5
    await visit.fails("declined")


@case(first=True, actions=[_guarded("the_wrong_key")])
async def the_wrong_key(visit: Visit) -> None:
    """As good as none."""
    there = await _whispered(visit)
    there.rtp.press("9")
    assert await there.wait_end(14) == "peer"
    assert "bridged" not in visit.leg_events()
    await visit.fails("declined")
    assert visit.digits("destination") == "9"
    assert visit.call.rtp.digits == []


@case(actions=[_guarded("hung_up_on_the_whisper")])
async def hung_up_on_the_whisper(visit: Visit) -> None:
    """Answered, and gone before anything was accepted."""
    there = await visit.ring()
    there.ring()
    await there.answer()
    await there.rtp.wait_speech(5)
    assert (await there.bye()).code == 200
    await visit.fails("declined")


@case(actions=[_guarded("gone_during_the_whisper")])
async def gone_during_the_whisper(visit: Visit) -> None:
    """The caller hangs up while the destination is told who calls: it is hung up on."""
    there = await visit.ring()
    there.ring()
    await there.answer()
    await there.rtp.wait_speech(5)
    left = now()
    await visit.hang_up()
    assert await there.wait_end(2) == "peer"
    assert there.ended_at - left < 1.0
    assert (await visit.outcome())["outcome"] == "caller_left"
    assert (await visit.record())["status"] == "completed"
