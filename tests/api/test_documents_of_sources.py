"""Documents of data sources over HTTP: taken in without holding them, read, replaced, removed; and a question tried."""

from __future__ import annotations

import asyncio
import errno
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from parlons.errors import StoreError
from parlons.knowledge.failures import IndexFailed
from parlons.knowledge.reading.process import MAX_BYTES
from tests.knowledge.samples import encrypted_pdf, pdf

from .stage import AGENT, BEARER, Stage, knowledge_of

HOURS = b"# Opening hours\n\nThe counter opens at nine.\n"
AT = "/v1/data-sources/help/documents"
BOUNDARY = "a-boundary-of-tests"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
async def help_centre(stage: Stage) -> Stage:
    """A stage with one data source called ``help``."""
    await source(stage)
    return stage


async def source(stage: Stage, source_id: str = "help", **document: Any) -> None:
    body = {"id": source_id, "document": {"name": "Help", "language": "en-GB", **document}}
    assert (await stage.http.post("/v1/data-sources", json=body)).status_code == 201


async def send(stage: Stage, *files: tuple[str, bytes], **options: Any) -> httpx.Response:
    return await stage.http.post(AT, files=[("files", file) for file in files], **options)


async def add(stage: Stage, name: str = "hours.md", data: bytes = HOURS) -> dict[str, Any]:
    """Send a file and have it read; the document then."""
    sent = await send(stage, (name, data))
    assert sent.status_code == 201, sent.text
    await stage.read_documents()
    found: dict[str, Any] = (await stage.http.get(f"{AT}/{sent.json()['items'][0]['document']['id']}")).json()
    return found


async def ask(stage: Stage, question: str = "counter", **body: Any) -> httpx.Response:
    return await stage.http.post("/v1/data-sources/help/search", json={"question": question, **body})


def originals(stage: Stage) -> list[Path]:
    return sorted((stage.knowledge.library.index_folder.parent / "originals").glob("*"))


def part(name: str, data: bytes, disposition: str = "") -> bytes:
    head = disposition or f'form-data; name="files"; filename="{name}"'
    return f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


