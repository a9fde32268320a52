"""Requests that come within a dialog, answered at once: RFC 3261 §12.2.2 and §14.2, RFC 3311, RFC 6086.

Knows messages and the leg's common half; never looks inside a session description.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aiosipua.message import SipRequest, SipResponse

from parlons.errors import SdpError
from parlons.telephony.sip.dialogs import ALLOW, SUPPORTED, Dialog, contact_uri, make_response, tag_of
from parlons.telephony.sip.pending_ack import PendingAck
from parlons.telephony.sip.session_timer import too_small
from parlons.telephony.sip.transactions import ServerTransaction
from parlons.telephony.sip.transport import Address
from parlons.telephony.types import LegEnd, LegState

if TYPE_CHECKING:
    from parlons.telephony.sip.leg import BaseLeg

INFO_TYPES = ("application/dtmf-relay", "application/dtmf")
DIGITS = frozenset("0123456789*#ABCD")
NUMBERED_SIGNALS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"""Some gateways send the event's number (RFC 4733 table 3) in place of the digit."""


def handle(leg: BaseLeg, transaction: ServerTransaction, request: SipRequest, source: Address) -> None:
    """Answer one request."""
    dialog = leg.dialog_with(tag_of(request, "from"))
    if dialog is None:
        transaction.respond(make_response(request, 481))
        return
    number = int((request.get_header("cseq") or "0").split()[0])
    if number <= dialog.remote_cseq:
        transaction.respond(dialog.response(request, 500, "CSeq Out Of Order"))
        return
    dialog.remote_cseq = number
    dialog.source = source
    if request.method == "BYE":
        transaction.respond(dialog.response(request, 200))
        leg.on_bye()
    elif leg.state is LegState.ENDING:
        transaction.respond(dialog.response(request, 481))
    elif request.method == "INVITE":
        _reinvite(leg, dialog, transaction, request)
    elif request.method == "UPDATE":
        _update(leg, dialog, transaction, request)
    elif request.method == "INFO":
        _info(leg, dialog, transaction, request)
    elif request.method == "OPTIONS":
        response = dialog.response(request, 200)
        describe(response)
        transaction.respond(response)
    elif request.method == "REFER":
        transaction.respond(dialog.response(request, 603))
    else:
        response = dialog.response(request, 405)
        response.set_header("Allow", ALLOW)
        transaction.respond(response)


def describe(response: SipResponse) -> None:
    """What we can do, for OPTIONS and 2xx."""
    response.set_header("Allow", ALLOW)
    response.set_header("Accept", "application/sdp")
    response.set_header("Supported", SUPPORTED)


def session_response(leg: BaseLeg, dialog: Dialog, request: SipRequest, body: bytes) -> SipResponse:
    """The 2xx to an INVITE or UPDATE: Contact, abilities, session timer, description."""
    response = dialog.response(request, 200)
    response.set_header("Contact", leg.core.contact(leg.core.address_of(dialog), leg.contact_user))
    describe(response)
    for name, value in leg.session.accept(request):
        response.set_header(name, value)
    if body:
        response.set_header("Content-Type", "application/sdp")
        response.body = body
    return response


def _later(dialog: Dialog, request: SipRequest, code: int) -> SipResponse:
    """491, or 500 with the random Retry-After that RFC 3261 §14.2 asks for."""
    response = dialog.response(request, code)
    if code == 500:
        response.set_header("Retry-After", str(secrets.randbelow(10)))
    return response


def _interval_too_small(leg: BaseLeg, dialog: Dialog, transaction: ServerTransaction, request: SipRequest) -> bool:
    if not too_small(request, leg.core.timers.min_session):
        return False
    response = dialog.response(request, 422)
    response.set_header("Min-SE", str(leg.core.timers.min_session))
    transaction.respond(response)
    return True


def _retarget(dialog: Dialog, request: SipRequest) -> None:
    dialog.target = contact_uri(request) or dialog.target


def _reinvite(leg: BaseLeg, dialog: Dialog, transaction: ServerTransaction, request: SipRequest) -> None:
    media = leg.media
    if leg.offering:
        transaction.respond(_later(dialog, request, 491))
        return
    if media is None or leg.state is not LegState.CONFIRMED or leg.pending_ack is not None:
        transaction.respond(_later(dialog, request, 500))
        return
    if _interval_too_small(leg, dialog, transaction, request):
        return
    offered = not request.body
    try:
        body = media.local_offer() if offered else media.remote_offer(request.body)
    except SdpError as error:
        transaction.respond(dialog.response(request, error.code, error.reason))
        return
    _retarget(dialog, request)

    def acknowledged(ack: SipRequest) -> None:
        if offered:
            take_answer(leg, ack)

    def missing() -> None:
        leg.pending_ack = None
        leg.bye(LegEnd("transport", "no ACK to the 200 of a re-INVITE"))

    leg.pending_ack = PendingAck(
        leg.core, transaction, session_response(leg, dialog, request, body), acknowledged, missing, offered=offered
    )
    leg.note_hold()


def take_answer(leg: BaseLeg, ack: SipRequest) -> bool:
    """The answer to our offer in a 200 comes in the ACK: without a usable one the call ends with BYE."""
    assert leg.media is not None
    try:
        if not ack.body:
            raise SdpError(488, "No answer in the ACK")
        leg.media.remote_answer(ack.body)
    except SdpError as error:
        leg.bye(LegEnd("us", error.reason, error.code))
        return False
    leg.note_hold()
    return True


def _update(leg: BaseLeg, dialog: Dialog, transaction: ServerTransaction, request: SipRequest) -> None:
    body = b""
    if request.body:
        problem = leg.offer_problem()
        if problem:
            transaction.respond(_later(dialog, request, problem))
            return
    if _interval_too_small(leg, dialog, transaction, request):
        return
    if request.body:
        assert leg.media is not None
        try:
            body = leg.media.remote_offer(request.body)
        except SdpError as error:
            transaction.respond(dialog.response(request, error.code, error.reason))
            return
    _retarget(dialog, request)
    transaction.respond(session_response(leg, dialog, request, body))
    if body:
        leg.note_hold()


def _info(leg: BaseLeg, dialog: Dialog, transaction: ServerTransaction, request: SipRequest) -> None:
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if request.body and kind not in INFO_TYPES:
        response = dialog.response(request, 415)
        response.set_header("Accept", ", ".join(INFO_TYPES))
        transaction.respond(response)
        return
    digit = dtmf_digit(kind, request.text) if request.body else ""
    if request.body and not digit:
        transaction.respond(dialog.response(request, 400, "No Digit In Body"))
        return
    transaction.respond(dialog.response(request, 200))
    if digit and leg.media is not None:
        leg.media.info_dtmf(digit)


def dtmf_digit(kind: str, text: str) -> str:
    """The digit of an INFO body, ``Signal=5`` or plain ``5``; empty when there is none."""
    if kind == "application/dtmf-relay":
        pairs = (line.partition("=") for line in text.splitlines())
        text = next((value for name, _, value in pairs if name.strip().lower() == "signal"), "")
    signal = text.strip().upper()
    signal = NUMBERED_SIGNALS.get(signal, signal)
    return signal if signal in DIGITS else ""
