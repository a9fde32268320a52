"""The table of failover: every trigger with every action, the action done and the action failing (specification, 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.sip.failover_service import CALL_BACK
from tests.sip.failover_stage import Visit, cancelled, now
from tests.sip.failover_world import (
    BROKEN,
    CALLER_NUMBER,
    CASES,
    CLOSED,
    DEADLINE_TOLERANCE,
    MESSAGE,
    NO_KEY,
    OWN_NAME,
    OWN_NUMBER,
    RING_SECONDS,
    SORRY,
    Case,
    Play,
    agent_number,
    asks,
    rung_number,
    workflow,
)
from tests.sip.forgetful_server import FORGOTTEN
from tests.sip.transfer_ears import RINGBACK_HZ
from tests.support import sip_text
from tests.support.audio import speech
from tests.support.phone_call import Call

TRIGGERS: dict[str, dict[str, Any]] = {
    "pre_call_timeout": asks("hang"),
    "pre_call_error": asks("error"),
    "pre_call_invalid": asks("array"),
    "pre_call_requested": asks("failover"),
    "configuration_rejected": asks("unknown_voice"),
    "prompt_unrenderable": {"greeting": "Bonjour {{ nothing.of.the.kind }}."},
    "agent_unavailable": NO_KEY,
    "operator_forced": asks("never"),
}
"""What makes an agent fail over, each before it is answered."""
FORCED_UNTIL = "2999-12-31T23:59:59+01:00"
LEFT_OUT = "X-Broken"
DURING_CALL = "during_call"
RUNG_WITHIN = 20.0

PHONE = {"type": "transfer", "phone": OWN_NUMBER, "max_ring_seconds": RING_SECONDS}
EXTENSION = {
    "type": "transfer",
    "sip_connection_id": "desk_caller",
    "destination_id": OWN_NAME,
    "max_ring_seconds": RING_SECONDS,
    "user_to_user": "dossier {{ sip.headers['x-dossier'] }}",
    "headers": [
        {"name": "X-Agent", "value": "{{ system.agent_id }}"},
        {"name": LEFT_OUT, "value": "{{ nothing.of.the.kind }}"},
    ],
}

Then = Callable[[Visit], Awaitable[None]]
"""What is done and checked once the call has been placed."""


@dataclass(frozen=True, slots=True)
class Fate:
    """An action and what becomes of it. ``fields`` are of the agent, besides its failover."""

    action: dict[str, Any]
    then: Then
    fields: dict[str, Any]
    first: bool = False


def _action(visit: Visit) -> dict[str, Any]:
    action: dict[str, Any] = CASES[visit.name].fields["failover"]["action"]
    return action


def _answered_first(visit: Visit) -> bool:
    """The caller is answered before the action is carried out."""
    return visit.trigger == DURING_CALL or _action(visit)["type"] == "workflow"


# -- message -----------------------------------------------------------------------------------------------------


def _ends(words: str, outcome: str) -> Then:
    """The caller is answered, told this alone, and hung up on."""

    async def then(visit: Visit) -> None:
        await visit.is_answered()
        await visit.is_hung_up()
        visit.heard_only(words, *((CLOSED, SORRY, CALL_BACK) if visit.trigger == DURING_CALL else ()))
        visit.record("failover", visit.trigger, _action(visit)["type"], outcome, ended_by="system")

    return then


# -- transfer ----------------------------------------------------------------------------------------------------


def _user(value: str) -> str:
    return sip_text.address(value).removeprefix("sip:").partition("@")[0]


async def _rung(visit: Visit) -> Call:
    """The INVITE of the case's transfer, as its action says it must be; the caller hears their own network's tone."""
    action = _action(visit)
    there = await visit.rung(rung_number(visit.name) if action is PHONE else visit.name, RUNG_WITHIN)
    invite, own = there.invitation, agent_number(visit.name)
    shown = CALLER_NUMBER if action is EXTENSION else own
    assert _user(invite.get("From")) == _user(invite.get("P-Asserted-Identity")) == shown
    assert _user(invite.get("Diversion")) == own
    if action is EXTENSION:
        assert invite.get("X-Agent") == visit.name
        assert not invite.all(LEFT_OUT)
        assert invite.get("User-to-User") == b"dossier 42".hex() + ";encoding=hex"
        visit.checks.append(lambda: _noted(visit))
    elif action is not PHONE:
        assert invite.get("X-Trigger") == visit.trigger, "the workflow knows why, and may pass it on"
    assert visit.call.up.is_set() == _answered_first(visit)
    return there


def _noted(visit: Visit) -> None:
    (left_out,) = visit.events("leg", event="headers_left_out")
    assert LEFT_OUT in left_out["problems"][0]


def _answers(*, caller_leaves: bool) -> Then:
    """Rung, answered, talked to; either side hangs up."""

    async def then(visit: Visit) -> None:
        there = await _rung(visit)
        there.ring()
        await asyncio.sleep(0.4)
        assert visit.call.up.is_set() == _answered_first(visit), "answered before the destination"
        await there.answer()
        await visit.is_answered()
        visit.call.rtp.say(speech("je voudrais parler au cabinet"))
        there.rtp.say(speech("oui, c'est moi, je vous écoute"))
        await asyncio.gather(visit.call.rtp.said(), there.rtp.said())
        await asyncio.sleep(0.3)
        visit.carries(there.rtp, "je voudrais parler au cabinet")
        visit.carries(visit.call.rtp, "oui, c'est moi, je vous écoute")
        leaves, stays = (visit.call, there) if caller_leaves else (there, visit.call)
        assert (await leaves.bye()).code == 200
        assert await stays.wait_end(2) == "peer"
        who = "caller" if caller_leaves else "destination"
        visit.record("failover", visit.trigger, _action(visit)["type"], "transferred", ended_by=who)

    return then


def _refuses(code: int, reason: str, outcome: str) -> Then:
    async def then(visit: Visit) -> None:
        there = await _rung(visit)
        there.ring()
        await asyncio.sleep(0.2)
        there.reply(code, reason)
        await _default_error(visit, outcome)

    return then


async def _default_error(visit: Visit, outcome: str) -> None:
    await _ends(SORRY, "default_error_message")(visit)
    visit.checks.append(lambda: _failed(visit, outcome))


def _failed(visit: Visit, why: str) -> None:
    (failed,) = visit.events("failover", event="failed")
    assert why in failed["detail"], failed


async def _rings_out(visit: Visit) -> None:
    there = await _rung(visit)
    cancel = cancelled(there)
    there.ring()
    rang = now()
    assert abs(await asyncio.wait_for(cancel, 8) - rang - RING_SECONDS) <= DEADLINE_TOLERANCE
    await _default_error(visit, "no_answer")


async def _never_responds(visit: Visit) -> None:
    """The peer is there and says nothing: six seconds of INVITEs."""
    there = await _rung(visit)
    await asyncio.sleep(5.5)
    visit.unanswered()
    await _default_error(visit, "unreachable")
    assert visit.call.up_at - there.invite_at < 6.6


async def _is_dead(visit: Visit) -> None:
    """Nobody is there at all."""
    await asyncio.sleep(5.5)
    visit.unanswered()
    await _default_error(visit, "unreachable")


# -- workflow ----------------------------------------------------------------------------------------------------


async def _nothing(visit: Visit) -> None:
    """Ringback for as long as it runs, then the end."""
    await visit.is_answered()
    await visit.is_hung_up()
    assert 1.4 <= visit.call.ended_at - visit.call.up_at <= 2.5
    visit.heard_tone(RINGBACK_HZ, 1.0)
    visit.heard_nothing_said()
    visit.record("failover", visit.trigger, "workflow", "ended", ended_by="system")


DEAD = {"sip_connection_id": "dead"}
FATES: dict[str, Fate] = {
    "message": Fate(MESSAGE, _ends(CLOSED, "played"), {}),
    "message_lost": Fate(MESSAGE, _ends(SORRY, "default_error_message"), {"name": f"Case {FORGOTTEN}"}),
    "phone_answers": Fate(PHONE, _answers(caller_leaves=True), {}),
    "phone_busy": Fate(PHONE, _refuses(486, "Busy Here", "busy"), {}),
    "phone_declines": Fate(PHONE, _refuses(603, "Decline", "declined"), {}),
    "phone_rings_out": Fate(PHONE, _rings_out, {}, first=True),
    "phone_dead": Fate(PHONE, _is_dead, DEAD, first=True),
    "extension_answers": Fate(EXTENSION, _answers(caller_leaves=False), {}),
    "extension_busy": Fate(EXTENSION, _refuses(486, "Busy Here", "busy"), {}),
    "extension_declines": Fate(EXTENSION, _refuses(603, "Decline", "declined"), {}),
    "extension_rings_out": Fate(EXTENSION, _rings_out, {}, first=True),
    "extension_silent": Fate(EXTENSION, _never_responds, {}, first=True),
    "workflow_nothing": Fate(workflow("then_nothing"), _nothing, {}),
    "workflow_message": Fate(workflow("then_words"), _ends(CALL_BACK, "played"), {}),
    "workflow_transfer": Fate(workflow("then_transfer"), _answers(caller_leaves=False), {}),
    "workflow_transfer_busy": Fate(workflow("then_transfer"), _refuses(486, "Busy Here", "busy"), {}),
    "workflow_refused": Fate(workflow("then_refused"), _ends(SORRY, "default_error_message"), {}),
    "workflow_invalid": Fate(workflow("then_invalid"), _ends(SORRY, "default_error_message"), {}),
    "workflow_draft": Fate(workflow("then_draft"), _ends(SORRY, "default_error_message"), {}),
}


def _cell(trigger: str, fate: Fate) -> Play:
    async def play(visit: Visit) -> None:
        visit.trigger = trigger
        await visit.dial(headers=(("X-Dossier", "42"),))
        await fate.then(visit)
        assert 180 in visit.call.codes()
        assert not visit.stage.service.asked["never"], "planned maintenance asks nobody"

    return play


def _register(trigger: str, fate_name: str, fields: dict[str, Any], play: Play, **more: Any) -> None:
    fate = FATES[fate_name]
    name = f"{trigger}-{fate_name}"
    failover = {"enabled": True, "action": fate.action, **more}
    first = fate.first or trigger == DURING_CALL
    CASES[name] = Case(name, play, {**fields, **fate.fields, "failover": failover}, first)


for _trigger, _fails in TRIGGERS.items():
    for _name, _fate in FATES.items():
        _forced = {"forced_until": FORCED_UNTIL} if _trigger == "operator_forced" else {}
        _register(_trigger, _name, _fails, _cell(_trigger, _fate), **_forced)


# -- during the call ---------------------------------------------------------------------------------------------

SLOW_CELLS = ("message", "message_lost", "phone_answers", "phone_busy", "workflow_message", "workflow_transfer")
"""The model has to be given up first."""
BROKEN_MODEL = {"type": "openai", "model": "m", "base_url": BROKEN, "api_key": "${LAB_KEY}"}


def _breaks_down(fate: Fate) -> Play:
    """Ask until the conversation is given up; then as in every other cell, but for a caller who is answered already."""

    async def play(visit: Visit) -> None:
        visit.trigger = DURING_CALL
        await visit.dial(headers=(("X-Dossier", "42"),))
        await visit.is_answered()
        asking = asyncio.create_task(keep_asking(visit))
        try:
            await fate.then(visit)
        finally:
            asking.cancel()

    return play


async def keep_asking(visit: Visit) -> None:
    """Press a key, the caller's turn, whenever the agent has spoken."""
    rtp = visit.call.rtp
    for _ in range(5):
        await rtp.wait_speech(10.0)
        await rtp.wait_quiet(1.0)
        rtp.press("#")
        await asyncio.sleep(1.0)


for _name in SLOW_CELLS:
    _broken = {"providers": {"llm": [BROKEN_MODEL]}}
    _register(DURING_CALL, _name, _broken, _breaks_down(FATES[_name]), during_call=True)
