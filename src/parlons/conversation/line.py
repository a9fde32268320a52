"""What a conversation may ask of the call it is held in: to ring somebody else, or to hand over to another agent.

Shared contract between the actions (which know the agent's document) and ``calls`` (which knows legs). Only types.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from ..telephony.types import Outcome


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """A transfer that was decided, with nothing left to render or to choose (specification, section 4.1).

    Args:
        action: the action's name.
        user: whom to ring: a number in E.164, an extension or a destination id; empty: the number that was called.
        connection_id: the SIP connection the action names; None: the agent's, the settings' or the caller's own.
        ring_seconds: from the destination's first 18x, 5 to 45.
        headers: names and values, rendered; checked again before they leave.
        user_to_user: rendered text, sent as RFC 7433.
        whisper: said to the destination alone before the legs are joined; empty for none.
        accept_key: one key that the destination must press within 10 s; empty for none.
    """

    action: str
    user: str
    connection_id: str | None = None
    ring_seconds: float = 20.0
    headers: tuple[tuple[str, str], ...] = ()
    user_to_user: str = ""
    whisper: str = ""
    accept_key: str = ""


@dataclass(frozen=True, slots=True)
class TransferResult:
    """How it ended: ``code`` is the SIP code if there was one, ``detail`` is for the person who reads the timeline."""

    outcome: Outcome
    code: int | None = None
    detail: str = ""
    next_opening: str = ""
    """When ``out_of_hours``: when it opens next, in words that can be said."""


class Line(Protocol):
    """The call, as an action sees it."""

    async def transfer(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        """Ring a destination; returns when the outcome is known. Never raises for what happens on the network.

        The INVITE leaves at once. The caller hears what the agent has begun to say until ``sentence`` is done, then
        ringback or the destination's early media; nothing of theirs reaches the agent meanwhile. On any outcome but
        ``answered`` and ``caller_left`` the port is the agent's again when this returns. On ``answered`` the legs are
        joined already: the conversation must end, saying ``transferred``. Cancelling it leaves nobody ringing.
        """
        ...

    def hand_over(self, agent_id: str) -> TransferResult:
        """Let another agent take the call over once this conversation has ended, saying ``handed_over``.

        ``answered`` when it can; else why not (``invalid_destination`` for an agent that does not exist or is not
        active, ``refused_by_policy`` after three hand-overs or when the caller is being put through already,
        ``unreachable`` when it has no usable provider), and then nothing has changed.
        """
        ...
