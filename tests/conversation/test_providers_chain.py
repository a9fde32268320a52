"""The order in which providers are asked, and deadlines on their streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import APIStatusError

from parlons.calls.timeline import Event, Timeline
from parlons.conversation.chain import REST_SECONDS, Chain
from parlons.conversation.pacing import Puller
from tests.support.virtual_time import run


class Maker:
    def __init__(self, provider: str) -> None:
        self.provider = provider


def test_those_that_failed_rest_and_then_come_back_first() -> None:
    async def scenario() -> None:
        a, b, c = Maker("a"), Maker("b"), Maker("b")
        chain = Chain("llm", [a, b, c], Timeline())
        chain.failed(a, ValueError())
        assert chain.order() == [b, c, a]
        chain.failed(b, ValueError())
        assert chain.order() == [c, a, b]
        chain.worked(a)
        assert chain.order() == [a, c, b]
        await asyncio.sleep(REST_SECONDS)
        assert chain.order() == [a, b, c]

    run(scenario())


def test_what_the_timeline_is_told_quotes_nobody() -> None:
    async def scenario() -> list[Event]:
        timeline = Timeline()
        chain = Chain("tts", [Maker("a"), Maker("b")], timeline)
        first, second = chain.order()
        chain.failed(first, APIStatusError("words of the caller", status_code=429))
        chain.worked(second)
        chain.worked(second)
        chain.worked(first)
        return timeline.events

    told = [(e.payload["provider"], e.payload["event"], e.payload["error"]) for e in run(scenario())]
    assert told == [("a#1", "failed", "APIStatusError 429"), ("b#2", "switched", ""), ("a#1", "recovered", "")]


async def _numbers(pause: float) -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(pause)
        yield number


def test_giving_up_on_a_deadline_loses_nothing() -> None:
    async def scenario() -> list[Any]:
        puller = Puller(_numbers(1.0))
        seen: list[Any] = []
        while True:
            try:
                seen.append(await puller.next(0.6))
            except TimeoutError:
                seen.append(None)
            except StopAsyncIteration:
                return seen

    assert run(scenario()) == [None, 0, None, 1, None, 2]


def test_closing_drops_a_read_under_way() -> None:
    async def scenario() -> None:
        puller = Puller(_numbers(1000.0))
        with pytest.raises(TimeoutError):
            await puller.next(0.1)
        await puller.close()
        await puller.close()

    run(scenario())
