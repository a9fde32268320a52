"""Numbers as trunks want them."""

from __future__ import annotations

import pytest

from parlons.agents.connections import SipConnection
from parlons.calls.dialling import format_number, to_connection, to_uri
from parlons.errors import ConfigurationError


@pytest.mark.parametrize(
    ("form", "written"),
    [("e164", "+33612345678"), ("digits", "33612345678"), ("00", "0033612345678"), ("national", "0612345678")],
)
def test_number_formats(form: str, written: str) -> None:
    assert format_number("+33612345678", form) == written


def trunk(**fields: object) -> SipConnection:
    return SipConnection.model_validate({"name": "t", "host": "trunk.example.com", **fields})


def test_over_a_trunk() -> None:
    invite = to_connection(
        trunk(number_format="00", username="u", password="p", headers=[{"name": "X-Site", "value": "7"}]),
        "+33612345678",
        shown="+33123456789",
        password="p",
    )
    assert invite.target == "sip:0033612345678@trunk.example.com:5060"
    assert invite.next_hop == ("trunk.example.com", 5060)
    assert (invite.from_user, invite.from_domain) == ("0033123456789", "trunk.example.com")
    assert invite.asserted == "0033123456789"
    assert invite.headers == (("X-Site", "7"),)
    assert (invite.username, invite.password) == ("u", "p")


def test_an_extension_is_left_alone_and_a_name_is_never_asserted() -> None:
    invite = to_connection(trunk(host="2001:db8::5", caller_id="frontdesk"), "*12", shown="accueil")
    assert invite.target == "sip:*12@[2001:db8::5]:5060"
    assert (invite.from_user, invite.asserted) == ("frontdesk", "")


def test_straight_to_an_address() -> None:
    assert to_uri("sip:bob@127.0.0.1:5070", shown="a").next_hop == ("127.0.0.1", 5070)
    assert to_uri("sip:bob@127.0.0.1", shown="a").next_hop == ("127.0.0.1", 5060)


@pytest.mark.parametrize("uri", ["bob@h", "sip:bob", "sip:bob@h:0", "sip:bob@h:70000", "sip:b\r\nX: y@h", "sips:a@b"])
def test_what_is_not_an_address_is_refused_with_the_fix(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="sip:user@host"):
        to_uri(uri, shown="a")
