"""Reading a provider's stream with deadlines of ours: a plug-in may ignore its own.

Knows nothing of what is streamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Puller(Generic[T]):
    """Reads one item at a time. Giving up on a deadline leaves the read under way: it can be waited for again."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._reading: asyncio.Future[T] | None = None

    async def next(self, timeout: float | None) -> T:
        """The next item.

        Raises:
            TimeoutError: nothing came within ``timeout`` seconds.
            StopAsyncIteration: the stream is over.
        """
        if self._reading is None:
            self._reading = asyncio.ensure_future(anext(self._source))
        done, _ = await asyncio.wait({self._reading}, timeout=timeout)
        if not done:
            raise TimeoutError
        reading, self._reading = self._reading, None
        return reading.result()

    async def close(self) -> None:
        """Drop a read under way."""
        if self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()  # whatever it is, nobody wants to know any more
