"""A folder of files to checked documents, every problem of every file gathered. Knows nothing of the store."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..agents.common import Document
from ..agents.models import Agent
from ..agents.problems import validate
from ..errors import InvalidDocument, NotFound
from ..store.sealing import REFERENCE
from .kinds import AGENTS, ENDINGS, FOLDERS, SETTINGS, SETTINGS_KEY, Kind, key_of
from .reading import Unreadable, parse, resolve

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Problems = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """One checked document. Its secrets are still ``${NAME}``: they are read from the environment when used.

    ``hash`` is of what the file says, with the environment put in, so comments and order change nothing.
    """

    kind: Kind
    id: str
    path: Path
    hash: str
    document: Document

    @property
    def key(self) -> str:
        """``agents/accueil``, or ``settings``."""
        return key_of(self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A whole folder, valid by itself; what it refers to outside of itself is checked against the store."""

    directory: Path
    files: dict[str, LoadedFile] = field(default_factory=dict)

    def of(self, kind: Kind) -> dict[str, Document]:
        """Documents of one kind, by id."""
        return {file.id: file.document for file in self.files.values() if file.kind is kind}


def load(directory: Path, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read a configuration folder.

    Args:
        environment: where ``${NAME}`` is looked up; the process's own by default.

    Raises:
        NotFound: there is no such folder.
        InvalidDocument: with every problem of every file, as (file: path of the value, what is wrong).
    """
    if not directory.is_dir():
        raise NotFound(f"there is no folder {directory}.", hint="Check PARLONS_CONFIG, or the argument of apply.")
    names = os.environ if environment is None else environment
    problems: Problems = []
    files: dict[str, LoadedFile] = {}
    for kind, path in _walk(directory, problems):
        shown = path.relative_to(directory).as_posix()
        try:
            file = _read(path, kind, shown, names)
        except InvalidDocument as error:
            problems += [(f"{shown}: {where}" if where else shown, text) for where, text in error.problems]
            continue
        if file.key in files:
            problems.append((shown, f"the same document is in {files[file.key].path.name}: remove one"))
        files[file.key] = file
    loaded = Loaded(directory, files)
    problems += _numbers_twice(loaded)
    if problems:
        raise InvalidDocument(f"the configuration in {directory}", problems)
    return loaded


def check_file(path: Path, environment: Mapping[str, str] | None = None) -> Agent:
    """Check one agent's file by itself, whatever folder it is in. Raises like :func:`check_document`."""
    agent = _check(path, AGENTS, environment)
    assert isinstance(agent, Agent)
    return agent


def check_document(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """Check one file by itself: what kind it is its folder's name says, else it is an agent.

    Raises:
        NotFound: there is no such file.
        InvalidDocument: with the path of every bad value, for example ``actions[1].max_ring_seconds``.
    """
    kind = FOLDERS.get(path.resolve().parent.name, AGENTS)
    if kind is AGENTS and path.stem == SETTINGS_KEY and path.resolve().parent.name != AGENTS.folder:
        kind = SETTINGS
    return _check(path, kind, environment)


def _check(path: Path, kind: Kind, environment: Mapping[str, str] | None) -> Document:
    if not path.is_file():
        raise NotFound(f"there is no file {path}.")
    return _read(path, kind, str(path), os.environ if environment is None else environment).document


def _walk(directory: Path, problems: Problems) -> list[tuple[Kind, Path]]:
    """Every document's file, in a stable order; files that look like documents but are none become problems."""
    found: list[tuple[Kind, Path]] = []
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            inside = sorted(p for p in entry.iterdir() if p.suffix in ENDINGS and not p.name.startswith("."))
            if entry.name in FOLDERS:
                found += [(FOLDERS[entry.name], path) for path in inside]
            elif inside:
                problems.append((entry.name, f"is not one of the folders {', '.join(sorted(FOLDERS))}"))
        elif entry.suffix in ENDINGS:
            if entry.stem == SETTINGS_KEY:
                found.append((SETTINGS, entry))
            else:
                problems.append((entry.name, "only settings is a file here: documents belong in their kind's folder"))
    return found


def _read(path: Path, kind: Kind, shown: str, environment: Mapping[str, str]) -> LoadedFile:
    """Read and check one file. Raises InvalidDocument."""
    if kind is not SETTINGS and not _ID.fullmatch(path.stem):
        message = "the file's name is the document's id: 1 to 64 of letters, digits, - _ and ., first a letter or digit"
        raise InvalidDocument(shown, [("", message)])
    try:
        data = parse(path.read_text(encoding="utf-8"), is_json=path.suffix == ".json")
    except Unreadable as error:
        raise InvalidDocument(shown, [("", str(error))]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDocument(shown, [("", f"cannot be read as UTF-8 text ({type(error).__name__})")]) from error
    if data is None and kind is SETTINGS:
        data = {}
    if not isinstance(data, dict):
        raise InvalidDocument(shown, [("", "is not an object of keys and values")])
    problems: Problems = []
    resolved = resolve(data, environment, problems)
    _keep_secrets_named(kind, data, resolved, problems)
    try:
        document = validate(kind.model, resolved, shown)
    except InvalidDocument as error:
        told = {where for where, _ in problems}  # a variable that is not set explains the value's other troubles
        raise InvalidDocument(shown, problems + [p for p in error.problems if p[0] not in told]) from error
    if problems:
        raise InvalidDocument(shown, problems)
    digest = hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()
    return LoadedFile(kind, path.stem if kind.folder else "", path, digest, document)


def _keep_secrets_named(kind: Kind, data: dict[str, Any], resolved: dict[str, Any], problems: Problems) -> None:
    """Secrets stay ``${NAME}`` in what is stored; one written out in a file is a problem."""
    try:
        written = list(kind.slots(copy.deepcopy(_listed(data))))
        targets = list(kind.slots(_listed(resolved)))
    except (AttributeError, TypeError):  # not the shape of this kind at all: validation says what is wrong
        return
    for (_, holder, name, path), (_, target, _, _) in zip(written, targets, strict=True):
        value = holder.get(name)
        if value is None:
            continue
        target[name] = value
        if not (isinstance(value, str) and REFERENCE.match(value)):
            hint = "a secret is never written in a file: put ${NAME} here and set NAME in the environment"
            problems.append((path, hint))


def _listed(data: dict[str, Any]) -> dict[str, Any]:
    """A view of an agent's data where each kind of provider is a list, as the model allows one or many."""
    providers = data.get("providers")
    if not isinstance(providers, dict):
        return data
    listed = {service: [entry] if isinstance(entry, dict) else entry for service, entry in providers.items()}
    return {**data, "providers": listed}


def _numbers_twice(loaded: Loaded) -> Problems:
    """A number on two active agents of the folder."""
    problems: Problems = []
    holders: dict[str, str] = {}
    for file in loaded.files.values():
        if not isinstance(file.document, Agent) or not file.document.active:
            continue
        for index, number in enumerate(file.document.phone_numbers):
            if number in holders:
                where = f"{file.path.relative_to(loaded.directory).as_posix()}: phone_numbers[{index}]"
                problems.append((where, f"{number} is also on the active agent {holders[number]}"))
            holders.setdefault(number, file.id)
    return problems
