"""Keys, users, sessions, the audit log and kept answers, as the database holds them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from parlons.errors import Conflict, InvalidDocument, NotFound
from parlons.store import Store
from parlons.store.access import ApiKey, Role, Session, User
from parlons.store.audit import AuditEntry
from parlons.store.idempotency import KEPT_FOR, Answer
from parlons.store.tables import idempotency_keys, sessions

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def key(key_id: str = "k", **values: Any) -> ApiKey:
    given = {
        "id": key_id, "name": "CRM", "scopes": ("read", "calls"), "hint": "parlons_abcd", "created_at": NOW,
        "created_by": "somebody", "rotated_at": None, "expires_at": None, "last_used_at": None, "revoked_at": None,
        "rotating": False, **values,
    }  # fmt: skip
    return ApiKey(**given)


def user(name: str, role: Role = "viewer") -> User:
    return User(f"id-{name}", name, role, NOW, NOW, None)


async def test_a_key_comes_back_as_it_was(store: Store) -> None:
    await store.keys.create(key(expires_at=NOW + timedelta(days=1)), "hash-1")
    found = await store.keys.find("hash-1")
    assert found == key(expires_at=NOW + timedelta(days=1))
    assert list(await store.keys.list()) == [found]
    assert await store.keys.find("hash-2") is None


async def test_rotation_never_makes_three(store: Store) -> None:
    await store.keys.create(key(), "one")
    assert (await store.keys.rotate("k", "two", "parlons_efgh")).rotating
    with pytest.raises(Conflict, match="two secrets"):
        await store.keys.rotate("k", "three", "x")
    for digest in ("one", "two"):
        assert await store.keys.find(digest) is not None
    await store.keys.retire_previous("k")
    assert await store.keys.find("one") is None
    first = (await store.keys.revoke("k")).revoked_at
    assert (await store.keys.revoke("k")).revoked_at == first, "it was revoked when it was revoked first"
    with pytest.raises(Conflict, match="revoked"):
        await store.keys.rotate("k", "four", "x")


async def test_of_two_rotations_at_once_one_is_made(store: Store) -> None:
    await store.keys.create(key(), "one")
    made = await asyncio.gather(*(store.keys.rotate("k", f"r{i}", "x") for i in range(4)), return_exceptions=True)
    assert sum(isinstance(found, Conflict) for found in made) == 3


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for attempt in (
        store.keys.get("x"), store.keys.rotate("x", "h", "h"), store.keys.retire_previous("x"), store.keys.revoke("x"),
        store.keys.used("x", NOW), store.users.get("x"), store.users.change("x"), store.users.delete("x"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await attempt
    assert await store.users.password("x") is None
    assert await store.sessions.find("x") is None


async def test_names_are_taken_whatever_their_case(store: Store) -> None:
    await store.users.create(user("Zoë"), "hash")
    with pytest.raises(Conflict):
        await store.users.create(user("ZOË"), "hash")
    found = await store.users.password("zOË")
    assert found is not None
    assert found[0].name == "Zoë"


async def test_of_two_administrators_leaving_at_once_one_stays(store: Store) -> None:
    for name in ("a", "b"):
        await store.users.create(user(name, "admin"), "hash")
    left = await asyncio.gather(store.users.delete("id-a"), store.users.delete("id-b"), return_exceptions=True)
    assert [type(found) for found in left if found is not None] == [Conflict]
    assert len(await store.users.list()) == 1


async def test_a_session_goes_with_its_user_its_password_and_its_time(store: Store) -> None:
    for name in ("a", "b", "c"):
        await store.users.create(user(name), "hash")
        await store.sessions.create(Session(f"s-{name}", user(name), NOW, NOW, NOW + timedelta(days=1)))
    found = await store.sessions.find("s-a")
    assert found is not None
    assert (found.user, found.expires_at) == (user("a"), NOW + timedelta(days=1))
    await store.users.delete("id-a")
    await store.users.change("id-b", password_hash="new")
    assert await store.sessions.find("s-a") is None
    assert await store.sessions.find("s-b") is None
    assert (await store.users.change("id-c", role="editor")).role == "editor"
    still = await store.sessions.find("s-c")
    assert still is not None
    assert still.user.role == "editor"
    later = NOW + timedelta(days=2)
    await store.sessions.create(Session("s-d", user("c"), later, later, later + timedelta(days=1)))
    async with store._database.read() as connection:
        assert (await connection.execute(sa.select(sessions.c.hash))).scalars().all() == ["s-d"]


async def test_the_audit_log_is_part_of_the_change(store: Store) -> None:
    entry = AuditEntry(NOW, "user", "u", "Bea", "agent.save", "agent", "a", [{"path": "x", "before": 1, "after": "é"}])

    async def change_then_fail() -> None:
        async with store.transaction():
            await store.audit.add(entry)
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await change_then_fail()
    assert list(await store.audit.list()) == []
    for number in range(3):
        await store.audit.add(AuditEntry(NOW + timedelta(days=number), "key", f"k{number}", "n", "x", "agent", "a", []))
    await store.audit.add(entry)
    found = await store.audit.list(limit=2)
    assert [e.actor_id for e in found] == ["u", "k2"]
    assert found[0].changes == entry.changes
    assert [e.actor_id for e in await store.audit.list(before=found[-1].id)] == ["k1", "k0"]
    assert [e.actor_id for e in await store.audit.list(actor_id="k1", target_kind="agent", target_id="a")] == ["k1"]


async def test_an_answer_is_kept_sealed_for_a_day(store: Store) -> None:
    answer = Answer(201, {"location": "/x"}, b'{"secret": "in clear"}\xff')
    assert await store.idempotency.begin("r", "f", NOW) is None
    with pytest.raises(Conflict):
        await store.idempotency.begin("r", "f", NOW)
    await store.idempotency.answered("r", answer)
    assert await store.idempotency.begin("r", "f", NOW) == answer
    with pytest.raises(InvalidDocument):
        await store.idempotency.begin("r", "other", NOW)
    async with store._database.read() as connection:
        sealed = (await connection.execute(sa.select(idempotency_keys.c.sealed))).scalar()
    assert "in clear" not in str(sealed)
    assert await store.idempotency.begin("r", "other", NOW + KEPT_FOR + timedelta(seconds=1)) is None
    await store.idempotency.forget("r")
    assert await store.idempotency.begin("r", "third", NOW + KEPT_FOR + timedelta(seconds=2)) is None
