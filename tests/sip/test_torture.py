"""Garbage, truncation and torture: the process lives, other calls do not notice, what can be answered is."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.sip import torture
from tests.sip.talking import dial, listen
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer


async def test_torture_is_answered_and_harms_nobody(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    await call.rtp.wait_speech()
    before = len(lab.calls())
    since = asyncio.get_running_loop().time()
    sent = list(torture.messages(phone, lab.uri("lab")))
    for message in sent:
        phone.send(message.data, lab.sip)
        await asyncio.sleep(0.03)
    await asyncio.sleep(1.0)
    wrong = []
    for message in sent:
        finals = {
            e.message.code
            for e in phone.log
            if e.incoming and message.branch and e.message.branch == message.branch and e.message.code >= 200
        }
        got: set[int | None] = set(finals) or {None}
        if message.branch and not got <= set(message.codes):
            wrong.append((message.name, got, message.codes))
    assert not wrong, wrong
    assert lab.alive
    assert call.rtp.longest_gap(since) < 0.2
    assert not call.ended.is_set()
    await call.bye()
    others = [c for c in lab.calls()[before:] if c["agent_id"] != "talkative"]  # that one is the call above
    rang = [c for c in others if c["status"] not in ("rejected", "failed")]
    assert not rang, rang


async def test_random_garbage_and_bent_messages(lab: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, lab, "talkative")
    await call.rtp.wait_speech()
    since = asyncio.get_running_loop().time()
    chance = random.Random(4475)
    whole = bytes(phone.new_request("OPTIONS", lab.uri("lab")))
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        phone.send(bytes(data[: chance.randrange(1, len(data))]) if chance.random() < 0.3 else bytes(data), lab.sip)
        await asyncio.sleep(0.003)
    assert lab.alive
    assert call.rtp.longest_gap(since) < 0.2
    await call.bye()
    again = await dial(phone, lab, "lab")
    await listen(again)
    await again.bye()
