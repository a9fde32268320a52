"""Memory goes back when calls have ended and nobody is on the phone, and again when the last transactions are over."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from parlons import memory
from tests.support.virtual_time import run


def test_only_when_idle_and_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    state = {"calls": 0, "ended": 0}

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        monkeypatch.setattr(memory, "give_back", lambda: given.append(loop.time() - start))
        job = asyncio.ensure_future(memory.keep(lambda: state["calls"], lambda: state["ended"]))
        await asyncio.sleep(20)
        assert given == []  # no call, nothing to give back
        state.update(calls=1, ended=1)
        await asyncio.sleep(20)
        assert given == []  # somebody is on the phone
        state.update(calls=0, ended=2)
        await asyncio.sleep(200)
        job.cancel()

    run(scenario())
    assert len(given) == 2
    assert 45 <= given[0] <= 48
    assert 110 <= given[1] <= 113


def test_a_little_at_a_time_while_calls_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    at: list[float] = []
    state = {"ended": 0}

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        monkeypatch.setattr("gc.collect", lambda: at.append(round(loop.time() - start)))
        job = asyncio.ensure_future(memory.keep(lambda: 30, lambda: state["ended"]))
        await asyncio.sleep(10)
        assert at == []
        state["ended"] = 15
        await asyncio.sleep(10)
        assert at == []
        state["ended"] = 16
        await asyncio.sleep(2)
        assert len(at) == 1
        await asyncio.sleep(70)
        job.cancel()

    run(scenario())
    assert len(at) == 2  # also a long call leaves something behind
    assert 60 <= at[1] - at[0] <= 61


def test_really_collects() -> None:
    class Loop:
        me: object

    import gc
    import weakref

    gc.disable()
    try:
        thing = Loop()
        thing.me = thing
        watched = weakref.ref(thing)
        del thing
        assert watched() is not None
        memory.give_back()
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform != "linux", reason="huge pages are Linux's")
def test_the_kernel_makes_no_huge_pages_for_it() -> None:
    show = "print([line for line in open('/proc/self/status') if line.startswith('THP_enabled')])"
    settled = "from parlons import memory; memory.settle_allocator(); " + show
    before, after = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for code in (show, settled)
    )
    if "1" not in before:
        pytest.skip("no huge pages are made here, or the kernel does not say so")
    assert "0" in after
