"""While a failover waits: what the caller hears, and callers who leave: then everything stops, and nobody is rung."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.sip.failover_cells import EXTENSION, PHONE
from tests.sip.failover_stage import Visit, cancelled, now
from tests.sip.failover_world import (
    CLOSED,
    MESSAGE,
    NO_KEY,
    SORRY,
    asks,
    case,
    failing_over,
    rung_number,
    workflow,
)
from tests.sip.transfer_ears import RINGBACK_HZ, sine
from tests.support import sip_text
from tests.support.audio import speech
from tests.support.phone_call import Call

TO_NUMBER, TO_EXTENSION = NO_KEY | failing_over(PHONE), NO_KEY | failing_over(EXTENSION)
EARLY_HZ = 700.0


def _workflow(name: str) -> dict[str, Any]:
    return NO_KEY | failing_over(workflow(name))


async def _early_media(there: Call, seconds: float) -> None:
    """183 with a description, and a tone."""
    await there.rtp.open(there.phone.rtp_ports, there.phone.host)
    there._remote_description(there.invitation.body)
    there.codecs = (there.rtp.codec,)
    there.rtp.say(sine(EARLY_HZ, seconds))
    there.reply(183, "Session Progress", body=there.description())
    await there.rtp.said()


async def _stops_ringing(visit: Visit, there: Call) -> None:
    """The caller leaves, and within a second the destination is not rung any more."""
    cancel = cancelled(there)
    left = now()
    await visit.hang_up()
    assert await asyncio.wait_for(cancel, 3) - left <= 1.0
    assert await there.wait_end(2) == "peer"


def _left(visit: Visit, action: str, trigger: str = "agent_unavailable") -> None:
    visit.record("failover", trigger, action, "caller_left", ended_by="caller")


# -- what the caller hears ---------------------------------------------------------------------------------------


@case(**TO_NUMBER)
async def early_media_then_busy(visit: Visit) -> None:
    """Heard by a caller who is not answered, in place of their network's ringing."""
    await visit.dial()
    there = await visit.rung(rung_number(visit.name))
    await _early_media(there, 1.5)
    assert not visit.call.up.is_set()
    assert visit.call.codes()[-1] == 183
    there.reply(486, "Busy Here")
    there.rtp.close()
    await visit.gets_only(SORRY)
    visit.heard_tone(EARLY_HZ, 1.0)
    visit.record("failover", "agent_unavailable", "transfer", "default_error_message", ended_by="system")


@case(**TO_EXTENSION)
async def early_media_then_answered(visit: Visit) -> None:
    await visit.dial(headers=(("X-Dossier", "42"),))
    there = await visit.rung()
    await _early_media(there, 1.5)
    assert not visit.call.up.is_set()
    there.reply(200, "OK", body=there.description())
    await asyncio.wait_for(there.up.wait(), 2)
    await visit.is_answered()
    there.rtp.say(speech("oui, c'est moi, je vous écoute"))
    await there.rtp.said()
    await asyncio.sleep(0.3)
    visit.heard_tone(EARLY_HZ, 1.0)
    visit.carries(visit.call.rtp, "oui, c'est moi, je vous écoute")
    await visit.hang_up()
    assert await there.wait_end(2) == "peer"
    visit.record("failover", "agent_unavailable", "transfer", "transferred", ended_by="caller")


@case(**TO_EXTENSION)
async def a_withheld_caller(visit: Visit) -> None:
    """No number anywhere, not even over a connection that shows the caller's."""
    hidden = (("Privacy", "id"), ("P-Asserted-Identity", "<sip:+33612345678@127.0.0.2>"))
    await visit.dial(from_='"Anonymous" <sip:anonymous@anonymous.invalid>', headers=hidden)
    invite = (there := await visit.rung()).invitation
    assert sip_text.address(invite.get("From")).removeprefix("sip:").partition("@")[0] == "anonymous"
    assert invite.get("Privacy") == "id"
    assert "612345678" not in bytes(invite).decode()
    assert not invite.all("Diversion")
    assert not invite.all("P-Asserted-Identity")
    there.reply(486, "Busy Here")
    await visit.gets_only(SORRY)


# -- callers who leave -------------------------------------------------------------------------------------------


@case(**asks("hang"), **failing_over(MESSAGE))
async def leaves_during_pre_call(visit: Visit) -> None:
    await visit.dial()
    await asyncio.sleep(0.5)
    await visit.hang_up()
    visit.record("canceled", None, None, None, ended_by="caller")


