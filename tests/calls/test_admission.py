"""Who may call in, and which agent answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.calls.admission import Admitted, Load, Refused, admit
from parlons.calls.directory import Directory, LiveAgent, as_e164
from parlons.telephony.sip.digest import Verdict

IDLE = Load(calls=0, max_calls=10, by_connection={})
TRUNK = "192.0.2.1"


@dataclass(frozen=True)
class Invite:
    called: tuple[str, ...]
    source: tuple[str, int] = (TRUNK, 5060)


@dataclass(frozen=True)
class Credentials:
    user: str | None = None
    secret: str = ""
    old: bool = False

    def verify(self, lookup: Callable[[str], str | None]) -> Verdict:
        if self.user is None:
            return Verdict.ABSENT
        if lookup(self.user) != self.secret:
            return Verdict.WRONG
        return Verdict.STALE if self.old else Verdict.OK


def live(key: str, *numbers: str, **fields: object) -> LiveAgent:
    return LiveAgent(key, 1, Agent.model_validate({"name": key, "phone_numbers": list(numbers), **fields}))


def directory(*, connections: dict[str, dict[str, object]] | None = None, country: str | None = "FR") -> Directory:
    agents = [
        live("accueil", "+33123456789"),
        live("night", "+33198765432"),
        live("off", "+33155555555", active=False),
        live("sales", direction="outbound"),
    ]
    given = (
        {"trunk": {"host": "trunk.example.com", "allowed_addresses": [TRUNK]}} if connections is None else connections
    )
    parsed = {key: SipConnection.model_validate({"name": key, **value}) for key, value in given.items()}
    return Directory.build(agents, parsed, InstallationSettings(default_country=country), {"pbx": ["192.0.2.7"]})


def decide(
    called: tuple[str, ...],
    source: str = TRUNK,
    credentials: Credentials = Credentials(),
    passwords: dict[str, dict[str, str]] | None = None,
    load: Load = IDLE,
    where: Directory | None = None,
) -> Admitted | Refused:
    return admit(Invite(called, (source, 5060)), credentials, passwords or {}, where or directory(), load)


@pytest.mark.parametrize(
    "user", ["+33123456789", "0033123456789", "33123456789", "0123456789", "01 23 45 67 89", "accueil"]
)
def test_every_form_of_a_number_finds_the_agent(user: str) -> None:
    result = decide((user,))
    assert isinstance(result, Admitted)
    assert result.agent.id == "accueil"
    assert result.connection_id == "trunk"


def test_the_trunks_own_user_in_the_request_uri_and_the_number_in_to() -> None:
    result = decide(("trunk-account-77", "+33198765432"))
    assert isinstance(result, Admitted)
    assert result.agent.id == "night"


def test_the_request_uri_comes_before_to() -> None:
    result = decide(("+33123456789", "+33198765432"))
    assert isinstance(result, Admitted)
    assert result.agent.id == "accueil"


@pytest.mark.parametrize("user", ["+33100000000", "nobody", "", "+33155555555", "off", "sales", "12"])
def test_unknown_inactive_and_outbound_agents_are_404(user: str) -> None:
    assert decide((user,)) == Refused(404, "Not Found")


def test_the_connections_default_agent_takes_the_rest() -> None:
    where = directory(connections={"trunk": {"host": "h", "allowed_addresses": [TRUNK], "default_agent_id": "night"}})
    result = decide(("anything",), where=where)
    assert isinstance(result, Admitted)
    assert result.agent.id == "night"


def test_a_stranger_is_403_and_does_not_learn_which_numbers_exist() -> None:
    assert decide(("accueil",), source="203.0.113.9") == Refused(403, "Forbidden")
    assert decide(("nobody",), source="203.0.113.9") == Refused(403, "Forbidden")


def test_a_stranger_is_challenged_when_a_connection_has_inbound_credentials() -> None:
    passwords = {"trunk": {"pbx": "right"}}
    assert decide(("accueil",), "203.0.113.9", passwords=passwords) == Refused(401, "Unauthorized")
    wrong = decide(("accueil",), "203.0.113.9", Credentials("pbx", "wrong"), passwords)
    assert wrong == Refused(403, "Forbidden")
    assert decide(("accueil",), "203.0.113.9", Credentials("nobody", "x"), passwords) == Refused(403, "Forbidden")
    old = decide(("accueil",), "203.0.113.9", Credentials("pbx", "right", old=True), passwords)
    assert old == Refused(401, "Unauthorized")
    right = decide(("accueil",), "203.0.113.9", Credentials("pbx", "right"), passwords)
    assert isinstance(right, Admitted)
    assert right.connection_id == "trunk"


def test_without_allowed_addresses_the_hosts_own_addresses_count() -> None:
    where = directory(connections={"pbx": {"host": "pbx.example.com"}})
    assert isinstance(decide(("accueil",), "192.0.2.7", where=where), Admitted)
    assert decide(("accueil",), "192.0.2.8", where=where) == Refused(403, "Forbidden")


def test_with_nothing_configured_only_loopback_may_call() -> None:
    where = directory(connections={})
    assert isinstance(decide(("accueil",), "127.0.0.1", where=where), Admitted)
    assert decide(("accueil",), "192.0.2.1", where=where) == Refused(403, "Forbidden")


def test_full_draining_and_a_full_connection_are_503() -> None:
    for load in (Load(10, 10, {}), Load(0, 10, {}, draining=True)):
        result = decide(("accueil",), load=load)
        assert isinstance(result, Refused)
        assert result.code == 503
        assert result.retry_after
    where = directory(connections={"trunk": {"host": "h", "allowed_addresses": [TRUNK], "max_calls": 2}})
    assert isinstance(decide(("accueil",), load=Load(2, 10, {"trunk": 1}), where=where), Admitted)
    full = decide(("accueil",), load=Load(2, 10, {"trunk": 2}), where=where)
    assert isinstance(full, Refused)
    assert full.code == 503


def test_two_connections_at_one_address_the_agents_own_is_meant() -> None:
    pair = {key: {"host": "h", "allowed_addresses": [TRUNK]} for key in ("first", "second")}
    agents = [live("a", "+33123456789", sip_connection_id="second")]
    connections = {k: SipConnection.model_validate({"name": k, **v}) for k, v in pair.items()}
    where = Directory.build(agents, connections, InstallationSettings(), {})
    result = decide(("+33123456789",), where=where)
    assert isinstance(result, Admitted)
    assert result.connection_id == "second"


def test_a_national_number_needs_a_country() -> None:
    assert as_e164("0123456789", "FR") == "+33123456789"
    assert as_e164("0123456789", None) is None
    assert as_e164("accueil", "FR") is None
