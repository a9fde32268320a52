"""What a chat is held in: the call that it has not, and an installation's configuration without its telephones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from parlons.agents.models import Agent
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.conversation.providers.registry import Built
from parlons.telephony.types import Outcome
from parlons.workflows.runs import Run

from .call_workflows import RunSink
from .directory import Directory
from .parts import BorrowedResources, CallResources
from .record import CallRecord
from .timeline import Kind, Timeline

SAMPLE_RATE = 16_000
"""What providers are told of a line that is none."""


@dataclass(frozen=True, slots=True)
class ChatWorld:
    """What chats work with.

    Args:
        build_providers: as ``Equipment``'s; in text a language model is all that is needed.
        resources: the configuration that is live; None without a server: then there are no workflows, no data
            sources and nobody to hand over to.
        tried: keeps a workflow's run that belongs to no call.
    """

    build_providers: Callable[[Agent, int], Built]
    resources: CallResources | None = None
    tried: Callable[[str, Run], None] = lambda _workflow_id, _run: None

    def unavailable(self, _agent: Agent) -> str:
        """Nothing is known beforehand of a language model alone."""
        return ""


class ChatLine:
    """Stands in for the call in a chat: says who would be rung, and rings nobody. Implements ``conversation.line``.

    Args:
        take_over: lets another agent take the chat over.
    """

    def __init__(self, timeline: Timeline, take_over: Callable[[str], TransferResult]) -> None:
        self._timeline = timeline
        self._take_over = take_over

    async def transfer(self, order: TransferOrder, sentence: Awaitable[object]) -> TransferResult:
        await sentence
        self._timeline.add(
            "system",
            Kind.LEG,
            leg="destination",
            event="would_ring",
            user=order.user,
            connection=order.connection_id or "",
        )
        return TransferResult(Outcome.ANSWERED)

    def hand_over(self, agent_id: str) -> TransferResult:
        return self._take_over(agent_id)


@dataclass(frozen=True, slots=True)
class NoLine:
    """A line that carries no sound."""

    sample_rate: int = SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class ChatParts:
    """What a chat is prepared with. Implements ``preparing.Preparation``."""

    equipment: ChatWorld
    resources: CallResources
    record: CallRecord
    timeline: Timeline
    media: NoLine = NoLine()


@dataclass(frozen=True, slots=True)
class ChatResources(BorrowedResources):
    """``parts.CallResources`` as it is live at each moment; what a workflow did is kept as of no call."""

    calls: CallResources
    tried: Callable[[str, Run], None]

    @property
    def directory(self) -> Directory:
        return self.calls.directory

    @property
    def outbound_passwords(self) -> Mapping[str, str]:
        return {}

    @property
    def runs(self) -> RunSink:
        return self

    def run(self, workflow_id: str, _call_id: str, run: Run) -> None:
        """Keep a run: the chat has no record that it could belong to."""
        self.tried(workflow_id, run)

    def take(self, _connection_id: str) -> Callable[[], None]:
        """Nobody is rung."""
        return lambda: None
