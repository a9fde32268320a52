"""A workflow run with sample data, as the command and the API do it: what it did, and what a call would say to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from parlons.agents.common import Document, Identifier, LanguageTag
from parlons.agents.context import CallContext, system_variables
from parlons.agents.workflows import Workflow
from parlons.errors import InvalidDocument

from . import replies, runner
from .failures import ResultInvalid
from .http_client import HttpClient
from .runs import Run

TRY_SECONDS = 120.0
"""The longest that a workflow is tried."""


class Sample(Document):
    """Sample data of a run: ``context`` holds the variables, ``call`` and ``agent`` what else is told of them."""

    input: dict[str, Any] = {}
    context: dict[str, Any] = {}
    call: dict[str, Any] = {}
    agent: dict[str, Any] = {}
    phone: Annotated[str, Field(max_length=32)] = "+33612345678"
    agent_id: Identifier = "sample"
    language: LanguageTag = "en-GB"
    direction: Literal["inbound", "outbound"] = "inbound"


async def try_out(
    workflow: Workflow,
    sample: Sample,
    *,
    secret: Callable[[str], str | None],
    http: HttpClient,
    deadline: float = TRY_SECONDS,
) -> tuple[Run, str]:
    """Run it; its requests are really sent. Returns the run, and what a call would have against its result ("" if
    nothing).

    Raises InvalidDocument, naming ``sample.context``: a variable has a name or a value that no call can have.
    """
    run = await runner.run(
        workflow,
        context=_context(sample).variables(),
        input=sample.input,
        trigger=workflow.trigger,
        call={"id": "sample", "direction": sample.direction, **sample.call},
        agent={"id": sample.agent_id, **sample.agent},
        secrets=secret,
        http=http,
        deadline=deadline,
    )
    return run, _problem(workflow, run)


def _context(sample: Sample) -> CallContext:
    context = CallContext(
        system=system_variables(
            call_id="sample",
            agent_id=sample.agent_id,
            direction=sample.direction,
            language=sample.language,
            timezone="Europe/Paris",
            phone=sample.phone,
            anonymous=not sample.phone,
            now=datetime.now(UTC),
        )
    )
    try:
        context.merge(sample.context)
    except ValueError as error:
        raise InvalidDocument("the sample", [("sample.context", str(error))]) from error
    return context


def _problem(workflow: Workflow, run: Run) -> str:
    if run.status != "ok":
        return ""
    try:
        if workflow.trigger == "pre_call":
            replies.pre_call(run.result, run.context)
        elif workflow.trigger == "live_call":
            replies.live_call(run.result, run.context)
        elif workflow.trigger == "failover":
            replies.failover(run.result)
    except ResultInvalid as error:
        return str(error)
    return ""
