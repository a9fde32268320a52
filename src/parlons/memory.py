"""Keeping the collector and the allocator out of callers' ears, and giving memory back when nobody is on the phone."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable

IDLE_SECONDS = (5.0, 70.0)
"""Without a call for this long, a pause of a tenth of a second disturbs nobody. A second time when the last SIP
transactions are over too: they stay for 64 s (RFC 3261 section 17), and what they leave is the larger part."""


ARENAS = 2
_M_ARENA_MAX = -8
"""From glibc's ``malloc.h``."""


def few_arenas() -> None:
    """Call before the first thread starts. Each thread would get a heap of its own, and what callers leave in each of
    them is seldom given back; two are enough where one thread does nearly all the work."""
    with contextlib.suppress(AttributeError):  # another C library: it has its own ways
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def settle() -> None:
    """After start-up: never again look at what is there now.

    A full collection walks everything that was ever imported: 0.3 s in which nobody hears anything.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Collect, and return free memory to the system (glibc keeps it otherwise). Blocks for about 0.1 s."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:  # another C library: it has its own ways
        return


async def give_back_when_idle(calls: Callable[[], int], ended: Callable[[], int]) -> None:
    """For as long as the process lives: after calls have ended and none is left, ``give_back`` twice.

    Args:
        calls: how many are under way.
        ended: how many have ended since the start.
    """
    seen = ended()
    quiet_since: float | None = None
    due: list[float] = []
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        if calls():
            quiet_since = None
            continue
        if quiet_since is None or ended() != seen:
            quiet_since = loop.time()
            due = list(IDLE_SECONDS) if ended() != seen else due
            seen = ended()
        if due and loop.time() - quiet_since >= due[0]:
            del due[0]
            give_back()
