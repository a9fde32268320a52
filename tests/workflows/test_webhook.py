"""The signature of webhooks."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.workflows.failures import RequestInvalid
from parlons.workflows.webhook import payload, request, sign, verify

BODY = b'{"a": 1}'


def test_the_signature_is_what_the_specification_says() -> None:
    wanted = hmac.new(b"key", b"1700000000." + BODY, hashlib.sha256).hexdigest()
    assert sign("key", BODY, 1700000000) == f"t=1700000000,v1={wanted}"


@given(st.text(min_size=1), st.binary(max_size=200), st.integers(0, 2**40))
def test_what_was_signed_verifies_and_nothing_else(secret: str, body: bytes, at: int) -> None:
    header = sign(secret, body, at)
    assert verify(secret, header, body, now=at)
    assert not verify(secret + "x", header, body, now=at)
    assert not verify(secret, header, body + b" ", now=at)
    assert not verify(secret, header.replace(f"t={at}", f"t={at + 1}"), body, now=at)
    assert not verify(secret, header, body, now=at + 301)
    assert not verify(secret, header, body, now=at - 301)


@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "v1=aa", "t=1", "t=1,v1=é", "t=²,v1=a", "t=x,v1=a", ",,,=", "t=" + "9" * 5000]
)
def test_a_header_that_is_none(header: str) -> None:
    assert not verify("key", header, BODY, now=1)


@given(st.text())
def test_any_text_is_no_signature(header: str) -> None:
    assert not verify("key", header, BODY, now=1)


def test_a_second_signature_counts() -> None:
    header = sign("new", BODY, 9)
    assert verify("new", header.replace("v1=", "v1=00,v1="), BODY, now=9)


def test_configured_headers_cannot_replace_ours() -> None:
    made = request(
        "http://x.test/",
        headers={"x-parlons-signature": "mine", "X-PARLONS-DELIVERY": "mine", "X-A": "b"},
        body=BODY,
        secret=None,
        delivery="d1",
        at=1,
    )
    assert made.headers["X-Parlons-Delivery"] == "d1"
    assert "mine" not in made.headers.values()
    assert made.headers["X-A"] == "b"


def test_a_body_that_would_be_too_big() -> None:
    with pytest.raises(RequestInvalid):
        payload(trigger="pre_call", call={}, agent={}, context={"a": "x" * 1_000_001}, input={})
