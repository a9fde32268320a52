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
_PR_SET_THP_DISABLE = 41
"""From Linux's ``prctl.h``."""


def settle_allocator() -> None:
    """Call before the first thread starts.

    Each thread would get a heap of its own, and what callers leave in each of them is seldom given back; two are enough
    where one thread does nearly all the work. And no huge pages: the kernel makes them by filling the holes that
    ``give_back`` leaves, 16 MB every ten seconds, until nothing is given back any more (measured: 81 MB used, 361 MB
    resident right after, 415 MB a minute later).
    """
    with contextlib.suppress(AttributeError):  # another C library, or another system: they have their own ways
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


COLLECT_AFTER_CALLS = 16
COLLECT_AFTER_SECONDS = 60.0
LOOK_SECONDS = 1.0
_NEVER = 1_000_000_000


def settle() -> None:
    """After start-up: never again look at what is there now, and collect the oldest generation when we say.

    A full collection walks everything that was ever imported: 0.3 s in which nobody hears anything. Left to itself it
    comes when the remains of hundreds of calls have gathered, and freeing those takes as long (0.13 to 0.27 s, measured
    with thirty calls talking); sixteen calls' remains took 0.1 s at most.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def give_back() -> None:
    """Collect, and return free memory to the system (glibc keeps it otherwise). Blocks for about 0.1 s."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:  # another C library: it has its own ways
        return


async def keep(calls: Callable[[], int], ended: Callable[[], int]) -> None:
    """For as long as the process lives: collect what calls leave, a little at a time while others go on; and when none
    is left, ``give_back`` twice.

    Args:
        calls: how many are under way.
        ended: how many have ended since the start.
    """
    seen = collected = ended()
    quiet_since: float | None = None
    due: list[float] = []
    loop = asyncio.get_running_loop()
    collected_at = loop.time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if calls():
            quiet_since = None
            waited = loop.time() - collected_at
            if ended() - collected >= COLLECT_AFTER_CALLS or waited >= COLLECT_AFTER_SECONDS:
                collected, collected_at = ended(), loop.time()
                gc.collect()
            continue
        if quiet_since is None or ended() != seen:
            quiet_since = loop.time()
            due = list(IDLE_SECONDS) if ended() != seen else due
            seen = ended()
        if due and loop.time() - quiet_since >= due[0]:
            del due[0]
            collected, collected_at = ended(), loop.time()
            give_back()
