"""The command line: names, options and help; what they do is in ``commands``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .agents.workflows import Trigger as RunTrigger
from .calls.failover_table import Trigger
from .calls.timeline import CallStatus
from .commands import calls as calls_commands
from .commands import config as config_commands
from .commands import knowledge as knowledge_commands
from .commands import numbers as numbers_commands
from .commands import workflow_runs as run_commands
from .commands import workflows as workflow_commands
from .errors import ParlonsError
from .settings import Settings, load
from .store.deliveries import DeliveryStatus
from .workflows.runs import Status as RunStatus

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Voice agents on the phone."
)
agent_app = typer.Typer(no_args_is_help=True, help="Agents: check a file, list what is live.")
app.add_typer(agent_app, name="agent")
numbers_app = typer.Typer(no_args_is_help=True, help="Phone numbers to transfer to: import a file, get the template.")
app.add_typer(numbers_app, name="numbers")
workflow_app = typer.Typer(no_args_is_help=True, help="Workflows: try a file; what ran, what was delivered.")
app.add_typer(workflow_app, name="workflow")

knowledge_app = typer.Typer(no_args_is_help=True, help="What agents know: add documents, list, search, remove.")
app.add_typer(knowledge_app, name="knowledge")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]


def _settings() -> Settings:
    return load()[0]


def _run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run a command; a failure of ours is one clear message and exit status 1."""
    code = asyncio.run(work)
    if code:
        raise typer.Exit(code)


@app.command()
def serve() -> None:
    """Answer calls (SIP), and serve the API, until SIGTERM."""
    from .serving import serve as run_server  # the voice runtime takes two seconds to import: only when it is needed

    _run(run_server(_settings()))


@app.command()
def settings(json: AsJson = False) -> None:
    """List every setting, its meaning and where its value came from."""
    config_commands.show_settings(load()[1], as_json=json)


@agent_app.command("check")
def agent_check(file: Annotated[Path, typer.Argument(help="A JSON or YAML agent document.")]) -> None:
    """Validate an agent's file; exit status 1 and every problem with its path when it is wrong."""
    config_commands.check(file)


@agent_app.command("list")
def agent_list(json: AsJson = False) -> None:
    """List the agents and the version that is live."""
    _run(config_commands.list_agents(_settings(), as_json=json))


@app.command()
def apply(
    folder: Annotated[Path, typer.Argument(help="Folder of agents/, sip_connections/, workflows/, data_sources/.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also overwrite what was edited in the console.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also delete what the folder does not hold.")] = False,
) -> None:
    """Show what a folder of configuration would change, then do it, all or nothing."""
    _run(config_commands.apply_folder(_settings(), folder, yes=yes, force=force, prune=prune))


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Where to write; made if missing.")]) -> None:
    """Write the live configuration as a folder that `apply` reads back."""
    _run(config_commands.export_folder(_settings(), folder))


