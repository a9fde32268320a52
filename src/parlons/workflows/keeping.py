"""Writes a run down while it happens: timings, requests, replies and errors; secrets hidden, sizes bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ParlonsError
from .failures import TooBig, UnexpectedStatus, WorkflowError
from .http_client import Reply, Request
from .redaction import Redactor
from .runs import Run, RunError, StepRun

MAX_KEPT_BODY = 16_000
"""Characters of a request's or a reply's body that are kept."""
MAX_KEPT = 256_000
"""Characters of all requests and replies of a run; what comes later is left out."""
MAX_STEPS = 300
"""Steps that one run may take."""
MAX_MESSAGE = 1_000

LEFT_OUT = "(left out: the run is too big to be kept whole)"


class Failed(Exception):
    """A step that ended the workflow."""

    def __init__(self, step: str, cause: ParlonsError) -> None:
        super().__init__(step)
        self.step = step
        self.cause = cause


class Keeper:
    """Keeps one run.

    Args:
        elapsed: seconds since the run began.
    """

    def __init__(self, run: Run, redactor: Redactor, elapsed: Callable[[], float]) -> None:
        self.run = run
        self.redactor = redactor
        self._elapsed = elapsed
        self._left = MAX_KEPT

    @contextmanager
    def step(self, id: str, type: str) -> Iterator[Kept]:
        """Keep a step; an error that leaves it becomes :class:`Failed`, unless it is one already."""
        if len(self.run.steps) >= MAX_STEPS:
            raise Failed(id, TooBig(f"the workflow takes more than {MAX_STEPS} steps."))
        began = self._elapsed()
        record = StepRun(id, type, round(began * 1000))
        self.run.steps.append(record)
        kept = Kept(record, self)
        try:
            yield kept
        except ParlonsError as error:
            if isinstance(error, UnexpectedStatus):
                kept.reply(error.reply)
            record.error = self.error(id, error)
            raise Failed(id, error) from error
        except Failed as error:
            record.error = self.error(error.step, error.cause)
            raise
        except asyncio.CancelledError:
            record.error = RunError(id, "interrupted", "the step was under way when the run ended.")
            raise
        finally:
            record.duration_ms = round((self._elapsed() - began) * 1000)

    def error(self, step: str, error: ParlonsError) -> RunError:
        """An error as it is kept."""
        code = error.code if isinstance(error, WorkflowError) else "error"
        return RunError(step, code, self.redactor.text(str(error), MAX_MESSAGE))

    def bounded(self, value: Any) -> Any:
        """A value for keeping, or a note that there is no room."""
        size = len(json.dumps(value, ensure_ascii=False, default=str))
        if size > self._left:
            return LEFT_OUT
        self._left -= size
        return value

    def body(self, value: Any, text: str) -> Any:
        """A body for keeping: whole when it is small, else the beginning of its text."""
        if isinstance(value, str) or len(text) > MAX_KEPT_BODY:
            return self.redactor.text(text, MAX_KEPT_BODY)
        return self.redactor.json(value)


class Kept:
    """One step being kept."""

    def __init__(self, record: StepRun, keeper: Keeper) -> None:
        self._record = record
        self._keeper = keeper

    def request(self, request: Request) -> None:
        """Keep a request."""
        keeper, hide = self._keeper, self._keeper.redactor
        text = (request.body or b"").decode("utf-8", "replace")
        try:
            value = json.loads(text) if text and len(text) <= MAX_KEPT_BODY else text or None
        except (ValueError, RecursionError):
            value = text
        self._record.request = keeper.bounded(
            {
                "method": request.method,
                "url": hide.text(request.url, 2_000),
                "headers": hide.headers(request.headers),
                "query": {hide.text(key): hide.text(item, 2_000) for key, item in request.query.items()},
                "body": keeper.body(value, text),
            }
        )

    def reply(self, reply: Reply) -> None:
        """Keep a reply."""
        keeper = self._keeper
        self._record.reply = keeper.bounded(
            {
                "status": reply.status,
                "headers": keeper.redactor.headers(reply.headers),
                "body": keeper.body(reply.body, reply.text),
            }
        )

    def value(self, value: Any) -> None:
        """Keep what a step made; secrets are hidden already."""
        self._record.reply = self._keeper.bounded(value)
