"""``parlons numbers``: destinations of a transfer from a CSV file, the file to fill in, and the countries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from parlons.agents import number_import
from parlons.agents.actions import Destination, TransferAction
from parlons.agents.countries import countries
from parlons.agents.models import Agent
from parlons.agents.number_import import Import, Outcome, Row
from parlons.agents.problems import problems_of
from parlons.errors import ConfigurationError, InvalidDocument, NotFound
from parlons.installation import open_store
from parlons.settings import Settings

_COLOURS: dict[Outcome, str | None] = {"accepted": None, "duplicate": "yellow", "refused": "red"}


async def dry_run(
    settings: Settings, file: Path, *, country: str | None, agent: str | None, action: str | None, as_json: bool
) -> None:
    """Print what would become of each row, and store nothing. With an agent's action, its destinations are known.

    Raises ConfigurationError when the file cannot be read as a whole.
    """
    existing: Sequence[Destination] = ()
    if agent is not None and action is not None:
        store = await open_store(settings)
        try:
            draft, _ = await store.agents.get_draft(agent)
        finally:
            await store.close()
        existing = _transfer(draft, agent, action).destinations
    found = await _read(file, country, existing)
    if as_json:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    for row in found.rows:
        _tell(row)
    _summarise(file, found)
    typer.echo("Nothing is stored (dry run).")


async def add(
    settings: Settings, file: Path, *, country: str | None, agent: str, action: str, yes: bool, as_json: bool
) -> int:
    """Add a file's destinations to a transfer action of an agent's draft. Returns the exit status.

    Raises ConfigurationError when the file cannot be read as a whole, NotFound, and Conflict when somebody else
    saved the draft while the person was reading the answer.
    """
    store = await open_store(settings)
    try:
        draft, revision = await store.agents.get_draft(agent)
        transfer = _transfer(draft, agent, action)
        found = await _read(file, country, transfer.destinations)
        if as_json:
            typer.echo(json.dumps(_plain(found), ensure_ascii=False))
        else:
            for row in found.rows:
                if row.outcome != "accepted":
                    _tell(row)
            _summarise(file, found)
        if not found.accepted:
            typer.echo("Nothing to add.", err=as_json)
            return 0
        changed = await asyncio.to_thread(_with_destinations, draft, transfer, found.accepted, agent)
        total = len(found.accepted)
        question = f"Add {total} to {action!r} in the draft of {agent!r}?"
        if not yes and not typer.confirm(question, default=False, err=as_json):
            return 1
        await store.agents.save_draft(agent, changed, expected_revision=revision)
    finally:
        await store.close()
    typer.echo(
        f"{total} added to {action!r} in the draft of {agent!r}. Calls use them once the agent is published.",
        err=as_json,
    )
    return 0


async def write_template(file: Path | None, *, semicolon: bool) -> None:
    """Write the file to fill in, or print it. Never over a file that is there: raises ConfigurationError."""
    content = number_import.template(";" if semicolon else ",")
    if file is None:
        typer.echo(content, nl=False)
        return
    try:
        await asyncio.to_thread(_write_new, file, content)
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already.", hint="Give another name, or remove it.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from None
    typer.echo(f"{file}: fill in the rows, then parlons numbers import {file} --dry-run")


def show_countries(language: str, *, as_json: bool) -> None:
    """Print every country with its code and prefix. Raises ConfigurationError for an unknown language."""
    try:
        found = countries(language)
    except ValueError as error:
        raise ConfigurationError(f"--language: {error}.") from None
    if as_json:
        typer.echo(json.dumps([asdict(country) for country in found], ensure_ascii=False))
        return
    for country in found:
        typer.echo(f"{country.flag}  {country.code}  {country.prefix:<5} {country.name}")


async def _read(file: Path, country: str | None, existing: Sequence[Destination]) -> Import:
    try:
        data = await asyncio.to_thread(_load, file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    known = number_import.addresses(existing)
    return await asyncio.to_thread(number_import.read, data, country=country, known=known)


def _load(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(number_import.MAX_BYTES + 1)


def _write_new(file: Path, content: bytes) -> None:
    with file.open("xb") as opened:
        opened.write(content)


def _transfer(draft: Agent, agent: str, name: str) -> TransferAction:
    transfers = [action for action in draft.actions if isinstance(action, TransferAction)]
    for action in transfers:
        if action.name == name:
            return action
    known = ", ".join(repr(action.name) for action in transfers)
    raise NotFound(
        f"The draft of {agent!r} has no transfer action named {name!r}.",
        hint=f"It has {known}." if known else "It has none: add one first.",
    )


def _with_destinations(draft: Agent, transfer: TransferAction, imported: list[Destination], agent: str) -> Agent:
    """The draft with more destinations, everything checked again."""
    try:
        destinations = number_import.add(transfer.destinations, imported)
        grown = TransferAction.model_validate({**dict(transfer), "destinations": destinations})
        actions = [grown if action is transfer else action for action in draft.actions]
        return Agent.model_validate({**dict(draft), "actions": actions})
    except ValidationError as error:
        raise InvalidDocument(f"{transfer.name!r} of the agent {agent!r}", problems_of(error, {})) from error


def _tell(row: Row) -> None:
    value = _printable(row.value) or "(empty)"
    who = _printable(row.description)[:60]
    details = "  ".join(text for text in (who, f"({row.reason})" if row.reason else "") if text)
    typer.secho(f"line {row.line:>5}  {row.outcome:<9}  {value:<20}  {details}".rstrip(), fg=_COLOURS[row.outcome])


def _summarise(file: Path, found: Import) -> None:
    counts = ", ".join(f"{found.count(outcome)} {outcome}" for outcome in _COLOURS)
    separator = {",": "comma", ";": "semicolon", "\t": "tab"}[found.separator]
    typer.echo(f"{file}: {counts} ({found.encoding}, {separator})")
    if found.ignored_columns:
        typer.echo(f"Columns not read: {', '.join(map(_printable, found.ignored_columns))}")


def _plain(found: Import) -> dict[str, Any]:
    return {
        "rows": [asdict(row) for row in found.rows],
        "accepted": found.count("accepted"),
        "duplicate": found.count("duplicate"),
        "refused": found.count("refused"),
        "separator": found.separator,
        "encoding": found.encoding,
        "ignored_columns": list(found.ignored_columns),
    }


def _printable(text: str) -> str:
    """A file's own words on a terminal: nothing that would move its cursor."""
    return "".join(c if c.isprintable() else " " for c in text)
