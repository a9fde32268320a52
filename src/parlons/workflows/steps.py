"""The five kinds of step, carried out in order. ``steps.<id>`` is what each gave:

``http``: ``ok``, ``status``, ``headers`` (lower-case names), ``body`` (JSON or text) and ``error``; ``set``: its
values; ``branch``: ``branch``, the number of the one taken from 1, or ``else``; ``delay``: ``seconds``. A step that
failed and said ``on_error: continue``: ``ok`` false and ``error`` with ``code`` and ``message``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..agents.conditions import holds
from ..agents.context import RESERVED
from ..agents.workflows import BranchStep, DelayStep, HttpStep, ReturnStep, SetStep, WorkflowStepModel
from .bodies import MAX_DEPTH, depth_over
from .failures import ReservedName, TooBig, UnexpectedStatus
from .http_client import HttpClient, Reply, Request, json_body
from .keeping import Failed, Keeper, Kept
from .rendering import render

MAX_RESULT = 1_000_000
"""Bytes of what a workflow returns, and of what its ``set`` steps hold together, as JSON."""
_OURS = RESERVED | {"input", "secrets"}


class Steps:
    """Carries out a workflow's steps.

    Args:
        variables: what templates and conditions read; ``steps`` is added.
    """

    def __init__(self, variables: Mapping[str, Any], http: HttpClient, keeper: Keeper) -> None:
        self._results: dict[str, Any] = {}
        self._variables = {**variables, "steps": self._results}
        self._http = http
        self._keeper = keeper
        self._result: Any = None
        self._set_values: dict[str, Any] = {}

    async def run(self, steps: Sequence[WorkflowStepModel]) -> Any:
        """The value of the first ``return`` reached, without secrets, or None. Raises Failed."""
        await self._all(steps)
        return self._result

    async def _all(self, steps: Sequence[WorkflowStepModel]) -> bool:
        """Whether a ``return`` was reached."""
        for step in steps:
            try:
                with self._keeper.step(step.id, step.type) as kept:
                    returned = await self._one(step, kept)
            except Failed as error:
                if step.on_error == "stop":
                    raise
                self._results[step.id] = self._failure(step.id, error)
                continue
            if returned:
                return True
        return False

    def _failure(self, step: str, error: Failed) -> dict[str, Any]:
        shown = self._keeper.error(error.step, error.cause)
        more: dict[str, Any] = {"status": 0, "headers": {}, "body": None}
        if isinstance(error.cause, UnexpectedStatus) and error.step == step:
            more = _reply(error.cause.reply)
        return {**more, "ok": False, "error": {"code": shown.code, "message": shown.message}}

    async def _one(self, step: WorkflowStepModel, kept: Kept) -> bool:
        match step:
            case HttpStep():
                self._results[step.id] = await self._request(step, kept)
            case SetStep():
                self._results[step.id] = await self._set(step, kept)
            case BranchStep():
                return await self._branch(step, kept)
            case DelayStep():
                await asyncio.sleep(step.seconds)
                self._results[step.id] = {"ok": True, "seconds": step.seconds, "error": None}
            case ReturnStep():
                made = await render(step.id, {"value": step.value}, self._variables, values=True)
                self._result = await asyncio.to_thread(self._settled, made["value"], "what it returns")
                kept.value(self._result)
                return True
        return False

    async def _request(self, step: HttpStep, kept: Kept) -> dict[str, Any]:
        fields = {"url": step.url, "headers": step.headers, "query": step.query}
        made = await render(step.id, fields, self._variables, values=False)
        headers: dict[str, str] = made["headers"]
        content: bytes | None = None
        if step.body is not None:
            body = (await render(step.id, {"body": step.body}, self._variables, values=True))["body"]
            typed = {name.lower(): value for name, value in headers.items()}.get("content-type")
            if isinstance(body, str) and typed is not None and "json" not in typed.lower():
                content = body.encode("utf-8", "replace")
            else:
                content = json_body(body)
                headers = headers if typed is not None else {**headers, "Content-Type": "application/json"}
        request = Request(step.method, made["url"], headers, made["query"], content)
        kept.request(request)
        reply = await self._http.send(
            request, timeout=step.timeout_seconds, retries=step.retries, expected=step.expected_status
        )
        kept.reply(reply)
        return _reply(reply)

    async def _set(self, step: SetStep, kept: Kept) -> dict[str, Any]:
        for name in step.values:
            if name in _OURS:
                raise ReservedName(f"step {step.id}: {name} is reserved; it cannot be set.")
        made = await render(step.id, {"values": step.values}, self._variables, values=True)
        values: dict[str, Any] = made["values"]
        self._variables.update(values)
        shown = await asyncio.to_thread(self._settled, {**self._set_values, **values}, "what its set steps hold")
        self._set_values.update(values)
        self._keeper.run.context = shown
        kept.value({name: shown[name] for name in values})
        return values

    def _settled(self, value: Any, what: str) -> Any:
        """A value that is not too big, without secrets. Takes its time: in a thread."""
        return self._keeper.redactor.json(_sized(value, what), limit=MAX_RESULT)

    async def _branch(self, step: BranchStep, kept: Kept) -> bool:
        for number, branch in enumerate(step.branches, 1):
            if holds(branch, self._variables):
                taken: int | str = number
                chosen = branch.steps
                break
        else:
            taken, chosen = "else", step.otherwise
        self._results[step.id] = {"ok": True, "branch": taken, "error": None}
        kept.value({"branch": taken})
        return await self._all(chosen)


def _reply(reply: Reply) -> dict[str, Any]:
    return {"ok": True, "status": reply.status, "headers": reply.headers, "body": reply.body, "error": None}


def _sized(value: Any, what: str) -> Any:
    if depth_over(value, MAX_DEPTH):
        raise TooBig(f"{what} is nested more than {MAX_DEPTH} deep.")
    if len(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")) > MAX_RESULT:
        raise TooBig(f"{what} is over {MAX_RESULT} bytes.")
    return value
