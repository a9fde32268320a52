"""A leg whose INVITE we send: ring timer from the first 18x, early media, forks, CANCEL and its races, outcomes.

Knows messages and the leg's common half; the media's session descriptions are opaque bytes.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Literal

from aiosipua.message import SipRequest, SipResponse

from parlons.errors import IllegalMove, ParlonsError, SdpError
from parlons.telephony.sip import digest
from parlons.telephony.sip.core import MAX_CHALLENGES, Core
from parlons.telephony.sip.dialogs import ALLOW, PRODUCT, SUPPORTED, Dialog, new_tag, tag_of, tokens, via_value
from parlons.telephony.sip.identity import outbound_headers
from parlons.telephony.sip.leg import OVER, BaseLeg
from parlons.telephony.sip.outcomes import outcome_of
from parlons.telephony.sip.redirection import user_at_peer
from parlons.telephony.sip.transactions import InviteClientTransaction
from parlons.telephony.sip.transport import Address
from parlons.telephony.types import Credentials, LegEnd, LegState, OutboundInvite, Outcome

logger = logging.getLogger(__name__)

MAX_TAGS = 16
"""Early dialogs remembered of one INVITE; a fork with more branches is no telephone."""


class OutboundLeg(BaseLeg):
    """A call that we place. ``attach`` the media, then ``dial``.

    The leg can outlive ``dial``: once its outcome is known, a CANCEL may still await its answer, and a 200 that
    crosses it is ACKed, then BYEd, without anybody having to care.

    ``redirect_user`` is whom a 3xx asks to call instead, when that is at the very peer that was called; else empty.
    It is not followed here.
    """

    direction: Literal["inbound", "outbound"] = "outbound"

    def __init__(self, core: Core, invite: OutboundInvite) -> None:
        super().__init__(core, new_tag())
        self.invite = invite
        self.redirect_user = ""
        if invite.username:
            self.credentials = Credentials(invite.username, invite.password)
            self.contact_user = "" if invite.anonymous else invite.username
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._transaction: InviteClientTransaction | None = None
        self._address: Address = invite.next_hop
        self._cseq = 0
        self._challenges = 0
        self._lengthened = False
        self._early: dict[str, Dialog] = {}
        self._answered_tag: str | None = None
        self._early_answer_tag: str | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._ring_timer: asyncio.TimerHandle | None = None

    # -- dialling ----------------------------------------------------------------------------------------------

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Put these headers on the INVITE. Raises IllegalMove once it was dialled."""
        if self._timers:
            raise IllegalMove("Labelling an INVITE that has left.")
        self.invite = replace(self.invite, headers=headers)

    async def dial(self) -> Outcome:
        """Send the INVITE and wait for how it ends.

        Raises HeaderRefused for a header that may not go on the wire, IllegalMove without media or the second time.
        Cancelling the caller's task abandons the call.
        """
        if self.media is None or self._timers or self.state not in (LegState.NEW, *OVER):
            raise IllegalMove("Dialling without media, or twice.")
        if self.state in OVER:
            return Outcome.CALLER_LEFT
        try:
            await self._start()
            return await asyncio.shield(self._outcome)
        except BaseException as error:  # whatever went wrong, nobody may be left ringing
            self._give_up(Outcome.CALLER_LEFT, LegEnd("us", type(error).__name__))
            raise

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(self.invite.first_response_seconds, self._nothing_came),
            loop.call_later(self.invite.progress_seconds, self._no_progress),
        ]
        lookup = asyncio.ensure_future(self.core.resolver.resolve(*self.invite.next_hop))
        try:
            await asyncio.wait((lookup, self._outcome), return_when=asyncio.FIRST_COMPLETED)
            if self._outcome.done():  # given up meanwhile
                return
            self._address = lookup.result()
        except ParlonsError as error:
            self._give_up(Outcome.UNREACHABLE, LegEnd("transport", error.message))
            return
        finally:
            lookup.cancel()
        self._send(self._first_invite())

    def _first_invite(self) -> SipRequest:
        assert self.media is not None
        local = self.core.local(self._address)
        self.media.advertise(local[0])
        request = SipRequest(method="INVITE", uri=self.invite.target)
        request.headers.append("Via", via_value(local, f"z9hG4bK{new_tag()}"))
        request.headers.append("Max-Forwards", "70")
        for name, value in outbound_headers(self.invite, local):
            request.headers.append(name, f"{value};tag={self.tag}" if name == "From" else value)
        request.headers.append("Call-ID", self.call_id)
        request.headers.append("CSeq", f"{self._next()} INVITE")
        request.headers.append("Contact", self.core.contact(self._address, self.contact_user))
        request.headers.append("Allow", ALLOW)
        request.headers.append("Supported", SUPPORTED)
        request.headers.append("User-Agent", PRODUCT)
        request.headers.append("Content-Type", "application/sdp")
        request.body = self.media.local_offer()
        return request

    def _next(self) -> int:
        self._cseq += 1
        return self._cseq

    def _send(self, request: SipRequest) -> None:
        transaction: InviteClientTransaction | None = None

        def respond(response: SipResponse) -> None:
            assert transaction is not None
            self._on_response(transaction, response)

        def time_out() -> None:
            if transaction is self._transaction:
                self._failed(Outcome.UNREACHABLE, LegEnd("transport", "no answer", 408))

        transaction = self.core.transactions.invite(request, self._address, respond, time_out)
        self._transaction = transaction

    # -- answers -----------------------------------------------------------------------------------------------

    def _on_response(self, transaction: InviteClientTransaction, response: SipResponse) -> None:
        code = response.status_code
        if 200 <= code < 300:
            self._accepted(transaction.request, response)
        elif transaction is not self._transaction:
            return  # a late failure of an attempt that was challenged
        elif code < 200:
            self._progressed(transaction, response)
        elif self.state not in OVER and self._try_again(transaction.request, response):
            return
        else:
            if code < 400:
                self.redirect_user = user_at_peer(response, self.invite.next_hop, self._address)
            self._failed(outcome_of(code), LegEnd("peer", response.reason_phrase, code))

    def _progressed(self, transaction: InviteClientTransaction, response: SipResponse) -> None:
        if self.state is LegState.ENDING:  # given up before anything came: now a CANCEL may go
            self._send_cancel(transaction)
            return
        self._timers[0].cancel()
        tag = tag_of(response, "to")
        if response.status_code == 100 or self.state not in (LegState.NEW, LegState.RINGING, LegState.EARLY):
            return
        if tag and tag not in self._early and len(self._early) < MAX_TAGS:
            self._early[tag] = Dialog.of_response(transaction.request, response, self._address)
            self.dialog = self.dialog or self._early[tag]
        self._timers[1].cancel()
        if self._ring_timer is None:
            # from the first 18x and never again: a fork's or a call centre's later ones must not lengthen it
            loop = asyncio.get_running_loop()
            self._ring_timer = loop.call_later(self.invite.ring_seconds, self._rang_enough)
            self.move(LegState.RINGING)
            self.fire(self.events.ringing)
        if response.body and self.state is LegState.RINGING:
            self._early_media(response, tag)

    def _early_media(self, response: SipResponse, tag: str) -> None:
        assert self.media is not None
        try:
            self.media.remote_answer(response.body)
        except SdpError as error:
            logger.info("early media of leg %s left out: %s", self.id, error)
            return
        self._early_answer_tag = tag
        self.move(LegState.EARLY)
        self.media.start()
        self.fire(self.events.early_media)

    def _accepted(self, request: SipRequest, response: SipResponse) -> None:
        tag = tag_of(response, "to")
        if tag == self._answered_tag:
            self.acknowledge(response)  # our ACK was lost
            return
        dialog = Dialog.of_response(request, response, self._address)
        self.acknowledge(response, dialog)
        known = self._early.get(tag)
        if known is not None:
            dialog.remote_cseq = known.remote_cseq
            dialog.local_cseq = max(dialog.local_cseq, known.local_cseq)
        if self._answered_tag is not None:
            self._end_fork(dialog)
            return
        self._answered_tag = tag
        self.dialog = dialog
        self._stop_timers()
        if self.state in OVER:
            # it crossed our CANCEL, or came after we had given up
            if self.state is LegState.ENDED:
                self._end_fork(dialog)
            else:
                assert self._leaving is not None
                self.bye(self._leaving)
            return
        self._take_answer(response, tag)

    def _take_answer(self, response: SipResponse, tag: str) -> None:
        assert self.media is not None
        self.peer_allows = frozenset(tokens(response, "allow"))
        self.move(LegState.ANSWERED)
        try:
            if response.body:
                self.media.remote_answer(response.body)
            elif tag != self._early_answer_tag:
                raise SdpError(488, "No session description in the 200")
        except SdpError as error:
            self._settle(Outcome.UNREACHABLE)
            self.bye(LegEnd("us", error.reason, error.code))
            return
        self.move(LegState.CONFIRMED)
        self.media.start()
        self.session.agreed(response)
        self._settle(Outcome.ANSWERED)
        self.fire(self.events.answered)
        self.note_hold()

    def _end_fork(self, dialog: Dialog) -> None:
        """A second destination answered too: hang it up (RFC 3261 §13.2.2.4). The leg goes on with the first."""
        address = self.core.address_of(dialog)
        bye = dialog.request("BYE", self.core.local(address))

        def next_cseq() -> int:
            dialog.local_cseq += 1
            return dialog.local_cseq

        async def send() -> None:
            await self.core.transact(bye, address, self.credentials, next_cseq)

        self.core.spawn(send())

    def _try_again(self, request: SipRequest, response: SipResponse) -> bool:
        """Answer a challenge, or a 422 (RFC 4028 §7.3), with a new INVITE; the clocks run on."""
        self._timers[0].cancel()
        again = SipRequest(method="INVITE", uri=request.uri, headers=request.headers.copy(), body=request.body)
        shortest = response.get_header("min-se") or ""
        if response.status_code in (401, 407):
            self._challenges += 1
            if self._challenges > MAX_CHALLENGES or self.credentials is None:
                return False
            if not digest.answer(response, again, self.credentials):
                return False
        elif response.status_code == 422 and shortest.isdecimal() and not self._lengthened:
            self._lengthened = True
            again.set_header("Min-SE", shortest)
            again.set_header("Session-Expires", shortest)
        else:
            return False
        self._send(self.core.renewed(again, self._next(), self._address))
        return True

    # -- deadlines and the end ---------------------------------------------------------------------------------

    def _nothing_came(self) -> None:
        self._give_up(Outcome.UNREACHABLE, LegEnd("us", "no response at all", 408))

    def _no_progress(self) -> None:
        self._give_up(Outcome.UNREACHABLE, LegEnd("us", "no progress", 408))

    def _rang_enough(self) -> None:
        self._give_up(Outcome.NO_ANSWER, LegEnd("us", "no answer"))

    def _give_up(self, outcome: Outcome, end: LegEnd) -> None:
        """Say how it ended at once, and cancel what is under way."""
        if self.state is LegState.CONFIRMED:
            self._settle(outcome)
            self.bye(end)
            return
        if self.state in OVER:
            return
        self.begin_ending(end)
        self._settle(outcome)
        if self._transaction is None:
            self.finish(end)
        elif self._transaction.cancellable:
            self._send_cancel(self._transaction)
        else:
            self._transaction.stop_repeating()

    def leave(self, end: LegEnd) -> None:
        """CANCEL or BYE."""
        self._give_up(Outcome.CALLER_LEFT, end)

    def _send_cancel(self, transaction: InviteClientTransaction) -> None:
        if transaction.cancel_sent or not transaction.cancellable:
            return
        transaction.expect_end()
        invite = transaction.request
        cancel = SipRequest(method="CANCEL", uri=invite.uri)
        cancel.headers.append("Via", invite.headers.get("via")[0])  # the same branch (RFC 3261 §9.1)
        for name in ("Max-Forwards", "Route", "From", "To", "Call-ID"):
            for value in invite.headers.get(name):
                cancel.headers.append(name, value)
        cancel.headers.append("CSeq", f"{(invite.get_header('cseq') or '').split()[0]} CANCEL")
        if self._leaving is not None:
            for name, value in self.reason(self._leaving):
                cancel.headers.append(name, value)
        self.core.transactions.request(cancel, self._address, lambda _response: None, lambda: None)

    def _failed(self, outcome: Outcome, end: LegEnd) -> None:
        """A final failure, or nothing at all."""
        if self._answered_tag is not None:
            return
        self._stop_timers()
        self._settle(outcome)
        self.finish(end)

    def _settle(self, outcome: Outcome) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def finish(self, end: LegEnd) -> None:
        """ENDED."""
        self._stop_timers()
        super().finish(end)
        self._settle(Outcome.UNREACHABLE)

    def _stop_timers(self) -> None:
        for timer in (*self._timers, self._ring_timer):
            if timer is not None:
                timer.cancel()

    # -- requests of the peer's --------------------------------------------------------------------------------

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """The dialog, or one of the early ones while the INVITE is not answered."""
        if self._answered_tag is None:
            return self._early.get(remote_tag)
        return super().dialog_with(remote_tag)

    def offer_problem(self) -> int:
        """RFC 3311 §5.2."""
        open_offer = self.state in (LegState.NEW, LegState.RINGING) or self.offering
        return 491 if open_offer or (self.pending_ack is not None and self.pending_ack.offered) else 0
