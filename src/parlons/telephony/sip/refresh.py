"""A session refresh of ours (RFC 4028 §10): UPDATE without SDP when the peer takes it, else a re-INVITE.

Knows the leg's common half.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from parlons.errors import SdpError
from parlons.telephony.sip.core import Final
from parlons.telephony.types import LegEnd, LegState

if TYPE_CHECKING:
    from parlons.telephony.sip.leg import BaseLeg

BUSY_SECONDS = 4.0
"""Wait this long while another INVITE of the dialog is under way."""
GLARE_SECONDS = (2.1, 4.0)
"""RFC 3261 §14.1, for who owns the Call-ID; the other side waits less, so the two do not meet again."""
GLARE_SECONDS_CALLEE = (0.0, 2.0)


async def refresh(leg: BaseLeg) -> None:
    """Refresh once, and arrange for what comes next."""
    if leg.state is not LegState.CONFIRMED:
        return
    if leg.offering or leg.pending_ack is not None:
        leg.session.again(BUSY_SECONDS)
        return
    if "update" in leg.peer_allows:
        response = await leg.request("UPDATE", leg.session.headers())
    else:
        response = await _reinvite(leg)
    if leg.state is not LegState.CONFIRMED:
        return
    if response is None or response.status_code == 408:
        leg.bye(LegEnd("transport", "no answer to a session refresh", 408))
    elif response.status_code < 300:
        leg.session.agreed(response)
    elif response.status_code == 491:
        leg.session.again(random.uniform(*(GLARE_SECONDS if leg.direction == "outbound" else GLARE_SECONDS_CALLEE)))
    else:
        shortest = response.get_header("min-se") or ""
        if response.status_code == 422 and shortest.isdecimal():
            leg.session.interval = max(leg.session.interval, int(shortest))
        leg.session.again(leg.session.interval / 8)


async def _reinvite(leg: BaseLeg) -> Final:
    assert leg.dialog is not None
    assert leg.media is not None
    media = leg.media
    leg.offering = True
    try:
        headers = (*leg.session.headers(), ("Content-Type", "application/sdp"))
        response = await leg.request("INVITE", headers, media.local_offer(), leg.acknowledge)
    finally:
        leg.offering = False
    if response is not None and response.status_code < 300 and leg.state is LegState.CONFIRMED:
        try:
            media.remote_answer(response.body)
        except SdpError as error:
            leg.bye(LegEnd("us", error.reason, error.code))
    return response
