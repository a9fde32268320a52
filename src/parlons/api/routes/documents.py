"""``/v1/data-sources/{id}/documents``: what a data source answers from: files and web pages taken in, how far their
reading is, read again, removed; and ``…/search``: a question tried, as a call would.

A file goes from the network to the disk piece by piece: it never is in memory as a whole.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field, StringConstraints
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from parlons.agents.common import HttpUrl
from parlons.errors import InvalidDocument, NotFound
from parlons.knowledge.failures import DocumentRefused, IndexFailed
from parlons.knowledge.originals import Kept
from parlons.knowledge.search import MAX_LIMIT, MAX_QUERY, SourceNotReady
from parlons.store.knowledge import StoredDocument

from ..access import Principal, Reader, Writer
from ..bodies import PROBLEMS, Body, Cursor, Id, Limit, Shape, Wanted, answer, nothing, page, returns
from ..changes import note
from ..idempotency import Route
from ..problems import BadRequest, HttpProblem, TooLarge, UnsupportedMediaType
from ..services import Parts, Services

MAX_FILES = 50
"""Of one request."""
FORM = "multipart/form-data"
FILES = "files"

Outcome = Literal["added", "replaced", "unchanged"]


class Upload(Route):
    """A route that takes files. The same file under the same name is taken once anyway: bodies of this size are not
    held in memory for the sake of an ``Idempotency-Key``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return APIRoute.get_route_handler(self)


router = APIRouter(prefix="/v1/data-sources/{source_id}", tags=["data-sources"], route_class=Route)


class BeingRead(HttpProblem):
    """The document is on its way already."""

    status, code = 409, "being-read"


class KeptElsewhere(HttpProblem):
    """The page would come back: the data source itself lists it."""

    status, code = 409, "listed-page"


class NothingToSearch(HttpProblem):
    """Nothing in the data source can be searched yet."""

    status, code = 409, "source-not-ready"


class IndexAway(HttpProblem):
    """The index, or the disk it is on, does not do its work."""

    status, code = 503, "index"


class KnowledgeDocument(Shape):
    """One document of a data source."""

    id: str
    name: Annotated[str, Field(description="unique in its data source; a file's name, or the address of a page")]
    url: Annotated[str | None, Field(description="of a web page; null: a file")]
    size: Annotated[int, Field(description="bytes as given; 0 for a page")]
    state: Annotated[
        Literal["waiting", "reading", "ready", "refused"], Field(description="of what was given last under this name")
    ]
    progress: Annotated[int, Field(ge=0, le=100, description="percent of its reading")]
    error: Annotated[str, Field(description="why it was refused, and what to do about it")]
    searchable: Annotated[bool, Field(description="searches find it, or the version before it")]
    passages: Annotated[int, Field(description="that searches find")]
    version: Annotated[int, Field(description="how often it was given")]
    created_at: datetime
    updated_at: datetime


class KnowledgeDocumentPage(Shape):
    """Documents, by id."""

    items: list[KnowledgeDocument]
    next_cursor: str | None


class TakenDocument(Shape):
    """What became of one thing that was sent. Whether it can be read shows in the document's ``state`` later."""

    outcome: Annotated[Outcome, Field(description="replaced: another content came under a name that was there")]
    document: KnowledgeDocument


class TakenDocuments(Shape):
    """What became of each file, in the order they were sent."""

    items: list[TakenDocument]


class NewPage(Wanted):
    """A single web page to read."""

    url: HttpUrl


class Question(Wanted):
    """A question to try."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUERY, strip_whitespace=True)]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="passages at most")] = 5


class FoundPassage(Shape):
    """A passage that answers, with where it stands."""

    document_id: str
    document: Annotated[str, Field(description="the document's name")]
    title: str
    position: Annotated[str, Field(description="`page 3`, `row 12`, `part 2`, or headings")]
    text: str
    score: Annotated[float, Field(description="higher is better; comparable within one answer alone")]


class SearchAnswer(Shape):
    """The passages that the agent would get, best first; none when nothing matches."""

    items: list[FoundPassage]
    took_ms: float


# -- the documents -------------------------------------------------------------------------------------------------


@router.get("/documents", **returns(KnowledgeDocumentPage))
async def list_documents(
    _who: Reader, parts: Parts, source_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The documents of a data source, with how far their reading is."""
    await parts.store.data_sources.get(source_id)
    found = {document.id: document for document in await parts.store.knowledge.list(source_id)}
    ids, following = page("document", found, limit, cursor)
    return await answer(KnowledgeDocumentPage(items=[_shape(found[i]) for i in ids], next_cursor=following))


