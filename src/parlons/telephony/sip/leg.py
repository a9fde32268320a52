"""What both directions of a leg share: the states and their legal moves, how a leg ends, requests sent in its dialog.

Knows messages, dialogs and the media's session descriptions as opaque bytes. Knows no agent and no call.
"""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from aiosipua.message import SipRequest, SipResponse

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.sip import in_dialog
from parlons.telephony.sip.core import Core, Final
from parlons.telephony.sip.dialogs import ALLOW, Dialog, new_tag
from parlons.telephony.sip.headers import reason_header
from parlons.telephony.sip.pending_ack import PendingAck
from parlons.telephony.sip.refresh import refresh
from parlons.telephony.sip.session_timer import SessionTimer
from parlons.telephony.sip.transactions import OnResponse, ServerTransaction
from parlons.telephony.sip.transport import Address
from parlons.telephony.types import Credentials, InviteInfo, LegEnd, LegEvents, LegState, MediaSession, Outcome

logger = logging.getLogger(__name__)

MOVES: Mapping[LegState, frozenset[LegState]] = {
    LegState.NEW: frozenset(
        {LegState.RINGING, LegState.EARLY, LegState.ANSWERED, LegState.ENDING, LegState.ENDED},
    ),
    LegState.RINGING: frozenset({LegState.EARLY, LegState.ANSWERED, LegState.ENDING, LegState.ENDED}),
    LegState.EARLY: frozenset({LegState.ANSWERED, LegState.ENDING, LegState.ENDED}),
    LegState.ANSWERED: frozenset({LegState.CONFIRMED, LegState.ENDING, LegState.ENDED}),
    LegState.CONFIRMED: frozenset({LegState.ENDING, LegState.ENDED}),
    LegState.ENDING: frozenset({LegState.ENDED}),
    LegState.ENDED: frozenset(),
}
"""Every legal move of a leg, in both directions. ENDING only waits for the peer to agree."""

OVER = frozenset({LegState.ENDING, LegState.ENDED})


