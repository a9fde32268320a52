"""What changes while the server runs: a failover action that somebody saves, and audio that somebody deletes."""

from __future__ import annotations

import asyncio
import json
import shutil

from tests.sip.failover_stage import Visit
from tests.sip.failover_world import CLOSED, GREETING, MESSAGE, NO_KEY, SORRY, case, failing_over

CHANGED = GREETING
"""What the failover says once it was changed: any of the phrases that it did not say before."""


@case(alone=True, **NO_KEY, **failing_over(MESSAGE))
async def saved_is_live(visit: Visit) -> None:
    """The call under way keeps what it has; the next one gets the new action."""
    server = visit.stage.server
    await visit.dial()
    await visit.gets_only(CLOSED)
    file = server.config / "agents" / f"{visit.name}.json"
    document = json.loads(file.read_text("utf-8"))
    document["failover"]["action"]["text"] = CHANGED
    file.write_text(json.dumps(document), "utf-8")
    applied = await asyncio.to_thread(server.cli, "apply", "--yes", str(server.config))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert visit.name in applied.stdout
    await visit.dial()
    await visit.gets_only(CHANGED)
    visit.record("failover", "agent_unavailable", "message", "played", ended_by="system")


@case(alone=True, **NO_KEY, **failing_over(MESSAGE))
async def audio_that_was_deleted_is_still_played(visit: Visit) -> None:
    """Nothing on disk is needed to play it."""
    shutil.rmtree(visit.stage.server.data / "messages")
    await visit.dial()
    await visit.gets_only(CLOSED)
    visit.record("failover", "agent_unavailable", "message", "played", ended_by="system")


@case(alone=True, **NO_KEY)
async def an_error_message_that_was_deleted_is_still_played(visit: Visit) -> None:
    await asyncio.sleep(0.5)
    await visit.dial()
    await visit.gets_only(SORRY)
    visit.record("failed", "agent_unavailable", None, None, ended_by="system")


AFTERWARDS = frozenset(
    play.__name__
    for play in (
        saved_is_live,
        audio_that_was_deleted_is_still_played,
        an_error_message_that_was_deleted_is_still_played,
    )
)
"""Played when all other cases are over."""