async def add_documents(who: Writer, parts: Parts, source_id: Id, request: Request) -> Response:
    """Add files, 50 MB together, as a form (``files``, once for each). They are taken in now and read in the
    background: ask for the document until its ``state`` is ``ready`` or ``refused``. A file of a name that is there
    replaces that one, at once, when it was read.
    """
    await parts.store.data_sources.get(source_id)  # before anything is read
    async with _files(request) as files:
        kept = await _keep(parts, files)
    taken = [await _give(parts, who, source_id, one) for one in kept]
    await parts.make_live()
    return await answer(TakenDocuments(items=taken), 201)


_FORM_SCHEMA = {
    "type": "object",
    "properties": {
        FILES: {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_FILES,
            "items": {"type": "string", "format": "binary"},
        }
    },
    "required": [FILES],
    "additionalProperties": False,
}
router.add_api_route(
    "/documents",
    add_documents,
    methods=["POST"],
    route_class_override=Upload,
    **returns(TakenDocuments, 201)
    | {
        "openapi_extra": {
            PROBLEMS: [400, 413, 415],
            "requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}},
        }
    },
)


@router.post("/pages", **returns(TakenDocument, 201))
async def add_page(
    who: Writer, parts: Parts, source_id: Id, body: Annotated[NewPage, Depends(Body(NewPage))]
) -> Response:
    """Add a single web page; one that is there is read anew."""
    async with parts.store.transaction():
        given = await parts.knowledge.library.add_page(source_id, body.url)
        outcome: Outcome = "added" if given.version == 1 else "replaced"
        await note(parts, who, "document.add", ("data_source", source_id), None, {"page": body.url})
    await parts.make_live()
    shape = TakenDocument(outcome=outcome, document=_shape(await parts.store.knowledge.get(given.id)))
    return await answer(shape, 201, location=f"/v1/data-sources/{source_id}/documents/{given.id}")


@router.get("/documents/{document_id}", **returns(KnowledgeDocument))
async def get_document(_who: Reader, parts: Parts, source_id: Id, document_id: Id) -> Response:
    """One document, with how far its reading is."""
    return await answer(_shape(await _one(parts, source_id, document_id)))


@router.post("/documents/{document_id}/retry", **returns(KnowledgeDocument, 200, 409))
async def retry_document(who: Writer, parts: Parts, source_id: Id, document_id: Id) -> Response:
    """Read a document once more: a page that changed, or a file whose reading failed for a reason that is gone."""
    async with parts.store.transaction():
        document = await _one(parts, source_id, document_id)
        if document.state in ("waiting", "reading"):
            raise BeingRead(f"{document.name!r} is being read.", hint="Wait until that is done.")
        await parts.knowledge.library.again(document_id)
        await note(parts, who, "document.retry", ("data_source", source_id), None, {"document": document.name})
    await parts.make_live()
    return await answer(_shape(await _one(parts, source_id, document_id)))


@router.delete("/documents/{document_id}", **nothing(409))
async def delete_document(who: Writer, parts: Parts, source_id: Id, document_id: Id) -> Response:
    """Take a document out of searches and forget it, also while it is read."""
    document = await _one(parts, source_id, document_id)
    source = await parts.store.data_sources.get(source_id)
    if document.url is not None and document.url in {listed.url for listed in source.pages}:
        raise KeptElsewhere(
            "the data source lists this page among its pages: it would come back.",
            hint="Take it out of the data source's pages first.",
        )
    try:
        await parts.knowledge.library.remove(document_id)
    except IndexFailed as error:
        raise _away(error) from error
    await note(parts, who, "document.delete", ("data_source", source_id), {"document": document.name}, None)
    await parts.make_live()
    return Response(status_code=204)


# -- searching -----------------------------------------------------------------------------------------------------


