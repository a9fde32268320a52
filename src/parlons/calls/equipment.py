"""What every call works with; one for the process. Only types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from parlons.agents.models import Agent
from parlons.conversation.providers.registry import Built
from parlons.metrics import Metrics
from parlons.telephony.media.engine import MediaEngine

from .messages import MessageBank
from .record import CallRecord
from .ringing import Exchange
from .timeline import Event


class Writer(Protocol):
    """Where records and events go; neither method blocks."""

    def record(self, record: CallRecord) -> None: ...
    def event(self, call_id: str, event: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every call works with."""

    media: MediaEngine
    writer: Writer
    messages: MessageBank
    metrics: Metrics
    build_providers: Callable[[Agent, int], Built]
    """(agent, samples a second of the line) to the plug-ins of one call; raises ProviderUnusable."""
    build_voices: Callable[[Agent, int], Built]
    """The same for its voices alone: what hears and thinks need not be usable."""
    unavailable: Callable[[Agent], str]
    """Why an agent has no usable provider, as was seen in the background; empty when it has. Asks nobody."""
    recordings: Path
    exchange: Exchange
    ended: Callable[[CallRecord], None] = lambda _record: None
    """Told of each call once its status is settled; may not block."""
    log_words: bool = False
