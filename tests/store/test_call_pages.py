"""Pages of calls: the same as a plain query gives, whatever is asked, and out of an index."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable

from parlons.agents.models import Agent
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, EndCode
from parlons.store import Store
from parlons.store.call_pages import CallFilter, page_query
from parlons.store.tables import calls

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LINE, OTHER, BUSY = "+33123456789", "+33612345678", "+33699999999"
NUMBERS = [LINE, LINE, LINE, OTHER, BUSY, ""]


def some_calls(seed: int, count: int) -> list[CallRecord]:
    """Calls of few numbers, at few instants: a number calls itself, and many begin at once."""
    chance = random.Random(seed)
    return [
        CallRecord(
            id=f"{chance.getrandbits(64):016x}",
            direction=chance.choice(["inbound", "outbound"]),
            started_at=START + timedelta(seconds=chance.randrange(1 + count // 3)),
            status=chance.choice([CallStatus.COMPLETED, CallStatus.BUSY, CallStatus.FAILOVER]),
            agent_id=chance.choice(["a", "b", None]),
            caller=chance.choice(NUMBERS),
            called=chance.choice(NUMBERS),
            trigger=chance.choice(["pre_call_timeout", None, None]),
            context={"n": 1},
        )
        for _ in range(count)
    ]


def some_filter(chance: random.Random) -> CallFilter:
    """A question with any of its parts; most ask for a number."""
    return CallFilter(
        agent_id=chance.choice([None, None, "a", "gone"]),
        status=chance.choice([None, None, CallStatus.BUSY]),
        direction=chance.choice([None, None, "inbound"]),
        since=chance.choice([None, None, START + timedelta(seconds=5)]),
        until=chance.choice([None, None, START + timedelta(seconds=12)]),
        number=chance.choice([None, LINE, LINE, OTHER, "", "+33600000000"]),
        trigger=chance.choice([None, None, None, "pre_call_timeout"]),
    )


def plain(records: list[CallRecord], wanted: CallFilter) -> list[str]:
    """What the list must hold, said once more in the plainest way."""
    found = [
        r
        for r in records
        if (wanted.agent_id is None or r.agent_id == wanted.agent_id)
        and (wanted.status is None or r.status == wanted.status)
        and (wanted.direction is None or r.direction == wanted.direction)
        and (wanted.since is None or r.started_at >= wanted.since)
        and (wanted.until is None or r.started_at < wanted.until)
        and (wanted.number is None or wanted.number in (r.caller, r.called))
        and (wanted.trigger is None or r.trigger == wanted.trigger)
    ]
    return [r.id for r in sorted(found, key=lambda r: (r.started_at, r.id), reverse=True)]


async def pages(store: Store, wanted: CallFilter, limit: int) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.calls.list(wanted, limit=limit, cursor=cursor)
        assert len(page.calls) <= limit
        assert page.calls or cursor is None, "an empty page after one that said there was more"
        seen += [record.id for record in page.calls]
        cursor = page.cursor
        if cursor is None:
            return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_pages_hold_what_a_plain_search_finds(store: Store, seed: int) -> None:
    records = some_calls(seed, 60)
    await store.calls.write_batch(records, ())
    chance = random.Random(seed)
    for _ in range(40):
        wanted = some_filter(chance)
        assert await pages(store, wanted, chance.choice([1, 2, 7, 50])) == plain(records, wanted), wanted


async def test_a_call_between_a_number_and_itself_is_listed_once(store: Store) -> None:
    own = CallRecord(id="own", direction="inbound", started_at=START, caller=LINE, called=LINE)
    await store.calls.create(own)
    assert await pages(store, CallFilter(number=LINE), 1) == ["own"]


async def test_a_list_without_contexts_differs_in_nothing_else(store: Store) -> None:
    record = some_calls(1, 1)[0]
    record.end_code, record.ended_at, record.ended_by = EndCode.HUNG_UP, START, "caller"
    await store.calls.create(record)
    assert (await store.calls.list(CallFilter(number=record.caller))).calls == [record]
    record.context = {}
    assert (await store.calls.list(CallFilter(number=record.caller), context=False)).calls == [record]


class Explained(Executable, ClauseElement):
    """What a database would do for a query."""

    inherit_cache = False

    def __init__(self, query: sa.Select[Any]) -> None:
        self.query = query


@compiles(Explained)  # type: ignore[untyped-decorator, unused-ignore]
def _explained(element: Explained, compiler: Any, **options: Any) -> str:
    how = "EXPLAIN" if compiler.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return f"{how} {compiler.process(element.query, **options)}"


async def plan(store: Store, wanted: CallFilter) -> str:
    query = page_query([calls.c.id, calls.c.started_at, calls.c.status], wanted, 51, None)
    async with store._database.read() as connection:
        if store._database.postgres:  # the tables of a test are so small that it would rather read them whole
            await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            await connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        rows = (await connection.execute(Explained(query))).all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (CallFilter(), ["started_at_id"]),
        (CallFilter(agent_id="a"), ["agent_id_started_at"]),
        (CallFilter(status=CallStatus.BUSY), ["status_started_at"]),
        (CallFilter(trigger="pre_call_timeout"), ["trigger_started_at_id"]),
        (CallFilter(since=START), ["started_at_id"]),
        (CallFilter(number=OTHER), ["caller_started_at_id", "called_started_at_id"]),
    ],
    ids=["all", "agent", "status", "trigger", "since", "number"],
)
async def test_an_index_answers(store: Store, wanted: CallFilter, indexes: list[str]) -> None:
    records = some_calls(5, 300)
    for record in records:
        record.caller, record.called = record.id[:9], record.id[7:]
    await store.calls.write_batch(records, ())
    if store._database.postgres:
        async with store._database.write() as connection:
            await connection.execute(sa.text("ANALYZE calls"))
    told = await plan(store, wanted)
    for index in indexes:
        assert f"ix_calls_{index}" in told, told
    assert "Seq Scan on calls" not in told, told
    assert not any(line.startswith("SCAN calls") and "USING" not in line for line in told.splitlines()), told


async def test_the_last_call_of_each_agent(store: Store) -> None:
    for known in ("a", "b", "never"):
        await store.agents.save_draft(known, Agent.model_validate({"name": known}))
    placed: list[tuple[str | None, int]] = [("a", 3), ("a", 9), ("a", 5), ("b", 1), ("deleted", 20), (None, 30)]
    for number, (agent_id, minutes) in enumerate(placed):
        at = START + timedelta(minutes=minutes)
        await store.calls.create(CallRecord(id=f"c{number}", direction="inbound", started_at=at, agent_id=agent_id))
    found = await store.calls.last_of_agents()
    assert found == {"a": START + timedelta(minutes=9), "b": START + timedelta(minutes=1)}
