"""A leg whose INVITE came in: attach, ring, early media, answer, refuse; CANCEL and its races; the ACK.

Knows messages and the leg's common half; the media's session descriptions are opaque bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from aiosipua.message import SipRequest, SipResponse

from parlons.errors import IllegalMove, LegClosed
from parlons.telephony.sip.core import Core
from parlons.telephony.sip.dialogs import Dialog, tokens
from parlons.telephony.sip.digest import DigestServer, Verdict
from parlons.telephony.sip.headers import check_name, check_value
from parlons.telephony.sip.in_dialog import session_response, take_answer
from parlons.telephony.sip.leg import OVER, BaseLeg
from parlons.telephony.sip.pending_ack import PendingAck
from parlons.telephony.sip.transactions import ServerTransaction
from parlons.telephony.sip.transport import Address
from parlons.telephony.types import InviteInfo, LegEnd, LegState, MediaSession

UNANSWERED = frozenset({LegState.NEW, LegState.RINGING, LegState.EARLY})
REFUSAL_HEADERS = frozenset({"retry-after", "warning", "error-info"})
"""Core headers that a refusal may carry although no configured header may have their names."""


class InboundLeg(BaseLeg):
    """A call that came in; 100 was sent. ``invite`` (and ``info``) is what its INVITE said.

    Admission, before anything else: ``credentials_ok`` tells whether the INVITE carries valid digest credentials;
    ``challenge`` refuses it with 401, and the peer's next INVITE arrives as a new leg; ``refuse`` says no.
    """

    direction: Literal["inbound", "outbound"] = "inbound"

    def __init__(
        self,
        core: Core,
        transaction: ServerTransaction,
        request: SipRequest,
        source: Address,
        info: InviteInfo,
        digest: DigestServer,
    ) -> None:
        super().__init__(core, info.call_id)
        self.invite = info
        self.info = info
        self.dialog: Dialog = Dialog.of_invite(request, self.tag, source)
        self.peer_allows = frozenset(tokens(request, "allow"))
        self._transaction = transaction
        transaction.tag = self.tag
        transaction.on_cancel = self._cancelled
        self._request = request
        self._digest = digest
        self._verdict = Verdict.ABSENT
        self._answer: bytes | None = None
        self._reminder: asyncio.TimerHandle | None = None
        self._confirmed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    # -- admission ---------------------------------------------------------------------------------------------

    def credentials_ok(self, lookup: Callable[[str], str | None]) -> bool:
        """Whether the INVITE carries digest credentials that are right. ``lookup`` gives a user's password, None
        for a stranger. False too when there are none, or the nonce is stale: ``challenge`` then."""
        return self.verify(lookup) is Verdict.OK

    def verify(self, lookup: Callable[[str], str | None]) -> Verdict:
        """How the INVITE's digest credentials stand. ``lookup`` gives a user's password, None for a stranger."""
        self._verdict = self._digest.verify(self._request, lookup)
        return self._verdict

    def challenge(self) -> None:
        """Refuse with 401 and a fresh nonce (RFC 3261 §22.2). The peer's next try is a new leg."""
        value = self._digest.challenge(stale=self._verdict is Verdict.STALE)
        self._refuse(401, "", [("WWW-Authenticate", value)])

    # -- before the answer -------------------------------------------------------------------------------------

    def attach(self, media: MediaSession) -> None:
        """Give the leg its media and apply the offer, if the INVITE held one. Raises SdpError: refuse with its code;
        the media stays the caller's to close then. A leg whose caller has left meanwhile closes it at once."""
        media.advertise(self.core.local(self._peer())[0])
        if self._request.body and self.state not in OVER:
            self._answer = media.remote_offer(self._request.body)
        super().attach(media)

    def ring(self) -> None:
        """Send 180. Without effect once early media flows or the caller has left."""
        if self.state is LegState.NEW:
            self.move(LegState.RINGING)
            self._provisional(180)

    def progress(self) -> None:
        """Send 183 with our answer and start the media. Without an offer in the INVITE there can be no early media
        (RFC 3262 is not offered): a 180 goes out instead. Raises IllegalMove without media."""
        if self.state not in (LegState.NEW, LegState.RINGING):
            return
        if self.media is None:
            raise IllegalMove("Early media on a leg without media.")
        if self._answer is None:
            self.ring()
            return
        self.move(LegState.EARLY)
        self.media.start()
        self._provisional(183)

    def _provisional(self, code: int) -> None:
        response = self.dialog.response(self._request, code)
        response.set_header("Contact", self.core.contact(self._peer()))
        if code == 183 and self._answer:
            response.set_header("Content-Type", "application/sdp")
            response.body = self._answer
        self._transaction.respond(response)
        if self._reminder is not None:
            self._reminder.cancel()
        self._reminder = asyncio.get_running_loop().call_later(
            self.core.timers.repeat_provisional, self._provisional, code
        )

    def _peer(self) -> Address:
        return self.core.address_of(self.dialog)

    # -- the answer --------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Send 200 (with our answer, or our offer) and wait for the ACK.

        Raises LegClosed when the caller left or no usable ACK came, IllegalMove without media.
        """
        if self.state in OVER:
            raise LegClosed("The caller left.")
        if self.media is None:
            raise IllegalMove("Answering a leg without media.")
        if self.state in UNANSWERED:
            offered = self._answer is None
            body = self.media.local_offer() if self._answer is None else self._answer
            self.move(LegState.ANSWERED)
            self._stop_reminder()
            response = session_response(self, self.dialog, self._request, body)
            self.pending_ack = PendingAck(
                self.core, self._transaction, response, self._acknowledged, self._no_ack, offered=offered
            )
            if not offered:
                self.media.start()
        if not await asyncio.shield(self._confirmed):
            raise LegClosed("The caller left before the call was up.")

    def _acknowledged(self, ack: SipRequest) -> None:
        assert self.pending_ack is not None
        offered = self.pending_ack.offered
        if self.state is LegState.ENDING:  # hung up while the ACK was awaited: only now may BYE go (RFC 3261 §15)
            assert self._leaving is not None
            self.bye(self._leaving)
            return
        self.move(LegState.CONFIRMED)
        if offered and not take_answer(self, ack):
            self._settle(False)
            return
        assert self.media is not None
        self.media.start()
        self._settle(True)
        self.fire(self.events.answered)
        self.note_hold()

    def _no_ack(self) -> None:
        self.pending_ack = None
        self._settle(False)
        self.bye(self._leaving or LegEnd("transport", "no ACK to our 200", 408))

    # -- the end -----------------------------------------------------------------------------------------------

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a final 3xx-6xx. Without effect when the caller has left.

        Raises HeaderRefused for a header that may not go on the wire, IllegalMove for another code or an answered
        leg.
        """
        checked = [
            (name if name.lower() in REFUSAL_HEADERS else check_name(name), check_value(value, name))
            for name, value in headers
        ]
        self._refuse(code, check_value(reason, "the reason phrase"), checked)

    def _refuse(self, code: int, reason: str, headers: list[tuple[str, str]], end: LegEnd | None = None) -> None:
        if not 300 <= code <= 699:
            raise IllegalMove(f"Refusing with {code}.")
        if self.state in OVER:
            return
        if self.state not in UNANSWERED:
            raise IllegalMove(f"Refusing a leg that is {self.state.value}.")
        response: SipResponse = self.dialog.response(self._request, code, reason)
        for name, value in headers:
            response.headers.append(name, value)
        self._transaction.respond(response)
        self.finish(end or LegEnd("us", response.reason_phrase, code))

    def leave(self, end: LegEnd) -> None:
        """Refuse, wait for the ACK, or BYE."""
        if self.state in UNANSWERED:
            code = end.code if end.code is not None and 300 <= end.code <= 699 else 480
            self._refuse(code, "", [], end)
        elif self.state is LegState.ANSWERED:
            self.begin_ending(end)
            self._settle(False)
        else:
            self.bye(end)

    def _cancelled(self) -> None:
        """The caller gave up. Once our 200 has left, the call is up and stays up (RFC 3261 §9.2)."""
        if self.state in UNANSWERED:
            self._transaction.respond(self.dialog.response(self._request, 487))
            self.finish(LegEnd("peer", "cancelled", 487))

    def on_bye(self) -> None:
        """A caller may end an early dialog with BYE too (§15.1.2): its INVITE is then answered with 487."""
        if self.state in UNANSWERED:
            self._transaction.respond(self.dialog.response(self._request, 487))
        super().on_bye()

    def finish(self, end: LegEnd) -> None:
        """ENDED."""
        self._stop_reminder()
        super().finish(end)
        self._settle(False)

    def _settle(self, confirmed: bool) -> None:
        if not self._confirmed.done():
            self._confirmed.set_result(confirmed)

    def _stop_reminder(self) -> None:
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None

    def offer_problem(self) -> int:
        """RFC 3311 §5.2."""
        if self.state in UNANSWERED or self.media is None:
            return 500
        return 491 if self.offering or (self.pending_ack is not None and self.pending_ack.offered) else 0
