"""Somebody who is rung: one outgoing leg with its media, what the timeline says of it, and one way to let go of both.

Knows legs and media; neither why they are rung nor what happens once they are joined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from parlons import logs
from parlons.errors import ParlonsError
from parlons.telephony.media.reports import MediaStats
from parlons.telephony.types import AudioPort, Leg, LegEnd, LegEvents, LegState, MediaSession

from .timeline import Actor, Kind, Timeline

FAREWELL_SECONDS = 5.0
"""How long the answer to our BYE or CANCEL is looked for; the leg itself goes on by the rules of its transaction."""

_OVER = (LegState.ENDING, LegState.ENDED)

log = logs.get(__name__)


class LegMedia(AudioPort, MediaSession, Protocol):
    """Both halves of a leg's media. Implemented by ``telephony.media.rtp.RtpMedia``."""

    stats: MediaStats
    received_by: str
    send_info: Callable[[str, bytes], Awaitable[int]] | None

    @property
    def codec(self) -> str: ...


class OutgoingLeg(Leg, Protocol):
    """A leg that we dial. Implemented by ``telephony.sip.leg_out.OutboundLeg``."""

    @property
    def redirect_user(self) -> str:
        """Whom a 3xx asks to call instead, at the same peer; empty when there was none."""
        ...


_farewells: set[asyncio.Task[None]] = set()


class DestinationLeft(Exception):
    """The leg ended while something else was waited for; ``end`` says why."""

    def __init__(self, end: LegEnd) -> None:
        super().__init__(end.reason)
        self.end = end


class Destination:
    """Somebody who is rung: one leg, its media, and what the timeline says of them.

    Args:
        to: whom, for the timeline: a number or an extension.
        connection_id: over which connection.
    """

    def __init__(self, leg: OutgoingLeg, media: LegMedia, timeline: Timeline, to: str, connection_id: str) -> None:
        self.leg = leg
        self.media = media
        self.ended: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        """Why the leg ended, when that was not us letting go of it."""
        self._timeline = timeline
        self._named = {"to": to, "connection": connection_id}
        self._over = False
        leg.events = LegEvents(hold=self._held, ended=self._leg_ended)
        leg.attach(media)

    def note(self, event: str, actor: Actor = "destination", **payload: Any) -> None:
        """Put something that happened to this leg on the timeline."""
        self._timeline.add(actor, Kind.LEG, leg="destination", event=event, **self._named, **payload)

    async def wait(self, *until: asyncio.Future[Any], seconds: float | None = None) -> None:
        """Wait for the first of ``until``, or so long. Raises DestinationLeft when the leg has ended by then."""
        await asyncio.wait({self.ended, *until}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise DestinationLeft(self.ended.result())

    def close(self, why: str, code: int | None = None) -> None:
        """Let go: CANCEL or BYE leaves at once, the media and its ports are free. Idempotent, does not block.

        Args:
            code: put in the Reason header (RFC 3326).
        """
        self._note_end("system", why, code)
        self.leg.events = LegEvents()
        if self.leg.state not in _OVER:
            farewell = asyncio.get_running_loop().create_task(self._hang_up(why, code), name="destination_farewell")
            _farewells.add(farewell)
            farewell.add_done_callback(_farewells.discard)
        self.media.close()

    async def _hang_up(self, why: str, code: int | None) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.leg.hang_up(why, code=code)
        except TimeoutError:
            pass
        except ParlonsError as error:
            log.warning("hang_up_failed", error=error.message)

    def _leg_ended(self, end: LegEnd) -> None:
        self._note_end("destination" if end.by == "peer" else "system", end.reason, end.code)
        if not self.ended.done():
            self.ended.set_result(end)

    def _note_end(self, actor: Actor, why: str, code: int | None) -> None:
        if not self._over:
            self._over = True
            self.note("ended", actor, why=why, code=code)

    def _held(self, on: bool) -> None:
        self.note("hold" if on else "resumed")
