"""The writer never blocks, keeps order, survives a database that is away, and forgets nothing it can keep."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.errors import StoreError
from parlons.store import CallWriter, SecretKey, Store
from parlons.store.writer import MAX_PENDING_RUNS, PendingRun
from parlons.workflows.runs import Run
from tests.support.virtual_time import run

from .conftest import KEY, cut_connections

START = datetime(2026, 11, 20, tzinfo=UTC)


def call(call_id: str) -> CallRecord:
    return CallRecord(id=call_id, direction="inbound", started_at=START)


def ran(name: str) -> Run:
    return Run(name, "live_call", "ok", 1_780_000_000.0, duration_ms=5)


def event(number: int) -> Event:
    return Event(number, "system", Kind.DTMF, {"digits": str(number)})


class Sink:
    """A database of lists that can be away, slow, or refuse a call."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []
        self.events: list[tuple[str, Event]] = []
        self.runs: list[PendingRun] = []
        self.batches = 0
        self.tries: list[float] = []
        self.away_until = 0.0
        self.slow = 0.0
        self.refuses: str | None = None

    async def write_batch(
        self,
        records: Iterable[CallRecord],
        events: Sequence[tuple[str, Event]],
        runs: Sequence[PendingRun] = (),
    ) -> None:
        self.tries.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.slow)
        if asyncio.get_running_loop().time() < self.away_until:
            raise StoreError("away")
        records = list(records)
        named = [r.id for r in records] + [call_id for call_id, _ in events] + [call_id for _, call_id, _ in runs]
        if self.refuses in named:
            raise IntegrityError("insert", {}, Exception("refused"))
        self.batches += 1
        self.records += records
        self.events += events
        self.runs += runs


def test_batches_within_half_a_second_in_order() -> None:
    async def scenario() -> None:
        sink = Sink()
        writer = CallWriter(sink)
        writer.start()
        writer.record(call("c"))
        for number in range(50):
            writer.event("c", event(number))
        await asyncio.sleep(0.5)
        assert [e.at_ms for _, e in sink.events] == list(range(50))
        assert (sink.batches, writer.pending) == (1, 0)
        assert await writer.close()

    run(scenario())


def test_a_record_is_stored_as_it_was_and_only_its_newest_state() -> None:
    async def scenario() -> None:
        sink = Sink()
        writer = CallWriter(sink)
        writer.start()
        record = call("c")
        record.context["list"] = [1]
        writer.record(record)
        record.status = CallStatus.COMPLETED
        writer.record(record)
        expected = copy.deepcopy(record)
        record.context["list"].append(2)
        record.status = CallStatus.FAILED
        assert await writer.drain()
        assert sink.records == [expected]
        await writer.close()

    run(scenario())


def test_drain_does_not_wait_for_the_batch_to_fill() -> None:
    async def scenario() -> None:
        writer = CallWriter(Sink())
        writer.start()
        await asyncio.sleep(0)
        writer.event("c", event(1))
        before = asyncio.get_running_loop().time()
        assert await writer.drain()
        assert asyncio.get_running_loop().time() - before < 0.05
        await writer.close()

    run(scenario())


def test_a_database_that_is_away_is_tried_again_with_back_off_and_order_is_kept() -> None:
    async def scenario() -> None:
        sink = Sink()
        writer = CallWriter(sink)
        writer.start()
        sink.away_until = asyncio.get_running_loop().time() + 30
        for number in range(100):
            writer.event("c", event(number))
            await asyncio.sleep(0.2)
        assert not await writer.drain(1)
        assert await writer.drain(60)
        assert [e.at_ms for _, e in sink.events] == list(range(100))
        gaps = [b - a for a, b in zip(sink.tries, sink.tries[1:], strict=False)][:5]
        assert gaps == sorted(gaps)
        assert len(sink.tries) < 20
        assert writer.dropped == 0
        await writer.close()

    run(scenario())


