"""Durable background jobs: what must still happen after a crash (deliveries of post-call workflows, ingestion).

The one place that knows DBOS Transact. How to put a kind of work on it::

    jobs.handle("ingest", ingest, at_once=1)      # before start
    await jobs.start()                            # what a dead process left begins again
    await jobs.submit("ingest", document_id, {"source": source_id})

A handler is a coroutine function on the loop that called :meth:`Jobs.start`; it gets a :class:`Job` and returns None
when the job is done, or the seconds after which it is to be called again. When it raises, that is logged and it is
called again with growing pauses, for as long as it raises: a job that is to be given up returns None. A job runs **at
least once**: a process that dies, or stops, while a handler runs calls it again, with the same attempt, at the next
start. So a handler looks first whether its work is done. A job's id is its identity: submitted again within a day of
its end, or while it waits or runs, it changes nothing.

The engine's queries and its polling are in threads of its own; nothing of it runs on the loop, and it has no server,
no telemetry and no output besides warnings in our log. It polls its database a few times a second, which costs up to
0.7 % of a core: so it is stopped while there is nothing to do, and started again (50 ms, in a thread) by the next job.
Only one process may work on one database.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy.engine import make_url

from . import logs
from .errors import StoreError

REST_SECONDS = 20.0
"""How often it is looked whether there is nothing to do."""
GRACE_SECONDS = 3.0
"""How long handlers that run may go on after a stop; then they are cancelled, and begin again at the next start."""
POLL_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 5.0
LAST_PAUSE_SECONDS = 600.0
REMEMBERED = timedelta(days=1)
"""How long the id of a job that ended is known."""
UNKNOWN_KIND_SECONDS = 3600.0

_NAME = "parlons"
_VERSION = "1"
"""Of the shape of a job; the engine takes up only what was left by this version."""
_MAX_THREADS = 24
_FORGET_AT_ONCE = 500
_OPEN = ["PENDING", "ENQUEUED", "DELAYED"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a handler. ``attempt`` counts from 1; ``payload`` is small JSON."""

    kind: str
    id: str
    payload: Mapping[str, Any]
    attempt: int


Handler: TypeAlias = Callable[[Job], Awaitable[float | None]]


def database_url(store_url: str, data_dir: Path) -> str:
    """Where jobs are kept: a file of their own beside SQLite, the same database as the store with PostgreSQL."""
    url = make_url(store_url)
    if url.drivername.startswith("sqlite"):
        return f"sqlite:///{data_dir / 'jobs.db'}"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class Jobs:
    """The jobs of this process; one at a time may be started.

    Args:
        url: from :func:`database_url`.
        rest_seconds: how often it is looked whether there is nothing to do.
        poll_seconds: how often a waiting job is looked for.
    """

    def __init__(self, url: str, *, rest_seconds: float = REST_SECONDS, poll_seconds: float = POLL_SECONDS) -> None:
        self._url = url
        self._poll_seconds = poll_seconds
        self._rest_seconds = rest_seconds
        self._handlers: dict[str, Handler] = {}
        self._at_once: dict[str, int] = {}
        self._running: set[asyncio.Task[float | None]] = set()
        self._awake = asyncio.Lock()
        self._engine: _Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._resting: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def running(self) -> int:
        """Handlers that run now."""
        return len(self._running)

    @property
    def resting(self) -> bool:
        """Whether there is nothing to do."""
        return self._engine is None

    def handle(self, kind: str, handler: Handler, *, at_once: int = 4) -> None:
        """Say what carries out jobs of a kind, and how many of them at the same time; before :meth:`start`."""
        self._handlers[kind] = handler
        self._at_once[kind] = at_once

    async def start(self) -> None:
        """Begin; jobs that an earlier process left are carried out. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        async with self._awake:
            await self._wake()
        self._resting = asyncio.create_task(self._rest_when_idle(), name="jobs-rest")

    async def submit(self, kind: str, job_id: str, payload: Mapping[str, Any], *, delay: float = 0.0) -> None:
        """Have a job carried out, after so many seconds. When this returns, no crash can lose it.

        Raises:
            StoreError: it could not be stored, or the jobs have stopped.
        """
        if kind not in self._handlers:
            raise ValueError(f"no handler for jobs of the kind {kind!r}")
        async with self._awake:
            if self._stopping or self._loop is None:
                raise StoreError("jobs are not taken: the process stops, or has not started.")
            engine = await self._wake()
            try:
                await asyncio.to_thread(engine.enqueue, Job(kind, job_id, dict(payload), 1), delay)
            except Exception as error:  # whatever the engine or its database driver raises, nothing was stored
                raise StoreError(f"a job could not be stored ({type(error).__name__}).") from error

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no more jobs, let handlers finish for ``grace`` seconds, and leave the rest to the next start."""
        self._stopping = True
        if self._resting is not None:
            self._resting.cancel()
            await asyncio.gather(self._resting, return_exceptions=True)
        async with self._awake:
            if self._running:
                await asyncio.wait(self._running, timeout=grace)
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await self._sleep()

    # -- the engine's life -------------------------------------------------------------------------------------

    async def _wake(self) -> _Engine:
        if self._engine is None:
            engine = _Engine(self._url, dict(self._at_once), self._poll_seconds, self._from_thread)
            try:
                await asyncio.to_thread(engine.launch)
            except Exception as error:  # whatever it raises, there is no engine
                await asyncio.to_thread(engine.close)
                raise StoreError(
                    f"the database of the jobs cannot be used ({type(error).__name__}).",
                    hint="Check that the data directory is writable, or that PostgreSQL lets us make a schema.",
                ) from error
            self._engine = engine
        return self._engine

    async def _sleep(self) -> None:
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await asyncio.to_thread(engine.close)

    async def _rest_when_idle(self) -> None:
        while True:
            await asyncio.sleep(self._rest_seconds)
            async with self._awake:
                if self._engine is None or self._running:
                    continue
                try:
                    if not await asyncio.to_thread(self._engine.anything_left):
                        await self._sleep()
                except Exception as error:  # the next look tells whether it lasts
                    log.warning("jobs_not_read", error=type(error).__name__)

    # -- carrying out ------------------------------------------------------------------------------------------

    def _from_thread(self, job: Job) -> float | None:
        """In a thread of the engine: carry a job out on the loop, and wait. Raises _Interrupted."""
        assert self._loop is not None
        try:
            return asyncio.run_coroutine_threadsafe(self._carry_out(job), self._loop).result()
        except (concurrent.futures.CancelledError, RuntimeError):  # the latter: the loop is closed
            raise _Interrupted from None

    async def _carry_out(self, job: Job) -> float | None:
        if self._stopping:
            raise asyncio.CancelledError
        handler = self._handlers.get(job.kind)
        if handler is None:
            log.error("job_of_unknown_kind", kind=job.kind, job=job.id)
            return UNKNOWN_KIND_SECONDS
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            return await handler(job)
        except Exception as error:  # a handler's bug costs one attempt, never the job
            log.error("job_failed", kind=job.kind, job=job.id, attempt=job.attempt, error=type(error).__name__)
            return min(LAST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(job.attempt - 1, 20))
        finally:
            self._running.discard(task)


