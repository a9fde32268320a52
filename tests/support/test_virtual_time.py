"""The loop the other tests trust."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tests.support.virtual_time import run


def test_an_hour_passes_at_once() -> None:
    async def hour() -> float:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(3000)
        return asyncio.get_running_loop().time() - before

    started = time.process_time()
    assert run(hour()) == pytest.approx(3000)
    assert time.process_time() - started < 5


def test_a_stuck_coroutine_is_reported() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(stuck(), limit=10)


def test_work_in_a_thread_comes_back_before_the_clock_runs_away() -> None:
    async def work() -> str:
        return await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 1)

    assert run(work()) == "done"


def test_slow_work_in_a_thread_is_waited_for() -> None:
    release = threading.Event()

    async def work() -> bool:
        asyncio.get_running_loop().call_later(0.01, lambda: None)
        threading.Timer(0.2, release.set).start()
        return await asyncio.wait_for(asyncio.to_thread(release.wait, 5), 1)

    assert run(work())
