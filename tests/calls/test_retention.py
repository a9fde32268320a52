"""What is past its time goes, with its file; the rest stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from parlons.agents.connections import Retention
from parlons.calls.record import CallRecord
from parlons.calls.retention import forget, purge
from parlons.calls.timeline import CallStatus
from parlons.store import Store
from parlons.store.calls import Erased
from parlons.store.crypto import SecretKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def call(name: str, days: int) -> CallRecord:
    return CallRecord(
        id=name,
        direction="inbound",
        started_at=NOW - timedelta(days=days),
        status=CallStatus.COMPLETED,
        recording=f"{name}.wav",
    )


async def test_recordings_go_before_calls(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'p.db'}", SecretKey("k" * 32))
    try:
        for name, days in (("new", 1), ("middle", 40), ("old", 400)):
            await store.calls.create(call(name, days))
            (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
        erased = await purge(store, tmp_path, Retention(), NOW)
        assert erased.calls == 1
        assert sorted(p.name for p in tmp_path.glob("*.wav")) == ["new.wav"]
        left = {r.id: r.recording for r in (await store.calls.list()).calls}
        assert left == {"new": "new.wav", "middle": None}
    finally:
        await store.close()


async def test_nothing_outside_the_recordings_is_ever_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious.wav"
    precious.write_bytes(b"x")
    folder = tmp_path / "recordings"
    folder.mkdir()

    async def erased() -> Erased:
        return Erased(1, ["../precious.wav", "missing.wav"])

    await forget(erased(), folder)
    assert precious.exists()
