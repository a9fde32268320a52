"""A 2xx of ours to an INVITE, repeated until its ACK (RFC 3261 §13.3.1.4). Knows neither leg nor dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiosipua.message import SipRequest, SipResponse

from parlons.telephony.sip.core import Core
from parlons.telephony.sip.timers import Repeater
from parlons.telephony.sip.transactions import ServerTransaction


class PendingAck:
    """Sends the 2xx and repeats it: T1, doubling to T2, for 64 × T1.

    Args:
        acknowledged: given the ACK, once.
        missing: called when none came in time; the caller says BYE.
        offered: the 2xx holds an offer of ours, so the ACK must hold the answer.
    """

    def __init__(
        self,
        core: Core,
        transaction: ServerTransaction,
        response: SipResponse,
        acknowledged: Callable[[SipRequest], None],
        missing: Callable[[], None],
        *,
        offered: bool,
    ) -> None:
        self.offered = offered
        self._number = _number(transaction.request)
        self._acknowledged = acknowledged
        data = bytes(response)
        transaction.respond(response)
        self._repeater = Repeater(
            lambda: core.transport.send(data, transaction.address), core.timers.t1, core.timers.t2
        )
        self._deadline = asyncio.get_running_loop().call_later(core.timers.give_up, self._give_up, missing)

    def acknowledge(self, ack: SipRequest) -> bool:
        """Whether this ACK is for our 2xx; then no more repeating."""
        if _number(ack) != self._number:
            return False
        self.stop()
        self._acknowledged(ack)
        return True

    def _give_up(self, missing: Callable[[], None]) -> None:
        self.stop()
        missing()

    def stop(self) -> None:
        """Repeat no more. Idempotent."""
        self._repeater.stop()
        self._deadline.cancel()


def _number(request: SipRequest) -> int:
    return int((request.get_header("cseq") or "0").split()[0])
