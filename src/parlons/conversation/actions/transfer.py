"""The transfer action: who is rung is chosen from what was configured, never from what the model writes.

Decides (hours, destination, headers), asks the line to do it, and says how it ended. Specification, section 4.1.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from livekit.agents import RunContext, StopResponse

from ...agents.actions import WHO_THRESHOLD, Destination, TransferAction
from ...agents.common import slug
from ...agents.matching import DescriptionIndex
from ...agents.models import Agent
from ...agents.opening_words import describe_opening
from ...agents.schedules import is_open, next_opening
from ...calls.timeline import Kind
from ...telephony.types import Outcome
from ..host import ConversationEnd, Host
from ..line import Line, TransferOrder, TransferResult
from ..prompt import Templates, transfer_result
from .base import ToolSpec

WHO_CHARACTERS = 200
SENTENCE_SECONDS = 20.0
"""A hand-over waits this long at most for the end of what the agent has begun to say."""


def current_time(zone: ZoneInfo) -> datetime:
    """Now, in a zone: what opening hours are compared with."""
    return datetime.now(zone)


class Transfer:
    """One transfer action of a conversation.

    Args:
        line: the call; None where there is none (a chat in text): then nobody can be reached.
    """

    def __init__(
        self,
        host: Host,
        action: TransferAction,
        agent: Agent,
        templates: Templates,
        line: Line | None,
    ) -> None:
        self._host = host
        self._action = action
        self._agent = agent
        self._templates = templates
        self._line = line
        self._index: DescriptionIndex | None = None

    # -- as the model sees it ----------------------------------------------------------------------------------

    def tool(self) -> ToolSpec:
        """The tool: no argument for one destination, a choice up to twenty, a search above."""
        destinations = self._action.destinations
        properties: dict[str, Any] = {}
        required: list[str] = []
        if len(destinations) > WHO_THRESHOLD:
            properties["who"] = {
                "type": "string",
                "description": "Whom the other person wants, in their words: a name, a service, a place.",
            }
            properties["destination"] = {
                "type": "string",
                "description": "The id of one of those found for `who`, once you know which is meant.",
            }
        elif len(destinations) > 1:
            ids = [str(number) for number in range(1, len(destinations) + 1)]
            listed = "; ".join(f"{i}: {_told(d)}" for i, d in zip(ids, destinations, strict=True))
            properties["destination"] = {"type": "string", "enum": ids, "description": f"Whom to ring. {listed}"}
            required = ["destination"]
        return ToolSpec(
            name=slug(self._action.name),
            description=self._action.description,
            parameters={
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            },
            body=self._asked,
            fills=False,
        )

    async def _asked(self, raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str:
        raw = raw_arguments if isinstance(raw_arguments, dict) else {}
        who, wanted = (_text(raw.get(name)) for name in ("who", "destination"))
        if len(self._action.destinations) > WHO_THRESHOLD and not wanted:
            return await self._found(who)
        try:
            ctx.disallow_interruptions()
        except RuntimeError:  # the other person spoke over it already: what they say now decides
            raise StopResponse from None
        sentence = asyncio.ensure_future(_sentence(ctx))
        try:
            result = await self.carry_out(sentence, wanted=wanted)
        finally:
            sentence.cancel()
        if result.outcome in (Outcome.ANSWERED, Outcome.CALLER_LEFT):
            raise StopResponse
        return json.dumps(transfer_result(result), ensure_ascii=False)

    async def _found(self, who: str) -> str:
        if self._index is None:
            self._index = await asyncio.to_thread(DescriptionIndex, self._action.destinations)
        found = await asyncio.to_thread(self._index.match, who)
        listed = [{"destination": str(i + 1), "description": _told(self._action.destinations[i])} for i in found]
        if not listed:
            return json.dumps({"found": [], "instruction": "Nobody fits. Ask the other person whom they want."})
        return json.dumps(
            {"found": listed, "instruction": "Call this again with the destination meant; ask when in doubt."},
            ensure_ascii=False,
        )

    # -- doing it ------------------------------------------------------------------------------------------------

    async def carry_out(self, sentence: Awaitable[object], *, wanted: str = "") -> TransferResult:
        """Ring, or say why not; ``wanted`` is a destination's id. What the other person was being told is ``sentence``.

        After ``answered`` the conversation has said that it is over.
        """
        began = asyncio.get_running_loop().time()
        meant = self._destination(wanted) if wanted else None
        arguments = {"destination": _told(meant) if isinstance(meant, Destination) else wanted} if wanted else {}
        self._host.timeline.add(
            "agent", Kind.ACTION_STARTED, action=self._action.name, type="transfer", arguments=arguments
        )
        with self._host.elsewhere():
            try:
                result = await self._attempt(sentence, wanted)
            except asyncio.CancelledError:
                self._finished(TransferResult(Outcome.CALLER_LEFT), began)
                raise
        self._finished(result, began)
        return result

    async def _attempt(self, sentence: Awaitable[object], wanted: str) -> TransferResult:
        if self._action.schedule.enabled:
            closed = await asyncio.to_thread(self._closed)  # a year of days may have to be looked through
            if closed is not None:
                return closed
        destination = self._destination(wanted)
        if isinstance(destination, TransferResult):
            return destination
        if self._line is None:
            return TransferResult(Outcome.UNREACHABLE, detail="there is no telephone line here")
        if self._action.target_agent_id is not None:
            result = self._line.hand_over(self._action.target_agent_id)
            if result.outcome is Outcome.ANSWERED:
                await asyncio.wait([asyncio.ensure_future(sentence)], timeout=SENTENCE_SECONDS)
                self._host.finish(ConversationEnd("agent", "handed_over"))
            return result
        result = await self._line.transfer(await self._order(destination), sentence)
        if result.outcome is Outcome.ANSWERED:
            self._host.finish(ConversationEnd("agent", "transferred"))
        return result

    def _closed(self) -> TransferResult | None:
        zone = ZoneInfo(self._agent.timezone)
        now = current_time(zone)
        schedule = self._action.schedule
        if is_open(schedule, self._agent.timezone, now):
            return None
        opening = next_opening(schedule, self._agent.timezone, now)
        words = describe_opening(opening, now, self._agent.language) if opening is not None else ""
        return TransferResult(Outcome.OUT_OF_HOURS, next_opening=words)

    def _destination(self, wanted: str) -> Destination | TransferResult | None:
        """The destination meant; None when the action names none (a connection or an agent alone)."""
        destinations = self._action.destinations
        if not destinations:
            return None
        if not wanted and len(destinations) == 1:
            return destinations[0]
        if wanted.isdecimal() and len(wanted) <= 5 and 1 <= int(wanted) <= len(destinations):
            return destinations[int(wanted) - 1]
        known = "; ".join(f"{i + 1}: {_told(d)}" for i, d in enumerate(destinations[:WHO_THRESHOLD]))
        return TransferResult(Outcome.INVALID_DESTINATION, detail=f"there is no such destination; there are: {known}")

    async def _order(self, destination: Destination | None) -> TransferOrder:
        action, render = self._action, self._templates.render
        field = f"actions.{action.name}"
        user = (destination.phone or destination.extension or "") if destination else action.destination_id or ""
        headers = []
        for header in action.headers:
            headers.append((header.name, await render(header.value, f"{field}.headers.{header.name}")))
        return TransferOrder(
            action=action.name,
            user=user,
            connection_id=action.sip_connection_id,
            ring_seconds=float(action.max_ring_seconds),
            headers=tuple(headers),
            user_to_user=await render(action.user_to_user or "", f"{field}.user_to_user"),
            whisper=await render(action.whisper or "", f"{field}.whisper"),
            accept_key=action.accept_key or "",
        )

    def _finished(self, result: TransferResult, began: float) -> None:
        more: dict[str, Any] = {}
        if result.code is not None:
            more["code"] = result.code
        if result.detail:
            more["detail"] = result.detail
        if result.next_opening:
            more["next_opening"] = result.next_opening
        self._host.timeline.add(
            "agent",
            Kind.ACTION_FINISHED,
            action=self._action.name,
            type="transfer",
            outcome=result.outcome.value,
            duration_ms=round((asyncio.get_running_loop().time() - began) * 1000),
            **more,
        )


async def _sentence(ctx: RunContext[Any]) -> None:
    """Returns when what the model said with the call has been played."""
    await ctx.wait_for_playout()


def _told(destination: Destination) -> str:
    return destination.description or destination.extension or destination.phone or ""


def _text(value: Any) -> str:
    return str(value).strip()[:WHO_CHARACTERS] if isinstance(value, str | int) and not isinstance(value, bool) else ""
