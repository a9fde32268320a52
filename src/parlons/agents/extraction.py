"""Values a model gives, with a transition or to a workflow: how they are asked for, and how they are checked. Pure.

What a model sends is untrusted: of the wrong type, missing, or more than was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from .path import ValueType

MAX_VALUE_CHARACTERS = 2000


class Wanted(Protocol):
    """A typed value: ``path.Extraction`` of a transition, ``workflows.InputField`` of a workflow."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def type(self) -> ValueType: ...
    @property
    def required(self) -> bool: ...


def schema(extractions: Sequence[Wanted]) -> dict[str, Any]:
    """The JSON schema of the arguments that carry these values."""
    return {
        "type": "object",
        "properties": {e.name: {"type": e.type, "description": e.description} for e in extractions},
        "required": [e.name for e in extractions if e.required],
        "additionalProperties": False,
    }


def check(extractions: Sequence[Wanted], given: Any) -> tuple[dict[str, Any], list[str]]:
    """The values, each of its type, and what is wrong with the others, in words for the model.

    Unknown names are dropped. A text that reads as the number or the yes or no asked for is taken as one; an optional
    value that is missing, null or empty is left out.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    raw = given if isinstance(given, dict) else {}
    for wanted in extractions:
        value = raw.get(wanted.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if wanted.required:
                problems.append(f"{wanted.name} is missing: {wanted.description}")
            continue
        made = _typed(value, wanted.type)
        if made is None:
            problems.append(f"{wanted.name} must be of type {wanted.type}: {wanted.description}")
        else:
            values[wanted.name] = made
    return values, problems


def _typed(value: Any, kind: str) -> str | int | float | bool | None:
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        return {"true": True, "yes": True, "oui": True, "false": False, "no": False, "non": False}.get(
            str(value).strip().lower()
        )
    if kind == "string":
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        return str(value).strip()[:MAX_VALUE_CHARACTERS]
    number = _number(value)
    if number is None or kind == "number":
        return number
    return int(number) if number == int(number) else None


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int):
        return value
    try:
        number = (
            float(value.strip().replace("\u202f", "").replace(" ", "").replace(",", "."))
            if isinstance(value, str)
            else value
        )
    except ValueError:
        return None
    return number if math.isfinite(number) else None
