"""Which values of a document are secret, and how they leave it for the encrypted column and come back.

A document that is read shows ``KEPT`` where a secret is stored; saving a document with ``KEPT`` keeps that secret.
``${NAME}`` is not a secret but the name of one in the environment: it stays in the document as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import InvalidDocument
from .crypto import SecretKey

KEPT = "********"
REFERENCE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")

Document = dict[str, Any]
Slot = tuple[str, Document, str, str]
"""(what it is stored under, the object that holds it, its key there, its path for a person)."""
Slots = Callable[[Document], Iterator[Slot]]


def connection_slots(document: Document) -> Iterator[Slot]:
    """The two passwords of a SIP connection."""
    for name in ("password", "inbound_password"):
        yield name, document, name, name


def workflow_slots(document: Document) -> Iterator[Slot]:
    """The signing secret of a webhook."""
    yield "secret", document, "secret", "secret"


def agent_slots(document: Document) -> Iterator[Slot]:
    """The API keys of providers. Stored by type and address, so that a kept key never goes to another server."""
    for service, entries in (document.get("providers") or {}).items():
        for index, entry in enumerate(entries):
            stored_as = f"{service}:{entry.get('type')}:{entry.get('base_url') or ''}"
            yield stored_as, entry, "api_key", f"providers.{service}[{index}].api_key"


def settings_slots(document: Document) -> Iterator[Slot]:
    """The key of the embedding provider, stored by its address: a kept key never goes to another server."""
    if embedding := document.get("embedding"):
        stored_as = f"embedding:{embedding.get('type')}:{embedding.get('base_url') or ''}"
        yield stored_as, embedding, "api_key", "embedding.api_key"


def no_slots(_document: Document) -> Iterator[Slot]:
    """A document without secrets."""
    return iter(())


def take_out(document: Document, slots: Slots, key: SecretKey, stored: str | None, what: str) -> str | None:
    """Replace the secrets of a document by ``KEPT``, in place, and return them sealed (None when there are none).

    Args:
        stored: the sealed secrets of the document it replaces.
        what: names the document in errors.

    Raises:
        InvalidDocument: ``KEPT`` where nothing is stored.
        SecretUnreadable: a secret is to be kept, and cannot be read.
    """
    old: dict[str, str] | None = None
    found: dict[str, str] = {}
    for stored_as, holder, name, path in slots(document):
        value = holder.get(name)
        if value is None or REFERENCE.match(value):
            continue
        if value == KEPT:
            if old is None:
                old = json.loads(key.open(stored)) if stored else {}
            if stored_as not in old:
                raise InvalidDocument(what, [(path, "no secret is stored here yet: enter it")])
            value = old[stored_as]
        found[stored_as] = value
        holder[name] = KEPT
    return key.seal(json.dumps(found)) if found else None


def put_back(
    document: Document, slots: Slots, key: SecretKey, stored: str | None, environment: Mapping[str, str] | None = None
) -> None:
    """Put secrets into a document, in place: stored ones in clear, ``${NAME}`` from the environment (None if unset).

    Raises:
        SecretUnreadable: the key is not the one they were sealed with.
    """
    names = os.environ if environment is None else environment
    opened: dict[str, str] | None = None
    for stored_as, holder, name, _path in slots(document):
        value = holder.get(name)
        if value == KEPT:
            if opened is None:
                opened = json.loads(key.open(stored)) if stored else {}
            holder[name] = opened.get(stored_as)
        elif isinstance(value, str) and (reference := REFERENCE.match(value)):
            holder[name] = names.get(reference.group(1))