# -- what is not taken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "status", "place"),
    [
        ("application/json", b"{}", 415, None),
        ("application/octet-stream", HOURS, 415, None),
        ("multipart/form-data", part("a.md", HOURS) + END, 400, None),
        (FORM, b"no form at all", 400, None),
        (FORM, b"", 422, "files"),
        (FORM, END, 422, "files"),
        (FORM, part("", HOURS) + END, 422, "files"),
        (FORM, part("", b"text", 'form-data; name="files"') + END, 422, "files"),
        (FORM, part("", HOURS, 'form-data; name="other"; filename="a.md"') + END, 422, "other"),
        (FORM, part("", HOURS, "form-data") + END, 400, None),
        (FORM, b"".join(part(f"{n}.md", HOURS) for n in range(51)) + END, 400, None),
    ],
)
async def test_a_request_that_holds_no_files(
    help_centre: Stage, kind: str, body: bytes, status: int, place: str | None
) -> None:
    answer = await help_centre.http.post(AT, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    if place is not None:
        assert [error["path"] for error in answer.json()["errors"]] == [place]
    assert (await help_centre.http.get(AT)).json()["items"] == []
    assert originals(help_centre) == []


@pytest.mark.parametrize("headers", [{}, BEARER], ids=["nobody", "a source that is missing"])
async def test_a_body_is_not_read_for_nothing(help_centre: Stage, headers: dict[str, str]) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(50):
            read.append(number)
            yield bytes(100_000)

    async with help_centre.client(headers=headers) as client:
        path = "/v1/data-sources/gone/documents" if headers else AT
        answer = await client.post(path, content=body(), headers={"Content-Type": FORM})
    assert answer.status_code == (404 if headers else 401)
    assert len(read) <= 1


async def big(size: int) -> AsyncIterator[bytes]:
    yield part("big.txt", b"")[:-2]
    for _ in range(size // 1_048_576):
        yield b"x" * 1_048_576
    yield b"x" * (size % 1_048_576) + b"\r\n" + END


@pytest.mark.parametrize("extra", [{}, {"Idempotency-Key": "one"}], ids=["plain", "with a key"])
async def test_the_biggest_document_is_taken_and_never_in_memory_as_a_whole(
    help_centre: Stage, extra: dict[str, str]
) -> None:
    await ask(help_centre)  # what is imported at the first request is
    tracemalloc.start()
    try:
        answer = await help_centre.http.post(AT, content=big(MAX_BYTES), headers={"Content-Type": FORM, **extra})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 201, answer.text
    assert answer.json()["items"][0]["document"]["size"] == MAX_BYTES
    assert peak < 12_000_000


@pytest.mark.parametrize("size", [MAX_BYTES + 1, MAX_BYTES + 10_000_000], ids=["the file", "the body"])
async def test_a_document_over_the_limit_is_refused_and_leaves_nothing(help_centre: Stage, size: int) -> None:
    answer = await help_centre.http.post(AT, content=big(size), headers={"Content-Type": FORM})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:parlons:problem:too-large")
    assert answer.json()["hint"]
    assert originals(help_centre) == []
    told = {"Content-Type": FORM, "Content-Length": str(MAX_BYTES + 10_000_000)}
    assert (await help_centre.http.post(AT, content=b"", headers=told)).status_code == 413


async def test_one_file_too_big_and_none_of_them_is_taken(help_centre: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.knowledge.originals.MAX_BYTES", 100)
    answer = await send(help_centre, ("small.md", HOURS), ("big.md", HOURS * 3))
    assert answer.status_code == 413
    assert (await help_centre.http.get(AT)).json()["items"] == []


async def test_other_bodies_stay_small(help_centre: Stage) -> None:
    for path in ("/v1/data-sources", f"{AT}/x/retry", "/v1/data-sources/help/search"):
        answer = await help_centre.http.post(path, content=b"", headers={"Content-Length": "9000000"})
        assert answer.status_code == 413, path


async def test_a_disk_that_takes_nothing_is_said(help_centre: Stage) -> None:
    folder = help_centre.knowledge.library.index_folder.parent
    folder.mkdir(exist_ok=True)
    (folder / "originals").write_bytes(b"in the way")
    answer = await send(help_centre, ("a.md", HOURS))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "disk" in answer.json()["hint"]


async def test_no_room_for_temporary_files_is_said(help_centre: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_options: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", full)
    answer = await send(help_centre, ("a.md", HOURS))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "No space left" in answer.json()["detail"]


async def test_a_connection_that_ends_in_the_middle_leaves_nothing(help_centre: Stage) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": part("a.md", HOURS), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def keep(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", BEARER["Authorization"].encode()), (b"content-type", FORM.encode())]
    scope = {"type": "http", "method": "POST", "path": AT, "raw_path": AT.encode(), "query_string": b"",
             "headers": headers, "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1)}  # fmt: skip
    await help_centre.app(scope, receive, keep)
    assert sent[0]["status"] == 400
    assert originals(help_centre) == []
    assert (await help_centre.http.get(AT)).json()["items"] == []


async def test_what_is_missing_or_of_another_source_is_not_found(help_centre: Stage) -> None:
    await source(help_centre, "other")
    sent = (await send(help_centre, ("a.md", HOURS))).json()["items"][0]["document"]["id"]
    http = help_centre.http
    for path in (AT.replace("help", "gone"), f"{AT}/gone", f"{AT.replace('help', 'other')}/{sent}"):
        assert (await http.get(path)).status_code == 404, path
    for path in (f"{AT}/gone", f"{AT.replace('help', 'other')}/{sent}"):
        assert (await http.delete(path)).status_code == 404
        assert (await http.post(f"{path}/retry")).status_code == 404
    assert (await http.post("/v1/data-sources/gone/search", json={"question": "x"})).status_code == 404
    assert (await http.post("/v1/data-sources/gone/pages", json={"url": "https://example.com"})).status_code == 404
    assert (await http.get("/v1/data-sources/gone/uses")).status_code == 404
    assert (await http.get(f"{AT}/{sent}")).status_code == 200


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"question": ""}, "question"),
        ({"question": "   "}, "question"),
        ({"question": "x" * 501}, "question"),
        ({"question": 4}, "question"),
        ({}, "question"),
        ({"question": "x", "limit": 0}, "limit"),
        ({"question": "x", "limit": 21}, "limit"),
        ({"question": "x", "more": 1}, "more"),
    ],
)
async def test_a_question_that_is_none_names_its_field(help_centre: Stage, body: Any, place: str) -> None:
    answer = await help_centre.http.post("/v1/data-sources/help/search", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [place]


@pytest.mark.parametrize("url", ["", "www.example.com", "ftp://example.com/x", "javascript:alert(1)", "https://a b", 1])
async def test_a_page_that_has_no_address(help_centre: Stage, url: Any) -> None:
    answer = await help_centre.http.post("/v1/data-sources/help/pages", json={"url": url})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "url"


async def test_a_viewer_looks_and_asks_and_changes_nothing(help_centre: Stage) -> None:
    document = await add(help_centre)
    client = await help_centre.signed_in("viewer")
    assert (await client.get(AT)).json()["items"] == [document]
    asked = await client.post("/v1/data-sources/help/search", json={"question": "counter"})
    assert asked.json()["items"][0]["document"] == "hours.md"
    for refused in (
        await client.post(AT, files={"files": ("b.md", HOURS)}),
        await client.post("/v1/data-sources/help/pages", json={"url": "https://example.com"}),
        await client.post(f"{AT}/{document['id']}/retry"),
        await client.delete(f"{AT}/{document['id']}"),
    ):
        assert refused.status_code == 403, refused.text
    assert (await client.get(AT)).json()["items"] == [document]
    await client.aclose()


# -- the life of a document ----------------------------------------------------------------------------------------


async def test_from_a_file_to_an_answer_and_gone_again(both: Stage) -> None:
    await source(both)
    assert (await ask(both)).status_code == 409
    assert (await both.http.get("/v1/data-sources/help")).json()["state"]["state"] == "empty"
    sent = await send(both, ("hours.md", HOURS), ("tarifs.pdf", pdf(["A crown costs 500 euros."])))
    assert sent.status_code == 201, sent.text
    first, second = sent.json()["items"]
    assert [one["outcome"] for one in (first, second)] == ["added", "added"]
    assert (first["document"]["name"], first["document"]["state"]) == ("hours.md", "waiting")
    assert (await both.http.get("/v1/data-sources")).json()["items"][0]["state"] == {
        "state": "indexing", "documents": 2, "passages": 0, "pending": 2, "refused": 0,
    }  # fmt: skip
    not_yet = await ask(both)
    assert (not_yet.status_code, not_yet.json()["type"]) == (409, "urn:parlons:problem:source-not-ready")
    await both.read_documents()
    listed = (await both.http.get(AT, params={"limit": 1})).json()
    rest = (await both.http.get(AT, params={"cursor": listed["next_cursor"]})).json()
    documents = listed["items"] + rest["items"]
    assert sorted((one["name"], one["state"], one["progress"]) for one in documents) == [
        ("hours.md", "ready", 100),
        ("tarifs.pdf", "ready", 100),
    ]
    found = (await ask(both, "How much is a crown?", limit=1)).json()
    assert found["took_ms"] >= 0
    [passage] = found["items"]
    assert (passage["document"], passage["position"]) == ("tarifs.pdf", "page 1")
    assert "500 euros" in passage["text"]
    assert passage["score"] > 0
    assert (await ask(both, "zorglub")).json()["items"] == []
    assert (await both.http.delete(f"{AT}/{passage['document_id']}")).status_code == 204
    assert (await both.http.delete(f"{AT}/{passage['document_id']}")).status_code == 404
    assert (await ask(both, "crown")).json()["items"] == []
    audit = (await both.http.get("/v1/audit", params={"target_kind": "data_source"})).json()["items"]
    assert [entry["action"] for entry in audit] == [
        "document.delete", "document.add", "document.add", "data_source.create",
    ]  # fmt: skip
    assert {"path": "document", "before": "tarifs.pdf", "after": None} in audit[0]["changes"]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("empty.md", b"", "The file is empty."),
        ("logo.pdf", b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
        ("locked.pdf", encrypted_pdf(), "encrypted"),
        ("sheet.docx", b"PK\x03\x04 no archive", "damaged"),
    ],
)
async def test_a_bad_file_says_why_and_what_to_do(help_centre: Stage, name: str, data: bytes, why: str) -> None:
    bad = await add(help_centre, name, data)
    assert (bad["state"], bad["searchable"], bad["passages"]) == ("refused", False, 0)
    assert why in bad["error"]
    state = (await help_centre.http.get("/v1/data-sources/help")).json()["state"]
    assert (state["state"], state["refused"]) == ("error", 1)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\x\\Prix.md", "Prix.md"),
        ("..", ".."),
        ("/", "document"),
        ("été\u202e 2026.md", "été\u202e 2026.md"),
        ("<script>.md", "<script>.md"),
        ("x" * 1000 + ".md", "x" * 400),
    ],
)
async def test_a_name_is_a_name_and_no_path(help_centre: Stage, sent: str, name: str) -> None:
    body = part(sent, HOURS) + END
    answer = await help_centre.http.post(AT, content=body, headers={"Content-Type": FORM})
    assert answer.json()["items"][0]["document"]["name"] == name
    [kept] = originals(help_centre)
    assert len(kept.name) == 64


