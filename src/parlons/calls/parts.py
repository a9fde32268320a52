"""What every stage of one call's life works with, and how a stage says that the call is over. Only types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from parlons.conversation.knowledge import Knowledge
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.types import LegEnd
from parlons.workflows.http_client import HttpClient

from .call_workflows import WorkflowResources
from .equipment import Equipment
from .record import CallRecord
from .timeline import Actor, CallStatus, EndCode, Timeline


class CallResources(WorkflowResources, Protocol):
    """The configuration that is live now. Implemented by ``calls.service.CallService``."""

    @property
    def knowledge(self) -> Knowledge: ...

    @property
    def outbound_passwords(self) -> Mapping[str, str]: ...

    def take(self, connection_id: str) -> Callable[[], None] | None:
        """One more leg over a connection: what lets go of it again; None when it has as many as its ``max_calls``."""
        ...


class BorrowedResources:
    """The half of ``CallResources`` that whatever stands in for a call takes from the process: ``calls``."""

    __slots__ = ()
    calls: CallResources

    @property
    def workflow_secrets(self) -> Mapping[str, str]:
        return self.calls.workflow_secrets

    @property
    def http(self) -> HttpClient:
        return self.calls.http

    @property
    def knowledge(self) -> Knowledge:
        return self.calls.knowledge


class Unanswered(Protocol):
    """A caller who still hears their own network's ringing."""

    def progress(self) -> None:
        """Let them hear what their port plays, as early media; nothing changes when they take none."""
        ...

    async def answer(self) -> None:
        """Answer, once. Raises LegClosed when they left."""
        ...


@dataclass(frozen=True, slots=True)
class CallParts:
    """Of one call.

    Args:
        media: the caller's.
        gone: done when the caller's leg has ended.
        stop: done when the call is asked to end, with the reason.
        caller_name: as the network gave it; empty when withheld.
    """

    equipment: Equipment
    resources: CallResources
    record: CallRecord
    media: RtpMedia
    timeline: Timeline
    gone: asyncio.Future[LegEnd]
    stop: asyncio.Future[str]
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class Over:
    """How a stage ended. ``failed``: the caller, if still there, is owed what a failed call gets."""

    status: CallStatus
    who: Actor
    why: str
    code: EndCode
    failed: bool = False
