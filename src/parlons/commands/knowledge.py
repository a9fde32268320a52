"""``parlons knowledge``: documents added, listed, searched and removed, with the server or without it.

The command reads documents itself, in processes of low priority; a server that runs finds what was read at once, and
takes up what a command that was killed left unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from parlons import control
from parlons.errors import NotFound, ParlonsError
from parlons.installation import open_store
from parlons.knowledge.embedding import EmbeddingSetup, setup
from parlons.knowledge.failures import DocumentRefused
from parlons.knowledge.library import ELSEWHERE_SECONDS, Library, Submit
from parlons.knowledge.search import Searches
from parlons.knowledge.service import KnowledgeService
from parlons.settings import Settings
from parlons.store import Store
from parlons.store.knowledge import KnowledgeStore, StoredDocument
from parlons.workflows.failures import UnexpectedStatus
from parlons.workflows.http_client import HttpClient, Request

FETCH_SECONDS = 20.0
MAX_PAGE = 20_000_000
"""Bytes of a web page."""
_CHARSET = re.compile(r"^text/.*charset\s*=\s*\"?([\w.:+-]+)", re.IGNORECASE)
_UTF8_MARK = b"\xef\xbb\xbf"
_PAGE = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Room:
    """The knowledge of an installation."""

    store: Store
    records: KnowledgeStore
    library: Library


def service_of(store: Store, settings: Settings, http: HttpClient, submit: Submit) -> KnowledgeService:
    """The knowledge of an installation, for the server.

    Args:
        submit: hands a durable job in; its handler calls ``ingest``.
    """
    library = library_of(store, settings, http, submit)
    return KnowledgeService(library, KnowledgeStore.of(store).statuses, lambda: _embedding(store))


def library_of(store: Store, settings: Settings, http: HttpClient, submit: Submit | None = None) -> Library:
    """The documents of an installation, for a command, or for the server, which hands in ``submit``."""

    async def embedding() -> EmbeddingSetup | None:
        return await _embedding(store)

    async def fetch(url: str) -> bytes:
        return await fetch_page(http, url)

    folder = settings.data_dir / "knowledge"
    return Library(KnowledgeStore.of(store), store.data_sources.list, folder, fetch, embedding, submit)


async def _embedding(store: Store) -> EmbeddingSetup | None:
    """The provider of vectors, as the settings have it. Raises ProviderUnusable."""
    return setup((await store.settings.in_clear()).embedding, os.environ)


async def fetch_page(http: HttpClient, url: str) -> bytes:
    """A web page as it came; in UTF-8 with its mark when the server says how it is encoded, which counts for more than
    what the page says itself.

    Raises:
        DocumentRefused: there is no such page, or it is not for us.
        OutsideError: the site failed; ``retryable`` says whether to try again.
    """
    headers = {"Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8"}
    try:
        reply = await http.send(Request("GET", url, headers, max_reply=MAX_PAGE, raw=True), timeout=FETCH_SECONDS)
    except UnexpectedStatus as error:
        status = error.reply.status
        if 400 <= status < 500 and status not in (408, 425, 429):
            raise DocumentRefused("unreachable", f"The site answers {status} for this page.") from None
        raise
    if named := _CHARSET.match(reply.headers.get("content-type", "")):
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            return _UTF8_MARK + await asyncio.to_thread(lambda: reply.content.decode(named[1]).encode())
    return reply.content


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Room]:
    """The knowledge of an installation, for one command."""
    store = await open_store(settings)
    allowed = (await store.settings.get()).allow_private_addresses
    http = HttpClient(allow_private=lambda: allowed)
    try:
        yield Room(store, KnowledgeStore.of(store), library_of(store, settings, http))
    finally:
        await http.aclose()
        await store.close()


async def add(settings: Settings, source_id: str, given: Sequence[str], *, as_json: bool) -> int:
    """Add files and web pages to a data source and read them. Returns the exit status: 1 when one was refused.

    Raises:
        NotFound: no such data source.
    """
    async with opened(settings) as room:
        await room.store.data_sources.get(source_id)
        documents, problems = [], 0
        for item in given:
            try:
                documents.append(await _give(room, source_id, item))
            except DocumentRefused as error:
                problems += 1
                typer.secho(f"{item}: {error}", err=True, fg="red")
        for document in documents:
            made = await _read(room, document, quiet=as_json)
            problems += made.state == "refused"
            _show_document(made, as_json=as_json)
    await _tell_server(settings)
    return 1 if problems else 0


async def list_sources(settings: Settings, source_id: str | None, *, as_json: bool) -> None:
    """Print the data sources, or one with its documents. Raises NotFound."""
    async with opened(settings) as room:
        sources, statuses = await room.store.data_sources.list(), await room.records.statuses()
        if source_id is not None:
            if source_id not in sources:
                raise NotFound(f"there is no data source {source_id!r}.", hint="See `parlons knowledge list`.")
            for document in await room.records.list(source_id):
                _show_document(document, as_json=as_json)
            return
    if as_json:
        typer.echo(json.dumps({key: asdict(status) for key, status in statuses.items()}, ensure_ascii=False))
        return
    if not sources:
        typer.echo("No data source. Describe one in data_sources/ and `parlons apply`.")
    for key, source in sources.items():
        status = statuses[key]
        more = f", {status.pending} to read" if status.pending else ""
        more += f", {status.refused} refused" if status.refused else ""
        typer.echo(
            f"{key}: {status.state}, {status.documents} documents, {status.passages} passages{more} "
            f"({_line(source.name)}, {source.language})"
        )


async def search(settings: Settings, source_id: str, question: str, *, limit: int, as_json: bool) -> int:
    """Search as a call would, and print the passages. Returns the exit status: 1 when there is none.

    Raises:
        NotFound, SourceNotReady, IndexFailed.
    """
    async with opened(settings) as room:
        searches = Searches(room.library.index_folder)
        try:
            await searches.refresh(await room.records.statuses(), await _embedding(room.store))
            found = await searches.search(source_id, question, limit)
        finally:
            await searches.close()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    elif not found:
        typer.echo("Nothing found.")
    for one in () if as_json else found:
        place = f", {_line(one.position)}" if one.position else ""
        typer.secho(f"{one.score:8.3f}  {_line(one.title)}{place}", bold=True)
        typer.echo(f"          {_line(one.text)}")
    return 0 if found else 1


async def remove(settings: Settings, source_id: str, names: Sequence[str]) -> None:
    """Remove documents, named as they are listed or by their id. Raises NotFound before anything is removed."""
    async with opened(settings) as room:
        documents = await room.records.list(source_id)
        chosen = []
        for name in names:
            match = next((document for document in documents if name in (document.name, document.id)), None)
            if match is None:
                raise NotFound(
                    f"there is no document {name!r} in {source_id!r}.",
                    hint=f"See `parlons knowledge list {source_id}`.",
                )
            chosen.append(match)
        for document in chosen:
            await room.library.remove(document.id)
            typer.echo(f"removed {_line(document.name)}")
    await _tell_server(settings)


# -- inside ----------------------------------------------------------------------------------------------------


async def _give(room: Room, source_id: str, item: str) -> StoredDocument:
    if _PAGE.match(item):
        given = await room.library.add_page(source_id, item)
    else:
        given = await room.library.add_file(source_id, Path(item))
    return await room.records.get(given.id)


async def _read(room: Room, document: StoredDocument, *, quiet: bool) -> StoredDocument:
    """Read a document here, as often as it takes, showing how far it is."""
    showing = asyncio.create_task(_show_progress(room, document)) if not quiet and sys.stderr.isatty() else None
    attempt = 1
    try:
        while (pause := await room.library.ingest(document.id, document.version, attempt)) is not None:
            attempt += pause != ELSEWHERE_SECONDS
            await asyncio.sleep(min(pause, 5.0))
    finally:
        if showing is not None:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            typer.echo("\r\x1b[K", err=True, nl=False)
    return await room.records.get(document.id)


async def _show_progress(room: Room, document: StoredDocument) -> None:
    while True:
        percent = (await room.records.get(document.id)).progress
        typer.echo(f"\r\x1b[K{_line(document.name)}: {percent} %", err=True, nl=False)
        await asyncio.sleep(0.5)


def _show_document(document: StoredDocument, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(document), ensure_ascii=False, default=str))
        return
    state = f"{document.state} ({document.progress} %)" if document.state == "reading" else document.state
    typer.echo(f"{document.id}  {_line(document.name)}: {state}, {document.passages} passages")
    if document.error:
        typer.secho(f"    {_line(document.error)}", fg="red")


async def _tell_server(settings: Settings) -> None:
    """A server that runs looks by itself every few seconds; told, it looks now."""
    with contextlib.suppress(ParlonsError):
        await control.request(settings.data_dir, "POST", "/reload")


def _line(text: str) -> str:
    """One line for a terminal: nothing in it can move the cursor."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)
