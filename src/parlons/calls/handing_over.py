"""Which agent has a call or a chat, with its providers, and the one that it is handed over to."""

from __future__ import annotations

from collections.abc import Callable

from parlons.agents.models import Agent
from parlons.conversation.line import TransferResult
from parlons.conversation.providers.registry import Built
from parlons.errors import ParlonsError
from parlons.telephony.types import Outcome

from .directory import Directory, LiveAgent

MAX_HAND_OVERS = 3


class Holder:
    """Of one call or chat.

    Args:
        live: the agent that answers; its ``providers`` are set once they are there, and this closes them.
        build: providers for another agent; what it raises of ours refuses the hand-over.
    """

    def __init__(self, live: LiveAgent, build: Callable[[Agent], Built]) -> None:
        self.live = live
        self.providers: Built | None = None
        self._build = build
        self._next: tuple[LiveAgent, Built] | None = None
        self._hand_overs = 0

    @property
    def leaving(self) -> bool:
        """Handed over, and the next agent has not taken over yet."""
        return self._next is not None

    def hand_over(self, agent_id: str, directory: Directory) -> TransferResult:
        """Choose the next agent: at most ``MAX_HAND_OVERS`` times, one that is active and whose providers are there."""
        live = directory.agents.get(agent_id)
        if live is None or not live.agent.active:
            return TransferResult(Outcome.INVALID_DESTINATION, detail=f"there is no active agent {agent_id!r}")
        if self._hand_overs >= MAX_HAND_OVERS:
            return TransferResult(
                Outcome.REFUSED_BY_POLICY, detail=f"this call was handed over {MAX_HAND_OVERS} times already"
            )
        try:
            providers = self._build(live.agent)
        except ParlonsError as error:
            return TransferResult(Outcome.UNREACHABLE, detail=error.message)
        self._hand_overs += 1
        self._next = (live, providers)
        return TransferResult(Outcome.ANSWERED)

    async def take_over(self) -> LiveAgent:
        """The next agent has it from now on; only when ``leaving``."""
        assert self._next is not None
        if self.providers is not None:
            await self.providers.aclose()
        (self.live, self.providers), self._next = self._next, None
        return self.live

    async def aclose(self) -> None:
        """Release the providers of whoever has it, and of whoever was about to. Idempotent."""
        for left in (self.providers, self._next[1] if self._next is not None else None):
            if left is not None:
                await left.aclose()
