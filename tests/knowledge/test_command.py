"""``parlons knowledge``: what is printed, what is stored, the exit status, and a server's job beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from parlons import cli
from parlons.agents.workflows import DataSource
from parlons.commands.knowledge import MAX_PAGE, fetch_page, service_of
from parlons.errors import NotFound
from parlons.installation import open_store
from parlons.jobs import Jobs, database_url
from parlons.knowledge.failures import DocumentRefused
from parlons.knowledge.library import KIND
from parlons.settings import load
from parlons.workflows.failures import AddressRefused, ReplyTooBig, UnexpectedStatus
from parlons.workflows.http_client import HttpClient

HOURS = "# Horaires\n\nLe guichet ouvre à neuf heures.\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command on an installation with one data source. Errors of ours are raised, as ``main`` gets them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARLONS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PARLONS_SECRET_KEY", "a key for tests only, long enough")

    async def prepare() -> None:
        store = await open_store(load()[0])
        await store.data_sources.put("aide", DataSource(name="Aide", language="fr-FR"))
        await store.close()

    asyncio.run(prepare())

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(cli.app, ["knowledge", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def test_added_listed_searched_and_removed(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "h.md").write_text(HOURS)
    (tmp_path / "vide.pdf").write_bytes(b"")
    added = run("add", "aide", "h.md", "vide.pdf", "none.txt")
    assert added.exit_code == 1
    assert "h.md: ready, 1 passages" in added.output
    assert "vide.pdf: refused" in added.output
    assert "The file is empty." in added.output
    assert "none.txt cannot be read" in added.output
    assert "aide: ready, 2 documents, 1 passages, 1 refused (Aide, fr-FR)" in run("list").output
    [good, bad] = [json.loads(line) for line in run("list", "aide", "--json").output.splitlines()]
    assert (good["name"], good["state"], bad["state"]) == ("h.md", "ready", "refused")
    found = run("search", "aide", "à quelle heure ouvre le guichet ?")
    assert found.exit_code == 0
    assert "Horaires" in found.output
    assert "neuf heures" in found.output
    nothing = run("search", "aide", "zorglub")
    assert (nothing.exit_code, nothing.output) == (1, "Nothing found.\n")
    assert run("remove", "aide", "h.md", bad["id"]).output == "removed h.md\nremoved vide.pdf\n"
    assert "aide: empty, 0 documents" in run("list").output


def test_what_does_not_exist_is_said_before_anything_is_done(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "h.md").write_text(HOURS)
    for words in (
        ("add", "other", "h.md"),
        ("list", "other"),
        ("search", "other", "x"),
        ("remove", "aide", "h.md"),
        ("remove", "other", "h.md"),
    ):
        with pytest.raises(NotFound):
            run(*words)


def test_a_page_at_a_private_address_is_refused(run: Callable[..., Result]) -> None:
    added = run("add", "aide", "http://127.0.0.1:9/aide")
    assert added.exit_code == 1
    assert "loopback" in added.output


def test_the_servers_jobs_take_up_what_a_command_left(run: Callable[..., Result], tmp_path: Path) -> None:
    """As the server is to be wired: the service hands jobs in, and a job calls ``ingest``."""
    (tmp_path / "h.md").write_text(HOURS)

    async def scenario() -> str | None:
        settings = load()[0]
        store, http = await open_store(settings), HttpClient()
        jobs = Jobs(database_url(settings.store_url, settings.data_dir))
        service = service_of(store, settings, http, jobs.submit)
        jobs.handle(KIND, lambda job: service.ingest(job.payload, job.attempt), at_once=1)
        await jobs.start()
        await service.searches.load()
        await service.library.add_file("aide", tmp_path / "h.md")  # as a command that was killed leaves it
        await service.refresh()
        for _ in range(1_000):
            if (state := service.searches.state("aide")) == "ready":
                break
            await asyncio.sleep(0.02)
        found = await service.searches.search("aide", "guichet")
        assert service.gauges()["searches_total"] == len(found) == 1
        await jobs.stop()
        await service.close()
        await http.aclose()
        await store.close()
        return state

    assert asyncio.run(scenario()) == "ready"
    assert run("search", "aide", "guichet").exit_code == 0


# -- web pages -------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def site(status: str, headers: str, body: bytes) -> AsyncIterator[tuple[HttpClient, str]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    http = HttpClient(allow_private=lambda: True)
    try:
        yield http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page"
    finally:
        await http.aclose()
        server.close()


async def test_a_page_in_another_encoding_is_read_as_its_server_says() -> None:
    page = "<html><head><meta charset='utf-16'><title>Été</title></head><body>Où ?</body></html>"
    headers = "Content-Type: text/html; charset=windows-1252\r\n"
    async with site("200 OK", headers, page.encode("cp1252")) as (http, url):
        assert (await fetch_page(http, url)).decode("utf-8-sig") == page
    async with site("200 OK", "Content-Type: text/html\r\n", page.encode("cp1252")) as (http, url):
        assert await fetch_page(http, url) == page.encode("cp1252")
    async with site("200 OK", "Content-Type: text/html; charset=klingon\r\n", b"\xff") as (http, url):
        assert await fetch_page(http, url) == b"\xff"


async def test_pages_that_cannot_be_had() -> None:
    async with site("404 Not Found", "", b"") as (http, url):
        with pytest.raises(DocumentRefused, match="404"):
            await fetch_page(http, url)
    async with site("503 Busy", "", b"") as (http, url):
        with pytest.raises(UnexpectedStatus) as caught:
            await fetch_page(http, url)
        assert caught.value.retryable
    async with site("200 OK", "Content-Type: text/html\r\n", b"x" * (MAX_PAGE + 1)) as (http, url):
        with pytest.raises(ReplyTooBig):
            await fetch_page(http, url)
    http = HttpClient()
    with pytest.raises(AddressRefused):
        await fetch_page(http, "http://169.254.169.254/latest")
    await http.aclose()
