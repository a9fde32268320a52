"""``parlons apply``, ``export``, ``agent check``, ``agent list`` and ``settings``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import typer

from parlons import configuration
from parlons.control import ServerNotRunning, request
from parlons.installation import open_store
from parlons.settings import Settings, Source


def show_settings(sources: list[Source], *, as_json: bool) -> None:
    """Print every setting."""
    if as_json:
        rows = {s.name: {"value": s.value, "origin": s.origin, "meaning": s.meaning} for s in sources}
        typer.echo(json.dumps(rows, default=str))
        return
    for s in sources:
        typer.echo(f"{s.name:<24} {'' if s.value is None else s.value!s:<20} ({s.origin})\n    {s.meaning}")


def check(file: Path) -> None:
    """Validate an agent's file. Raises InvalidDocument with every problem."""
    agent = configuration.check_file(file)
    typer.echo(f"{file}: {agent.name!r} is valid.")


async def list_agents(settings: Settings, *, as_json: bool) -> None:
    """Print the agents that are stored."""
    store = await open_store(settings)
    try:
        live = await store.agents.live_all()
        stored = await store.agents.list()
    finally:
        await store.close()
    rows = [
        {
            "id": key,
            "live_version": live[key][1] if key in live else None,
            "active": key in live and live[key][0].active,
        }
        for key in sorted({a.id for a in stored} | set(live))
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        state = f"version {row['live_version']}" if row["live_version"] else "never published"
        typer.echo(f"{row['id']:<24} {state}{'' if row['active'] else ' (not active)'}")


async def apply_folder(settings: Settings, folder: Path, *, yes: bool, force: bool, prune: bool) -> int:
    """Show and do. Returns the exit status."""
    loaded = configuration.load(folder)
    store = await open_store(settings)
    try:
        changes = await configuration.plan(store, loaded, force=force, prune=prune)
        for change in changes:
            typer.echo(str(change))
        if not changes:
            typer.echo("Nothing to change.")
            return 0
        if not yes and not typer.confirm("Do this?", default=False):
            return 1
        await configuration.apply(store, loaded, force=force, prune=prune)
    finally:
        await store.close()
    with contextlib.suppress(ServerNotRunning):  # it reads the configuration when it starts
        await request(settings.data_dir, "POST", "/reload")
    return 0


async def export_folder(settings: Settings, folder: Path) -> None:
    """Write the stored configuration."""
    store = await open_store(settings)
    try:
        exported = await configuration.export(store, folder)
    finally:
        await store.close()
    typer.echo(f"{len(exported.written)} files in {folder}")
    if exported.variables:
        typer.echo(f"Set these before applying it: {', '.join(exported.variables)}")
    for path in exported.stale:
        typer.echo(f"{path} describes something that is no longer stored.")
