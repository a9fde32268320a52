"""Numbers as trunks want them, who is shown to whom, and over which connection a call goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.calls.dialling import (
    Identity,
    Party,
    Route,
    agent_number,
    choose_route,
    connection_headers,
    country_of,
    format_number,
    identity,
    merge_headers,
    over,
    own_identity,
    target,
    to_uri,
    user_to_user_problem,
)
from parlons.errors import ConfigurationError, TemplateError
from parlons.telephony.sip.identity import outbound_headers


@pytest.mark.parametrize(
    ("form", "written"),
    [("e164", "+33612345678"), ("digits", "33612345678"), ("00", "0033612345678"), ("national", "0612345678")],
)
def test_number_formats(form: str, written: str) -> None:
    assert format_number("+33612345678", form) == written


def trunk(**fields: object) -> SipConnection:
    return SipConnection.model_validate({"name": "t", "host": "trunk.example.com", **fields})


def test_over_a_trunk() -> None:
    connection = trunk(number_format="00", username="u", password="p")
    invite = over(
        Route("t", connection, "p"),
        "+33612345678",
        own_identity(connection, "+33123456789"),
        headers=[("X-Site", "7")],
    )
    assert invite.target == "sip:0033612345678@trunk.example.com:5060"
    assert invite.next_hop == ("trunk.example.com", 5060)
    assert (invite.from_user, invite.from_domain) == ("0033123456789", "trunk.example.com")
    assert invite.asserted == "0033123456789"
    assert invite.headers == (("X-Site", "7"),)
    assert (invite.username, invite.password) == ("u", "p")


def test_an_extension_is_left_alone_and_a_name_is_never_asserted() -> None:
    connection = trunk(host="2001:db8::5", caller_id="frontdesk")
    invite = over(Route("t", connection), "*12", own_identity(connection, "accueil"))
    assert invite.target == "sip:*12@[2001:db8::5]:5060"
    assert (invite.from_user, invite.asserted) == ("frontdesk", "")


def test_straight_to_an_address() -> None:
    assert to_uri("sip:bob@127.0.0.1:5070", shown="a").next_hop == ("127.0.0.1", 5070)
    assert to_uri("sip:bob@127.0.0.1", shown="a").next_hop == ("127.0.0.1", 5060)


@pytest.mark.parametrize("uri", ["bob@h", "sip:bob", "sip:bob@h:0", "sip:bob@h:70000", "sip:b\r\nX: y@h", "sips:a@b"])
def test_what_is_not_an_address_is_refused_with_the_fix(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="sip:user@host"):
        to_uri(uri, shown="a")


# -- numbers -------------------------------------------------------------------------------------------------------


def test_a_foreign_number_is_never_dialled_in_its_national_form() -> None:
    assert format_number("+33612345678", "national", "FR") == "0612345678"
    assert format_number("+442079460000", "national", "FR") == "00442079460000"
    assert format_number("+33612345678", "national", "US") == "01133612345678"
    assert format_number("+12125551234", "national", "CA") == "2125551234"


@pytest.mark.parametrize("form", ["e164", "digits", "00", "national"])
@pytest.mark.parametrize("user", ["", "+", "12", "*12#", "accueil", "+33 6", "+336x", "+" + "9" * 40, "٣٣"])
def test_what_is_no_number_is_left_as_it_is(user: str, form: str) -> None:
    assert format_number(user, form, "FR") == user


def test_the_country_of_a_number() -> None:
    assert country_of("+33612345678") == "FR"
    assert country_of("+881612345678") is None
    assert country_of("accueil") is None


def agent(**fields: Any) -> Agent:
    return Agent.model_validate({"name": "a", **fields})


def test_the_number_of_an_agent() -> None:
    two = agent(phone_numbers=["+33123456789", "+33123456790"])
    assert agent_number(two, "a", "+33123456790") == "+33123456790"
    assert agent_number(two, "a", "+33199999999") == "+33123456789"
    assert agent_number(two, "a") == "+33123456789"
    assert agent_number(agent(), "a", "+33123456790") == "+33123456790"
    assert agent_number(agent(), "accueil", "accueil") == "accueil"


# -- over which connection -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "of_agent", "of_settings", "own", "chosen"),
    [
        ("a", "b", "c", "d", "a"),
        (None, "b", "c", "d", "b"),
        (None, None, "c", "d", "c"),
        (None, None, None, "d", "d"),
    ],
)
def test_the_connection_that_counts(
    wanted: str | None, of_agent: str | None, of_settings: str | None, own: str | None, chosen: str
) -> None:
    connections = {key: trunk() for key in "abcd"}
    settings = InstallationSettings(outbound_connection_id=of_settings)
    route = choose_route(wanted, agent(sip_connection_id=of_agent), settings, own, connections, {chosen: "pw"})
    assert isinstance(route, Route)
    assert (route.connection_id, route.password) == (chosen, "pw")
    assert "pw" not in repr(route)


def test_without_a_connection_the_person_is_told_what_to_do() -> None:
    assert "outbound_connection_id" in str(choose_route(None, agent(), InstallationSettings(), None, {}, {}))


def test_a_connection_that_does_not_exist_is_not_replaced_by_another() -> None:
    missing = choose_route("gone", agent(), InstallationSettings(), "here", {"here": trunk()}, {})
    assert isinstance(missing, str)
    assert "'gone'" in missing


# -- who is shown --------------------------------------------------------------------------------------------------

AGENT, CALLER = "+33123456789", "+33711223344"


def shown(party: Party, **fields: Any) -> Identity:
    return identity(trunk(**fields), party, "FR")


def test_the_agents_number_is_shown_and_named_as_the_diversion() -> None:
    assert shown(Party(AGENT, CALLER, "Ada")) == Identity(AGENT, "", AGENT, AGENT)


def test_the_callers_number_where_that_is_allowed() -> None:
    assert shown(Party(AGENT, CALLER, "Ada"), from_mode="caller") == Identity(CALLER, "Ada", CALLER, AGENT)


def test_every_shown_number_is_in_the_connections_format() -> None:
    party = Party(AGENT, "+442079460000", "Ada")
    assert shown(party, from_mode="caller", number_format="national") == Identity(
        "00442079460000", "Ada", "00442079460000", "0123456789"
    )


def test_caller_id_stands_for_the_agents_number_but_not_for_the_callers() -> None:
    party = Party(AGENT, CALLER, "Ada")
    assert shown(party, caller_id="0100") == Identity("0100", "", "0100", AGENT)
    assert shown(party, caller_id="desk").asserted == ""
    assert shown(party, caller_id="0100", from_mode="caller").from_user == CALLER
    assert shown(Party(AGENT), caller_id="0100", from_mode="caller").from_user == "0100"


@pytest.mark.parametrize("mode", ["agent", "caller"])
def test_a_withheld_caller_leaves_no_number(mode: str) -> None:
    assert shown(Party(AGENT, CALLER, "Ada", withheld=True), from_mode=mode, caller_id="0100") == Identity(
        "", anonymous=True
    )


@pytest.mark.parametrize("caller", ["alice", "alice smith", "+33 (0) 7", "é", "a@b;c=d", "٣٣"])
def test_a_caller_who_is_no_number_is_shown_but_never_asserted(caller: str) -> None:
    found = shown(Party(AGENT, caller), from_mode="caller")
    assert (found.from_user, found.asserted, found.diversion) == (caller, "", AGENT)


@pytest.mark.parametrize("caller", ["", "9" * 65])
def test_a_caller_without_a_usable_number_is_not_shown(caller: str) -> None:
    assert shown(Party(AGENT, caller, "Ada"), from_mode="caller") == Identity(AGENT, "", AGENT, AGENT)


def test_an_agent_without_a_number_is_neither_asserted_nor_a_diversion() -> None:
    assert shown(Party("accueil", CALLER)) == Identity("accueil")


# -- headers -------------------------------------------------------------------------------------------------------


def test_a_connections_headers_are_templates() -> None:
    async def render(template: str, where: str) -> str:
        if "broken" in template:
            raise TemplateError("line 1: no.")
        return f"{where}={template}"

    headers = [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "{{ broken }}"}]
    made, problems = asyncio.run(connection_headers(trunk(headers=headers), render))
    assert made == [("X-A", "headers.X-A=1")]
    assert problems == ["X-B: line 1: no."]


def test_an_orders_header_wins_over_the_connections_of_the_same_name() -> None:
    merged, problems = merge_headers([("X-Site", "7"), ("x-queue", "a")], [("X-Queue", "b"), ("X-New", "c")])
    assert merged == [("X-Site", "7"), ("X-Queue", "b"), ("X-New", "c")]
    assert problems == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "a\r\nVia: b"), ("X-A", "\0"), ("X-A", "x" * 257), ("From", "a"), ("X A", "a"), ("", "a"), ("t", "a")],
)
def test_a_header_that_may_not_leave_is_left_out_and_named(name: str, value: str) -> None:
    merged, problems = merge_headers([], [(name, value), ("X-Good", "1")])
    assert merged == [("X-Good", "1")]
    assert len(problems) == 1
    assert value not in problems[0] or len(value) == 1


def test_user_to_user_is_measured_in_octets() -> None:
    assert user_to_user_problem("é" * 64) == ""
    assert "130 octets" in user_to_user_problem("é" * 65)


# -- the INVITE ----------------------------------------------------------------------------------------------------


def test_a_destination_id_cannot_break_out_of_the_user_part() -> None:
    nasty = 'a@evil.example;x=1?y="<>\r\nVia: z %41#'
    assert target(trunk(), nasty) == (
        "sip:a%40evil.example%3Bx%3D1%3Fy%3D%22%3C%3E%0D%0AVia%3A%20z%20%2541%23@trunk.example.com:5060"
    )


@given(st.text(min_size=1, max_size=200), st.text(max_size=64), st.text(max_size=64))
def test_whatever_is_dialled_and_shown_stays_one_header_each(user: str, caller: str, name: str) -> None:
    route = Route("t", trunk(from_mode="caller"), "")
    invite = over(route, user, identity(route.connection, Party(AGENT, caller, name)), country="FR")
    for _name, value in outbound_headers(invite, ("192.0.2.1", 5060)):
        assert not set(value) & set("\r\n\0\u2028\u2029\x85")
        value.encode()
    assert invite.target.endswith("@trunk.example.com:5060")
    assert invite.target.count("@") == 1
    assert invite.next_hop == ("trunk.example.com", 5060)


def test_an_anonymous_invite_holds_no_number_of_ours() -> None:
    route = Route("t", trunk(from_mode="caller"), "")
    invite = over(route, "12", identity(route.connection, Party(AGENT, CALLER, "Ada", withheld=True)))
    text = repr(outbound_headers(invite, ("192.0.2.1", 5060)))
    assert "Privacy" in text
    assert "1234" not in text
    assert "7112" not in text
