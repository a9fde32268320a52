"""Rules of publishing an agent, as pure functions: clashing numbers, and the failover tab's own way to go live.

Pure: no I/O; where versions are kept is the store's business.
"""

from __future__ import annotations

from collections.abc import Mapping

from .common import SpokenText
from .models import Agent, Failover


def clashing_numbers(agent_id: str, agent: Agent, live: Mapping[str, Agent]) -> list[tuple[str, str]]:
    """Numbers of ``agent`` that another active live agent answers already: (number, the other's id)."""
    if not agent.active:
        return []
    holders = {
        number: other_id
        for other_id, other in live.items()
        if other_id != agent_id and other.active
        for number in other.phone_numbers
    }
    return [(number, holders[number]) for number in agent.phone_numbers if number in holders]


def with_failover(agent: Agent, failover: Failover, default_error_message: SpokenText | None) -> Agent:
    """The same agent with another failover and default error message, and nothing else changed.

    Raises:
        pydantic.ValidationError: the two do not fit together (failover on an outbound agent).
    """
    data = agent.model_dump(mode="python")
    data["failover"] = failover.model_dump(mode="python")
    data["default_error_message"] = default_error_message and default_error_message.model_dump(mode="python")
    return Agent.model_validate(data)