@router.post("/search", **returns(SearchAnswer, 200, 409))
async def search_data_source(
    _who: Reader, parts: Parts, source_id: Id, body: Annotated[Question, Depends(Body(Question))]
) -> Response:
    """Try a question: the passages that an agent would get for it."""
    await parts.store.data_sources.get(source_id)
    began = time.perf_counter()
    try:
        found = await parts.knowledge.searches.search(source_id, body.question, body.limit)
    except (SourceNotReady, NotFound) as error:  # not found: it was made a moment ago
        raise NothingToSearch(
            "nothing in the data source can be searched yet.", hint="Add a document, and wait until it is read."
        ) from error
    except IndexFailed as error:
        raise _away(error) from error
    took = (time.perf_counter() - began) * 1000
    names = {document.id: document.name for document in await parts.store.knowledge.list(source_id)}
    items = [
        FoundPassage(
            document_id=one.document_id,
            document=names[one.document_id],
            title=one.title,
            position=one.position,
            text=one.text,
            score=one.score,
        )
        for one in found
        if one.document_id in names  # else it is being removed
    ]
    return await answer(SearchAnswer(items=items, took_ms=round(took, 1)))


# -- inside --------------------------------------------------------------------------------------------------------


async def _one(parts: Services, source_id: str, document_id: str) -> StoredDocument:
    found = await parts.store.knowledge.find(document_id)
    if found is None or found.source_id != source_id:
        raise NotFound(f"the data source {source_id!r} has no document {document_id!r}.")
    return found


def _shape(document: StoredDocument) -> KnowledgeDocument:
    fields = KnowledgeDocument.model_fields.keys() - {"searchable"}
    values = {name: getattr(document, name) for name in fields}
    return KnowledgeDocument(**values, searchable=document.readable > 0)


@asynccontextmanager
async def _files(request: Request) -> AsyncIterator[list[UploadFile]]:
    """The files of a form, on the disk; gone when the block ends.

    Raises:
        UnsupportedMediaType: not a form with files.
        InvalidDocument: another field, no file, or one without a name.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise UnsupportedMediaType("the body must be a form with files.", hint=f"Send Content-Type: {FORM}.")
    form = await _form(request)
    try:
        faults, files = [], []
        for name, value in form.multi_items():
            if name != FILES or not isinstance(value, UploadFile):
                faults.append((name[:100], f"only files go here, each under the name {FILES!r}"))
            elif not value.filename:
                faults.append((FILES, "a file has no name"))
            else:
                files.append(value)
        if not files and not faults:
            faults.append((FILES, "there is no file"))
        if faults:
            raise InvalidDocument("the request", faults)
        yield files
    finally:
        await form.close()


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=MAX_FILES, max_fields=MAX_FILES)
    except ClientDisconnect as error:
        raise BadRequest("the connection ended before the form did.") from error
    except OSError as error:
        raise IndexAway(
            f"the files cannot be taken in: {error.strerror}.",
            hint="Check that the disk for temporary files is not full.",
            headers={"Retry-After": "5"},
        ) from error


async def _keep(parts: Services, files: list[UploadFile]) -> list[Kept]:
    try:
        return [await parts.knowledge.library.keep(one.file, one.filename or "") for one in files]
    except DocumentRefused as error:
        raise TooLarge(error.message, hint=error.hint) from error
    except IndexFailed as error:
        raise _away(error) from error


async def _give(parts: Services, who: Principal, source_id: str, kept: Kept) -> TakenDocument:
    store = parts.store
    async with store.transaction():
        known = {document.name: document.version for document in await store.knowledge.list(source_id)}
        given = await parts.knowledge.library.give(source_id, kept)
        outcome: Outcome = "unchanged" if given.version == known.get(kept.name) else "replaced"
        if kept.name not in known:
            outcome = "added"
        if outcome != "unchanged":
            told = {"document": kept.name, "bytes": kept.size}
            await note(parts, who, "document.add", ("data_source", source_id), None, told)
    return TakenDocument(outcome=outcome, document=_shape(await store.knowledge.get(given.id)))


def _away(error: IndexFailed) -> IndexAway:
    return IndexAway(error.message, hint=error.hint, headers={"Retry-After": "5"})
