"""RFC 3261 §17 with RFC 6026: four state tables, one class each. Knows messages and timers, no dialog and no call.

Whatever the network may deliver in a state is in that state's table, if only to be absorbed; anything else is a bug
of ours and raises IllegalMove. Timers are named as in RFC 3261 table 4.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Mapping
from typing import ClassVar

from aiosipua.message import SipRequest, SipResponse

from parlons.errors import IllegalMove
from parlons.telephony.sip.timers import Repeater, Timers
from parlons.telephony.sip.transport import Address


class TxState(enum.Enum):
    """States of RFC 3261 figures 5 to 8 and RFC 6026."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class TxEvent(enum.Enum):
    """What moves a transaction."""

    PROVISIONAL = "a 1xx came"
    SUCCESS = "a 2xx came"
    FAILURE = "a 3xx to 6xx came"
    REQUEST = "the request came again"
    ACK = "an ACK came"
    SEND_PROVISIONAL = "we send a 1xx"
    SEND_SUCCESS = "we send a 2xx"
    SEND_FAILURE = "we send a 3xx to 6xx"
    TIMEOUT = "64 x T1 passed with no answer (or no ACK)"
    LINGERED = "what may still be on its way has had its time"


S, E = TxState, TxEvent
Table = Mapping[tuple[TxState, TxEvent], TxState]

INVITE_CLIENT: Table = {
    (S.CALLING, E.PROVISIONAL): S.PROCEEDING,
    (S.CALLING, E.SUCCESS): S.ACCEPTED,
    (S.CALLING, E.FAILURE): S.COMPLETED,
    (S.CALLING, E.TIMEOUT): S.TERMINATED,
    (S.PROCEEDING, E.PROVISIONAL): S.PROCEEDING,
    (S.PROCEEDING, E.SUCCESS): S.ACCEPTED,
    (S.PROCEEDING, E.FAILURE): S.COMPLETED,
    (S.PROCEEDING, E.TIMEOUT): S.TERMINATED,  # only armed by a CANCEL that brings no final answer (§9.1)
    (S.COMPLETED, E.PROVISIONAL): S.COMPLETED,
    (S.COMPLETED, E.SUCCESS): S.COMPLETED,  # another branch of a fork answered after all: the leg ends it
    (S.COMPLETED, E.FAILURE): S.COMPLETED,
    (S.COMPLETED, E.LINGERED): S.TERMINATED,
    (S.ACCEPTED, E.PROVISIONAL): S.ACCEPTED,
    (S.ACCEPTED, E.SUCCESS): S.ACCEPTED,
    (S.ACCEPTED, E.FAILURE): S.ACCEPTED,
    (S.ACCEPTED, E.LINGERED): S.TERMINATED,
}

CLIENT: Table = {
    (S.TRYING, E.PROVISIONAL): S.PROCEEDING,
    (S.TRYING, E.SUCCESS): S.COMPLETED,
    (S.TRYING, E.FAILURE): S.COMPLETED,
    (S.TRYING, E.TIMEOUT): S.TERMINATED,
    (S.PROCEEDING, E.PROVISIONAL): S.PROCEEDING,
    (S.PROCEEDING, E.SUCCESS): S.COMPLETED,
    (S.PROCEEDING, E.FAILURE): S.COMPLETED,
    (S.PROCEEDING, E.TIMEOUT): S.TERMINATED,
    (S.COMPLETED, E.PROVISIONAL): S.COMPLETED,
    (S.COMPLETED, E.SUCCESS): S.COMPLETED,
    (S.COMPLETED, E.FAILURE): S.COMPLETED,
    (S.COMPLETED, E.LINGERED): S.TERMINATED,
}

INVITE_SERVER: Table = {
    (S.PROCEEDING, E.REQUEST): S.PROCEEDING,
    (S.PROCEEDING, E.ACK): S.PROCEEDING,
    (S.PROCEEDING, E.SEND_PROVISIONAL): S.PROCEEDING,
    (S.PROCEEDING, E.SEND_SUCCESS): S.ACCEPTED,
    (S.PROCEEDING, E.SEND_FAILURE): S.COMPLETED,
    (S.COMPLETED, E.REQUEST): S.COMPLETED,
    (S.COMPLETED, E.ACK): S.CONFIRMED,
    (S.COMPLETED, E.TIMEOUT): S.TERMINATED,
    (S.CONFIRMED, E.REQUEST): S.CONFIRMED,
    (S.CONFIRMED, E.ACK): S.CONFIRMED,
    (S.CONFIRMED, E.LINGERED): S.TERMINATED,
    (S.ACCEPTED, E.REQUEST): S.ACCEPTED,
    (S.ACCEPTED, E.ACK): S.ACCEPTED,
    (S.ACCEPTED, E.LINGERED): S.TERMINATED,
}

