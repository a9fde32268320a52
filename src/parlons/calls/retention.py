"""Forgetting: calls and recordings past their time, one call, or everything of a number (specification, section 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parlons import logs
from parlons.agents.connections import Retention
from parlons.errors import ParlonsError
from parlons.store import Store
from parlons.store.calls import Erased

PURGE_SECONDS = 24 * 3600.0

log = logs.get(__name__)


async def forget(erasing: Awaitable[Erased], recordings: Path) -> Erased:
    """Carry out an erasure in the store, then remove the recordings it names."""
    erased = await erasing
    await asyncio.to_thread(_remove, recordings, erased.recordings)
    return erased


def _remove(folder: Path, names: list[str]) -> None:
    for name in names:
        # a name with a folder in it is none of ours: nothing outside the recordings may ever be removed
        (folder / Path(name).name).unlink(missing_ok=True)


async def purge(store: Store, recordings: Path, retention: Retention, now: datetime) -> Erased:
    """Forget what is older than ``retention`` says."""
    before_recordings = now - timedelta(days=retention.recordings_days)
    before_calls = now - timedelta(days=retention.calls_days)
    await store.runs.purge(before_calls)
    return await forget(store.calls.purge(before_recordings, before_calls), recordings)


async def purge_daily(store: Store, recordings: Path) -> None:
    """Purge at once and then every day, for as long as the process lives."""
    while True:
        try:
            settings = await store.settings.get()
            erased = await purge(store, recordings, settings.retention, datetime.now(UTC))
            if erased.calls or erased.recordings:
                log.info("purged", calls=erased.calls, recordings=len(erased.recordings))
        except (ParlonsError, OSError) as error:
            log.error("purge_failed", error=str(error))
        await asyncio.sleep(PURGE_SECONDS)
