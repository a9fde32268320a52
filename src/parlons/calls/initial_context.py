"""Variables that whoever places a call gives with it: what they may be called, hold and weigh. Pure.

They are the call's context from its first moment (specification, section 2): the pre-call workflow and every template
see them, and what the pre-call workflow gives wins over them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from parlons.agents.context import RESERVED

MAX_VARIABLES = 100
MAX_BYTES = 65_536
"""Of all of them together, written as JSON in UTF-8."""
MAX_DEPTH = 10
"""Lists and objects inside each other."""


def variable_name(name: str) -> str:
    """The name as it came. Raises ValueError when only Parlons writes it."""
    if name in RESERVED:
        raise ValueError(f"is reserved: {', '.join(sorted(RESERVED))} cannot be given")
    return name


def value(given: Any) -> Any:
    """The value as it came. Raises ValueError when a call cannot keep it."""
    _look(given, 0)
    return given


def variables(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """All of them as they came. Raises ValueError when they are too big together."""
    size = len(json.dumps(given, ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes as JSON: at most {MAX_BYTES:,} are kept with a call")
    return given


def _look(given: Any, depth: int) -> None:
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("a number that is too big")
    if not isinstance(given, (list, dict)):
        return
    if depth >= MAX_DEPTH:
        raise ValueError(f"at most {MAX_DEPTH} lists and objects may be inside each other")
    for inner in given.values() if isinstance(given, dict) else given:
        _look(inner, depth + 1)
