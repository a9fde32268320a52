"""Whether a call may come in, decided from data alone (specification, section 5, step 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from parlons.telephony.sip.digest import Verdict

from .directory import Directory, LiveAgent

RETRY_AFTER_SECONDS = 10


class Invitation(Protocol):
    """What admission needs to know of an incoming INVITE."""

    @property
    def source(self) -> tuple[str, int]: ...
    @property
    def called(self) -> tuple[str, ...]: ...


class Authenticator(Protocol):
    """Checks the digest credentials an INVITE carries, without showing them."""

    def verify(self, lookup: Callable[[str], str | None]) -> Verdict:
        """How they stand. ``lookup`` gives a user's password, None for a stranger."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call comes in, for this agent, over this connection (None: loopback with nothing configured)."""

    agent: LiveAgent
    connection_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The call is answered with ``code``; 401 means: challenge it."""

    code: int
    reason: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the process is."""

    calls: int
    max_calls: int
    by_connection: dict[str, int]
    draining: bool = False


def admit(
    invitation: Invitation,
    authenticator: Authenticator,
    passwords: dict[str, dict[str, str]],
    directory: Directory,
    load: Load,
) -> Admitted | Refused:
    """Decide. ``passwords`` maps each connection with inbound credentials to its user name and password."""
    if load.draining:
        return Refused(503, "Service Unavailable", RETRY_AFTER_SECONDS)
    connection = _connection(invitation, authenticator, passwords, directory)
    if isinstance(connection, Refused):
        return connection
    live = directory.find(invitation.called, connection)
    if live is None:
        return Refused(404, "Not Found")
    if load.calls >= load.max_calls:
        return Refused(503, "Service Unavailable", RETRY_AFTER_SECONDS)
    if connection is not None:
        limit = directory.connections[connection].max_calls
        if limit is not None and load.by_connection.get(connection, 0) >= limit:
            return Refused(503, "Service Unavailable", RETRY_AFTER_SECONDS)
    return Admitted(live, connection)


def _connection(
    invitation: Invitation, authenticator: Authenticator, passwords: dict[str, dict[str, str]], directory: Directory
) -> str | Refused | None:
    source = invitation.source[0]
    if not directory.connections:
        return None if ip_address(source).is_loopback else Refused(403, "Forbidden")
    known = directory.connections_of(source)
    if known:
        # Two connections may share an address (one provider, two contracts): prefer the one the called agent uses.
        for key in known:
            live = directory.find(invitation.called, None)
            if live is not None and live.agent.sip_connection_id == key:
                return key
        return known[0]
    if not passwords:
        return Refused(403, "Forbidden")
    owners = {user: key for key, pair in passwords.items() for user in pair}
    claimed: list[str] = []

    def password(user: str) -> str | None:
        claimed.append(user)
        return passwords[owners[user]][user] if user in owners else None

    verdict = authenticator.verify(password)
    if verdict is Verdict.OK:
        return owners[claimed[-1]]
    if verdict in (Verdict.ABSENT, Verdict.STALE):
        return Refused(401, "Unauthorized")
    return Refused(403, "Forbidden")
