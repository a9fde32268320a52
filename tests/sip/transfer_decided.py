"""What is decided before anybody is rung: whom and when; transfers as steps of a path; other agents taking over."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from typing import Any

from tests.sip.transfer_ears import wait_voice
from tests.sip.transfer_model import told, tool_results, tools
from tests.sip.transfer_peers import CALLER, EXCHANGE
from tests.sip.transfer_stage import AFTER, DIALLED_NUMBER, Visit, calls, case, now, transfer, two_steps
from tests.support.phone_call import Call
from tests.support.providers.base import Reply

REFUSED_NUMBER = "+33899123456"
"""In a range that is refused unless the settings say otherwise."""


# -- whom --------------------------------------------------------------------------------------------------------

TWO = [{"extension": "first", "description": "Facturation"}, {"extension": "second_of_two", "description": "Support"}]


@case(
    actions=[transfer(destinations=TWO)],
    replies=[calls(arguments='{"destination": "7"}'), calls(arguments='{"destination": "2"}'), Reply(text=AFTER)],
)
async def a_destination_that_does_not_exist(visit: Visit) -> None:
    """The model is told which there are, and chooses again."""
    there = await visit.ring("second_of_two")
    there.ring()
    wrong = await visit.outcome()
    assert wrong["outcome"] == "invalid_destination"
    asked = visit.requests()
    assert tools(asked[0])["transfert"]["parameters"]["properties"]["destination"]["enum"] == ["1", "2"]
    given = json.loads(tool_results(asked[1])[0])
    assert given["outcome"] == "invalid_destination"
    assert "1: Facturation" in given["reason"]
    assert "2: Support" in given["reason"]
    there.reply(486, "Busy Here")
    assert (await visit.outcome(2))["outcome"] == "busy"
    await visit.speaks_first()
    await visit.hang_up()


SERVICES = [
    *({"extension": f"room{number}", "description": f"Bureau numéro {number}"} for number in range(1, 24)),
    {"extension": "accounts", "description": "Comptabilité fournisseurs"},
    {"extension": "desk", "description": "Réception"},
]


@case(
    actions=[transfer(destinations=SERVICES)],
    replies=[
        calls(arguments='{"who": "la comptabilite"}'),
        calls(arguments='{"destination": "24"}'),
        Reply(text=AFTER),
    ],
)
async def more_than_twenty_destinations(visit: Visit) -> None:
    """The model says whom it wants, is shown whom that may be, and picks."""
    there = await visit.ring("accounts")
    asked = visit.requests()
    assert set(tools(asked[0])["transfert"]["parameters"]["properties"]) == {"who", "destination"}
    found = told(asked[1])["found"]
    assert found[0] == {"destination": "24", "description": "Comptabilité fournisseurs"}
    assert len(found) <= 5
    there.ring()
    there.reply(486, "Busy Here")
    await visit.fails("busy", code=486)


@case(actions=[transfer(destinations=[{"phone": REFUSED_NUMBER}])])
async def a_refused_range(visit: Visit) -> None:
    await visit.begin()
    await visit.ask()
    await visit.fails("refused_by_policy")
    assert not visit.stage.exchange.invites(REFUSED_NUMBER)


@case(actions=[transfer(destinations=[{"phone": DIALLED_NUMBER}]) | {"sip_connection_id": None}])
async def the_connection_the_call_came_in_on(visit: Visit) -> None:
    """Neither the action, nor the agent, nor the settings name one."""
    await visit.begin()
    await visit.ask()
    there = await visit.stage.own.rung(DIALLED_NUMBER)
    assert there.invitation.uri == f"sip:{DIALLED_NUMBER}@{CALLER[0]}:{CALLER[1]}"
    there.ring()
    there.reply(603, "Decline")
    await visit.fails("declined", code=603)


@case(actions=[transfer(destination_id="ring-group;7", sip_connection_id="desk")])
async def a_destination_id(visit: Visit) -> None:
    """Escaped in the Request-URI."""
    there = await visit.ring("ring-group%3B7")
    assert there.invitation.uri == f"sip:ring-group%3B7@{EXCHANGE[0]}:{EXCHANGE[1]}"
    there.reply(486, "Busy Here")
    await visit.fails("busy")


BOTH = Reply(tool_calls=[("transfert", '{"destination": "1"}'), ("transfert", '{"destination": "2"}')])
PAIR = [{"extension": "one_of_both", "description": "One"}, {"extension": "other_of_both", "description": "Other"}]


@case(actions=[transfer(destinations=PAIR)], replies=[BOTH, Reply(text=AFTER)])
async def two_transfers_at_once(visit: Visit) -> None:
    """A model may ask for both in one answer: the caller is put through to one, and nobody else is left on the line."""
    there = await visit.ring("one_of_both")
    there.ring()
    try:
        other = await visit.rung("other_of_both", within=1.5)
        other.ring()
        await other.answer()
    except TimeoutError:
        other = None
    await there.answer()
    await visit.joined()
    await asyncio.sleep(0.5)
    await visit.hang_up()
    for call in (there, other):
        if call is not None:
            assert await call.wait_end(2) == "peer"
    assert (await visit.record())["status"] == "transferred"
    assert visit.leg_events().count("bridged") == 1


# -- when --------------------------------------------------------------------------------------------------------

ALWAYS = [{"days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
           "start": "00:00", "end": "24:00"}]  # fmt: skip
CLOSED = [str(date.today() + timedelta(days=days)) for days in (-1, 0, 1)]
"""Today, wherever midnight is."""


def _hours(name: str, **fields: Any) -> dict[str, Any]:
    schedule = {"enabled": True, "ranges": ALWAYS, "closed_dates": CLOSED, **fields}
    return transfer(destinations=[{"extension": name}], schedule=schedule)


@case(actions=[_hours("out_of_hours")])
async def out_of_hours(visit: Visit) -> None:
    """Nothing is dialled, and the model knows when it opens."""
    await visit.begin()
    await visit.ask()
    given = await visit.fails("out_of_hours")
    opens = date.fromisoformat(CLOSED[-1]) + timedelta(days=1)
    assert str(opens.day) in given["next_opening"]
    assert given["next_opening"].endswith("à 0 h 00"), given
    assert (await visit.outcome())["next_opening"] == given["next_opening"]
    assert not visit.invites()


@case(actions=[_hours("the_on_call_line", mode="outside")])
async def the_on_call_line(visit: Visit) -> None:
    """Open exactly when the others are closed."""
    there = await visit.ring()
    there.reply(480, "Temporarily Unavailable")
    await visit.fails("no_answer", code=480)


# -- as a step of a path -----------------------------------------------------------------------------------------


def _step_path(name: str) -> dict[str, Any]:
    ring = {"id": "ring", "type": "transfer", "action": "Transfert", "outcomes": {"busy": "occupied"}, "else": "other"}
    made = two_steps(ring, name)
    made["steps"] += [{"id": step, "type": "prompt", "prompt": f"In {step}."} for step in ("occupied", "other")]
    return made


@case(replies=[calls("go_on"), Reply(text=AFTER)], path=_step_path("a_step_that_is_busy"))
async def a_step_that_is_busy(visit: Visit) -> None:
    """It leaves by the way for that outcome, and the next step speaks first and knows why."""
    there = await visit.ring()
    there.ring()
    there.reply(486, "Busy Here")
    assert (await visit.outcome())["outcome"] == "busy"
    await visit.speaks_first()
    assert "(busy)" in json.dumps(visit.requests()[-1].body["messages"])
    assert [p["step"] for p in visit.payloads("step_entered")] == ["start", "ring", "occupied"]
    await visit.hang_up()


@case(replies=[calls("go_on"), Reply(text=AFTER)], path=_step_path("a_step_that_is_declined"))
async def a_step_that_is_declined(visit: Visit) -> None:
    """No way of its own: ``else``."""
    there = await visit.ring()
    there.ring()
    there.reply(603, "Decline")
    assert (await visit.outcome())["outcome"] == "declined"
    await visit.speaks_first()
    assert "(declined)" in json.dumps(visit.requests()[-1].body["messages"])
    assert [p["step"] for p in visit.payloads("step_entered")] == ["start", "ring", "other"]
    await visit.hang_up()


@case(replies=[calls("go_on"), Reply(text=AFTER)], path=_step_path("a_step_that_is_answered"))
async def a_step_that_is_answered(visit: Visit) -> None:
    there: Call = await visit.ring()
    there.ring()
    await there.answer()
    await visit.joined()
    assert (await there.bye()).code == 200
    assert await visit.call.wait_end(1) == "peer"
    record = await visit.record()
    assert (record["status"], record["ended_by"]) == ("transferred", "destination")


NAME = "a_transfer_and_a_transition_at_once"
SECOND = {"id": "second", "type": "prompt", "prompt": "In the second."}


@case(
    replies=[Reply(tool_calls=[("transfert", "{}"), ("go_on", "{}")]), Reply(text=AFTER)],
    path=two_steps(SECOND, NAME, actions=["Transfert"]),
)
async def a_transfer_and_a_transition_at_once(visit: Visit) -> None:
    """The next step waits for what becomes of the transfer, and opens then."""
    there = await visit.ring()
    there.ring()
    await asyncio.sleep(1.5)
    assert [p["step"] for p in visit.payloads("step_entered")] == ["start"]
    there.reply(486, "Busy Here")
    assert (await visit.outcome())["outcome"] == "busy"
    await visit.speaks_first()
    assert [p["step"] for p in visit.payloads("step_entered")] == ["start", "second"]
    await visit.hang_up()


# -- another agent -----------------------------------------------------------------------------------------------

ENGLISH_GREETING = "Good morning, you are talking to the English desk."

COLLEAGUES: dict[str, dict[str, Any]] = {
    "english_desk": {
        "language": "en-GB",
        "greeting": ENGLISH_GREETING,
        "actions": [transfer("Back", target_agent_id="another_agent_and_back")],
        "default_error_message": {"text": "We cannot take your call now.", "language": "en-GB"},
    },
    "asleep": {"active": False},
}
"""Agents that calls are handed over to."""


@case(
    actions=[transfer("English", target_agent_id="english_desk")],
    replies=[calls("english", text="Je vous passe ma collègue."), Reply(text=AFTER)],
)
async def another_agent_and_back(visit: Visit) -> None:
    """In another language, with what was said so far; and back again."""
    visit.stage.model.script["english_desk"] = [calls("back"), Reply(text="Very well.")]
    await visit.begin()
    since = now()
    await visit.ask()
    assert (await visit.outcome())["outcome"] == "answered"
    await visit.until(lambda: ENGLISH_GREETING in visit.stage.server.said(visit.call.id, "agent"), 8, "no greeting")
    visit.sounds_like(visit.call.rtp.heard(since), ENGLISH_GREETING, "en-gb")
    before = now()
    await visit.ask()
    (asked,) = visit.requests("english_desk")
    assert "Je vous passe ma collègue." in json.dumps(asked.body["messages"], ensure_ascii=False)
    assert (await visit.outcome(2))["outcome"] == "answered"
    await wait_voice(visit.call.rtp, before + 0.3, 8)
    await visit.call.rtp.wait_quiet(0.8)
    agents_had_it = [p["agent"] for p in visit.payloads("agent")]
    assert agents_had_it == ["english_desk", "another_agent_and_back"], agents_had_it
    since = now()
    await visit.ask()
    began = await wait_voice(visit.call.rtp, since, 6)
    await visit.call.rtp.wait_quiet(0.6)
    visit.sounds_like(visit.call.rtp.heard(began - 0.2), AFTER)
    await visit.hang_up()
    assert (await visit.record())["status"] == "completed"


@case(actions=[transfer("Colleague", target_agent_id="asleep")], replies=[calls("colleague"), Reply(text=AFTER)])
async def an_agent_that_is_not_active(visit: Visit) -> None:
    await visit.begin()
    await visit.ask()
    await visit.fails("invalid_destination")
