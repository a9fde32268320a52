"""Keeping documents of one kind (connections, workflows, data sources): the same rules for each."""

from __future__ import annotations

import secrets
from collections.abc import Container
from typing import Generic, TypeVar

from parlons.agents.common import Document, slug
from parlons.configuration.kinds import Kind
from parlons.errors import Conflict
from parlons.store.documents import DocumentStore

from . import references
from .access import Principal
from .bodies import page, refuse_stale
from .changes import note
from .problems import Stale
from .services import Services

Model = TypeVar("Model", bound=Document)


class Documents(Generic[Model]):
    """One kind of document in the store, changed on behalf of somebody."""

    def __init__(self, parts: Services, repository: DocumentStore[Model], kind: Kind) -> None:
        self._parts = parts
        self._repository = repository
        self._kind = kind
        self._target = kind.noun.replace(" ", "_").lower()

    async def page(self, limit: int, cursor: str | None) -> tuple[list[tuple[str, int, Model]], str | None]:
        """(id, revision, document) of one page, and the cursor of the next."""
        documents = await self._repository.list()
        ids, following = page(self._target, documents, limit, cursor)
        return [(i, await self._repository.revision(i), documents[i]) for i in ids], following

    async def get(self, document_id: str) -> tuple[int, Model]:
        """The revision and the document. Raises NotFound."""
        revision = await self._repository.revision(document_id)  # first: an older one only makes a save be refused
        return revision, await self._repository.get(document_id)

    async def create(self, who: Principal, wanted_id: str | None, name: str, document: Model) -> tuple[str, int]:
        """Store a new document and make it live; its id, made of its name if none is wanted, and its revision.

        Raises:
            Conflict: the id is taken.
            InvalidDocument: it names what does not exist.
        """
        store = self._parts.store
        await references.check(store, document)
        async with store.transaction():
            new_id = wanted_id or free_id(name, await self._repository.list())
            revision = await self._repository.put(new_id, document)
            if revision != 1:
                raise Conflict(f"there is a {self._kind.noun} {new_id!r} already.", hint="Choose another id.")
            await note(
                self._parts, who, f"{self._target}.create", (self._target, new_id), None, document, self._kind.slots
            )
        await self._parts.make_live()
        return new_id, revision

    async def save(self, who: Principal, document_id: str, document: Model, expected: int | None) -> int:
        """Store a document in place of the one that is there, and make it live; its revision.

        Raises:
            NotFound, Stale.
            InvalidDocument: it names what does not exist.
        """
        store = self._parts.store
        await references.check(store, document)
        async with store.transaction():
            current, before = await self.get(document_id)
            refuse_stale(f"the {self._kind.noun}", current, expected)
            revision = await self._repository.put(document_id, document)
            if expected is not None and revision != expected + 1:  # somebody's save came between: undone as we leave
                raise Stale(f"the {self._kind.noun}", revision - 1, expected)
            await note(
                self._parts, who, f"{self._target}.save", (self._target, document_id), before, document,
                self._kind.slots,
            )  # fmt: skip
        await self._parts.make_live()
        return revision

    async def delete(self, who: Principal, document_id: str, expected: int | None) -> None:
        """Remove a document that nothing names.

        Raises:
            NotFound, Stale, InUse.
        """
        store = self._parts.store
        async with store.transaction():
            current, before = await self.get(document_id)
            refuse_stale(f"the {self._kind.noun}", current, expected)
            found = await references.uses(store, self._kind, document_id)
            references.refuse_if_used(f"the {self._kind.noun} {document_id!r}", found)
            await self._repository.delete(document_id)
            await note(
                self._parts, who, f"{self._target}.delete", (self._target, document_id), before, None, self._kind.slots
            )
        await self._parts.make_live()


def free_id(name: str, taken: Container[str]) -> str:
    """An id that a person recognises: the name in ASCII, with a number of chance when that is taken."""
    base = slug(name).replace("_", "-")[:50]
    return base if base not in taken else f"{base}-{secrets.token_hex(3)}"
