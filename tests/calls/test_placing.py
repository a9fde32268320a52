"""Calls that an agent places: over its connection, with headers rendered for the call, and never beyond the limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls.directory import Directory, LiveAgent
from parlons.calls.limits import OutboundLimits
from parlons.calls.placing import outgoing
from parlons.calls.record import CallRecord
from parlons.calls.service import CallService
from parlons.errors import ConfigurationError
from parlons.telephony.types import OutboundInvite, Outcome
from tests.calls.test_call import FakeLeg, Scene, after
from tests.support.virtual_time import run

AGENT = Agent.model_validate({"name": "a", "direction": "outbound", "phone_numbers": ["+33123456789"]})
LIVE = LiveAgent("a", 1, AGENT)
HEADERS = [{"name": "X-To", "value": "{{ system.phone_e164 }}"}, {"name": "X-Bad", "value": "{{ 'a' | append: x }}"}]


def office(**settings: Any) -> Any:
    connection = SipConnection.model_validate({"name": "t", "host": "192.0.2.1", "headers": HEADERS})
    made = InstallationSettings.model_validate({"outbound_connection_id": "t", "default_country": "FR", **settings})
    return SimpleNamespace(directory=Directory({"a": LIVE}, {"t": connection}, {}, made), outbound_passwords={})


def record(to: str) -> CallRecord:
    return CallRecord(id="c", direction="outbound", started_at=datetime.now(UTC), called=to)


def test_numbers_are_dialled_in_full() -> None:
    async def scenario() -> None:
        made = record("+33612345678")
        invite = await outgoing(office(), LIVE, made, "06 12 34 56 78")
        assert invite.target == "sip:+33612345678@192.0.2.1:5060"
        assert (invite.from_user, invite.diversion, made.connection_id) == ("+33123456789", "", "t")

    run(scenario())


def test_headers_know_what_the_pre_call_workflow_gave(tmp_path: Path) -> None:
    back = {"id": "back", "type": "return", "value": {"order": "A1"}}
    scene = Scene(tmp_path, direction="outbound", pre_call={"workflow_id": "crm"})
    scene.record.called, scene.record.connection_id = "+33612345678", "t"
    scene.workflows = {
        "crm": Workflow.model_validate({"name": "w", "trigger": "pre_call", "status": "published", "steps": [back]})
    }
    more = {"X-Order": "{{ order }}", "X-Late": "{{ 1 | divided_by: 0 }}"}
    headers = [*HEADERS, *({"name": name, "value": value} for name, value in more.items())]
    scene.connection = SipConnection.model_validate({"name": "t", "host": "192.0.2.1", "headers": headers})
    run(scene.call(after(2, lambda _call: scene.leg.peer_hangs_up())))
    assert dict(scene.leg.labels) == {"X-To": "+33612345678", "X-Bad": "a", "X-Order": "A1", "X-Late": ""}
    assert scene.leg.did[:2] == ["label", "dial"]


def test_without_a_connection_the_fix_is_named() -> None:
    async def scenario() -> None:
        bare = office()
        bare.directory = Directory({"a": LIVE})
        with pytest.raises(ConfigurationError, match="no SIP connection"):
            await outgoing(bare, LIVE, record("+33612345678"), "+33612345678")
        assert (await outgoing(bare, LIVE, record("x"), "sip:x@192.0.2.9")).next_hop == ("192.0.2.9", 5060)

    run(scenario())


class _Leg(FakeLeg):
    call_id = "sip-call"
    outcome = Outcome.BUSY

    def __init__(self) -> None:
        super().__init__()
        self.outcome = Outcome.BUSY


def test_limits_are_outcomes_of_a_call_that_is_not_dialled() -> None:
    async def scenario() -> None:
        legs: list[_Leg] = []

        def invite(_invite: OutboundInvite) -> _Leg:
            legs.append(_Leg())
            return legs[-1]

        limits = OutboundLimits(asyncio.get_running_loop().time)
        written: list[CallRecord] = []
        equipment = SimpleNamespace(
            exchange=SimpleNamespace(limits=limits),
            writer=SimpleNamespace(record=lambda r: written.append(r), event=lambda *_: None),
            metrics=SimpleNamespace(
                calls=SimpleNamespace(labels=lambda *_: SimpleNamespace(inc=lambda: None)),
            ),
            media=SimpleNamespace(open=lambda **_: _raise()),
            ended=lambda _record: None,
        )
        service = CallService(
            cast("Any", SimpleNamespace(invite=invite)),
            cast("Any", equipment),
            max_calls=9,
            http=cast("Any", None),
            runs=cast("Any", None),
            knowledge=cast("Any", None),
        )
        service.directory = office(max_outbound_per_minute=1).directory
        refused = await service.place("a", "0899123456")
        dialled = await service.place("a", "+33612345678")
        assert limits.legs == 1
        beyond = await service.place("a", "+33612345678")
        await asyncio.sleep(1)
        assert (refused.record.status, beyond.record.status) == ("rejected", "rejected")
        assert "refused_prefixes" in refused.record.end_reason
        assert "max_outbound_per_minute" in beyond.record.end_reason
        assert dialled.record.status == "failed"
        assert limits.legs == 0
        assert service.active == 0

    run(scenario())


def test_a_connection_has_room_for_its_calls_and_the_legs_of_transfers_together() -> None:
    async def scenario() -> None:
        service = CallService(
            cast("Any", None),
            cast("Any", None),
            max_calls=9,
            http=cast("Any", None),
            runs=cast("Any", None),
            knowledge=cast("Any", None),
        )
        connection = SipConnection.model_validate({"name": "t", "host": "192.0.2.1", "max_calls": 2})
        service.directory = Directory({}, {"t": connection})
        first, second = service.take("t"), service.take("t")
        assert service.take("t") is None
        assert first is not None
        assert second is not None
        first()
        assert service.take("t") is not None
        assert service.take("t") is None
        assert service.take("another") is not None

    run(scenario())


def _raise() -> None:
    raise ConfigurationError("no media here", hint="none")
