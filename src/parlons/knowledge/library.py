"""The documents of data sources: taken in, read by a job, replaced, removed. Searching is ``search``.

A document is one row in the database (``Records``) and one original in the data directory. Whoever gives one only adds
the row and the original; a job reads it, and may be interrupted anywhere: a row that waits is read at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from .. import logs
from ..agents.workflows import DataSource
from ..errors import ParlonsError
from . import worker
from .embedding import EmbeddingSetup
from .failures import DocumentRefused
from .index import table_name
from .originals import Kept, Originals, name_of_page, remove_old

KIND = "knowledge_ingest"
"""Of the jobs that read documents."""
AT_ONCE = 1
INGEST_SECONDS = 3_600.0
TRIES = 6
FIRST_PAUSE_SECONDS = 10.0
ELSEWHERE_SECONDS = 30.0
PROGRESS_SECONDS = 1.0
TIDY_SECONDS = 600.0

log = logs.get(__name__)


class Document(Protocol):
    """A document's row, as much as is needed here."""

    @property
    def id(self) -> str: ...
    @property
    def source_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str | None: ...
    @property
    def sha256(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def made_with(self) -> str: ...


class Records(Protocol):
    """The rows (``store.knowledge``)."""

    async def give(self, source_id: str, name: str, *, size: int, sha256: str, url: str | None = None) -> Document: ...
    async def again(self, document_id: str) -> Document: ...
    async def progress(self, document_id: str, version: int, percent: int) -> bool: ...
    async def read(self, document_id: str, version: int, *, passages: int, made_with: str) -> bool: ...
    async def refuse(self, document_id: str, version: int, error: str) -> bool: ...
    async def find(self, document_id: str) -> Document | None: ...
    async def list(self, source_id: str | None = None) -> Sequence[Document]: ...
    async def delete(self, document_id: str) -> None: ...


Sources = Callable[[], Awaitable[Mapping[str, DataSource]]]
"""Every data source, by id."""
Fetch = Callable[[str], Awaitable[bytes]]
"""A web page's bytes; raises ParlonsError, with ``retryable``."""
Submit = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""(kind, id, payload) of a durable job."""


class Library:
    """Of one installation.

    Args:
        folder: where originals and the index are kept; made when it is first needed.
        embedding: the provider of vectors now, if any; raises ProviderUnusable.
        submit: hands a job to the one who carries jobs out; None in a command, which carries them out itself.
    """

    def __init__(
        self,
        records: Records,
        sources: Sources,
        folder: Path,
        fetch: Fetch,
        embedding: Callable[[], Awaitable[EmbeddingSetup | None]],
        submit: Submit | None = None,
    ) -> None:
        self._records = records
        self._sources = sources
        self._originals = Originals(folder / "originals")
        self._locks = folder / "locks"
        self.index_folder = folder / "index"
        self._fetch = fetch
        self._embedding = embedding
        self._submit = submit
        self._submitted: set[tuple[str, int]] = set()
        self._seen: set[str] = set()
        self._tidy_at = 0.0

    # -- giving and removing -----------------------------------------------------------------------------------

    async def add_file(self, source_id: str, path: Path, name: str | None = None) -> Document:
        """Take a copy of a file, and have it read.

        Args:
            name: what the document is called; the file's own name by default.

        Raises:
            DocumentRefused: too big, or it cannot be read.
            IndexFailed: there is no room for it.
            NotFound: no such data source.
        """
        return await self.give(source_id, await asyncio.to_thread(self._originals.at, path, name or path.name))

    async def keep(self, file: IO[bytes], name: str) -> Kept:
        """Take a copy of an open file, from where it stands, for :meth:`give`. What is never given is removed in time.

        Args:
            name: as whoever sent the file calls it; only the last part of a path counts.

        Raises:
            DocumentRefused: too big.
            IndexFailed: there is no room for it.
        """
        return await asyncio.to_thread(self._originals.of, file, name)

    async def give(self, source_id: str, kept: Kept) -> Document:
        """Have a kept file read, as a new document or in place of the one of its name. Raises NotFound."""
        return await self._records.give(source_id, kept.name, size=kept.size, sha256=kept.sha256)

    async def add_page(self, source_id: str, url: str) -> Document:
        """Have a single web page read. Raises NotFound."""
        return await self._records.give(source_id, name_of_page(url), size=0, sha256="", url=url)

    async def again(self, document_id: str) -> Document:
        """Have what was given last read once more. Raises NotFound."""
        return await self._records.again(document_id)

    async def remove(self, document_id: str) -> None:
        """Take a document out of searches, then forget it.

        Raises:
            NotFound: no such document.
            IndexFailed: it is still there.
        """
        document = await self._records.find(document_id)
        if document is not None:
            await self._unindex(document.source_id, document_id)
        await self._records.delete(document_id)

    # -- reading -----------------------------------------------------------------------------------------------

    async def ingest(self, document_id: str, version: int, attempt: int = 1) -> float | None:
        """Read one version of a document, unless it is read or replaced already. What a job does.

        Returns:
            None when it is done or refused; else the seconds after which to try again, also when another process is
            reading the document now.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(await asyncio.to_thread(self._only, document_id))
            except BlockingIOError:
                return ELSEWHERE_SECONDS
            return await self._ingest(document_id, version, attempt)

    async def _ingest(self, document_id: str, version: int, attempt: int) -> float | None:
        document = await self._records.find(document_id)
        if document is None or document.version != version or document.state not in ("waiting", "reading"):
            return None
        source = (await self._sources()).get(document.source_id)
        if source is None:
            return None
        try:
            await self._read(document, source)
        except DocumentRefused as error:
            await self._records.refuse(document_id, version, str(error))
        except ParlonsError as error:
            if error.retryable and attempt < TRIES:
                log.warning("ingestion_tried_again", document=document_id, error=error.message)
                return float(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            await self._records.refuse(document_id, version, str(error))
        return None

    async def refresh(self) -> None:
        """Have read whatever waits: given by a command, left by a process that died, or made with other settings.

        Raises:
            ParlonsError: the database does not answer, or the embedding provider cannot be used as set.
        """
        sources, documents = await self._sources(), await self._records.list()
        embedding = await self._embedding()
        known = {(document.source_id, document.url) for document in documents}
        for source_id, source in sources.items():
            for page in source.pages:
                if (source_id, page.url) not in known:
                    documents = [*documents, await self.add_page(source_id, page.url)]
        for document in documents:
            of = sources.get(document.source_id)
            if of is not None and document.state == "ready" and document.made_with != _label(of, embedding):
                document = await self._records.again(document.id)
            if document.state in ("waiting", "reading"):
                await self._have_read(document)
        for gone in self._seen - sources.keys():  # at once: one that is made anew under its id finds nothing of it
            await self._drop(gone)
        self._seen = set(sources)
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            await self._tidy({document.id for document in documents} | {document.sha256 for document in documents})

    # -- inside ------------------------------------------------------------------------------------------------

    async def _have_read(self, document: Document) -> None:
        if self._submit is None or (document.id, document.version) in self._submitted:
            return
        payload = {"document": document.id, "version": document.version}
        await self._submit(KIND, f"{document.id}:{document.version}", payload)
        self._submitted.add((document.id, document.version))

    async def _read(self, document: Document, source: DataSource) -> None:
        told = asyncio.create_task(self._tell_progress(document, percent := [0]))
        try:
            embedding = await self._embedding()
            path, name = self._originals.folder / document.sha256, document.name
            if document.url is not None:
                fetched = await self._fetch(document.url)
                path, name = await asyncio.to_thread(self._originals.put, document.id, fetched), "page.html"
            elif not await asyncio.to_thread(path.is_file):
                raise DocumentRefused("unreachable", "The original is not in the data directory.", hint="Add it again.")
            done = await worker.carry_out(
                {
                    "do": "replace",
                    "folder": str(self.index_folder.resolve()),
                    "source_id": document.source_id,
                    "language": source.language,
                    "document_id": document.id,
                    "version": document.version,
                    "name": name,
                    "title": document.name if document.url else Path(document.name).stem,
                    "path": str(path.resolve()),
                    "embedding": worker.embedding_task(embedding),
                },
                seconds=INGEST_SECONDS,
                progress=lambda value: percent.__setitem__(0, value),
            )
        finally:
            told.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await told
        made_with = _label(source, embedding)
        if (
            not await self._records.read(document.id, document.version, passages=done["passages"], made_with=made_with)
            and (await self._records.find(document.id)) is None
        ):
            await self._unindex(document.source_id, document.id)  # removed while it was read

    async def _tell_progress(self, document: Document, percent: list[int]) -> None:
        told = -1
        while True:
            if percent[0] != told:
                told = percent[0]
                with contextlib.suppress(ParlonsError):  # nobody waits for this number
                    await self._records.progress(document.id, document.version, told)
            await asyncio.sleep(PROGRESS_SECONDS)

    async def _unindex(self, source_id: str, document_id: str) -> None:
        task = {"do": "remove", "folder": str(self.index_folder.resolve()), "source_id": source_id}
        await worker.carry_out({**task, "document_id": document_id}, seconds=INGEST_SECONDS)

    async def _tidy(self, kept: set[str]) -> None:
        """Remove the index of sources that are gone, and originals that no document has."""
        for source_id in await asyncio.to_thread(self._indexed, kept):
            if source_id not in await self._sources():  # asked now: one that is new may have an index already
                await self._drop(source_id)

    async def _drop(self, source_id: str) -> None:
        if not await asyncio.to_thread((self.index_folder / f"{table_name(source_id)}.lance").exists):
            return
        task = {"do": "drop", "folder": str(self.index_folder.resolve()), "source_id": source_id}
        await worker.carry_out(task, seconds=INGEST_SECONDS)

    def _indexed(self, kept: set[str]) -> list[str]:
        """Sources that have an index; originals that are not kept are removed on the way. Blocks."""
        self._originals.tidy(kept)
        remove_old(self._locks, kept)
        first, last = table_name("\0").split("\0")
        found = [path.name.removesuffix(".lance") for path in self.index_folder.glob("*.lance")]
        return [name.removeprefix(first).removesuffix(last) for name in found]

    def _only(self, document_id: str) -> IO[bytes]:
        """Hold a document's lock until the file is closed, or the process ends. Blocks shortly.

        Raises:
            BlockingIOError: it is held.
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        file = (self._locks / document_id).open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise
        return file


def _label(source: DataSource, embedding: EmbeddingSetup | None) -> str:
    """How passages are made: what changes it has documents read anew."""
    return f"{source.language.partition('-')[0]} {embedding.label if embedding else ''}".strip()
