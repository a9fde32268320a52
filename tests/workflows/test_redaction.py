"""Secrets out of what is kept."""

from __future__ import annotations

import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.workflows.redaction import HIDDEN, Redactor

SECRET = 'p@ss/w+rd="é\\x& y'
secrets = st.text(st.characters(codec="utf-8"), min_size=6, max_size=30).filter(
    lambda text: len(text.strip()) >= 6 and "*" not in text
)


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).upper(),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        html.escape(SECRET),
        repr({"a": SECRET}),
    ],
)
def test_each_look_of_a_secret_is_hidden(shown: str) -> None:
    hidden = Redactor([SECRET]).text(f"before {shown} after")
    assert HIDDEN in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    for part in ("p@ss", "w+rd", "w%2Brd", "W%2BRD"):
        assert part.lower() not in hidden.lower()


@given(secrets, st.text(max_size=9), st.text(max_size=9))
def test_basic_authentication_is_hidden(secret: str, user: str, rest: str) -> None:
    if not (user + rest).isascii():
        user = rest = "x"
    word = base64.b64encode(f"{user}:{secret}{rest}".encode()).decode()
    assert word not in Redactor([secret]).text(f"Basic {word} .")
    safe = base64.urlsafe_b64encode(f"{user}:{secret}{rest}".encode()).decode()
    assert safe not in Redactor([secret]).text(f"token={safe}&x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def planted(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value + secret
    if isinstance(value, dict):
        return {key + secret: planted(item, secret) for key, item in value.items()}
    return [planted(item, secret) for item in value] if isinstance(value, list) else value


@given(json_values, secrets)
def test_no_json_holds_a_secret_that_was_planted_in_it(value: Any, secret: str) -> None:
    kept = Redactor([secret]).json({"a": planted([value, "x"], secret)})
    shown = json.dumps(kept, ensure_ascii=False)
    assert secret not in repr(list(walk(kept)))
    assert HIDDEN in shown


def walk(value: Any) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)
    else:
        yield value


@given(json_values)
def test_without_secrets_json_stays_what_it_is(value: Any) -> None:
    assert Redactor([]).json(value) == value


def test_numbers_that_are_a_secret() -> None:
    assert Redactor(["123456"]).json({"pin": 123456, "n": 12345}) == {"pin": HIDDEN, "n": 12345}


@given(st.integers(0, 40))
def test_a_secret_across_the_cut_is_hidden(before: int) -> None:
    shown = Redactor(["abcdefghij"]).text("." * before + "abcdefghij" + "." * 50, 20)
    assert "a" not in shown.replace("… (cut)", "")


def test_what_json_has_not() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert "too deep" in json.dumps(Redactor([]).json(deep), ensure_ascii=False)
    assert Redactor([]).json({1: {2.5, float("inf")}, "o": object})["1"] is not None
    assert Redactor([]).json(float("nan")) is None
    assert Redactor(["x"]).json(10**5000) == HIDDEN


def test_headers_made_to_carry_secrets_are_hidden_whole() -> None:
    kept = Redactor(["s3cret"]).headers({"Authorization": "Bearer unknown", "Set-Cookie": "a", "X-A": "=s3cret="})
    assert kept == {"Authorization": HIDDEN, "Set-Cookie": HIDDEN, "X-A": f"={HIDDEN}="}


def test_its_repr_tells_nothing() -> None:
    assert "s3cret" not in repr(Redactor(["s3cret"]))
