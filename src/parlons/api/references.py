"""What names what, in the store: before a document goes live everything it names must exist; what is named stays."""

from __future__ import annotations

import re

from parlons.agents.common import Document
from parlons.configuration.kinds import AGENTS, CONNECTIONS, DATA_SOURCES, WORKFLOWS, Kind
from parlons.configuration.references import missing, references
from parlons.errors import InvalidDocument
from parlons.store import Store

from .problems import InUse, Use


async def problems_of(store: Store, document: Document) -> list[tuple[str, str]]:
    """(path, what is wrong) for everything a document names that is not there, or is of another kind."""
    workflows = await store.workflows.list()
    existing = {
        AGENTS.folder: {summary.id for summary in await store.agents.list()},
        CONNECTIONS.folder: set(await store.connections.list()),
        WORKFLOWS.folder: set(workflows),
        DATA_SOURCES.folder: set(await store.data_sources.list()),
    }
    return missing(document, existing, workflows)


async def check(store: Store, document: Document) -> None:
    """Raises InvalidDocument when something named does not exist."""
    found = await problems_of(store, document)
    if found:
        raise InvalidDocument("the document", found)


async def uses(store: Store, kind: Kind, wanted: str) -> list[Use]:
    """Everything that names a document; not itself."""
    found = (await all_uses(store, kind)).get(wanted, [])
    return [use for use in found if not (kind is AGENTS and use.kind == "agent" and use.id == wanted)]


async def all_uses(store: Store, kind: Kind) -> dict[str, list[Use]]:
    """What names each document of a kind, by the document's id; those that nothing names are left out."""
    found: dict[str, list[Use]] = {}

    def note(by: str, key: str, name: str, named: set[tuple[str, str]], live: set[tuple[str, str]]) -> None:
        for path, of in sorted(named):
            found.setdefault(of, []).append(Use(kind=by, id=key, name=name, path=path, live=(path, of) in live))

    for summary in await store.agents.list():
        live: set[tuple[str, str]] = set()
        if summary.live_version is not None:
            live = _named(await store.agents.get_version(summary.id, summary.live_version), kind)
        draft = _named((await store.agents.get_draft(summary.id))[0], kind)
        note("agent", summary.id, summary.name, live | draft, live)
    for key, connection in (await store.connections.list()).items():
        named = _named(connection, kind)
        note("sip_connection", key, connection.name, named, named)
    named = _named(await store.settings.get(), kind)
    note("settings", "settings", "settings", named, named)
    return found


def _named(document: Document, kind: Kind) -> set[tuple[str, str]]:
    """(path, id) of everything of a kind that a document names."""
    return {(path, named) for path, of, named, _ in references(document) if of is kind and named is not None}


async def uses_of_secret(store: Store, name: str) -> list[Use]:
    """Every workflow that names a secret in one of its templates."""
    mention = re.compile(rf"secrets\s*(?:\.\s*{re.escape(name)}\b|\[\s*['\"]{re.escape(name)}['\"]\s*\])")
    return [
        Use(kind="workflow", id=key, name=workflow.name, path="", live=workflow.status == "published")
        for key, workflow in (await store.workflows.list()).items()
        if any(mention.search(text) for text in _texts(workflow.model_dump(mode="json", by_alias=True)))
    ]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def refuse_if_used(what: str, found: list[Use]) -> None:
    """Raises InUse, with all of it."""
    if found:
        names = ", ".join(dict.fromkeys(f"{use.kind} {use.name!r}" for use in found))
        raise InUse(f"{what} is used by {names[:500]}.", hint="Take it out there first.", used_by=found)
