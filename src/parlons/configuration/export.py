"""The store to a folder of files that :mod:`.files` reads back to the same documents. Secrets become ``${NAME}``."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..agents.common import Document
from ..store import Store
from ..store.sealing import KEPT
from .kinds import AGENTS, CONNECTIONS, DATA_SOURCES, ENDINGS, FOLDERS, SETTINGS, SETTINGS_KEY, WORKFLOWS, Kind


@dataclass(slots=True)
class Exported:
    """What was written; what lies in the folder of documents that are no more; and variables to set before applying."""

    written: list[Path] = field(default_factory=list)
    stale: list[Path] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.written)


async def export(store: Store, directory: Path) -> Exported:
    """Write every document as the next call uses it: agents as published (never published: as drafted).

    A document that has a file already keeps its place and ending. Files of documents that are no more are reported,
    not removed. The same store gives the same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    found: list[tuple[Kind, str, Document]] = []
    for summary in await store.agents.list():
        agent = (
            (await store.agents.get_draft(summary.id))[0]
            if summary.live_version is None
            else await store.agents.get_version(summary.id, summary.live_version)
        )
        found.append((AGENTS, summary.id, agent))
    found += [(CONNECTIONS, i, d) for i, d in (await store.connections.list()).items()]
    found += [(WORKFLOWS, i, d) for i, d in (await store.workflows.list()).items()]
    found += [(DATA_SOURCES, i, d) for i, d in (await store.data_sources.list()).items()]
    found.append((SETTINGS, SETTINGS_KEY, await store.settings.get()))
    return await asyncio.to_thread(_write_all, directory, found)


def _write_all(directory: Path, found: list[tuple[Kind, str, Document]]) -> Exported:
    result = Exported()
    for kind, document_id, document in found:
        folder = directory / kind.folder
        folder.mkdir(parents=True, exist_ok=True)
        data = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        _name_secrets(kind, document_id, data, result.variables)
        here = [folder / f"{document_id}{ending}" for ending in ENDINGS]
        path = next((p for p in here if p.exists()), here[0])
        path.write_text(_text(data, path.suffix), encoding="utf-8")
        result.written.append(path)
    for name in FOLDERS:
        if (directory / name).is_dir():
            there = sorted(p for p in (directory / name).iterdir() if p.suffix in ENDINGS)
            result.stale += [p for p in there if p not in result.written]
    return result


def _name_secrets(kind: Kind, document_id: str, data: dict[str, Any], variables: list[str]) -> None:
    """Put ``${NAME}`` where a secret is stored, for example ``${SIP_CONNECTION_TRUNK_PASSWORD}``."""
    for stored_as, holder, name, _path in kind.slots(data):
        if holder.get(name) != KEPT:
            continue
        words = [kind.noun, document_id, *([stored_as.removesuffix(":")] if stored_as != name else []), name]
        variable = re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper())
        holder[name] = f"${{{variable}}}"
        variables.append(variable)


class _Dumper(yaml.SafeDumper):
    """Blocks for texts of several lines, and quotes around what other YAML readers would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _text(data: dict[str, Any], ending: str) -> str:
    if ending == ".json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
