"""What may be dialled: how many legs, how many a minute, and which ranges never."""

from __future__ import annotations

import pytest

from parlons.agents.connections import InstallationSettings
from parlons.calls.limits import OutboundLimits, Permit, refused_number

NUMBER = "+33612345678"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def settings(**fields: object) -> InstallationSettings:
    return InstallationSettings.model_validate(fields)


def test_legs_at_once_are_counted_until_each_is_released_once() -> None:
    limits = OutboundLimits(Clock())
    few = settings(max_outbound_legs=2)
    first, second = limits.ask(NUMBER, few), limits.ask(NUMBER, few)
    assert isinstance(first, Permit)
    assert isinstance(second, Permit)
    refusal = limits.ask(NUMBER, few)
    assert isinstance(refusal, str)
    assert "max_outbound_legs" in refusal
    first.release()
    first.release()
    assert limits.legs == 1
    assert isinstance(limits.ask(NUMBER, few), Permit)
    assert isinstance(limits.ask(NUMBER, few), str)


def test_the_minute_slides_and_refusals_do_not_count() -> None:
    clock = Clock()
    limits = OutboundLimits(clock)
    slow = settings(max_outbound_per_minute=2)

    def allowed() -> bool:
        permit = limits.ask(NUMBER, slow)
        if isinstance(permit, Permit):
            permit.release()
            return True
        assert "max_outbound_per_minute" in permit
        return False

    assert allowed()
    clock.now += 40
    assert allowed()
    assert [allowed() for _ in range(5)] == [False] * 5
    clock.now += 19.9
    assert not allowed()
    clock.now += 0.1
    assert allowed()
    assert not allowed()
    assert limits.legs == 0


def test_a_call_exempt_from_the_rate_is_neither_held_back_nor_counted() -> None:
    limits = OutboundLimits(Clock())
    one = settings(max_outbound_per_minute=1, max_outbound_legs=4)
    assert isinstance(limits.ask(NUMBER, one, exempt_from_rate=True), Permit)
    assert isinstance(limits.ask(NUMBER, one), Permit)
    assert isinstance(limits.ask(NUMBER, one), str)
    assert isinstance(limits.ask(NUMBER, one, exempt_from_rate=True), Permit)
    assert isinstance(limits.ask(NUMBER, one, exempt_from_rate=True), Permit)
    assert isinstance(limits.ask(NUMBER, one, exempt_from_rate=True), str)  # the legs at once count for all


def test_zero_means_none() -> None:
    limits = OutboundLimits(Clock())
    assert isinstance(limits.ask(NUMBER, settings(max_outbound_legs=0)), str)
    assert isinstance(limits.ask(NUMBER, settings(max_outbound_per_minute=0)), str)
    assert limits.legs == 0


@pytest.mark.parametrize(
    "user",
    [
        "+33899123456",
        "0033899123456",
        "33899123456",
        "0899123456",
        "08 99 12.34-56",
        "+33 0899123456",
        "*31#0899123456",
        "０８９９１２３４５６",
        "+881612345678",
        "00881612345678",
        "+8831",
        "+1 (900) 555-1234",
    ],
)
def test_a_refused_range_is_recognised_however_it_is_dialled(user: str) -> None:
    assert "refused_prefixes" in refused_number(user, settings(default_country="FR"))


@pytest.mark.parametrize(
    "user", ["+33612345678", "0612345678", "8991", "8812", "*12", "accueil", "", "+", "sales.8812345", "18", "112"]
)
def test_what_is_in_no_refused_range(user: str) -> None:
    assert refused_number(user, settings(default_country="FR")) == ""


def test_a_national_number_is_read_in_the_installations_country() -> None:
    assert refused_number("9005551234", settings(default_country="US"))
    assert refused_number("1 900 555 1234", settings(default_country="US"))
    assert refused_number("011 881 612345678", settings(default_country="US"))
    assert not refused_number("0899123456", settings(default_country="US"))
    assert not refused_number("9005551234", settings())
    assert refused_number("9005551234", settings(), "US")
    assert not refused_number("9005551234", settings(default_country="FR"), "US")


def test_no_prefix_refuses_nothing() -> None:
    assert not refused_number("+881612345678", settings(refused_prefixes=[]))


def test_a_refused_number_takes_no_place() -> None:
    limits = OutboundLimits(Clock())
    tight = settings(max_outbound_legs=1, max_outbound_per_minute=1)
    assert isinstance(limits.ask("+881612345678", tight), str)
    assert isinstance(limits.ask(NUMBER, tight), Permit)
