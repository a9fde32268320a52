"""The variables of a call: what is always there, and who wins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from parlons.agents.context import CallContext, system_variables
from parlons.agents.templates import render


def system(**changes: object) -> dict[str, object]:
    given: dict[str, Any] = {
        "call_id": "c1",
        "agent_id": "accueil",
        "direction": "inbound",
        "language": "fr-FR",
        "timezone": "Europe/Paris",
        "phone": "+33123456789",
        "anonymous": False,
        "now": datetime(2026, 6, 30, 22, 30, tzinfo=UTC),
    }
    return system_variables(**(given | changes))


def test_system_variables_are_in_the_agents_time_zone_and_language() -> None:
    made = system()
    assert made["phone"] == "01 23 45 67 89"
    assert made["phone_e164"] == "+33123456789"
    assert made["now"] == "2026-07-01T00:30:00+02:00"
    assert (made["date"], made["time"], made["year"]) == ("2026-07-01", "00:30", 2026)
    assert made["day_of_week"] == "mercredi"
    assert system(language="en-GB", timezone="UTC")["day_of_week"] == "Tuesday"


@pytest.mark.parametrize(
    ("phone", "national", "e164"),
    [
        ("+12015550123", "201 555 0123", "+12015550123"),
        ("+442079460958", "020 7946 0958", "+442079460958"),
        ("203", "203", ""),
        ("", "", ""),
    ],
)
def test_numbers_have_spaces_and_extensions_stay(phone: str, national: str, e164: str) -> None:
    made = system(phone=phone)
    assert (made["phone"], made["phone_e164"]) == (national, e164)


def test_a_withheld_number_is_nowhere() -> None:
    made = system(anonymous=True)
    assert made["anonymous"] is True
    assert "23" not in "".join(str(made[name]) for name in ("phone", "phone_e164"))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        system(now=datetime(2026, 1, 1))


def test_everything_promised_is_defined_even_when_unknown() -> None:
    names = "call_id agent_id direction language phone phone_e164 anonymous now date time year day_of_week".split()
    context = CallContext(system={})
    text = "".join(f"{{{{ system.{name} }}}}" for name in names) + "{{ sip.user_to_user }}"
    assert render(text, context, strict=True).text == "false"


def test_later_sources_win_and_are_copied() -> None:
    context = CallContext(system={})
    source = {"a": 1, "list": [1]}
    context.merge(source)
    source["list"] = [2]
    context.merge({"a": 2})
    assert context.variables()["a"] == 2
    assert context.variables()["list"] == [1]


@pytest.mark.parametrize("name", ["system", "sip", "path", "steps"])
def test_reserved_names_are_refused_and_nothing_is_merged(name: str) -> None:
    context = CallContext(system={})
    with pytest.raises(ValueError, match="reserved"):
        context.merge({"fine": 1, name: {}})
    with pytest.raises(ValueError, match="reserved"):
        context.set_step_value("s", name, 1)
    assert "fine" not in context.variables()


def test_names_must_be_text() -> None:
    with pytest.raises(ValueError, match="name"):
        CallContext(system={}).merge(cast("Any", {1: 2}))


def test_step_values_are_kept_by_step_and_at_the_top() -> None:
    context = CallContext(system={})
    context.set_step_value("rdv", "day", "monday")
    context.set_step_value("confirm", "day", "tuesday")
    assert render("{{ path.rdv.day }} {{ path.confirm.day }} {{ day }}", context).text == "monday tuesday tuesday"


def test_what_is_stored_leaves_out_what_a_sensitive_step_heard() -> None:
    context = CallContext(system={})
    context.merge({"vip": True, "code": "0000"})
    context.set_step_value("secret", "code", "4321", sensitive=True)
    context.set_step_value("rdv", "day", "lundi")
    context.note("joindre", "outcome", "busy")
    assert context.variables()["code"] == "4321"
    expected = {"vip": True, "day": "lundi", "path": {"rdv": {"day": "lundi"}, "joindre": {"outcome": "busy"}}}
    assert context.kept() == expected
    assert context.handed_to(CallContext(system={"agent_id": "b"})).kept() == expected
    assert CallContext(system={}).kept() == {}
