"""An event loop whose clock jumps to the next timer when nothing is left to do, so tests never sleep.

Only for code that talks to no real socket. The voice runtime reads ``time`` itself: ``run`` patches it too.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")


PATIENCE = 2.0
"""Real seconds given to work handed to a thread before the clock moves without it."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: tells the loop how far to jump instead."""

    loop: VirtualLoop
    _waiting_since: float | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            self._waiting_since = None
            return ready
        if timeout is None:  # nothing scheduled: only a thread or a socket can wake us
            return super().select(5)
        if self.loop.threads_busy():
            now = _real_monotonic()
            self._waiting_since = self._waiting_since or now
            if now - self._waiting_since < PATIENCE:
                return super().select(0.001)
        self._waiting_since = None
        self.loop.jump(timeout)
        return ready


_real_monotonic = time.monotonic


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time, starting at 1000 s."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        self._now = 1000.0
        self._busy = 0
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock."""
        self._now += seconds

    def threads_busy(self) -> bool:
        """Whether work handed to ``run_in_executor`` has not come back."""
        return self._busy > 0

    def run_in_executor(  # type: ignore[override]  # the stub's variadic types cannot be written in an override
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._busy += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _future: object) -> None:
        self._busy -= 1


def run(coro: Coroutine[Any, Any, T], *, limit: float = 3600.0) -> T:
    """Run a coroutine on virtual time. Raises TimeoutError after ``limit`` virtual seconds."""
    loop = VirtualLoop()
    wall = time.time() - loop.time()
    with (
        mock.patch("time.monotonic", loop.time),
        mock.patch("time.perf_counter", loop.time),
        mock.patch("time.time", lambda: wall + loop.time()),  # noqa: PT008  (the time moves)
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        return runner.run(asyncio.wait_for(coro, limit))
