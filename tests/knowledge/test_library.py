"""Taking documents in: durable, replaced without a gap, removed while searched."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from parlons.agents.workflows import DataSource
from parlons.errors import NotFound
from parlons.knowledge import worker
from parlons.knowledge.failures import DocumentRefused, IndexFailed
from parlons.knowledge.library import ELSEWHERE_SECONDS, KIND, TRIES
from parlons.knowledge.search import Searches, SourceNotReady
from parlons.workflows.failures import OutsideTimeout
from tests.store.conftest import KEY

from .conftest import Room, both_databases

HOURS = "# Horaires\n\nLe guichet ouvre à neuf heures du lundi au vendredi, et ferme à dix-huit heures.\n"


@both_databases
async def test_a_document_is_given_read_and_found(room: Room) -> None:
    document = await room.add("horaires.md", HOURS.encode())
    assert (document.state, document.passages, document.readable, document.progress) == ("ready", 1, 1, 100)
    found = await room.searches.search("faq", "à quelle heure ouvre le guichet ?")
    assert (found[0].title, found[0].position) == ("Horaires", "Horaires")
    assert found[0].score > 0
    assert "neuf heures" in found[0].text


async def test_the_state_of_a_source_from_empty_to_ready_and_back(room: Room) -> None:
    async def state() -> str:
        await room.refresh()
        return str(room.searches.state("faq"))

    assert await state() == "empty"
    with pytest.raises(SourceNotReady, match="empty"):
        await room.searches.search("faq", "x")
    bad = await room.add("vide.txt", b"", read=False)
    assert await state() == "indexing"
    bad = await room.read(bad)
    assert (bad.state, bad.error) == ("refused", "The file is empty.")
    assert await state() == "error"
    good = await room.add("horaires.md", HOURS.encode())
    assert await state() == "ready"
    assert room.searches.is_ready("faq")
    await room.records.again(good.id)
    assert await state() == "ready"
    for document in await room.records.list("faq"):
        await room.library.remove(document.id)
    assert await state() == "empty"
    assert room.searches.state("missing") is None
    with pytest.raises(NotFound):
        await room.searches.search("missing", "x")


async def test_a_bad_document_leaves_the_others_alone(room: Room) -> None:
    await room.add("horaires.md", HOURS.encode())
    assert (await room.add("bombe.docx", b"PK\x03\x04 no archive")).state == "refused"
    assert len(await room.texts("guichet")) == 1


async def test_what_is_given_again_replaces_what_was_there(room: Room) -> None:
    first = await room.add("prix.csv", "soin;prix\nDétartrage;28 euros\nCouronne;500 euros".encode())
    second = await room.add("prix.csv", "soin;prix\nDétartrage;31 euros".encode())
    assert (second.id, second.version, second.readable, second.passages) == (first.id, 2, 2, 1)
    assert await room.texts("détartrage couronne euros") == ["soin: Détartrage\nprix: 31 euros"]


async def test_what_is_given_again_unchanged_is_not_read_again(room: Room) -> None:
    first = await room.add("horaires.md", HOURS.encode())
    assert (await room.add("horaires.md", HOURS.encode(), read=False)).version == first.version


async def test_a_bad_replacement_leaves_the_version_before_it(room: Room) -> None:
    await room.add("horaires.md", HOURS.encode())
    bad = await room.add("horaires.md", b"\x89PNG not a text any more")
    assert (bad.state, bad.readable, bad.version) == ("refused", 1, 2)
    assert len(await room.texts("guichet")) == 1


async def test_there_is_no_moment_with_neither_version(room: Room) -> None:
    await room.add("prix.csv", b"soin;prix\nDetartrage;1 euro")
    seen: set[tuple[str, ...]] = set()
    done = asyncio.Event()

    async def keep_searching() -> None:
        while not done.is_set():
            seen.add(tuple(await room.texts("détartrage")))

    searching = asyncio.create_task(keep_searching())
    for price in range(2, 5):
        assert (await room.add("prix.csv", f"soin;prix\nDetartrage;{price} euro".encode())).state == "ready"
    done.set()
    await searching
    assert seen <= {(f"soin: Detartrage\nprix: {price} euro",) for price in range(1, 5)}
    assert len(seen) >= 2


async def test_two_ingestions_of_one_document_at_once_give_one_result(room: Room) -> None:
    given = await room.add("horaires.md", HOURS.encode(), read=False)
    outcomes = await asyncio.gather(
        room.library.ingest(given.id, given.version), room.another().ingest(given.id, given.version)
    )
    assert sorted(outcomes, key=str) == [ELSEWHERE_SECONDS, None]
    assert await room.another().ingest(given.id, given.version) is None
    await room.refresh()
    assert len(await room.texts("guichet", limit=20)) == 1
    assert (await room.records.get(given.id)).state == "ready"


async def test_an_older_version_that_is_done_later_changes_nothing(room: Room) -> None:
    older = await room.add("prix.csv", b"soin;prix\nDetartrage;1 euro", read=False)
    newer = await room.add("prix.csv", b"soin;prix\nDetartrage;2 euro", read=False)
    assert await room.library.ingest(older.id, older.version) is None
    assert (await room.records.get(older.id)).state == "waiting"
    await room.read(newer)
    path = room.folder / "originals" / older.sha256
    late = await worker.carry_out(
        {
            "do": "replace",
            "folder": str(room.library.index_folder.resolve()),
            "source_id": "faq",
            "language": "fr",
            "document_id": older.id,
            "version": older.version,
            "name": "prix.csv",
            "title": "prix",
            "path": str(path.resolve()),
            "embedding": None,
        },
        seconds=60,
    )
    assert late["kept"] is False
    assert await room.texts("détartrage") == ["soin: Detartrage\nprix: 2 euro"]


async def test_removed_while_calls_search(room: Room) -> None:
    document = await room.add("horaires.md", HOURS.encode())
    done = asyncio.Event()
    results: list[int] = []

    async def keep_searching() -> None:
        while not done.is_set():
            results.append(len(await room.searches.search("faq", "guichet")))

    searching = asyncio.create_task(keep_searching())
    await asyncio.sleep(0.05)
    await room.library.remove(document.id)
    done.set()
    await searching
    assert set(results) <= {0, 1}
    assert results[0] == 1
    assert await room.searches.search("faq", "guichet") == []
    with pytest.raises(NotFound):
        await room.library.remove(document.id)


async def test_removed_while_it_is_read(room: Room) -> None:
    given = await room.add("horaires.md", HOURS.encode(), read=False)
    reading = asyncio.create_task(room.library.ingest(given.id, given.version))
    await until(lambda: bool(_children(os.getpid())))
    await room.records.delete(given.id)
    await reading
    assert await room.searches.index.by_words("faq", "guichet", 5) == []


@both_databases
async def test_a_source_that_is_gone_takes_its_index_along(room: Room) -> None:
    await room.add("horaires.md", HOURS.encode())
    await room.store.data_sources.delete("faq")
    assert list(await room.records.list()) == []
    await room.another().refresh()
    assert list(room.library.index_folder.glob("*.lance")) == []
    await room.refresh()
    assert room.searches.state("faq") is None


async def test_refresh_has_read_what_waits_and_only_once(room: Room) -> None:
    given = await room.add("horaires.md", HOURS.encode(), read=False)
    await room.library.refresh()
    await room.library.refresh()
    assert room.jobs == [(KIND, f"{given.id}:1", {"document": given.id, "version": 1})]
    await room.read(given)
    await room.library.refresh()
    assert len(room.jobs) == 1


async def test_another_language_has_documents_read_again_while_the_old_index_is_searched(room: Room) -> None:
    given = await room.add("a.md", "# T\n\nLes réservations du mardi.".encode())
    assert len(await room.texts("réserver")) == 1
    await room.store.data_sources.put("faq", DataSource(name="Questions", language="de-DE"))
    await room.library.refresh()
    again = await room.records.get(given.id)
    assert (again.state, again.version, again.readable) == ("waiting", 2, 1)
    assert len(await room.texts("réserver")) == 1
    await room.read(again)
    assert await room.texts("réserver") == []
    assert len(await room.texts("reservations")) == 1


async def test_pages_of_the_configuration_are_read(room: Room) -> None:
    address = "https://example.com/aide"
    room.pages[address] = b"<html><head><title>Aide</title></head><body><p>Le guichet est ouvert.</p></body></html>"
    page = DataSource.model_validate({"name": "Q", "language": "fr-FR", "pages": [{"url": address}]})
    await room.store.data_sources.put("faq", page)
    await room.library.refresh()
    [document] = await room.records.list("faq")
    assert (document.name, document.url) == (address, address)
    await room.read(document)
    found = await room.searches.search("faq", "guichet")
    assert [(one.title, one.text) for one in found] == [("Aide", "Le guichet est ouvert.")]


async def test_a_page_that_does_not_answer_is_tried_again_then_refused(room: Room) -> None:
    address = "https://example.com/aide"
    room.pages[address] = OutsideTimeout("example.com did not answer within 20 s.")
    document = await room.library.add_page("faq", address)
    pauses = [await room.library.ingest(document.id, 1, attempt) for attempt in range(1, TRIES + 1)]
    assert pauses == [10, 20, 40, 80, 160, None]
    stored = await room.records.get(document.id)
    assert stored.state == "refused"
    assert "did not answer" in stored.error


async def test_an_original_that_is_lost_is_said(room: Room) -> None:
    given = await room.add("horaires.md", HOURS.encode(), read=False)
    (room.folder / "originals" / given.sha256).unlink()
    assert "Add it again" in (await room.read(given)).error


async def test_a_name_that_holds_anything_is_cleaned(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("Le guichet est ouvert.")
    for name, kept in (("a\x00\nb\x1b.txt", "a b .txt"), ("  ", "document"), ("n" * 999, "n" * 400)):
        given = await room.library.add_file("faq", path, name)
        assert given.name == kept


async def test_too_big_is_refused_before_it_is_copied(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024 + 1)
    with pytest.raises(DocumentRefused, match="50 MB"):
        await room.library.add_file("faq", path)
    assert list(await room.records.list()) == []
    with pytest.raises(NotFound):
        await room.library.add_file("missing", Path(__file__))


async def test_a_worker_that_is_killed_is_a_failure_to_try_again(room: Room) -> None:
    given = await room.add("horaires.md", HOURS.encode(), read=False)
    others = set(_children(os.getpid()))
    reading = asyncio.create_task(room.library.ingest(given.id, given.version))
    await until(lambda: bool(set(_children(os.getpid())) - others))
    for pid in set(_children(os.getpid())) - others:
        os.kill(pid, signal.SIGKILL)
    assert await reading == 10
    assert (await room.records.get(given.id)).state in ("waiting", "reading")
    await room.read(given)
    assert len(await room.texts("guichet")) == 1


async def test_a_broken_index_is_an_error_and_not_a_crash(room: Room) -> None:
    await room.add("horaires.md", HOURS.encode())
    for path in (room.library.index_folder / "s_faq.lance").rglob("*.lance"):
        path.write_bytes(b"broken")
    broken = Searches(room.library.index_folder)
    await broken.refresh(await room.records.statuses(), None)
    with pytest.raises(IndexFailed):
        await broken.search("faq", "guichet")
    await broken.close()


VICTIM = f"""
import asyncio, sys
from pathlib import Path
from parlons.knowledge.library import Library
from parlons.store import SecretKey, Store
from parlons.store.knowledge import KnowledgeStore

