"""The audit log's entries: what a change changed, value by value, without secrets and of a bounded size."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from parlons.store.audit import AuditEntry
from parlons.store.sealing import KEPT, REFERENCE, Slots, no_slots

from .access import Principal
from .services import Services

MAX_CHANGES = 100
"""Values of one change that are told; how many more there were is told too."""
MAX_VALUE = 500
"""Characters of a value."""
_HIDDEN = re.compile(r"authorization|cookie|passw|secret|token|api[-_]?key|credential", re.IGNORECASE)
_MASK = "(hidden)"
_CHANGED = "(new secret)"


async def note(
    parts: Services,
    who: Principal,
    action: str,
    target: tuple[str, str],
    before: BaseModel | Mapping[str, Any] | None = None,
    after: BaseModel | Mapping[str, Any] | None = None,
    slots: Slots = no_slots,
) -> None:
    """Write who did what. To be called in the transaction of the change.

    Args:
        target: kind and id of what was changed.
        before, after: the document, or what of it matters.
        slots: where it holds secrets.
    """
    changes = await asyncio.to_thread(lambda: differences(_plain(before, slots), _plain(after, slots)))
    entry = AuditEntry(parts.clock(), who.kind, who.id, who.name, action, target[0], target[1], changes)
    await parts.store.audit.add(entry)


def _plain(document: BaseModel | Mapping[str, Any] | None, slots: Slots) -> dict[str, Any]:
    if document is None:
        return {}
    data = document.model_dump(mode="json", by_alias=True) if isinstance(document, BaseModel) else dict(document)
    data = copy.deepcopy(data)
    for _, holder, name, _ in slots(data):
        value = holder.get(name)
        if value not in (None, KEPT) and not REFERENCE.match(str(value)):
            holder[name] = _CHANGED
    return data


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``{path, before, after}`` of every value that is not the same in both; None where one has none."""
    old, new = dict(_values(before, "")), dict(_values(after, ""))
    paths = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    found: list[dict[str, Any]] = [
        {"path": path, "before": _shown(old.get(path)), "after": _shown(new.get(path))} for path in paths[:MAX_CHANGES]
    ]
    if len(paths) > MAX_CHANGES:
        found.append({"path": "", "before": None, "after": f"and {len(paths) - MAX_CHANGES} more"})
    return found


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of everything in a document that holds nothing itself."""
    if isinstance(value, Mapping):
        secret = isinstance(value.get("name"), str) and "value" in value and _HIDDEN.search(value["name"])
        for key, item in value.items():
            if _says_nothing(item):
                continue
            hidden = (secret and key == "value") or _HIDDEN.search(str(key))
            inside = _hidden(item) if hidden else item
            yield from _values(inside, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, f"{path}[{index}]")
    else:
        yield path, value


def _says_nothing(value: Any) -> bool:
    return value is None or value == [] or value == {}


def _hidden(value: Any) -> Any:
    """A value that may be a secret: whether there is one, and whether it is new, is all that is told."""
    told = value in (KEPT, _CHANGED) or (isinstance(value, str) and REFERENCE.match(value))
    return value if told or isinstance(value, (bool, int)) else _MASK


def _shown(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_VALUE:
        return f"{value[:MAX_VALUE]}… ({len(value)} characters)"
    return value if isinstance(value, (str, int, float, bool, type(None))) else json.dumps(value)[:MAX_VALUE]
