"""Why calls end, as codes: out of what the legs, the conversation and whoever stopped a call say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from parlons.conversation.host import ConversationEnd
from parlons.errors import ParlonsError, PortsExhausted, SdpError, TelephonyError
from parlons.telephony.types import LegEnd, Outcome

from .timeline import EndCode

SHUTTING_DOWN: Final = "the server is shutting down"
"""What a drain tells the calls that it stops; whatever else a call is told comes from an operator."""

_CONVERSATION: Final[Mapping[str, EndCode]] = {
    "hang_up": EndCode.AGENT_HUNG_UP,
    "guard_silence": EndCode.NOBODY_SPOKE,
    "guard_repeats": EndCode.AGENT_REPEATED_ITSELF,
    "voicemail": EndCode.VOICEMAIL,
    "max_call_seconds": EndCode.MAX_CALL_SECONDS,
}
_OUTCOMES: Final[Mapping[Outcome, EndCode]] = {
    Outcome.BUSY: EndCode.BUSY,
    Outcome.NO_ANSWER: EndCode.NO_ANSWER,
    Outcome.DECLINED: EndCode.DECLINED,
    Outcome.UNREACHABLE: EndCode.UNREACHABLE,
    Outcome.INVALID_DESTINATION: EndCode.INVALID_DESTINATION,
    Outcome.REFUSED_BY_POLICY: EndCode.REFUSED_BY_POLICY,
    Outcome.CALLER_LEFT: EndCode.ENDED_BY_OPERATOR,
}


def of_leg(end: LegEnd) -> EndCode:
    """A leg that ended while nobody here hung it up."""
    return EndCode.HUNG_UP if end.by == "peer" else EndCode.CONNECTION_LOST


def of_stop(why: str) -> EndCode:
    """A call that was asked to end."""
    return EndCode.SHUT_DOWN if why == SHUTTING_DOWN else EndCode.ENDED_BY_OPERATOR


def of_conversation(end: ConversationEnd) -> EndCode:
    """A conversation that wanted its call to end, or broke down."""
    if end.failed:
        return EndCode.BROKE_DOWN
    if end.why.startswith("step "):
        return EndCode.PATH_ENDED
    return _CONVERSATION.get(end.why, EndCode.INTERNAL_ERROR)


def of_outcome(outcome: Outcome, stopped: str | None) -> EndCode:
    """A call that was dialled and not answered.

    Args:
        stopped: why it was asked to end, when it was.
    """
    if outcome is Outcome.CALLER_LEFT and stopped is not None:
        return of_stop(stopped)
    return _OUTCOMES[outcome]


def of_error(error: ParlonsError) -> EndCode:
    """A fault that cost the call before anybody talked."""
    if isinstance(error, SdpError):
        return EndCode.NO_COMMON_AUDIO
    if isinstance(error, PortsExhausted):
        return EndCode.NO_PORTS
    return EndCode.UNREACHABLE if isinstance(error, TelephonyError) else EndCode.INTERNAL_ERROR