async def main():
    store = await Store.open(sys.argv[1], SecretKey({KEY!r}))
    async def nothing(*_): raise AssertionError
    async def none(): return None
    library = Library(KnowledgeStore.of(store), store.data_sources.list, Path(sys.argv[2]), nothing, none)
    given = await library.add_file("faq", Path(sys.argv[3]))
    print("given", given.id, flush=True)
    await library.ingest(given.id, given.version)
    print("done", flush=True)

asyncio.run(main())
"""


@both_databases
async def test_kill_nine_in_the_middle_is_taken_up_again(room: Room, url: str, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("soin;prix\n" + "\n".join(f"Soin{number};{number} euros" for number in range(3_000)))
    victim = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", VICTIM, url, str(room.folder), str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert victim.stdout is not None
        document_id = victim.stdout.readline().split()[1]
        await until(lambda: bool(_children(victim.pid)))
        await asyncio.sleep(0.4)
        children = _children(victim.pid)
    finally:
        victim.kill()
        assert victim.communicate()[0] == ""
    await until(lambda: not any(map(_alive, children)))  # workers die with the process that started them
    left = await room.records.get(document_id)
    assert left.state in ("waiting", "reading")
    await room.library.refresh()
    assert [job[1] for job in room.jobs] == [f"{document_id}:1"]
    document = await room.read(left)
    assert (document.state, document.passages) == ("ready", 3_000)
    assert await room.texts("soin1234", limit=20) == ["soin: Soin1234\nprix: 1234 euros"]


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")
