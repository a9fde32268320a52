"""``parlons workflow try``: run a workflow's file with sample data, and show every step."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from pydantic import Field

from parlons.agents.problems import validate
from parlons.agents.workflows import Workflow
from parlons.configuration.reading import Unreadable, parse, resolve
from parlons.errors import ConfigurationError, InvalidDocument, NotFound
from parlons.workflows.http_client import HttpClient
from parlons.workflows.runs import Run, StepRun
from parlons.workflows.trying import Sample, try_out

MAX_FILE = 5_000_000


class SampleFile(Sample):
    """What a sample file may hold. ``secrets`` not given here are read from the environment."""

    secrets: dict[str, str] = Field(default={}, repr=False)


async def try_file(file: Path, sample_file: Path | None, *, allow_private: bool, as_json: bool) -> int:
    """Run it and print. Returns the exit status.

    Raises:
        NotFound, InvalidDocument: a file is missing or wrong.
    """
    workflow = validate(Workflow, _resolved(_data(file), file), str(file))
    sample = SampleFile() if sample_file is None else validate(SampleFile, _data(sample_file), str(sample_file))

    def secret(name: str) -> str | None:
        return sample.secrets.get(name, os.environ.get(name))

    http = HttpClient(allow_private=lambda: allow_private)
    try:
        made, problem = await try_out(workflow, sample, secret=secret, http=http)
    finally:
        await http.aclose()
    if as_json:
        shown = {**made.as_json(), "problem": problem}
        typer.echo(json.dumps(shown, ensure_ascii=False, default=str))
    else:
        show_run(made, problem)
    return 0 if made.status == "ok" and not problem else 1


def _data(file: Path) -> Any:
    if not file.is_file():
        raise NotFound(f"there is no file {file}.")
    data = file.read_bytes()
    if len(data) > MAX_FILE:
        raise ConfigurationError(f"{file} is over {MAX_FILE} bytes.")
    try:
        return parse(data.decode("utf-8-sig"), is_json=file.suffix.lower() == ".json")
    except (Unreadable, UnicodeDecodeError) as error:
        raise InvalidDocument(str(file), [("", str(error))]) from error


def _resolved(data: Any, file: Path) -> Any:
    problems: list[tuple[str, str]] = []
    made = resolve(data, os.environ, problems)
    if problems:
        raise InvalidDocument(str(file), problems)
    return made


def show_run(made: Run, problem: str = "") -> None:
    """Print a run with its steps, and what is wrong with its result."""
    for step in made.steps:
        _show_step(step)
    typer.echo(f"{made.status} in {made.duration_ms} ms")
    if made.error is not None:
        typer.echo(f"error {made.error.code}: {made.error.message}")
    elif problem:
        typer.echo(f"the result cannot be used: {problem}")
    if made.context:
        typer.echo(f"context: {words(made.context)}")
    if made.status == "ok":
        typer.echo(f"result: {words(made.result)}")


def _show_step(step: StepRun) -> None:
    typer.echo(f"{step.started_ms:>7} ms  {step.id} ({step.type}) took {step.duration_ms} ms")
    request: Mapping[str, Any] = step.request if isinstance(step.request, dict) else {}
    if "method" not in request and step.request is not None:  # it was too big to be kept whole
        typer.echo(f"            > {words(step.request)}")
    elif request:
        query = f"  query {words(request['query'])}" if request["query"] else ""
        typer.echo(f"            > {request['method']} {request['url']}{query}")
        for name, value in request["headers"].items():
            typer.echo(f"            > {name}: {words(value)}")
        if request["body"] is not None:
            typer.echo(f"            > {words(request['body'])}")
    if step.reply is not None:
        typer.echo(f"            < {words(step.reply)}")
    if step.error is not None:
        typer.echo(f"            ! {step.error.code}: {step.error.message}")


def words(value: Any) -> str:
    """One line for a terminal: nothing in it can move the cursor."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)