async def test_the_same_file_twice_is_one_document_read_once(help_centre: Stage) -> None:
    document = await add(help_centre)
    again = (await send(help_centre, ("hours.md", HOURS))).json()["items"][0]
    assert (again["outcome"], again["document"]) == ("unchanged", document)
    assert help_centre.reading == []
    twice = await send(help_centre, ("b.md", HOURS), ("b.md", HOURS))
    assert [one["outcome"] for one in twice.json()["items"]] == ["added", "unchanged"]
    audit = (await help_centre.http.get("/v1/audit", params={"target_kind": "data_source"})).json()["items"]
    assert [entry["action"] for entry in audit].count("document.add") == 2


async def test_another_content_under_a_name_replaces_it_once_it_is_read(help_centre: Stage) -> None:
    await add(help_centre)
    later = await send(help_centre, ("hours.md", HOURS.replace(b"nine", b"ten")))
    assert later.json()["items"][0]["outcome"] == "replaced"
    shown = later.json()["items"][0]["document"]
    assert (shown["state"], shown["searchable"], shown["version"]) == ("waiting", True, 2)
    assert "nine" in (await ask(help_centre)).json()["items"][0]["text"]
    await help_centre.read_documents()
    assert ["ten" in one["text"] for one in (await ask(help_centre)).json()["items"]] == [True]


