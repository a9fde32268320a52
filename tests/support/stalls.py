"""How long this process was stopped: what its telephones could not hear then says nothing about the server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

STALL = 0.04
"""Seconds, two frames. When the machine stops the phones' process for longer, it stops the server as well, and that
leaves out what would come too late."""


@contextlib.asynccontextmanager
async def own_stalls() -> AsyncIterator[list[float]]:
    """A list of one value, in seconds: the longest stop of this process's loop since the block began."""
    longest = [0.0]
    watching = asyncio.ensure_future(_watch(longest))
    try:
        yield longest
    finally:
        watching.cancel()


async def _watch(longest: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        longest[0] = max(longest[0], loop.time() - due)
