"""Runs a workflow: its steps in order, or its webhook, under one deadline; what happened is kept without secrets.

Whatever a workflow does, :func:`run` answers with a :class:`Run`. It knows no call: what a result means to one is in
``replies``.
"""

from __future__ import annotations

import asyncio
import functools
import re
import secrets as random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .. import logs
from ..agents.extraction import check as check_values
from ..agents.workflows import Workflow
from ..errors import ParlonsError
from . import webhook
from .bodies import MAX_REPLY
from .failures import InputInvalid, SecretMissing
from .http_client import HttpClient
from .keeping import Failed, Keeper
from .redaction import Redactor
from .rendering import render, texts
from .runs import Run, RunError, Status
from .steps import Steps

MAX_RUN_SECONDS = 600.0
"""A run without a deadline of its own."""
WEBHOOK_SECONDS = 30.0
"""A webhook's reply, when the deadline is not sooner."""

Secrets: TypeAlias = Callable[[str], str | None]
"""The value of a secret by its name, or None."""

_SECRET = re.compile(r"\bsecrets\s*(?:\.\s*([\w-]+)|\[\s*(?:'([^']+)'|\"([^\"]+)\")\s*\])")

log = logs.get(__name__)


async def run(
    workflow: Workflow,
    *,
    context: Mapping[str, Any],
    input: Mapping[str, Any],
    trigger: str,
    call: Mapping[str, Any],
    agent: Mapping[str, Any],
    secrets: Secrets,
    http: HttpClient,
    clock: Callable[[], float] = time.time,
    deadline: float | None = None,
    run_id: str = "",
    delivery: str = "",
    on_end: Callable[[Run], None] | None = None,
) -> Run:
    """Run a workflow to its end, or to its deadline. Never raises for what a workflow does.

    Args:
        context: the call's variables, as templates read them (``CallContext.variables()``).
        input: the values it takes, unchecked.
        trigger: what a webhook is told it was run for.
        call: about the call, agent: about the agent; also ``{{ call.… }}`` and ``{{ agent.… }}``, unless the
            context has variables of these names.
        secrets: looked up by the names that the workflow mentions, before it starts.
        clock: seconds since 1970.
        deadline: seconds this run may take; :data:`MAX_RUN_SECONDS` if None.
        run_id: made if empty.
        delivery: the webhook's delivery id, the same when it is sent again; the run's id if empty.
        on_end: given the run however it ends: the only way to see one that was cancelled.

    Raises:
        asyncio.CancelledError: the caller cancelled it.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    made = Run(id=run_id or random.token_hex(12), trigger=trigger, status="ok", started_at=clock())
    keeper = Keeper(made, Redactor(()), lambda: loop.time() - began)
    status: Status = "ok"
    failure: RunError | None = None
    result: Any = None
    scope = asyncio.timeout(MAX_RUN_SECONDS if deadline is None else max(0.0, deadline))
    try:
        async with scope:
            known = _secret_values(workflow, secrets)
            keeper.redactor = Redactor([*known.values(), *([workflow.secret] if workflow.secret else [])])
            values = _checked_input(workflow, input)
            variables = {"call": call, "agent": agent, **context, "input": values, "secrets": known}
            if workflow.kind == "webhook":
                parts = {"call": call, "agent": agent, "context": context, "input": values}
                result = await _webhook(workflow, variables, parts, http, keeper, int(clock()), delivery or made.id)
            else:
                result = await Steps(variables, http, keeper).run(workflow.steps or [])
    except TimeoutError as error:
        if not scope.expired():
            log.error("workflow_run_failed", run=made.id, error=type(error).__name__)
        step = made.steps[-1].id if made.steps else ""
        limit = MAX_RUN_SECONDS if deadline is None else deadline
        status, failure = "timeout", RunError(step, "deadline", f"the workflow took more than {limit:g} s.")
    except Failed as error:
        status, failure = "error", keeper.error(error.step, error.cause)
    except ParlonsError as error:
        status, failure = "error", keeper.error("", error)
    except asyncio.CancelledError:
        status, failure = "cancelled", RunError("", "cancelled", "the run was cancelled.")
        raise
    except Exception as error:  # a bug of ours must not take the call with it
        log.error("workflow_run_failed", run=made.id, error=type(error).__name__)
        status, failure = "error", RunError("", "internal", f"the run failed inside Parlons ({type(error).__name__}).")
    finally:
        made.status = status
        made.error = failure
        made.result = result if status == "ok" else None
        made.duration_ms = round((loop.time() - began) * 1000)
        if on_end is not None:
            on_end(made)
    return made


def _secret_values(workflow: Workflow, secrets: Secrets) -> dict[str, str]:
    """The secrets that the workflow's templates name, and that exist."""
    found: dict[str, str] = {}
    for text in texts(workflow.model_dump(mode="json", exclude={"secret"})):
        for match in _SECRET.finditer(text):
            name = match.group(1) or match.group(2) or match.group(3)
            if name in found:
                continue
            try:
                value = secrets(name)
            except ParlonsError as error:
                raise SecretMissing(f"the secret {name} cannot be read.", hint=error.hint) from error
            if value is not None:
                found[name] = value
    return found


def _checked_input(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, Any]:
    values, problems = check_values(workflow.input, dict(given))
    if problems:
        raise InputInvalid(f"the input is not valid: {'; '.join(problem.rstrip(': ') for problem in problems)}.")
    return values


async def _webhook(
    workflow: Workflow,
    variables: Mapping[str, Any],
    parts: Mapping[str, Any],
    http: HttpClient,
    keeper: Keeper,
    at: int,
    delivery: str,
) -> Any:
    with keeper.step("webhook", "webhook") as kept:
        fields = {"url": workflow.url or "", "headers": dict(workflow.headers)}
        rendered = await render("webhook", fields, variables, values=False)
        body = await asyncio.to_thread(functools.partial(webhook.payload, trigger=keeper.run.trigger, **parts))
        request = webhook.request(
            rendered["url"],
            headers=rendered["headers"],
            body=body,
            secret=workflow.secret,
            delivery=delivery,
            at=at,
            any_reply=keeper.run.trigger == "post_call",
        )
        kept.request(request)
        reply = await webhook.send(http, request, timeout=WEBHOOK_SECONDS)
        kept.reply(reply)
        return await asyncio.to_thread(keeper.redactor.json, reply.body, MAX_REPLY)