class _Interrupted(BaseException):
    """A handler was cut short by a stop. Not an Exception: the engine must not take it for the job's outcome."""


class _Engine:
    """DBOS, launched and closed. Every method blocks: none may be called on the loop, which DBOS would adopt."""

    def __init__(
        self, url: str, at_once: Mapping[str, int], poll_seconds: float, carry_out: Callable[[Job], float | None]
    ) -> None:
        self._url = url
        self._at_once = at_once
        self._poll_seconds = poll_seconds
        self._carry_out = carry_out
        self._workflow: Callable[..., None] | None = None

    def launch(self) -> None:
        from dbos import DBOS  # takes 0.2 s: in this thread, not when the server is imported

        library = logging.getLogger("dbos")
        if not library.handlers:
            library.addHandler(logging.NullHandler())  # else it writes to the console itself
        library.propagate = True
        DBOS(
            config={
                "name": _NAME,
                "system_database_url": self._url,
                "dbos_system_schema": "parlons_jobs",
                "application_version": _VERSION,
                "executor_id": _NAME,
                "log_level": "WARNING",
                "enable_otlp": False,
                "max_executor_threads": _MAX_THREADS,
                "sys_db_pool_size": 4,
                "notification_listener_polling_interval_sec": self._poll_seconds,
                "scheduler_polling_interval_sec": 3600.0,
            }
        )

        @DBOS.workflow(name="job", max_recovery_attempts=None)
        def job(kind: str, job_id: str, payload: dict[str, Any], attempt: int) -> None:
            again = self._carry_out(Job(kind, job_id, payload, attempt))
            if again is not None:
                self.enqueue(Job(kind, job_id, payload, attempt + 1), again)

        self._workflow = job
        DBOS.launch()
        for kind, workers in self._at_once.items():
            DBOS.register_queue(
                kind, worker_concurrency=workers, polling_interval_sec=self._poll_seconds, on_conflict="always_update"
            )
        self._forget_ended()

    def enqueue(self, job: Job, delay: float) -> None:
        """Store a job; one with its id and attempt that is known stays as it is."""
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        assert self._workflow is not None
        queue = DBOS.retrieve_queue(job.kind)
        assert queue is not None
        later = SetEnqueueOptions(delay_seconds=delay) if delay > 0 else contextlib.nullcontext()
        with SetWorkflowID(f"{job.kind}:{job.id}:{job.attempt}"), later:
            queue.enqueue(self._workflow, job.kind, job.id, dict(job.payload), job.attempt)

    def anything_left(self) -> bool:
        """Whether a job waits or runs; those that ended long ago are forgotten."""
        from dbos import DBOS

        self._forget_ended()
        return bool(DBOS.list_workflows(status=_OPEN, limit=1, load_input=False, load_output=False))

    def _forget_ended(self) -> None:
        from dbos import DBOS

        before = (datetime.now(UTC) - REMEMBERED).isoformat()
        while True:
            found = DBOS.list_workflows(
                status=_ENDED, completed_before=before, limit=_FORGET_AT_ONCE, load_input=False, load_output=False
            )
            if found:
                DBOS.delete_workflows([one.workflow_id for one in found])
            if len(found) < _FORGET_AT_ONCE:
                return

    @staticmethod
    def close() -> None:
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True)
