"""What a final answer to an outgoing INVITE means for the call: one table. Knows status codes, nothing else.

401 and 407 come here only when they could not be answered. A redirection is not followed, so it is unreachable. 403 is
what networks say when they refuse the caller's identity or the route, far more often than what a person declines.
"""

from __future__ import annotations

from parlons.telephony.types import Outcome

OUTCOMES = {
    404: Outcome.INVALID_DESTINATION,
    408: Outcome.NO_ANSWER,
    410: Outcome.INVALID_DESTINATION,
    416: Outcome.INVALID_DESTINATION,
    480: Outcome.NO_ANSWER,
    484: Outcome.INVALID_DESTINATION,
    485: Outcome.INVALID_DESTINATION,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    600: Outcome.BUSY,
    603: Outcome.DECLINED,
    604: Outcome.INVALID_DESTINATION,
    607: Outcome.DECLINED,
    608: Outcome.DECLINED,
}


def outcome_of(code: int) -> Outcome:
    """The outcome of a 3xx to 6xx answer: the table, else unreachable."""
    return OUTCOMES.get(code, Outcome.UNREACHABLE)
