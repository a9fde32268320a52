"""Jobs survive what kills the process, are tried again, and cost nothing while there is nothing to do."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from parlons.errors import StoreError
from parlons.jobs import Job, Jobs, database_url
from tests.support import postgres


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, or PostgreSQL for a test that asks for it: starting and stopping the engine takes seconds."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield database_url(f"sqlite:///{tmp_path}/parlons.db", tmp_path)
        return
    with postgres.server() as server:
        name = f"parlons_jobs_{os.getpid()}_{secrets.token_hex(3)}"
        asyncio.run(postgres.execute(f"{server}/postgres", f"CREATE DATABASE {name}"))
        yield database_url(f"{server}/{name}", tmp_path)
        asyncio.run(postgres.execute(f"{server}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


@asynccontextmanager
async def running(jobs: Jobs) -> AsyncIterator[Jobs]:
    await jobs.start()
    try:
        yield jobs
    finally:
        await jobs.stop(0.5)


async def until(check: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not check():  # noqa: ASYNC110 - what happens in the engine sets no event
            await asyncio.sleep(0.02)


def _as_many(done: list[str], times: int) -> bool:
    return len(done) == times


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
async def test_a_job_is_carried_out_once_however_often_it_is_submitted(url: str) -> None:
    done: list[Job] = []

    async def handler(job: Job) -> None:
        done.append(job)

    jobs = Jobs(url, poll_seconds=0.1)
    jobs.handle("note", handler)
    async with running(jobs):
        for _ in range(3):
            await jobs.submit("note", "a", {"n": 1})
        await jobs.submit("note", "b", {"n": 2})
        await until(lambda: len(done) == 2)
        await jobs.submit("note", "a", {"n": 3})
        await asyncio.sleep(1)  # ten polls
    assert sorted((job.id, job.payload["n"], job.attempt) for job in done) == [("a", 1, 1), ("b", 2, 1)]


async def test_a_job_that_fails_or_asks_for_it_is_called_again(url: str) -> None:
    seen: list[int] = []

    async def handler(job: Job) -> float | None:
        seen.append(job.attempt)
        return 0.01 if job.attempt < 3 else None

    jobs = Jobs(url, poll_seconds=0.1)
    jobs.handle("note", handler)
    async with running(jobs):
        await jobs.submit("note", "a", {})
        await until(lambda: len(seen) == 3)
    assert seen == [1, 2, 3]


async def test_no_more_than_so_many_at_once_and_the_loop_stays_free(url: str) -> None:
    most = 0
    now = 0
    done = 0

    async def handler(_job: Job) -> None:
        nonlocal most, now, done
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.1)
        now -= 1
        done += 1

    jobs = Jobs(url, poll_seconds=0.1)
    jobs.handle("note", handler, at_once=2)
    async with running(jobs):
        for number in range(6):
            await jobs.submit("note", str(number), {})
        await until(lambda: done == 6)
    assert most == 2


async def test_what_a_stop_interrupts_begins_again_at_the_next_start(url: str) -> None:
    began = asyncio.Event()
    attempts: list[int] = []

    async def never_done(job: Job) -> None:
        attempts.append(job.attempt)
        began.set()
        await asyncio.Event().wait()

    first = Jobs(url, poll_seconds=0.1)
    first.handle("note", never_done)
    async with running(first):
        await first.submit("note", "a", {})
        await asyncio.wait_for(began.wait(), 10)
    with pytest.raises(StoreError):
        await first.submit("note", "b", {})

    async def done(job: Job) -> None:
        attempts.append(job.attempt)

    second = Jobs(url, poll_seconds=0.1)
    second.handle("note", done)
    async with running(second):
        await until(lambda: len(attempts) == 2)
    assert attempts == [1, 1]


DIES = """
    import asyncio, os, sys
    from parlons.jobs import Jobs

    async def main():
        async def handler(job):
            print(job.id, job.attempt, flush=True)
            if job.id == "now":
                os.kill(os.getpid(), 9)
        jobs = Jobs(sys.argv[1])
        jobs.handle("note", handler)
        await jobs.start()
        await jobs.submit("note", "later", {}, delay=4)
        await jobs.submit("note", "now", {})
        await asyncio.sleep(20)

    asyncio.run(main())
"""


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
async def test_kill_9_loses_neither_the_job_that_runs_nor_the_one_that_waits(url: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DIES), url]
    died = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30)
    assert (died.returncode, died.stdout) == (-9, "now 1\n"), died.stderr
    done: list[tuple[str, int]] = []

    async def handler(job: Job) -> None:
        done.append((job.id, job.attempt))

    jobs = Jobs(url, poll_seconds=0.1)
    jobs.handle("note", handler)
    async with running(jobs):
        await until(lambda: len(done) == 2)
    assert done == [("now", 1), ("later", 1)]


def _engine_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "dbos" in thread.name or "queue" in thread.name]


async def test_the_engine_rests_while_there_is_nothing_to_do_and_wakes_for_a_job(url: str) -> None:
    done: list[str] = []

    async def handler(job: Job) -> None:
        done.append(job.id)

    jobs = Jobs(url, rest_seconds=0.2, poll_seconds=0.1)
    jobs.handle("note", handler)
    async with running(jobs):
        await until(lambda: jobs.resting)
        await until(lambda: not _engine_threads())
        await jobs.submit("note", "a", {})
        await until(lambda: done == ["a"])
        await until(lambda: jobs.resting)
        await jobs.submit("note", "later", {}, delay=3)
        await asyncio.sleep(1.5)
        assert not jobs.resting  # what waits keeps it awake
        await until(lambda: done == ["a", "later"])


async def test_a_job_that_ended_long_ago_is_forgotten(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the database grows for ever."""
    monkeypatch.setattr("parlons.jobs.REMEMBERED", timedelta(0))
    done: list[str] = []

    async def handler(job: Job) -> None:
        done.append(job.id)

    jobs = Jobs(url, rest_seconds=0.2, poll_seconds=0.1)
    jobs.handle("note", handler)
    async with running(jobs):
        for times in (1, 2):
            await jobs.submit("note", "a", {})
            await until(functools.partial(_as_many, done, times))
            await until(lambda: jobs.resting)


async def test_its_warnings_go_to_our_log_and_nothing_to_the_console(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = Jobs(f"sqlite:///{tmp_path}/jobs.db")

    async def handler(_job: Job) -> None:
        return None

    jobs.handle("note", handler)
    async with running(jobs):
        await jobs.submit("note", "a", {})
        await asyncio.sleep(2)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


async def test_a_database_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    jobs = Jobs(f"sqlite:///{tmp_path}/missing/jobs.db")
    with pytest.raises(StoreError, match="database of the jobs"):
        await jobs.start()
    await jobs.stop()