def test_memory_is_bounded_and_the_oldest_events_go_first_never_records() -> None:
    async def scenario() -> None:
        sink = Sink()
        writer = CallWriter(sink, max_pending_events=10)
        writer.start()
        sink.away_until = asyncio.get_running_loop().time() + 5
        writer.record(call("c"))
        for number in range(25):
            writer.event("c", event(number))
            await asyncio.sleep(0.1)
        assert writer.pending <= 11
        assert await writer.drain(30)
        assert [e.at_ms for _, e in sink.events] == list(range(15, 25))
        assert [r.id for r in sink.records] == ["c"]
        assert writer.dropped == 15
        await writer.close()

    run(scenario())


def test_what_is_refused_for_good_does_not_hold_up_the_rest() -> None:
    async def scenario() -> None:
        sink = Sink()
        sink.refuses = "bad"
        writer = CallWriter(sink)
        writer.start()
        for call_id in ("good", "bad", "other"):
            writer.record(call(call_id))
        for number, call_id in enumerate(("good", "bad", "other")):
            writer.event(call_id, event(number))
        assert await writer.drain(5)
        assert [r.id for r in sink.records] == ["good", "other"]
        assert [e.at_ms for _, e in sink.events] == [0, 2]
        assert writer.dropped == 2
        await writer.close()

    run(scenario())


def test_runs_wait_for_a_database_that_is_away_and_one_that_is_refused_holds_up_nothing() -> None:
    async def scenario() -> None:
        sink = Sink()
        sink.refuses = "gone"
        writer = CallWriter(sink)
        writer.start()
        sink.away_until = asyncio.get_running_loop().time() + 5
        writer.record(call("c"))
        for number in range(MAX_PENDING_RUNS + 10):
            writer.run("w", "gone" if number == 20 else "c", ran(str(number)))
        assert writer.pending == MAX_PENDING_RUNS + 1
        assert await writer.drain(30)
        assert [run.id for _, _, run in sink.runs] == [str(n) for n in range(10, MAX_PENDING_RUNS + 10) if n != 20]
        assert (writer.dropped, [r.id for r in sink.records]) == (11, ["c"])
        await writer.close()

    run(scenario())


def test_the_writer_says_what_it_still_holds_of_a_call() -> None:
    async def scenario() -> None:
        sink = Sink()
        sink.slow = 1
        writer = CallWriter(sink)
        writer.start()
        writer.event("c", event(1))
        assert (writer.holds("c"), writer.holds("other")) == (True, False)
        await asyncio.sleep(0.5)
        assert writer.holds("c")  # on its way is not stored
        assert await writer.drain(5)
        assert not writer.holds("c")
        await writer.close()

    run(scenario())


def test_a_slow_database_blocks_nobody() -> None:
    async def scenario() -> None:
        sink = Sink()
        sink.slow = 10
        writer = CallWriter(sink)
        writer.start()
        writer.event("c", event(1))
        await asyncio.sleep(1)
        before = asyncio.get_running_loop().time()
        writer.event("c", event(2))
        writer.record(call("c"))
        assert asyncio.get_running_loop().time() == before
        assert await writer.drain(60)
        assert len(sink.events) == 2
        await writer.close()

    run(scenario())


async def test_into_a_real_database(store: Store) -> None:
    writer = CallWriter(store.calls)
    writer.start()
    record = call("c")
    writer.record(record)
    for number in range(2500):
        writer.event("c", event(number))
    writer.event("unknown", event(1))
    record.status = CallStatus.COMPLETED
    writer.record(record)
    assert await writer.close(30)
    assert [e.at_ms for e in await store.calls.events("c")] == list(range(2500))
    assert (await store.calls.get("c")).status == CallStatus.COMPLETED
    assert writer.dropped == 1


async def test_postgres_that_cuts_every_connection_loses_nothing(postgres_database: str) -> None:
    store = await Store.open(postgres_database, SecretKey(KEY))
    writer = CallWriter(store.calls)
    writer.start()
    writer.record(call("cut"))
    for number in range(300):
        writer.event("cut", event(number))
        if number % 60 == 0:
            await cut_connections(postgres_database)
        await asyncio.sleep(0.002)
    assert await writer.close(30)
    assert [e.at_ms for e in await store.calls.events("cut")] == list(range(300))
    assert writer.dropped == 0
    await store.close()
