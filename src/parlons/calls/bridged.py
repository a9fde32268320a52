"""Two legs joined: from the moment they are until either ends, and then the destination's is let go of.

The caller's leg is the call's own and is ended by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from parlons.telephony.types import AudioPort, LegEnd

from .destination import Destination, LegMedia
from .ending import of_leg, of_stop
from .limits import Permit
from .rtp_silence import silent_side
from .timeline import Actor, EndCode, Kind, Timeline


class Relay(Protocol):
    """Carries sound and keys between two legs. Implemented by ``telephony.media.relay.Relay``."""

    on_digit: Callable[[Literal["one", "other"], str], None] | None

    def start(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BridgeEnd:
    """Who ended two joined legs, and why; ``code`` is the SIP code when there was one."""

    who: Actor
    why: str
    end_code: EndCode
    code: int | None = None


class Bridged:
    """Two legs joined. ``await run()``, then ``close()``: always, whatever happened; both may be left out of order.

    Args:
        caller: the caller's media; it stays the call's.
        gone: done when the caller's leg has ended.
        destination: its leg, media and permit are let go of by ``close``.
        relay: between the two (``one`` is the caller), started by whoever joined them.
        max_seconds: from now.
        hide_digits: keys are put on the timeline without saying which.
        stop: done when the call is asked to end, with the reason.
    """

    def __init__(
        self,
        caller: LegMedia,
        gone: asyncio.Future[LegEnd],
        destination: Destination,
        relay: Relay,
        permit: Permit,
        timeline: Timeline,
        *,
        max_seconds: float,
        hide_digits: bool = False,
        stop: asyncio.Future[str] | None = None,
    ) -> None:
        self._caller = caller
        self._gone = gone
        self._destination = destination
        self._relay = relay
        self._permit = permit
        self._timeline = timeline
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + max_seconds
        self._hide_digits = hide_digits
        self._stop = stop
        self._closed = False
        relay.on_digit = self._pressed

    async def run(self) -> BridgeEnd:
        """Wait for the end, let go of the destination and say who ended it. Never raises but when cancelled."""
        sides: dict[Actor, AudioPort] = {"caller": self._caller, "destination": self._destination.media}
        watching = asyncio.ensure_future(silent_side(sides, self._timeline))
        waiting: set[asyncio.Future[Any]] = {self._gone, self._destination.ended, watching}
        if self._stop is not None:
            waiting.add(self._stop)
        end = BridgeEnd("system", "cancelled", EndCode.INTERNAL_ERROR)
        try:
            left = max(0.0, self._until - self._loop.time())
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            end = self._why(watching)
        finally:
            watching.cancel()
            self.close(end.why)
        return end

    def close(self, why: str = "the call ended") -> None:
        """Stop the relay and let go of the destination's leg, its media and its permit. Idempotent, does not block."""
        if self._closed:
            return
        self._closed = True
        self._relay.on_digit = None
        try:
            self._relay.close()
        finally:
            self._destination.close(why)
            self._permit.release()

    def _why(self, watching: asyncio.Future[Actor]) -> BridgeEnd:
        if self._gone.done():
            return _leg_end("caller", self._gone.result())
        if self._destination.ended.done():
            return _leg_end("destination", self._destination.ended.result())
        if self._stop is not None and self._stop.done():
            return BridgeEnd("system", self._stop.result(), of_stop(self._stop.result()))
        if watching.done():
            return BridgeEnd("system", f"no audio came from the {watching.result()} any more", EndCode.NO_AUDIO)
        return BridgeEnd("system", "max_bridged_seconds", EndCode.MAX_BRIDGED_SECONDS)

    def _pressed(self, side: Literal["one", "other"], digit: str) -> None:
        actor: Actor = "caller" if side == "one" else "destination"
        media = self._caller if side == "one" else self._destination.media
        digits = "" if self._hide_digits else digit
        self._timeline.add(actor, Kind.DTMF, digits=digits, method=media.received_by)


def _leg_end(side: Actor, end: LegEnd) -> BridgeEnd:
    if end.by == "peer":
        return BridgeEnd(side, end.reason or "hung up", of_leg(end), end.code)
    return BridgeEnd("system", f"the {side}'s leg ended: {end.reason}", of_leg(end), end.code)