SERVER: Table = {
    (S.TRYING, E.REQUEST): S.TRYING,
    (S.TRYING, E.SEND_PROVISIONAL): S.PROCEEDING,
    (S.TRYING, E.SEND_SUCCESS): S.COMPLETED,
    (S.TRYING, E.SEND_FAILURE): S.COMPLETED,
    (S.PROCEEDING, E.REQUEST): S.PROCEEDING,
    (S.PROCEEDING, E.SEND_PROVISIONAL): S.PROCEEDING,
    (S.PROCEEDING, E.SEND_SUCCESS): S.COMPLETED,
    (S.PROCEEDING, E.SEND_FAILURE): S.COMPLETED,
    (S.COMPLETED, E.REQUEST): S.COMPLETED,
    (S.COMPLETED, E.LINGERED): S.TERMINATED,
}

Send = Callable[[bytes, Address], None]
OnResponse = Callable[[SipResponse], None]


def received_event(response: SipResponse) -> TxEvent:
    """Which event a response of the peer's is."""
    code = response.status_code
    return E.PROVISIONAL if code < 200 else E.SUCCESS if code < 300 else E.FAILURE


def sent_event(response: SipResponse) -> TxEvent:
    """Which event a response of ours is."""
    code = response.status_code
    return E.SEND_PROVISIONAL if code < 200 else E.SEND_SUCCESS if code < 300 else E.SEND_FAILURE


class Transaction:
    """What the four have in common: the table, the timers, the end."""

    TABLE: ClassVar[Table]
    FIRST: ClassVar[TxState]

    def __init__(self, request: SipRequest, address: Address, send: Send, timers: Timers) -> None:
        self.request = request
        self.address = address
        self.state = self.FIRST
        self.on_terminated: Callable[[], object] = lambda: None
        self._send = send
        self._timers = timers
        self._repeater: Repeater | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def move(self, event: TxEvent) -> TxState:
        """Take the event; the state that we were in. Raises IllegalMove."""
        before = self.state
        try:
            self.state = self.TABLE[before, event]
        except KeyError:
            raise IllegalMove(f"{type(self).__name__}: {event.value} while {before.value}") from None
        if self.state is S.TERMINATED:
            self.terminate()
        return before

    def terminate(self) -> None:
        """Forget everything at once. Idempotent."""
        self.state = S.TERMINATED
        self._stop_timers()
        self.on_terminated()

    def _stop_timers(self) -> None:
        if self._repeater is not None:
            self._repeater.stop()
            self._repeater = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _repeat(self, data: bytes, longest: float = float("inf")) -> None:
        self._repeater = Repeater(lambda: self._send(data, self.address), self._timers.t1, longest)

    def _arm(self, seconds: float, fire: Callable[[], object]) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, fire)

    def _linger(self, seconds: float) -> None:
        self._stop_timers()
        self._arm(seconds, lambda: self.move(E.LINGERED))


class ClientTransaction(Transaction):
    """RFC 3261 §17.1.2, for all but INVITE and ACK. ``on_response`` gets every response once; ``on_timeout`` is
    called when timer F fired."""

    TABLE = CLIENT
    FIRST = S.TRYING

    def __init__(
        self,
        request: SipRequest,
        address: Address,
        send: Send,
        timers: Timers,
        on_response: OnResponse,
        on_timeout: Callable[[], None],
    ) -> None:
        super().__init__(request, address, send, timers)
        self._on_response = on_response
        self._on_timeout = on_timeout

    def start(self) -> None:
        """Send the request and arm timers E (or A) and F (or B)."""
        data = bytes(self.request)
        self._send(data, self.address)
        self._repeat(data, self._timers.t2)
        self._arm(self._timers.give_up, self._timed_out)

    def _timed_out(self) -> None:
        self.move(E.TIMEOUT)
        self._on_timeout()

    def receive(self, response: SipResponse) -> None:
        """A response that matched."""
        event = received_event(response)
        before = self.move(event)
        if before is S.COMPLETED:
            return
        on_response = self._on_response
        if event is not E.PROVISIONAL:
            self._linger(self._timers.t4)  # timer K
            self._on_response, self._on_timeout = _drop, _nothing  # a whole call may hang on them
        elif self._repeater is not None:
            self._repeater.slow_down()
        on_response(response)


def _drop(_response: SipResponse) -> None:
    """What a transaction that is over does with a response."""


def _nothing() -> None:
    """What a transaction that is over does when its time is up."""


