"""Who may be called, from where, and over what: an in-memory picture of the live configuration.

Loaded from the store when something changes; a call being set up never waits for the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import phonenumbers

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class LiveAgent:
    """A published version of an agent; a call keeps the one it started with."""

    id: str
    version: int
    agent: Agent
    sources: tuple[str, ...] = ()
    """Data sources that every ``rag`` action of this call searches in place of its own."""


def as_e164(user: str, default_country: str | None) -> str | None:
    """The E.164 form of a SIP user part (``+33…``, ``0033…``, ``33…`` or national), or None when it is no number."""
    compact = "".join(c for c in user if c not in " .-()")
    if not compact.lstrip("+").isdigit():
        return None
    tries: list[tuple[str, str | None]] = []
    if compact.startswith("+"):
        tries.append((compact, None))
    elif compact.startswith("00"):
        tries.append(("+" + compact[2:], None))
    else:
        if default_country is not None:
            tries.append((compact, default_country))
        tries.append(("+" + compact, None))
    for text, region in tries:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


@dataclass(frozen=True, slots=True)
class Directory:
    """One consistent picture; replaced whole when the configuration changes."""

    agents: Mapping[str, LiveAgent] = field(default_factory=dict)
    connections: Mapping[str, SipConnection] = field(default_factory=dict)
    addresses: Mapping[str, tuple[IpNetwork, ...]] = field(default_factory=dict)
    """Networks each connection may call from: what it allows, else what its host resolves to."""
    settings: InstallationSettings = field(default_factory=InstallationSettings)
    numbers: Mapping[str, str] = field(default_factory=dict)
    """E.164 number to the id of the active inbound agent that answers it."""
    workflows: Mapping[str, Workflow] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        agents: Iterable[LiveAgent],
        connections: Mapping[str, SipConnection],
        settings: InstallationSettings,
        resolved: Mapping[str, Iterable[str]],
        workflows: Mapping[str, Workflow] | None = None,
    ) -> Directory:
        """Put a picture together. ``resolved`` holds the addresses each connection's host was last seen at."""
        by_id = {live.id: live for live in agents}
        numbers = {
            number: live.id for live in by_id.values() if _answers(live.agent) for number in live.agent.phone_numbers
        }
        addresses = {
            key: tuple(ip_network(a) for a in (connection.allowed_addresses or resolved.get(key, ())))
            for key, connection in connections.items()
        }
        return cls(by_id, dict(connections), addresses, settings, numbers, dict(workflows or {}))

    def connections_of(self, source: str) -> list[str]:
        """Ids of the connections that calls from this address may belong to."""
        address = ip_address(source)
        return [key for key, networks in self.addresses.items() if any(address in n for n in networks)]

    def find(self, called: Iterable[str], connection_id: str | None) -> LiveAgent | None:
        """The agent a call is for: each user part as a number, then as an agent's id; then the connection's default."""
        for user in called:
            number = as_e164(user, self.settings.default_country)
            if number is not None and number in self.numbers:
                return self.agents[self.numbers[number]]
            live = self.agents.get(user)
            if live is not None and _answers(live.agent):
                return live
        connection = self.connections.get(connection_id or "")
        if connection is not None and connection.default_agent_id is not None:
            live = self.agents.get(connection.default_agent_id)
            if live is not None and _answers(live.agent):
                return live
        return None


def _answers(agent: Agent) -> bool:
    return agent.active and agent.direction == "inbound"
