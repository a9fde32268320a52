"""Keeping the collector and the allocator out of callers' ears, and giving memory back when nobody is on the phone."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable

IDLE_SECONDS = 5.0
"""Without a call for this long, a pause of a tenth of a second disturbs nobody."""


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
    """For as long as the process lives: after calls have ended and none is left, ``give_back`` once.

    Args:
        calls: how many are under way.
        ended: how many have ended since the start.
    """
    seen = ended()
    quiet_since: float | None = None
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        if calls():
            quiet_since = None
        elif quiet_since is None:
            quiet_since = loop.time()
        elif ended() != seen and loop.time() - quiet_since >= IDLE_SECONDS:
            seen = ended()
            give_back()
