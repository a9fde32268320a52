"""What is wrong with a document, in words and paths that a person finds again in their file: ``actions[1].name``.

Pure. Knows pydantic's errors, and that they put the tags of unions into paths, where no person wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import InvalidDocument

Model = TypeVar("Model", bound=BaseModel)

_TAGS = frozenset(
    "transfer workflow hang_up rag keypad wait prompt say branch end message http set delay return".split()
)
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "unknown key: correct its name or remove it",
    "union_tag_not_found": "is required",
}


def validate(model: type[Model], data: object, what: str) -> Model:
    """Make a document of data.

    Args:
        what: names the document in the error, for example ``agents/accueil.yaml``.

    Raises:
        InvalidDocument: with every problem and the path of its value.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidDocument(what, problems_of(error, data)) from error


def problems_of(error: ValidationError, data: object) -> list[tuple[str, str]]:
    """(path, what is wrong) for each error, each path once."""
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        path = _path(item["loc"], data)
        if item["type"].startswith("union_tag"):
            path = f"{path}.type" if path else "type"
        text = _WORDS.get(item["type"]) or item["msg"].removeprefix("Value error, ")
        found[path] = f"{found[path]}; or: {text}" if path in found and found[path] != text else text
    return list(found.items())


def _path(location: tuple[int | str, ...], data: object) -> str:
    """Write a location as a person would, without the parts that stand for a branch of a union."""
    text = ""
    current: Any = data
    tagged = False
    for index, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
            current = current[part] if isinstance(current, list) and part < len(current) else None
        elif not isinstance(current, Mapping):
            continue
        elif not tagged and part in _TAGS and current.get("type") == part:
            tagged = True
            continue
        elif part in current or (index == len(location) - 1 and part != "[key]"):
            text += f".{part}" if text else part
            current = current.get(part)
        else:
            continue
        tagged = False
    return text
