"""What the INVITE of a transfer says: who calls, on whose behalf, and with which headers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.sip.transfer_stage import (
    AFTER,
    AGENT_NUMBER,
    CALLER_NUMBER,
    DIALLED_NUMBER,
    Visit,
    calls,
    case,
    transfer,
    two_steps,
)
from tests.support import sip_text
from tests.support.providers.base import Reply
from tests.support.sip_text import Message

SHOWN = {
    "desk": (AGENT_NUMBER, AGENT_NUMBER, DIALLED_NUMBER),
    "desk_00": ("0033123456789", "0033123456789", "0033698765432"),
    "desk_digits": ("33123456789", "33123456789", "33698765432"),
    "desk_caller": (CALLER_NUMBER, AGENT_NUMBER, DIALLED_NUMBER),
    "desk_national": ("0612345678", "0123456789", "0698765432"),
}
"""Connection to what its destination sees: the caller, where it was diverted, whom it was dialled as."""


def _over(connections: list[str]) -> list[dict[str, Any]]:
    return [
        transfer(f"Over {key}", sip_connection_id=key, destinations=[{"phone": DIALLED_NUMBER}]) for key in connections
    ]


def _uri_user(value: str) -> str:
    return sip_text.address(value).removeprefix("sip:").partition("@")[0]


@case(
    actions=[transfer(sip_connection_id="desk_caller", destinations=[{"extension": "a_call_that_we_placed"}])],
    sip_connection_id="front",
    phone_numbers=["+33123456787"],
)
async def a_call_that_we_placed(visit: Visit) -> None:
    """Whoever we called is who calls the destination."""
    stage = visit.stage
    await asyncio.to_thread(stage.server.place, visit.name, "+33612345670")
    visit.take(await stage.own.rung("+33612345670"))
    visit.call.ring()
    await visit.call.answer()
    await visit.call.rtp.wait_speech(8)
    await visit.call.rtp.wait_quiet(0.3)
    await visit.ask()
    there = await visit.rung()
    assert _uri_user(there.invitation.get("From")) == "+33612345670"
    assert _uri_user(there.invitation.get("Diversion")) == "+33123456787"
    there.ring()
    there.reply(486, "Busy Here")
    await visit.fails("busy", code=486)


async def _busy(visit: Visit, user: str) -> Message:
    """Refuse the next call for a user; its INVITE."""
    there = await visit.rung(user, within=6)
    there.reply(486, "Busy Here")
    return there.invitation


@case(
    actions=_over([*SHOWN]),
    replies=[*(calls(f"over_{key}") for key in SHOWN), Reply(text=AFTER)],
    phone_numbers=[AGENT_NUMBER],
)
async def who_is_shown(visit: Visit) -> None:
    """Each connection's idea of it; five attempts in one answer of the model's."""
    await visit.begin(from_="<sip:0612345678@127.0.0.2>")
    await visit.ask()
    for number, (shown, diverted, dialled) in enumerate(SHOWN.values(), 1):
        invite = await _busy(visit, dialled)
        assert _uri_user(invite.get("From")) == shown
        assert _uri_user(invite.get("P-Asserted-Identity")) == shown
        assert _uri_user(invite.get("Diversion")) == diverted
        assert (await visit.outcome(number))["outcome"] == "busy"
    await visit.speaks_first()
    await visit.hang_up()


@case(
    actions=[
        transfer(f"Over {key}", sip_connection_id=key, destinations=[{"extension": "withheld"}])
        for key in ("desk", "desk_caller")
    ],
    replies=[calls("over_desk"), calls("over_desk_caller"), Reply(text=AFTER)],
    phone_numbers=["+33123456788"],
)
async def withheld(visit: Visit) -> None:
    """A caller who does not want to be known: no number at all, in either mode."""
    hidden = (("Privacy", "id"), ("P-Asserted-Identity", "<sip:+33612345678@127.0.0.2>"))
    await visit.begin(from_='"Anonymous" <sip:anonymous@anonymous.invalid>', headers=hidden)
    await visit.ask()
    for number in (1, 2):
        invite = await _busy(visit, "withheld")
        assert _uri_user(invite.get("From")) == "anonymous"
        assert invite.get("Privacy") == "id"
        raw = bytes(invite).decode()
        for digits in ("612345678", "123456788"):
            assert digits not in raw
        assert not invite.all("Diversion")
        assert not invite.all("P-Asserted-Identity")
        assert (await visit.outcome(number))["outcome"] == "busy"
    await visit.hang_up()


# -- with which headers ------------------------------------------------------------------------------------------


@case(
    actions=[
        transfer(
            destinations=[{"extension": "headers"}],
            headers=[{"name": "X-Queue", "value": "support {{ sip.headers['x-dossier'] }}"}],
            user_to_user="dossier {{ sip.headers['x-dossier'] }} é",
        )
    ]
)
async def headers(visit: Visit) -> None:
    """Rendered, and User-to-User in hexadecimal (RFC 7433)."""
    there = await visit.ring(headers=(("X-Dossier", "42"),))
    assert there.invitation.get("X-Queue") == "support 42"
    assert there.invitation.get("User-to-User") == "dossier 42 é".encode().hex() + ";encoding=hex"
    there.reply(486, "Busy Here")
    await visit.fails("busy")


EVIL = "a\r\nX-Evil: 1"


@case(
    actions=[
        transfer(
            destinations=[{"extension": "a_line_break_in_a_header"}],
            headers=[{"name": "X-Queue", "value": "{{ queue }}"}, {"name": "X-Fine", "value": "yes"}],
            user_to_user="{{ queue }}",
        )
    ],
    replies=[calls("go_on", json.dumps({"queue": EVIL})), calls(), Reply(text=AFTER)],
    path=two_steps(
        {"id": "second", "type": "prompt", "prompt": "Put them through.", "actions": ["Transfert"]},
        "a_line_break_in_a_header",
        extract=[{"name": "queue", "description": "The queue."}],
    ),
)
async def a_line_break_in_a_header(visit: Visit) -> None:
    """A value that the model made up cannot write a header of its own: it is left out, and the call is placed."""
    there = await visit.ring()
    invite = there.invitation
    assert "x-evil" not in {name.lower() for name, _ in invite.headers}
    assert not invite.all("X-Queue")
    assert invite.get("X-Fine") == "yes"
    assert bytes.fromhex(invite.get("User-to-User").removesuffix(";encoding=hex")).split() == EVIL.encode().split()
    (left_out,) = visit.payloads("leg", event="headers_left_out")
    assert left_out["problems"]
    assert "X-Queue" in left_out["problems"][0]
    there.reply(486, "Busy Here")
    await visit.fails("busy")
