"""One call as a row: the shared contract between the life of a call, the store and the API. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .timeline import Actor, CallStatus, EndCode


@dataclass(slots=True)
class CallRecord:
    """A call, from its INVITE (or the wish to place it) to its end. Times are aware, in UTC."""

    id: str
    direction: Literal["inbound", "outbound"]
    started_at: datetime
    agent_id: str | None = None
    agent_version: int | None = None
    """The published version the call started with, and keeps."""
    status: CallStatus = CallStatus.IN_PROGRESS
    caller: str = ""
    """E.164 when it can be read so, else as it came; empty for a withheld caller."""
    called: str = ""
    anonymous: bool = False
    from_browser: bool = False
    """It came from the console or another page, not from a telephone: somebody tries the agent."""
    connection_id: str | None = None
    sip_call_id: str = ""
    language: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    end_reason: str = ""
    """In English, for the log and whoever wants every detail; programs and other languages go by ``end_code``."""
    end_code: EndCode | None = None
    """None while the call is under way, and for calls that ended before there were codes."""
    trigger: str | None = None
    """The failover trigger, when there was one; likewise the action and how it went."""
    failover_action: str | None = None
    failover_outcome: str | None = None
    recording: str | None = None
    """File name of the recording inside the data directory's ``recordings``."""
    context: dict[str, Any] = field(default_factory=dict)
