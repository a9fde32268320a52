"""What a folder would change in the store, and changing it: all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..agents.common import Document
from ..agents.workflows import Workflow
from ..errors import InvalidDocument, NotFound
from ..store import Store
from ..store.applied import Applied
from .files import Loaded, LoadedFile
from .kinds import AGENTS, CONNECTIONS, DATA_SOURCES, FOLDERS, SETTINGS, SETTINGS_KEY, WORKFLOWS, Kind
from .references import missing


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one document.

    ``kept`` is a document left as it is although it is not what the file says, with the reason; ``adopted`` one that
    is already what the file says.
    """

    action: Literal["create", "update", "delete", "kept", "adopted"]
    key: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.action:8} {self.key}" + (f"  ({self.reason})" if self.reason else "")


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document as the store holds it now."""

    revision: int
    document: Document


async def plan(store: Store, loaded: Loaded, *, force: bool = False, prune: bool = False) -> list[Change]:
    """What :func:`apply` would do; documents that stay as they are, and should, are left out.

    Only documents whose file changed since it was last applied change. One edited in the console since is kept,
    unless ``force``. ``prune`` deletes documents that came from a file which is gone.

    Raises:
        InvalidDocument: something named exists neither in the folder nor in the store.
    """
    stored = await _stored(store)
    applied = await store.applied.all()
    changes = [
        change
        for key, file in loaded.files.items()
        if (change := _change(file, stored.get(key), applied.get(key), force=force)) is not None
    ]
    if prune:
        changes += _prune(loaded, stored, applied, force=force)
    _check_references(loaded, stored, changes)
    return changes


def _change(file: LoadedFile, stored: _Stored | None, applied: Applied | None, *, force: bool) -> Change | None:
    if stored is None:
        if applied is None or applied.hash != file.hash or force:
            return Change("create", file.key)
        return Change("kept", file.key, "deleted in the console since; --force brings it back")
    if stored.document == file.document:
        known = applied is not None and applied.hash == file.hash and applied.revision == stored.revision
        return None if known else Change("adopted", file.key)
    if (applied is not None and applied.revision == stored.revision) or force:
        return Change("update", file.key)
    why = "was made in the console" if applied is None else "edited in the console since"
    return Change("kept", file.key, f"{why}; --force overwrites it")


def _prune(
    loaded: Loaded, stored: Mapping[str, _Stored], applied: Mapping[str, Applied], *, force: bool
) -> list[Change]:
    changes: list[Change] = []
    for key in sorted(set(applied) - set(loaded.files) - {SETTINGS_KEY}):
        current = stored.get(key)
        if current is None or current.revision == applied[key].revision or force:
            changes.append(Change("delete", key))
        else:
            changes.append(Change("kept", key, "its file is gone, but it was edited in the console since"))
    return changes


def _check_references(loaded: Loaded, stored: Mapping[str, _Stored], changes: list[Change]) -> None:
    """Check what the folder's documents name, and that nothing left names what goes."""
    gone = {change.key for change in changes if change.action == "delete"}
    kept = {change.key for change in changes if change.action == "kept"}
    after = {key: current.document for key, current in stored.items() if key not in gone}
    after |= {key: file.document for key, file in loaded.files.items() if key not in kept}
    existing = {folder: {key.split("/", 1)[1] for key in after if key.startswith(f"{folder}/")} for folder in FOLDERS}
    workflows = {k.split("/", 1)[1]: d for k, d in after.items() if isinstance(d, Workflow)}
    problems: list[tuple[str, str]] = []
    for key, document in after.items():
        file = loaded.files.get(key)
        if file is None and not gone:
            continue
        shown = file.path.relative_to(loaded.directory).as_posix() if file else key
        problems += [(f"{shown}: {path}", text) for path, text in missing(document, existing, workflows)]
    if problems:
        raise InvalidDocument(f"the configuration in {loaded.directory}", problems)


async def apply(store: Store, loaded: Loaded, *, force: bool = False, prune: bool = False) -> list[Change]:
    """Bring the store to what the folder says, in one transaction, and publish the agents that changed.

    Returns:
        what :func:`plan` would.

    Raises:
        InvalidDocument: something named does not exist.
        Conflict: a number is on two active agents.
    """
    async with store.transaction():
        changes = await plan(store, loaded, force=force, prune=prune)
        publish: list[str] = []
        for change in changes:
            if change.action == "kept":
                continue
            if change.action == "delete":
                await _delete(store, change.key)
                await store.applied.forget(change.key)
                continue
            file = loaded.files[change.key]
            revision = await _save(store, file)
            await store.applied.put(change.key, Applied(file.hash, revision))
            if file.kind is AGENTS:
                publish.append(file.id)
        await store.agents.publish_all(publish)
    return changes


def _repository(store: Store, kind: Kind) -> Any:
    return {
        CONNECTIONS.folder: store.connections,
        WORKFLOWS.folder: store.workflows,
        DATA_SOURCES.folder: store.data_sources,
    }[kind.folder]


async def _save(store: Store, file: LoadedFile) -> int:
    document: Any = file.document
    if file.kind is AGENTS:
        return await store.agents.save_draft(file.id, document)
    if file.kind is SETTINGS:
        return await store.settings.put(document)
    return int(await _repository(store, file.kind).put(file.id, document))


async def _delete(store: Store, key: str) -> None:
    folder, document_id = key.split("/", 1)
    repository = store.agents if folder == AGENTS.folder else _repository(store, FOLDERS[folder])
    try:
        await repository.delete(document_id)
    except NotFound:
        return  # deleted in the console already: only the note of its file is left to remove


async def _stored(store: Store) -> dict[str, _Stored]:
    """Everything in the store, by key; agents by their drafts."""
    found: dict[str, _Stored] = {}
    for summary in await store.agents.list():
        draft, revision = await store.agents.get_draft(summary.id)
        found[f"{AGENTS.folder}/{summary.id}"] = _Stored(revision, draft)
    for kind in (CONNECTIONS, WORKFLOWS, DATA_SOURCES):
        repository = _repository(store, kind)
        for document_id, document in (await repository.list()).items():
            revision = await repository.revision(document_id)
            found[f"{kind.folder}/{document_id}"] = _Stored(revision, document)
    if revision := await store.settings.revision():
        found[SETTINGS_KEY] = _Stored(revision, await store.settings.get())
    return found