async def test_deleted_while_it_is_read(help_centre: Stage) -> None:
    sent = await send(help_centre, ("long.txt", b"The counter opens at nine. " * 60_000))
    document = sent.json()["items"][0]["document"]
    reading = asyncio.create_task(help_centre.read_documents())
    for _ in range(500):
        if (state := (await help_centre.http.get(f"{AT}/{document['id']}")).json()["state"]) == "reading":
            break
        await asyncio.sleep(0.02)
    assert state == "reading"
    assert (await help_centre.http.delete(f"{AT}/{document['id']}")).status_code == 204
    assert (await help_centre.http.get(AT)).json()["items"] == []
    await reading
    assert (await help_centre.http.get(AT)).json()["items"] == []
    assert await help_centre.knowledge.searches.index.by_words("help", "counter", 5) == []


async def test_a_server_that_died_while_reading_reads_it_at_its_next_start(help_centre: Stage) -> None:
    sent = await send(help_centre, ("hours.md", HOURS))
    document = sent.json()["items"][0]["document"]["id"]
    assert await help_centre.store.knowledge.progress(document, 1, 40)
    jobs: list[Any] = []
    started = knowledge_of(help_centre.store, help_centre.knowledge.library.index_folder.parent, jobs)
    await started.refresh()
    assert jobs == [{"document": document, "version": 1}]
    assert await started.ingest(jobs[0], 1) is None
    await started.close()
    found = (await help_centre.http.get(f"{AT}/{document}")).json()
    assert (found["state"], found["progress"]) == ("ready", 100)


async def test_reading_once_more(help_centre: Stage) -> None:
    sent = (await send(help_centre, ("hours.md", HOURS))).json()["items"][0]["document"]["id"]
    early = await help_centre.http.post(f"{AT}/{sent}/retry")
    assert (early.status_code, early.json()["type"]) == (409, "urn:parlons:problem:being-read")
    [original] = originals(help_centre)
    original.unlink()
    await help_centre.read_documents()
    lost = (await help_centre.http.get(f"{AT}/{sent}")).json()
    assert lost["state"] == "refused"
    assert "Add it again" in lost["error"]
    original.write_bytes(HOURS)
    again = await help_centre.http.post(f"{AT}/{sent}/retry")
    assert (again.status_code, again.json()["state"], again.json()["error"]) == (200, "waiting", "")
    await help_centre.read_documents()
    assert (await help_centre.http.get(f"{AT}/{sent}")).json()["state"] == "ready"


