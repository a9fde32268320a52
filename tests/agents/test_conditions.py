"""Branch conditions: comparisons of one variable, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.agents.conditions import choose, holds, lookup
from parlons.agents.path import BranchStep, Condition

VARIABLES: dict[str, Any] = {
    "status": "Gold",
    "count": 3,
    "text_number": "3",
    "price": 2.5,
    "vip": True,
    "answer": "non",
    "empty": "",
    "nothing": None,
    "tags": ["Urgent", 7],
    "sip": {"headers": {"x-queue": "or"}, "user_to_user": ""},
    "orders": [{"state": "sent"}],
    "path": {"accueil": {"day": "lundi"}},
}


@pytest.mark.parametrize(
    ("variable", "operator", "value", "expected"),
    [
        ("status", "equals", "gold", True),
        ("status", "equals", " GOLD ", True),
        ("status", "equals", "silver", False),
        ("count", "equals", 3, True),
        ("count", "equals", "3", True),
        ("text_number", "equals", 3.0, True),
        ("vip", "equals", True, True),
        ("vip", "equals", "true", True),
        ("answer", "equals", False, True),
        ("unknown", "equals", "x", False),
        ("orders", "equals", "sent", False),
        ("status", "not_equals", "silver", True),
        ("unknown", "not_equals", "x", True),
        ("status", "contains", "OL", True),
        ("tags", "contains", "urgent", True),
        ("tags", "contains", 7, True),
        ("tags", "contains", "urg", False),
        ("count", "contains", "3", False),
        ("unknown", "contains", "", False),
        ("status", "starts_with", "go", True),
        ("unknown", "starts_with", "go", False),
        ("count", "greater_than", 2, True),
        ("text_number", "less_than", "3.5", True),
        ("count", "greater_than", 3, False),
        ("status", "greater_than", 1, False),
        ("vip", "greater_than", 0, False),
        ("unknown", "less_than", 1, False),
        ("status", "is_set", None, True),
        ("empty", "is_set", None, False),
        ("nothing", "is_not_set", None, True),
        ("unknown", "is_not_set", None, True),
        ("vip", "is_true", None, True),
        ("answer", "is_false", None, True),
        ("unknown", "is_true", None, False),
        ("unknown", "is_false", None, False),
        ("sip.headers.x-queue", "equals", "or", True),
        ("orders.0.state", "equals", "sent", True),
        ("orders.1.state", "is_not_set", None, True),
        ("path.accueil.day", "equals", "lundi", True),
        ("status.length", "is_not_set", None, True),
    ],
)
def test_conditions(variable: str, operator: Any, value: Any, expected: bool) -> None:
    assert holds(Condition(variable=variable, operator=operator, value=value), VARIABLES) is expected


def test_nothing_but_data_is_looked_into() -> None:
    """A dotted name reads keys and indexes; it never reaches an attribute of anything."""
    assert lookup("status.__class__", VARIABLES) is None
    assert lookup("tags.append", VARIABLES) is None
    assert lookup("orders.-1", VARIABLES) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
SCALARS = st.text(max_size=8) | st.integers() | st.floats() | st.booleans()
OPERATORS = ["equals", "not_equals", "contains", "starts_with", "greater_than", "less_than"]


@given(JSON, st.sampled_from(OPERATORS), SCALARS)
def test_any_value_may_be_met(found: Any, operator: Any, value: Any) -> None:
    """Whatever a workflow or a header put there, a condition decides and never raises."""
    both = [
        holds(Condition(variable="x", operator=o, value=value), {"x": found})
        for o in (operator, "equals", "not_equals")
    ]
    assert both[1] != both[2]


def test_the_first_that_holds_decides_else_the_rest() -> None:
    step = BranchStep.model_validate(
        {
            "id": "tri",
            "type": "branch",
            "branches": [
                {"variable": "count", "operator": "greater_than", "value": 5, "to": "many"},
                {"variable": "count", "operator": "greater_than", "value": 1, "to": "some"},
                {"variable": "count", "operator": "is_set", "to": "any"},
            ],
            "else": "none",
        }
    )
    to, held = choose(step, VARIABLES)
    assert to == "some"
    assert held is step.branches[1]
    assert choose(step, {}) == ("none", None)
