"""The rooms of the house: who may import whom. A lower room never knows a higher one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "parlons"
ROOT = {"errors", "logs"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "logs": set(),
    "metrics": set(),
    "control": {"errors"},
    "jobs": ROOT,
    "memory": set(),
    "settings": {"errors"},
    "alerts": ROOT | {"agents", "calls.record", "calls.timeline", "workflows"},
    "agents": {"errors", "telephony.sip.headers"},  # the rule for header fields is one, and pure
    "telephony": ROOT,
    "conversation": ROOT | {"agents", "telephony.types", "calls.timeline", "telephony.media.resample"},
    "workflows": ROOT | {"agents"},
    "knowledge": ROOT | {"agents"},
    "store": ROOT | {"agents", "calls.timeline", "calls.record", "workflows.runs"},
    "configuration": ROOT | {"agents", "store"},
    "calls": ROOT | {"agents", "telephony", "conversation", "workflows", "knowledge", "metrics", "store"},
    "webrtc": ROOT | {"agents", "calls", "telephony"},
    "api": ROOT
    | {"agents", "calls", "configuration", "store", "settings", "metrics", "workflows", "knowledge", "webrtc"},
}
"""The composition (``app``, ``serving``, ``cli``, ``__main__``) may import everything; nothing may import it."""

COMPOSITION = {"app", "serving", "cli", "commands", "trunks", "installation", "__main__", "__init__"}


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, without the leading ``parlons.``."""
    package = ("parlons", *path.relative_to(SOURCE).parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("parlons")}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            if module == "parlons" or module.startswith("parlons."):
                found |= {f"{module}.{a.name}" for a in node.names}
    return {name.removeprefix("parlons").removeprefix(".") for name in found}


def room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


FILES = sorted(p for p in SOURCE.rglob("*.py") if room(p) not in COMPOSITION)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    mine = room(path)
    assert mine in MAY_IMPORT, f"{mine} is a new room: say what it may import"
    allowed = MAY_IMPORT[mine] | {mine}
    for name in imports(path):
        if name in ("", "__version__"):
            continue
        assert any(name == a or name.startswith(a + ".") for a in allowed), f"{mine} may not import {name}"


def test_telephony_knows_no_agent() -> None:
    for path in (SOURCE / "telephony").rglob("*.py"):
        assert not any(n.startswith("agents") for n in imports(path)), path