@case(**_workflow("then_hang"))
async def leaves_during_the_workflow(visit: Visit) -> None:
    await visit.dial()
    await visit.is_answered()
    await asyncio.sleep(0.7)
    await visit.hang_up()
    visit.heard_tone(RINGBACK_HZ, 0.3)
    visit.heard_nothing_said()
    _left(visit, "workflow")


@case(**_workflow("then_wait"))
async def leaves_during_its_delay(visit: Visit) -> None:
    await visit.dial()
    await visit.is_answered()
    await asyncio.sleep(0.7)
    await visit.hang_up()
    _left(visit, "workflow")


@case(**NO_KEY, **failing_over(MESSAGE))
async def leaves_during_the_message(visit: Visit) -> None:
    await visit.dial()
    await visit.is_answered()
    await visit.call.rtp.wait_speech(2)
    await asyncio.sleep(0.5)
    await visit.hang_up()
    _left(visit, "message")


@case(**NO_KEY)
async def leaves_during_the_default_error_message(visit: Visit) -> None:
    await visit.dial()
    await visit.is_answered()
    await visit.call.rtp.wait_speech(2)
    await visit.hang_up()
    visit.record("completed", "agent_unavailable", None, None, ended_by="caller")


@case(**TO_NUMBER)
async def leaves_while_it_rings(visit: Visit) -> None:
    await visit.dial()
    there = await visit.rung(rung_number(visit.name))
    there.ring()
    await asyncio.sleep(0.3)
    await _stops_ringing(visit, there)
    _left(visit, "transfer")


@case(first=True, **TO_NUMBER)
async def leaves_before_any_response(visit: Visit) -> None:
    """There is nothing to cancel yet: repeating stops, and a late 200 is ACKed and hung up."""
    await visit.dial()
    there = await visit.rung(rung_number(visit.name))
    await asyncio.sleep(0.7)
    await visit.hang_up()
    before = len(visit.stage.exchange.invites(rung_number(visit.name)))
    await asyncio.sleep(2.2)  # one would come after 1.5 s and one after 3.5 s
    assert len(visit.stage.exchange.invites(rung_number(visit.name))) == before
    assert not [e for e in there.requests if e.message.method == "CANCEL"]
    await there.answer()
    assert await there.wait_end(2) == "peer"
    _left(visit, "transfer")


@case(**TO_EXTENSION)
async def leaves_during_early_media(visit: Visit) -> None:
    await visit.dial()
    there = await visit.rung()
    await _early_media(there, 0.5)
    await _stops_ringing(visit, there)
    there.rtp.close()
    _left(visit, "transfer")


@case(**_workflow("then_transfer"))
async def leaves_while_the_workflow_has_somebody_rung(visit: Visit) -> None:
    await visit.dial()
    there = await visit.rung()
    there.ring()
    await asyncio.sleep(0.3)
    assert visit.call.up.is_set()
    await _stops_ringing(visit, there)
    _left(visit, "workflow")


@case(**TO_EXTENSION)
async def leaves_as_somebody_answers(visit: Visit) -> None:
    """Whichever is first, neither side is left in a call of one."""
    await visit.dial()
    there = await visit.rung()
    there.ring()
    await asyncio.sleep(0.2)
    answering = asyncio.create_task(there.answer())
    await visit.call.cancel()
    await asyncio.wait_for(answering, 4)
    if not visit.call.up.is_set():
        assert await there.wait_end(3) == "peer"
        return
    await visit.hang_up()
    assert await there.wait_end(3) == "peer"


@case(first=True, **NO_KEY, **failing_over(MESSAGE))
async def never_confirms_the_answer(visit: Visit) -> None:
    """No ACK: after 32 s (RFC 3261 section 13.3.1.4) the call is over, and its record says how far it came."""
    await visit.dial(deaf_to=200)
    await visit.is_hung_up(40)
    visit.record("failover", "agent_unavailable", "message", "caller_left", ended_by="system", answered_at=None)


@case(**NO_KEY, **failing_over(MESSAGE))
async def a_message_for_a_caller_on_hold(visit: Visit) -> None:
    """The caller puts us on hold in the middle of it: the call ends all the same."""
    await visit.dial()
    await visit.is_answered()
    await visit.call.rtp.wait_speech(2)
    assert (await visit.call.hold()).code == 200
    await visit.is_hung_up(12)
    visit.checks.append(lambda: _over(visit))


def _over(visit: Visit) -> None:
    assert visit.stage.server.ended(visit.call.id)["status"] == "failover"
    assert CLOSED not in visit.stage.server.said(visit.call.id, "agent"), "what was not heard is not in the transcript"
