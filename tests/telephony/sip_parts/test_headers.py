"""Header rules, Reason, User-to-User, and taking addresses apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.errors import HeaderRefused
from parlons.telephony.sip import headers


@pytest.mark.parametrize("name", ["X-Queue", "x_y", "P-Charging-Vector", "X.1!%*+`'~"])
def test_names_that_may_be_sent(name: str) -> None:
    assert headers.check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "X Queue", "X:Queue", "X-é", "X\r\nVia", "Via", "VIA", "v", "Content-Foo", "proxy-x", "Reason", "Diversion"],
)
def test_names_that_may_not(name: str) -> None:
    with pytest.raises(HeaderRefused):
        headers.check_name(name)


@pytest.mark.parametrize("value", ["", "plain", "tab\there", "é中", "x" * 256])
def test_values_that_may_be_sent(value: str) -> None:
    assert headers.check_value(value) == value


@pytest.mark.parametrize(
    "value",
    ["a\rb", "a\nb", "a\x00b", "a\x0bb", "a\x1fb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "x" * 257, "\ud800"],
)
def test_values_that_may_not(value: str) -> None:
    with pytest.raises(HeaderRefused) as refused:
        headers.check_value(value, "X-Secret")
    assert "X-Secret" in str(refused.value)
    assert value not in str(refused.value), "a refused value may be what a caller said"


def test_reason() -> None:
    assert headers.reason_header(200, 'answered "elsewhere"') == (
        "Reason",
        'SIP;cause=200;text="answered \\"elsewhere\\""',
    )
    assert headers.reason_header(16, protocol="Q.850") == ("Reason", "Q.850;cause=16")
    assert "\r" not in headers.reason_header(1, "a\r\nb")[1]


def test_user_to_user_out() -> None:
    assert headers.encode_uui("Zoé") == "5a6fc3a9;encoding=hex"
    assert headers.encode_uui("x" * 128)
    with pytest.raises(HeaderRefused):
        headers.encode_uui("é" * 65)


@given(st.text(max_size=32, alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"])))
def test_user_to_user_there_and_back(text: str) -> None:
    assert headers.decode_uui(headers.encode_uui(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("48656C6C6F;encoding=hex", "Hello"),
        ("48656c6c6f ; purpose=isdn-uui ; Encoding=HEX", "Hello"),
        ("0448656c6c6f;encoding=hex", "Hello"),
        ("005a6fe9;encoding=hex;purpose=isdn-uui", "Zoé"),
        ("zz;encoding=hex", "zz"),
        ("plain-token", "plain-token"),
        ('"in; quotes";encoding=text', "in; quotes"),
        (";encoding=hex", ""),
        ("", ""),
    ],
)
def test_user_to_user_in(value: str, text: str) -> None:
    assert headers.decode_uui(value) == text


def test_name_addr() -> None:
    address = headers.parse_name_addr('"a <b>; \\"c\\"" <sip:1@h;x=y>;tag=7;Q=0.5;lonely')
    assert address is not None
    assert (address.display_name, address.uri, address.tag) == ('a <b>; "c"', "sip:1@h;x=y", "7")
    assert address.params == {"tag": "7", "q": "0.5", "lonely": ""}


def test_addr_spec_gives_its_parameters_to_the_header() -> None:
    address = headers.parse_name_addr("sip:1@h ; tag = 7")
    assert address == headers.NameAddr("", "sip:1@h", {"tag": "7"})


@pytest.mark.parametrize("value", ['"open <sip:1@h>', "<sip:1@h", "sip:1@h>", "<>", "", "<a<b>", "<sip:1@h> x", "a b"])
def test_addresses_that_are_none(value: str) -> None:
    assert headers.parse_name_addr(value) is None


@given(st.text(max_size=60, alphabet=st.sampled_from('"\\<>;,=a: \té')))
def test_parsing_never_raises(value: str) -> None:
    headers.parse_name_addr(value)
    headers.decode_uui(value)
    assert "".join(headers.split_outside_quotes(value, ",")).replace(" ", "").count("a") == value.count("a")


@given(st.text(max_size=40))
def test_quote_and_unquote(text: str) -> None:
    quoted = headers.quote(text)
    assert headers.quotes_balanced(quoted)
    assert not headers.FORBIDDEN_IN_VALUES.search(quoted)
    clean = headers.FORBIDDEN_IN_VALUES.sub(" ", text).encode("utf-8", "replace").decode()
    assert headers.unquote(quoted) == clean
