"""Text of a configuration file to plain data: JSON, or YAML without its traps. Knows no model.

YAML 1.1 reads ``12:00`` as 720, ``NO`` as false, ``+33612345678`` as a number and a day as a date. Here only what
YAML 1.2 calls so is a number, a truth value or null; the rest is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ..store.sealing import REFERENCE

MAX_BYTES = 5_000_000


class Unreadable(Exception):
    """The text is not JSON or YAML; the message says where."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars, and no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} must be text: quote it", key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} appears twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # its stubs leave it out
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not read: write the value again", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def parse(text: str, *, is_json: bool) -> Any:
    """Plain data: dicts with text keys, lists, text, numbers, truth values, None.

    Raises:
        Unreadable.
    """
    if len(text) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES} bytes")
    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_no_key_twice)
        return yaml.load(text, Loader=_Loader)
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Unreadable(f"{where}{error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(str(error) or "nested too deep") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"the key {key!r} appears twice")
        found[key] = value
    return found


def resolve(data: Any, environment: Mapping[str, str], problems: list[tuple[str, str]], path: str = "") -> Any:
    """Replace every value that is ``${NAME}`` by what the environment holds; what is missing goes to ``problems``."""
    if isinstance(data, dict):
        return {k: resolve(v, environment, problems, f"{path}.{k}" if path else k) for k, v in data.items()}
    if isinstance(data, list):
        return [resolve(v, environment, problems, f"{path}[{i}]") for i, v in enumerate(data)]
    if isinstance(data, str) and (reference := REFERENCE.match(data)):
        value = environment.get(reference.group(1))
        if value is None:
            problems.append((path, f"{reference.group(1)} is not set in the environment"))
            return data
        return value
    return data
