"""Ringing one destination over one connection, until the outcome is known: codecs, redirects, one ring deadline.

Knows legs and media. Whether it may be rung at all, and what becomes of an answer, is decided above.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from parlons.agents.connections import CodecName, DtmfMode, InstallationSettings
from parlons.conversation.line import TransferResult
from parlons.telephony.types import LegEnd, OutboundInvite, Outcome

from . import dialling
from .bridged import Relay
from .destination import Destination, LegMedia, OutgoingLeg
from .dialling import Party, Route
from .limits import OutboundLimits, refused_number
from .ringing_audio import EarlyMedia
from .timeline import Timeline

MAX_REDIRECTS = 2


class OpenMedia(Protocol):
    """``MediaEngine.open``."""

    def __call__(self, codecs: Sequence[str], dtmf: DtmfMode) -> LegMedia: ...


class NewRelay(Protocol):
    """``telephony.media.relay.Relay``; ``one`` is the caller."""

    def __call__(self, one: Any, other: Any, *, decode: bool) -> Relay: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """What ringing somebody takes; one for the process.

    Args:
        invite: ``Endpoint.invite``.
        open_media: ``MediaEngine.open``.
        relay, early: ``telephony.media.relay.Relay`` and ``telephony.media.crossing.early_media``.
    """

    invite: Callable[[OutboundInvite], OutgoingLeg]
    open_media: OpenMedia
    limits: OutboundLimits
    relay: NewRelay
    early: Callable[[Any, int], EarlyMedia]


@dataclass(frozen=True, slots=True)
class Asking:
    """The call that wants somebody to be rung.

    Args:
        gone: done when the caller's leg has ended.
        party: on whose behalf.
        called: whom the caller rang: E.164, or as it came.
        country: whose ringback the caller hears, ISO 3166; see ``meanwhile.territory``.
        stop: done when the call is asked to end, with the reason.
        hide_digits: keys are put on the timeline without saying which (a sensitive step).
    """

    media: LegMedia
    gone: asyncio.Future[LegEnd]
    timeline: Timeline
    party: Party
    called: str
    country: str
    stop: asyncio.Future[str] | None = None
    hide_digits: bool = False


class Ringing:
    """Rings, at most ``1 + MAX_REDIRECTS`` legs one after the other. ``destination`` is the last of them.

    Args:
        ring_seconds: from the first 18x of any of them.
        country: where national numbers are dialled, ISO 3166.
        on_ringing: told at each leg's first 18x.
        on_early_media: told when a leg that is not answered begins to send sound.
        on_moved: told when a redirect is followed: nothing of the leg before counts any more.
    """

    def __init__(
        self,
        exchange: Exchange,
        asking: Asking,
        route: Route,
        settings: InstallationSettings,
        *,
        ring_seconds: float,
        country: str | None,
        on_ringing: Callable[[], None],
        on_early_media: Callable[[Destination], None],
        on_moved: Callable[[], None],
    ) -> None:
        self.destination: Destination | None = None
        self._exchange = exchange
        self._asking = asking
        self._route = route
        self._settings = settings
        self._ring_seconds = ring_seconds
        self._country = country
        self._on_ringing = on_ringing
        self._on_early_media = on_early_media
        self._on_moved = on_moved
        self._loop = asyncio.get_running_loop()
        self._rang_at: float | None = None

    async def ring(self, invite: OutboundInvite, user: str) -> TransferResult:
        """Dial and wait. ``answered`` leaves ``destination`` up; on any other outcome, and on cancellation, whoever
        asked closes it. Raises PortsExhausted before anything is dialled.

        A redirect is followed within the connection alone, to nobody who may not be called (specification, 4.1).
        """
        for redirects in range(MAX_REDIRECTS + 1):
            destination = self.destination = self._open(invite, user)
            outcome = await self._dial(destination)
            elsewhere = destination.leg.redirect_user
            if outcome is Outcome.ANSWERED or not elsewhere or redirects == MAX_REDIRECTS:
                break
            if refusal := refused_number(elsewhere, self._settings, self._country):
                return TransferResult(Outcome.REFUSED_BY_POLICY, detail=f"It was redirected. {refusal}")
            destination.note("redirected", redirected_to=elsewhere)
            destination.close("redirected")
            self._on_moved()
            user = elsewhere
            invite = replace(invite, target=dialling.uri(self._route.connection, user))
        if outcome is Outcome.ANSWERED:
            return TransferResult(outcome)
        end = destination.leg.end
        code = end.code if end is not None and end.by == "peer" else None
        return TransferResult(outcome, code, self._detail(outcome, end))

    def _open(self, invite: OutboundInvite, user: str) -> Destination:
        asking, connection = self._asking, self._route.connection
        media = self._exchange.open_media(_prefer(asking.media.codec, connection.codecs), connection.dtmf)
        try:
            leg = self._exchange.invite(invite)
        except BaseException:
            media.close()
            raise
        media.send_info = leg.send_info
        destination = Destination(leg, media, asking.timeline, user, self._route.connection_id)
        leg.events.ringing = lambda: self._ringing(destination)
        leg.events.early_media = lambda: self._early_media(destination)
        leg.events.answered = lambda: destination.note("answered", codec=media.codec)
        return destination

    async def _dial(self, destination: Destination) -> Outcome:
        destination.note("dialled", "system")
        left = None  # before the first 18x the leg's own timers count; after a redirect the ringing goes on
        if self._rang_at is not None:
            left = max(0.0, self._rang_at + self._ring_seconds - self._loop.time())
        try:
            async with asyncio.timeout(left):
                return await destination.leg.dial()
        except TimeoutError:
            return Outcome.NO_ANSWER

    def _ringing(self, destination: Destination) -> None:
        if self._rang_at is None:
            self._rang_at = self._loop.time()
        destination.note("ringing")
        self._on_ringing()

    def _early_media(self, destination: Destination) -> None:
        destination.note("early_media", codec=destination.media.codec)
        self._on_early_media(destination)

    def _detail(self, outcome: Outcome, end: LegEnd | None) -> str:
        if end is not None and end.by != "us":
            return end.reason
        if outcome is Outcome.NO_ANSWER:
            return f"rang for {self._ring_seconds:g} s"
        if outcome is Outcome.UNREACHABLE:
            return f"{self._route.connection.host}:{self._route.connection.port} neither rang nor answered"
        return outcome.value.replace("_", " ")


def _prefer(codec: str, allowed: Sequence[CodecName]) -> tuple[str, ...]:
    """The connection's codecs, the caller's first: the same on both legs, and packets pass as they are."""
    return tuple(sorted(allowed, key=lambda name: name != codec))