async def test_web_pages(help_centre: Stage) -> None:
    body = {"url": "https://www.example.com/hours"}
    made = await help_centre.http.post("/v1/data-sources/help/pages", json=body)
    assert (made.status_code, made.json()["outcome"]) == (201, "added")
    assert (await help_centre.http.get(made.headers["location"])).json()["url"] == body["url"]
    await help_centre.read_documents()
    assert "nine to five" in (await ask(help_centre, "open")).json()["items"][0]["text"]
    anew = await help_centre.http.post("/v1/data-sources/help/pages", json=body)
    assert (anew.json()["outcome"], anew.json()["document"]["searchable"]) == ("replaced", True)
    assert (await help_centre.http.delete(made.headers["location"])).status_code == 204


async def test_two_long_addresses_are_two_pages(help_centre: Stage) -> None:
    for end in ("a", "b"):
        body = {"url": f"https://www.example.com/{'x' * 500}{end}"}
        made = await help_centre.http.post("/v1/data-sources/help/pages", json=body)
        assert made.json()["outcome"] == "added"


async def test_a_page_that_its_source_lists_does_not_go_and_come_back(help_centre: Stage) -> None:
    await source(help_centre, "listed", pages=[{"url": "https://www.example.com/hours"}])
    at = "/v1/data-sources/listed/documents"
    [page] = (await help_centre.http.get(at)).json()["items"]
    refused = await help_centre.http.delete(f"{at}/{page['id']}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:parlons:problem:listed-page")
    await help_centre.http.put("/v1/data-sources/listed", json={"name": "Help"}, headers={"If-Match": "*"})
    assert (await help_centre.http.delete(f"{at}/{page['id']}")).status_code == 204
    assert (await help_centre.http.get(at)).json()["items"] == []


async def test_an_index_that_does_not_answer(help_centre: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    document = await add(help_centre)

    async def broken(*_args: Any, **_options: Any) -> Any:
        raise IndexFailed("the index cannot be used.", hint="Check the disk.")

    monkeypatch.setattr(help_centre.knowledge.searches.index, "by_words", broken)
    monkeypatch.setattr("parlons.knowledge.library.worker.carry_out", broken)
    for answer in (await ask(help_centre), await help_centre.http.delete(f"{AT}/{document['id']}")):
        assert (answer.status_code, answer.json()["hint"]) == (503, "Check the disk.")
        assert answer.headers["retry-after"]
    assert (await help_centre.http.get(f"{AT}/{document['id']}")).status_code == 200


async def test_taken_in_and_not_live_yet_is_said(help_centre: Stage) -> None:
    help_centre.reload_fails = StoreError("the database does not answer.")
    answer = await send(help_centre, ("hours.md", HOURS))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:parlons:problem:saved-not-live")
    help_centre.reload_fails = None
    assert (await send(help_centre, ("hours.md", HOURS))).json()["items"][0]["outcome"] == "unchanged"


async def test_who_answers_from_it(help_centre: Stage) -> None:
    assert (await help_centre.http.get("/v1/data-sources/help/uses")).json() == {"items": []}
    rag = {"type": "rag", "name": "faq", "description": "d", "data_source_id": "help"}
    await help_centre.agent(publish=False, actions=[rag])
    use = {"kind": "agent", "id": "accueil", "name": AGENT["name"], "path": "actions[0].data_source_id", "live": False}
    assert (await help_centre.http.get("/v1/data-sources/help/uses")).json() == {"items": [use]}


async def test_a_deleted_source_takes_its_documents_along(help_centre: Stage) -> None:
    document = await add(help_centre)
    assert (await help_centre.http.delete("/v1/data-sources/help")).status_code == 204
    assert await help_centre.store.knowledge.find(document["id"]) is None
    await source(help_centre)
    assert (await help_centre.http.get(AT)).json()["items"] == []
    assert (await ask(help_centre)).status_code == 409
    await add(help_centre, "prices.md", b"# Prices\n\nA crown costs 500 euros.\n")
    assert await help_centre.knowledge.searches.search("help", "counter") == [], "nothing of the one before it is left"
    assert len((await ask(help_centre, "crown")).json()["items"]) == 1
