"""Values that a model gives with a transition: typed, required, and never trusted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.agents.extraction import check, schema
from parlons.agents.path import Extraction


def wanted(kind: Any, *, required: bool = True) -> list[Extraction]:
    return [Extraction(name="v", description="the value", type=kind, required=required)]


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        ("string", " lundi ", "lundi"),
        ("string", 12, "12"),
        ("integer", 12, 12),
        ("integer", "12", 12),
        ("integer", 12.0, 12),
        ("integer", "1 200", 1200),
        ("number", "2,5", 2.5),
        ("number", 3, 3),
        ("boolean", True, True),
        ("boolean", "oui", True),
        ("boolean", "False", False),
    ],
)
def test_values_of_their_type(kind: str, given_value: Any, value: Any) -> None:
    values, problems = check(wanted(kind), {"v": given_value, "other": 1})
    assert values == {"v": value}
    assert type(values["v"]) is type(value)
    assert problems == []


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        ("string", ["lundi"]),
        ("string", True),
        ("integer", "douze"),
        ("integer", 1.5),
        ("integer", True),
        ("integer", float("inf")),
        ("number", "nan"),
        ("number", {}),
        ("boolean", "peut-être"),
        ("boolean", 3),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(kind: str, given_value: Any) -> None:
    values, problems = check(wanted(kind), {"v": given_value})
    assert values == {}
    assert problems == [f"v must be of type {kind}: the value"]


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_what_is_missing(nothing: Any) -> None:
    assert check(wanted("string"), {"v": nothing}) == ({}, ["v is missing: the value"])
    assert check(wanted("string", required=False), {"v": nothing}) == ({}, [])
    assert check(wanted("string"), nothing) == ({}, ["v is missing: the value"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.sampled_from(["string", "integer", "number", "boolean"]))
def test_whatever_the_model_sends(value: Any, kind: Any) -> None:
    values, problems = check(wanted(kind), {"v": value})
    assert len(values) + len(problems) == 1
    assert check(wanted(kind), value)[0].keys() <= {"v"}


def test_the_schema_names_what_is_required() -> None:
    extractions = [*wanted("integer"), Extraction(name="w", description="more", required=False)]
    assert schema(extractions) == {
        "type": "object",
        "properties": {
            "v": {"type": "integer", "description": "the value"},
            "w": {"type": "string", "description": "more"},
        },
        "required": ["v"],
        "additionalProperties": False,
    }
