"""The variables that a call begins with, out of its record and its INVITE. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from parlons.agents.context import CallContext, system_variables
from parlons.telephony.types import InviteInfo

from .directory import LiveAgent
from .record import CallRecord


def sip_variables(info: InviteInfo | None) -> Mapping[str, Any]:
    """What templates may read under ``sip``."""
    if info is None:
        return {"user_to_user": "", "headers": {}}
    return {"user_to_user": info.user_to_user, "headers": dict(info.headers)}


def call_context(live: LiveAgent, record: CallRecord, sip: Mapping[str, Any]) -> CallContext:
    """The context of a call with this agent, before anything else is known."""
    agent = live.agent
    system = system_variables(
        call_id=record.id,
        agent_id=live.id,
        direction=record.direction,
        language=agent.language,
        timezone=agent.timezone,
        phone=record.caller if record.direction == "inbound" else record.called,
        anonymous=record.anonymous,
        now=datetime.now(ZoneInfo(agent.timezone)),
    )
    return CallContext(system=system, sip=sip)
