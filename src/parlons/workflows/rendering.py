"""The fields of a step, rendered: strictly, in a thread, and under limits that hold for a whole step.

A text that is one plain variable, ``{{ steps.find.body.items }}``, keeps the kind of its value (number, list, object)
where a field takes any JSON; everywhere else, and with any other template, the result is text.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..agents import templates
from ..errors import TemplateError
from .failures import TooBig, Unrenderable

MAX_STEP_CHARACTERS = 1_000_000
"""Rendered text of one step's fields together."""
MAX_STEP_CPU_SECONDS = 0.5

_ONE_VARIABLE = re.compile(r"\s*\{\{-?\s*([A-Za-z_]\w*(?:\.[\w-]+|\[\d+\])*)\s*-?\}\}\s*")
_MISSING = object()


async def render(where: str, fields: Mapping[str, Any], variables: Mapping[str, Any], *, values: bool) -> Any:
    """Render every text inside the fields.

    Args:
        where: the step, for errors.
        values: a text that is one variable gives its value, and keys of objects are templates too.

    Raises:
        Unrenderable: naming the step and the field.
        TooBig: over :data:`MAX_STEP_CHARACTERS`.
    """
    if not _holds_template(fields):
        return dict(fields)
    return await asyncio.to_thread(_Rendering(where, variables, values).tree, fields, "")


def texts(value: Any) -> list[str]:
    """Every text inside a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in (str(key), *texts(item))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return []


def _holds_template(value: Any) -> bool:
    return any("{{" in text or "{%" in text for text in texts(value))


class _Rendering:
    def __init__(self, where: str, variables: Mapping[str, Any], values: bool) -> None:
        self._where = where
        self._variables = variables
        self._values = values
        self._left = MAX_STEP_CHARACTERS
        self._began: float | None = None

    def tree(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, Mapping):
            return {
                self._key(key, path): self.tree(item, f"{path}.{key}" if path else str(key))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.tree(item, f"{path}[{index}]") for index, item in enumerate(value)]
        return value

    def _key(self, key: str, path: str) -> str:
        return str(self._rendered(key, path)) if self._values and path else key

    def _text(self, text: str, path: str) -> Any:
        if self._values and (only := _ONE_VARIABLE.fullmatch(text)):
            found = _value(only.group(1), self._variables)
            if found is not _MISSING:
                return found
        return self._rendered(text, path)

    def _rendered(self, text: str, path: str) -> str:
        began = self._began = time.thread_time() if self._began is None else self._began
        try:
            made = templates.render(text, self._variables, strict=True).text
        except TemplateError as error:
            raise Unrenderable(f"step {self._where}, {path}: {error.message}", hint=error.hint) from error
        self._left -= len(made)
        if self._left < 0:
            raise TooBig(f"step {self._where}, {path}: its texts together are over {MAX_STEP_CHARACTERS} characters.")
        if time.thread_time() - began > MAX_STEP_CPU_SECONDS:
            raise Unrenderable(f"step {self._where}, {path}: its templates together take too long.")
        return made


def _value(path: str, variables: Mapping[str, Any]) -> Any:
    found: Any = variables
    for part in re.split(r"[.\[]", path):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, Sequence) and not isinstance(found, str) and (index := part.rstrip("]")).isdecimal():
            if int(index) >= len(found):
                return _MISSING
            found = found[int(index)]
        else:
            return _MISSING
    return found