class InviteClientTransaction(ClientTransaction):
    """RFC 3261 §17.1.1 with RFC 6026: failures are ACKed here, every 2xx goes up (also one from another fork)."""

    TABLE = INVITE_CLIENT
    FIRST = S.CALLING
    cancel_sent = False

    def start(self) -> None:
        data = bytes(self.request)
        self._send(data, self.address)
        self._repeat(data)  # timer A
        self._arm(self._timers.give_up, self._timed_out)  # timer B

    @property
    def cancellable(self) -> bool:
        """A provisional came and no final answer: the only time when a CANCEL may be sent (§9.1)."""
        return self.state is S.PROCEEDING

    def stop_repeating(self) -> None:
        """Given up before any answer: send it no more, but stay to catch what the peer may answer."""
        if self._repeater is not None:
            self._repeater.stop()

    def expect_end(self) -> None:
        """A CANCEL left: with no final answer in 64 × T1 this is over (§9.1)."""
        if self.state is S.PROCEEDING and not self.cancel_sent:
            self.cancel_sent = True
            self._arm(self._timers.give_up, self._timed_out)

    def receive(self, response: SipResponse) -> None:
        event = received_event(response)
        before = self.move(event)
        pending = before in (S.CALLING, S.PROCEEDING)
        if event is E.PROVISIONAL:
            if before is S.CALLING:
                self._stop_timers()  # it may ring for as long as the leg wants
            if pending:
                self._on_response(response)
        elif event is E.SUCCESS:
            if pending:
                self._linger(self._timers.give_up)  # timer M
            self._on_response(response)
        elif before is not S.ACCEPTED:
            self._send(bytes(ack_of_failure(self.request, response)), self.address)
            if pending:
                self._linger(self._timers.give_up)  # timer D
                self._on_response(response)


def ack_of_failure(request: SipRequest, response: SipResponse) -> SipRequest:
    """The ACK to a 3xx-6xx: same branch, same route (§17.1.1.3)."""
    ack = SipRequest(method="ACK", uri=request.uri)
    ack.headers.append("Via", request.headers.get("via")[0])
    for name in ("Max-Forwards", "Route", "From", "Call-ID"):
        for value in request.headers.get(name):
            ack.headers.append(name, value)
    ack.headers.append("To", response.get_header("to") or request.get_header("to") or "")
    number = (request.get_header("cseq") or "1").split()[0]
    ack.headers.append("CSeq", f"{number} ACK")
    return ack


class ServerTransaction(Transaction):
    """RFC 3261 §17.2.2, for all but INVITE and ACK.

    Of an INVITE, ``tag`` is the To tag of its answers, and ``on_cancel`` is called when a CANCEL for it came.
    """

    TABLE = SERVER
    FIRST = S.TRYING
    tag = ""
    on_cancel: Callable[[], None] | None = None
    _last: bytes | None = None

    def respond(self, response: SipResponse) -> None:
        """Send a response; repeated whenever the request comes again."""
        event = sent_event(response)
        self.move(event)
        if event is not E.SEND_PROVISIONAL:
            self.on_cancel = None  # comes too late; and what lingers must not keep a whole call in memory
        self._last = bytes(response)
        self._send(self._last, self.address)
        self._sent()

    def _sent(self) -> None:
        if self.state is S.COMPLETED:
            self._linger(self._timers.give_up)  # timer J

    def receive(self, request: SipRequest) -> None:
        """The request came again (or, for an INVITE, its ACK)."""
        before = self.move(E.ACK if request.method == "ACK" else E.REQUEST)
        if self._last is not None and request.method != "ACK":
            self._repeat_last(before)

    def _repeat_last(self, _before: TxState) -> None:
        assert self._last is not None
        self._send(self._last, self.address)


class InviteServerTransaction(ServerTransaction):
    """RFC 3261 §17.2.1 with RFC 6026: after a 2xx it only absorbs, the leg repeats the 2xx until its ACK."""

    TABLE = INVITE_SERVER
    FIRST = S.PROCEEDING

    def _sent(self) -> None:
        if self.state is S.ACCEPTED:
            self._linger(self._timers.give_up)  # timer L
        elif self.state is S.COMPLETED:
            assert self._last is not None
            self._repeat(self._last, self._timers.t2)  # timer G
            self._arm(self._timers.give_up, lambda: self.move(E.TIMEOUT))  # timer H

    def receive(self, request: SipRequest) -> None:
        before = self.state
        super().receive(request)
        if before is S.COMPLETED and self.state is S.CONFIRMED:
            self._linger(self._timers.t4)  # timer I

    def _repeat_last(self, before: TxState) -> None:
        if before in (S.PROCEEDING, S.COMPLETED):
            super()._repeat_last(before)