@app.command()
def calls(
    call_id: Annotated[str | None, typer.Argument(help="A call to show with its timeline.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 20,
    status: Annotated[CallStatus | None, typer.Option(help="Only calls with this status.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only calls of this agent.")] = None,
    trigger: Annotated[Trigger | None, typer.Option(help="Only calls with this failover trigger.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the call, its timeline and its recording.")] = False,
    json: AsJson = False,
) -> None:
    """List the latest calls, or show one with everything that happened."""
    if delete:
        if call_id is None:
            raise typer.BadParameter("say which call to delete")
        _run(calls_commands.delete(_settings(), call_id))
        return
    work = calls_commands.show(
        _settings(), call_id, limit=limit, status=status, agent=agent, trigger=trigger, as_json=json
    )
    _run(work)


@app.command()
def erase(number: Annotated[str, typer.Argument(help="A phone number.")]) -> None:
    """Erase every call from or to a person's number: records, timelines and recordings."""
    _run(calls_commands.erase(_settings(), number))


@app.command()
def call(
    agent: Annotated[str, typer.Argument(help="The agent's id.")],
    number: Annotated[
        str | None,
        typer.Argument(help="A number, an extension or sip:user@host. None: the line calls itself, as a test."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the end and show the timeline.")] = True,
) -> None:
    """Place a call with an agent through the running server."""
    from .commands.talk import call as place  # as in serve

    _run(place(_settings(), agent, number, wait=wait))


@app.command()
def chat(agent: Annotated[str, typer.Argument(help="An agent's id, or an agent's file.")]) -> None:
    """Talk to an agent in text, here in the terminal."""
    from .commands.talk import chat as talk  # as in serve

    _run(talk(_settings(), agent))


@numbers_app.command("import")
def numbers_import(
    file: Annotated[Path, typer.Argument(help="CSV with the columns phone and description, at most 5 MB.")],
    country: Annotated[str | None, typer.Option(help="Take this country's national numbers too, as in FR.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would become of each row; store nothing.")
    ] = False,
    agent: Annotated[str | None, typer.Option(help="The agent's id.")] = None,
    action: Annotated[str | None, typer.Option(help="The name of its transfer action.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before adding.")] = False,
    json: AsJson = False,
) -> None:
    """Add a file's numbers to a transfer action of an agent's draft; bad rows never stop the good ones."""
    if (agent is None) != (action is None) or (agent is None and not dry_run):
        raise typer.BadParameter("give --agent and --action, or --dry-run to store nothing")
    if dry_run:
        work = numbers_commands.dry_run(_settings(), file, country=country, agent=agent, action=action, as_json=json)
        _run(work)
    elif agent is not None and action is not None:
        _run(
            numbers_commands.add(_settings(), file, country=country, agent=agent, action=action, yes=yes, as_json=json)
        )


@numbers_app.command("template")
def numbers_template(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; printed without.")] = None,
    semicolon: Annotated[bool, typer.Option("--semicolon", help="For a spreadsheet in French, among others.")] = False,
) -> None:
    """Write a file to fill in, with example rows."""
    _run(numbers_commands.write_template(file, semicolon=semicolon))


@numbers_app.command("countries")
def numbers_countries(
    language: Annotated[str, typer.Option(help="Language of the names, as in fr.")] = "en", json: AsJson = False
) -> None:
    """List the countries with their codes and calling prefixes."""
    numbers_commands.show_countries(language, as_json=json)


@workflow_app.command("try")
def workflow_try(
    file: Annotated[Path, typer.Argument(help="A JSON or YAML workflow document.")],
    sample: Annotated[Path | None, typer.Option(help="Input, context and secrets to run it with, as JSON.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Reach private and loopback addresses too.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Run a workflow's file and show each step; exit status 1 when it fails."""
    _run(workflow_commands.try_file(file, sample, allow_private=allow_private, as_json=json))


@workflow_app.command("runs")
def workflow_runs(
    run_id: Annotated[str | None, typer.Argument(help="A run to show with its steps.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only runs of this workflow.")] = None,
    call: Annotated[str | None, typer.Option(help="Only runs for this call.")] = None,
    trigger: Annotated[RunTrigger | None, typer.Option(help="Only runs by this trigger.")] = None,
    status: Annotated[RunStatus | None, typer.Option(help="Only runs that ended so.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to list.")] = 20,
    json: AsJson = False,
) -> None:
    """List the latest runs of workflows, or show one with each step's timing, request and reply."""
    work = run_commands.runs(
        _settings(),
        run_id,
        workflow=workflow,
        call=call,
        trigger=trigger,
        status=status,
        limit=limit,
        as_json=json,
    )
    _run(work)


@workflow_app.command("deliveries")
def workflow_deliveries(
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only deliveries that stand so.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only deliveries of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to list.")] = 20,
    json: AsJson = False,
) -> None:
    """List what post-call workflows have sent, or still have to send."""
    _run(run_commands.deliveries(_settings(), status=status, workflow=workflow, limit=limit, as_json=json))


@workflow_app.command("resend")
def workflow_resend(delivery_id: Annotated[str, typer.Argument(help="As `deliveries` lists it.")]) -> None:
    """Have a delivery that failed, or that waits, sent again now, under the same id."""
    _run(run_commands.resend(_settings(), delivery_id))


@knowledge_app.command("add")
def knowledge_add(
    source: Annotated[str, typer.Argument(help="The data source's id.")],
    documents: Annotated[list[str], typer.Argument(help="Files (PDF, DOCX, HTML, Markdown, text, CSV) or web pages.")],
    json: AsJson = False,
) -> None:
    """Add documents to a data source, or replace those of the same name; exit status 1 when one was refused."""
    _run(knowledge_commands.add(_settings(), source, documents, as_json=json))


@knowledge_app.command("list")
def knowledge_list(
    source: Annotated[str | None, typer.Argument(help="A data source, to list its documents.")] = None,
    json: AsJson = False,
) -> None:
    """List the data sources and their state, or one's documents."""
    _run(knowledge_commands.list_sources(_settings(), source, as_json=json))


@knowledge_app.command("search")
def knowledge_search(
    source: Annotated[str, typer.Argument(help="The data source's id.")],
    question: Annotated[str, typer.Argument(help="What a caller would ask.")],
    limit: Annotated[int, typer.Option(min=1, max=20, help="How many passages.")] = 5,
    json: AsJson = False,
) -> None:
    """Search as a call would; exit status 1 when nothing is found."""
    _run(knowledge_commands.search(_settings(), source, question, limit=limit, as_json=json))


@knowledge_app.command("remove")
def knowledge_remove(
    source: Annotated[str, typer.Argument(help="The data source's id.")],
    documents: Annotated[list[str], typer.Argument(help="Names or ids, as they are listed.")],
) -> None:
    """Remove documents from a data source."""
    _run(knowledge_commands.remove(_settings(), source, documents))


@app.command()
def doctor() -> None:
    """Check ports, database, providers and clock: what is wrong, and the fix."""
    from .commands.doctor import examine  # as in serve

    _run(examine(_settings()))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The entry point."""
    try:
        app()
    except ParlonsError as error:
        typer.secho(str(error), err=True, fg="red")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
