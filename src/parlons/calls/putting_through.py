"""Puts the caller of one call through to somebody: over which connection, on whose behalf, within which limits.

What a transfer of an agent's and one of failover have in common.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from parlons.agents.context import CallContext
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.conversation.prompt import Templates
from parlons.telephony.types import Outcome

from .bridged import Bridged
from .briefing import Speak
from .dialling import Party, Route, agent_number, choose_route
from .directory import LiveAgent
from .parts import CallParts, Unanswered
from .ringing import Asking
from .ringing_audio import territory
from .transferring import Transfer


@dataclass(frozen=True, slots=True)
class PutThrough:
    """How it ended. With a ``bridge`` the legs are joined: ``close`` it in the end, then ``release`` the connection."""

    result: TransferResult
    bridge: Bridged | None = None
    release: Callable[[], None] | None = None


async def put_through(
    parts: CallParts,
    live: LiveAgent,
    context: CallContext,
    order: TransferOrder,
    sentence: Awaitable[object],
    *,
    speak: Speak,
    decode: bool = False,
    hide_digits: bool = False,
    unanswered: Unanswered | None = None,
    exempt_from_rate: bool = False,
) -> PutThrough:
    """Ring, and join when they answer. Raises nothing but CancelledError, and then nobody is left ringing.

    Args:
        sentence, speak, decode, unanswered, exempt_from_rate: see ``transferring.Transfer``.
        hide_digits: see ``ringing.Asking``.
    """
    resources, record, agent = parts.resources, parts.record, live.agent
    directory = resources.directory
    inbound = record.direction == "inbound"
    # from a browser the number is one that somebody pretends to have: the network is not shown it
    caller = "" if record.from_browser else record.caller
    route = choose_route(
        order.connection_id,
        agent,
        directory.settings,
        record.connection_id,
        directory.connections,
        resources.outbound_passwords,
    )
    release = resources.take(route.connection_id) if isinstance(route, Route) else _nothing
    if release is None:
        return PutThrough(TransferResult(Outcome.REFUSED_BY_POLICY, detail="the SIP connection is full (max_calls)"))
    transfer = Transfer(
        order,
        Asking(
            media=parts.media,
            gone=parts.gone,
            timeline=parts.timeline,
            party=Party(
                agent=agent_number(agent, live.id, record.called if inbound else ""),
                caller=caller if inbound else record.called,
                caller_name=parts.caller_name,
                withheld=record.anonymous,
            ),
            called=record.called,
            country=territory(agent.language),
            stop=parts.stop,
            hide_digits=hide_digits,
        ),
        parts.equipment.exchange,
        route,
        directory.settings,
        render=Templates(context, parts.timeline).render,
        speak=speak,
        decode=decode,
        unanswered=unanswered,
        exempt_from_rate=exempt_from_rate,
    )
    joined = False
    try:
        result = await transfer.run(sentence)
        joined = result.outcome is Outcome.ANSWERED and transfer.bridge is not None
    finally:
        if not joined:
            release()
    return PutThrough(result, transfer.bridge, release) if joined else PutThrough(result)


def _nothing() -> None:
    """Nothing to let go of."""