class BaseLeg(abc.ABC):
    """The common half of ``telephony.types.Leg``.

    ``credentials`` answer a challenge to a request in the dialog. ``peer_allows`` are the methods that the peer said
    it takes.
    """

    direction: Literal["inbound", "outbound"]

    def __init__(self, core: Core, call_id: str) -> None:
        self.id = new_tag()
        self.call_id = call_id
        self.contact_user = ""
        self.state = LegState.NEW
        self.info: InviteInfo | None = None
        self.media: MediaSession | None = None
        self.events = LegEvents()
        self.end: LegEnd | None = None
        self.credentials: Credentials | None = None
        self.dialog: Dialog | None = None
        self.core = core
        self.tag = new_tag()
        self.peer_allows: frozenset[str] = frozenset()
        self.pending_ack: PendingAck | None = None
        self.offering = False
        """A re-INVITE of ours is under way: one of theirs is glare."""
        self.session = SessionTimer(self)
        self._held = False
        self._leaving: LegEnd | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        core.legs.add(self)
        core.dialogs[call_id, self.tag] = self

    # -- state -------------------------------------------------------------------------------------------------

    def move(self, state: LegState) -> None:
        """Change state. Raises IllegalMove."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"{self.direction} leg {self.id}: {self.state.value} to {state.value}")
        self.state = state

    def fire(self, event: Callable[..., None] | None, *args: object) -> None:
        """Tell the layer above."""
        if event is not None:
            self.core.call(event, *args)

    def note_hold(self) -> None:
        """After every offer: tell when the peer put us on hold, or took us back."""
        held = bool(getattr(self.media, "on_hold", False))  # the audio half of the same object
        if held != self._held:
            self._held = held
            self.fire(self.events.hold, held)

    # -- moves of the other direction -----------------------------------------------------------------------------

    def attach(self, media: MediaSession) -> None:
        """Give the leg its media. A leg that has ended meanwhile closes it at once."""
        self.media = media
        if self.state in OVER:
            self.core.call(media.close)

    def ring(self) -> None:
        """Inbound only. Raises IllegalMove."""
        raise self._wrong_way("ring")

    def progress(self) -> None:
        """Inbound only. Raises IllegalMove."""
        raise self._wrong_way("progress")

    async def answer(self) -> None:
        """Inbound only. Raises IllegalMove."""
        raise self._wrong_way("answer")

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Inbound only. Raises IllegalMove."""
        raise self._wrong_way("refuse")

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Outbound only. Raises IllegalMove."""
        raise self._wrong_way("label")

    async def dial(self) -> Outcome:
        """Outbound only. Raises IllegalMove."""
        raise self._wrong_way("dial")

    def _wrong_way(self, move: str) -> IllegalMove:
        return IllegalMove(f"{move} on an {self.direction} leg.")

    # -- the end -----------------------------------------------------------------------------------------------

    async def hang_up(self, reason: str = "", *, code: int | None = None) -> None:
        """End it from any state: refuse, CANCEL or BYE as the state asks, with a Reason header (RFC 3326) when
        ``code`` is given. Idempotent; returns when the peer has answered or the transaction gave up (64 × T1)."""
        if self.state not in OVER:
            self.leave(LegEnd("us", reason or "hung up", code))
        await asyncio.shield(self._closed)

    @abc.abstractmethod
    def leave(self, end: LegEnd) -> None:
        """Begin to end it, for ``end``, as the state asks."""

    def begin_ending(self, end: LegEnd) -> None:
        """ENDING: the media stops at once, the reason is kept."""
        self.move(LegState.ENDING)
        self._leaving = end
        self._quiet()

    def bye(self, end: LegEnd) -> None:
        """End an answered leg."""
        if self.state is not LegState.ENDING:
            self.begin_ending(end)
        self.core.spawn(self._bye(end))

    async def _bye(self, end: LegEnd) -> None:
        assert self.dialog is not None
        await self.request("BYE", self.reason(end))
        self.finish(end)

    @staticmethod
    def reason(end: LegEnd) -> tuple[tuple[str, str], ...]:
        """The Reason header for an end that has a code."""
        return (reason_header(end.code, end.reason),) if end.code is not None else ()

    def finish(self, end: LegEnd) -> None:
        """ENDED: release everything and tell. Idempotent: a BYE of ours and one of theirs may cross."""
        if self.state is LegState.ENDED:
            return
        self.move(LegState.ENDED)
        self.end = self._leaving or end
        self._quiet()
        if self.pending_ack is not None:
            self.pending_ack.stop()
            self.pending_ack = None
        self.core.legs.discard(self)
        self.core.dialogs.pop((self.call_id, self.tag), None)
        self._closed.set_result(None)
        self.fire(self.events.ended, self.end)

    def _quiet(self) -> None:
        self.session.stop()
        if self.media is not None:
            self.core.call(self.media.close)

    # -- requests of ours --------------------------------------------------------------------------------------

    async def send_info(self, content_type: str, body: bytes) -> int:
        """Send INFO in the dialog; the final status code, 408 when nothing came. Raises LegClosed."""
        response = await self.request("INFO", (("Content-Type", content_type),), body)
        return response.status_code if response is not None else 408

    async def request(
        self,
        method: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        on_success: OnResponse | None = None,
    ) -> Final:
        """Send a request in the dialog, answering a challenge; None when no answer came. Raises LegClosed.

        A 481 says that the peer has forgotten the call: the leg ends (RFC 3261 §12.2.1.2).
        """
        dialog = self.dialog
        if dialog is None or self.state is LegState.ENDED:
            raise LegClosed("The leg is not in a dialog.")
        address = self.core.address_of(dialog)
        request = dialog.request(method, self.core.local(address))
        if method in ("INVITE", "UPDATE"):
            request.headers.append("Contact", self.core.contact(address, self.contact_user))
            request.headers.append("Allow", ALLOW)
        for name, value in headers:
            request.headers.append(name, value)
        request.body = body
        response = await self.core.transact(request, address, self.credentials, self.next_cseq, on_success)
        if response is not None and response.status_code == 481 and self.state is LegState.CONFIRMED:
            self.finish(LegEnd("peer", "the peer no longer knows the call", 481))
        return response

    def acknowledge(self, response: SipResponse, dialog: Dialog | None = None) -> None:
        """ACK a 2xx to an INVITE of ours; again whenever it comes again (RFC 3261 §13.2.2.4)."""
        dialog = dialog or self.dialog
        assert dialog is not None
        address = self.core.address_of(dialog)
        number = int((response.get_header("cseq") or "0").split()[0])
        self.core.send(dialog.request("ACK", self.core.local(address), cseq=number), address)

    def next_cseq(self) -> int:
        """The next CSeq of ours."""
        assert self.dialog is not None
        self.dialog.local_cseq += 1
        return self.dialog.local_cseq

    # -- the session timer -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """It is our turn to show that the call is alive."""
        self.core.spawn(refresh(self))

    def session_expired(self) -> None:
        """Nobody showed that it is."""
        if self.state is LegState.CONFIRMED:
            self.bye(LegEnd("transport", "session expired", 408))

    # -- what the endpoint hands over --------------------------------------------------------------------------

    def on_ack(self, request: SipRequest) -> None:
        """An ACK to a 2xx of ours."""
        if self.pending_ack is not None and self.pending_ack.acknowledge(request):
            self.pending_ack = None

    def on_request(self, transaction: ServerTransaction, request: SipRequest, source: Address) -> None:
        """A request in one of our dialogs."""
        in_dialog.handle(self, transaction, request, source)

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """The dialog with the peer of this tag."""
        return self.dialog if self.dialog is not None and self.dialog.remote_tag == remote_tag else None

    @abc.abstractmethod
    def offer_problem(self) -> int:
        """Why an offer in an UPDATE cannot be taken now: 491, 500 (RFC 3311 §5.2), or 0."""

    def on_bye(self) -> None:
        """The peer said BYE; it was answered."""
        self.finish(LegEnd("peer", "hung up"))
