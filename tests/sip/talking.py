"""What a caller does with the test phone: hear the greeting, ask, listen, say goodbye."""

from __future__ import annotations

import asyncio
import re

from tests.support.audio import NARROW, Pcm, likeness, resample, speech
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.server import ParlonsServer

SAME_WORDS = 0.6
"""Likeness above which two sounds are the same words in the same voice; other words stay under 0.45."""

PACE = 160
"""Words a minute of the built-in voice."""


async def dial(phone: Phone, server: ParlonsServer, user: str, **options: object) -> Call:
    """A call that was answered."""
    call = phone.call(server.uri(user), **options)
    answer = await call.invite()
    assert answer.code == 200, answer.start
    return call


async def listen(call: Call, *, within: float = 6.0, quiet: float = 0.9) -> Pcm:
    """Wait until the other side has begun and finished to talk; what it said since now."""
    since = asyncio.get_running_loop().time()
    await call.rtp.wait_speech(within, since=since)
    await call.rtp.wait_quiet(quiet)
    return call.rtp.heard(since)


async def ask(call: Call, words: str, language: str = "fr", *, within: float = 10.0) -> Pcm:
    """Say something, and listen to the answer."""
    call.rtp.say(speech(words, language))
    await call.rtp.said()
    return await listen(call, within=within)


async def goodbye(call: Call, words: str = "merci, au revoir", language: str = "fr") -> Pcm:
    """Say goodbye, hear the other side's, and be hung up on by it."""
    call.rtp.say(speech(words, language))
    await call.rtp.said()
    since = asyncio.get_running_loop().time()
    await call.rtp.wait_speech(10.0, since=since)
    assert await call.wait_end(20.0) == "peer"
    return call.rtp.heard(since)


def sounds_like(heard: Pcm, words: str, language: str = "fr", rate: int = NARROW) -> float:
    """Likeness of what was heard with the longest sentence of a text, read by the voice that the server has built in.

    One sentence, because how long a pause is between two of them is the server's own affair.
    """
    sentence = max(re.split(r"(?<=[.!?])\s+", words), key=len)
    return likeness(heard, resample(speech(sentence, language, speed=PACE), NARROW, rate), rate).score
