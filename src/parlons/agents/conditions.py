"""Whether a branch's condition holds: a comparison of one variable, never an expression a customer wrote. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .path import Branch, BranchStep, Condition

_TRUE = frozenset({"true", "yes", "oui", "1"})
_FALSE = frozenset({"false", "no", "non", "0"})


def choose(step: BranchStep, variables: Mapping[str, Any]) -> tuple[str, Branch | None]:
    """The step a branch leads to, and the condition that decided; None when none held."""
    for branch in step.branches:
        if holds(branch, variables):
            return branch.to, branch
    return step.otherwise, None


def holds(condition: Condition, variables: Mapping[str, Any]) -> bool:
    """Whether a condition holds.

    Texts are compared without regard to case or surrounding spaces; two numbers, or texts that are numbers, as
    numbers. ``contains`` looks for a part of a text or an item of a list. An undefined variable satisfies nothing but
    ``is_not_set`` and ``not_equals``; neither does a value of another kind than the operator asks for.
    """
    found = lookup(condition.variable, variables)
    wanted = condition.value
    match condition.operator:
        case "is_set":
            return found not in (None, "")
        case "is_not_set":
            return found in (None, "")
        case "is_true":
            return _truth(found) is True
        case "is_false":
            return _truth(found) is False
        case "equals":
            return found is not None and _equal(found, wanted)
        case "not_equals":
            return found is None or not _equal(found, wanted)
        case "contains":
            return _contains(found, wanted)
        case "starts_with":
            return isinstance(found, str | int | float) and _text(found).startswith(_text(wanted))
        case "greater_than" | "less_than":
            left, right = _number(found), _number(wanted)
            if left is None or right is None:
                return False
            return left > right if condition.operator == "greater_than" else left < right


def lookup(name: str, variables: Mapping[str, Any]) -> Any:
    """The value of a dotted name (``sip.headers.x-queue``, ``orders.0.state``), or None when there is none."""
    value: Any = variables
    for part in name.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _truth(value: Any) -> bool | None:
    text = _text(value)
    return True if text in _TRUE else False if text in _FALSE else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip().casefold() if isinstance(value, str | int | float) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        truth = _truth(found)
        return truth is not None and truth is _truth(wanted)
    left, right = _number(found), _number(wanted)
    if left is not None and right is not None:
        return left == right
    return isinstance(found, str | int | float) and _text(found) == _text(wanted)


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return _text(wanted) in found.casefold()
    if isinstance(found, Sequence | set | frozenset):
        return any(_equal(item, wanted) for item in found)
    return False
