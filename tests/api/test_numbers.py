"""Destinations out of a CSV file: looked at, confirmed, exported without formulas."""

from __future__ import annotations

import csv
import io
from typing import Any

from parlons.agents.number_import import MAX_BYTES

from .stage import AGENT, Stage

EXCEL = "phone;description\r\n+33612345678;Déjà là\r\n0611111111;Élodie\r\n3,36E+10;Ruiné\r\n".encode("cp1252")
HEADERS = {"Content-Type": "text/csv"}
TRANSFER: dict[str, Any] = {
    "type": "transfer",
    "name": "Transfert support",
    "description": "d",
    "destinations": [{"phone": "+33612345678", "description": "Support"}],
}
WHERE = {"agent_id": "accueil", "action": "Transfert support"}


async def test_a_file_is_looked_at_then_confirmed(both: Stage) -> None:
    await both.agent(publish=False, actions=[TRANSFER])
    path = "/v1/transfer-numbers/import"
    looked = await both.http.post(path, params=WHERE | {"country": "FR"}, content=EXCEL, headers=HEADERS)
    assert looked.status_code == 200, looked.text
    found = looked.json()
    assert (found["accepted"], found["duplicate"], found["refused"], found["saved_revision"]) == (1, 1, 1, None)
    assert [(r["line"], r["outcome"], r["phone"]) for r in found["rows"]] == [
        (2, "duplicate", "+33612345678"),
        (3, "accepted", "+33611111111"),
        (4, "refused", None),
    ]
    assert (found["separator"], found["encoding"]) == (";", "Windows-1252")
    assert (await both.http.get("/v1/agents/accueil")).json()["revision"] == 1, "nothing is stored before"
    confirmed = await both.http.post(
        path, params=WHERE | {"country": "FR", "confirm": True}, content=EXCEL, headers=HEADERS | {"If-Match": '"1"'}
    )
    assert confirmed.json()["saved_revision"] == 2
    action = (await both.http.get("/v1/agents/accueil")).json()["document"]["actions"][0]
    assert [(d["phone"], d["description"]) for d in action["destinations"]] == [
        ("+33612345678", "Support"),
        ("+33611111111", "Élodie"),
    ]
    stale = await both.http.post(
        path, params=WHERE | {"confirm": True}, content=EXCEL, headers=HEADERS | {"If-Match": '"1"'}
    )
    assert stale.status_code == 412


async def test_a_file_for_a_form_that_is_not_saved_yet(stage: Stage) -> None:
    found = (await stage.http.post("/v1/transfer-numbers/import", content=EXCEL, headers=HEADERS)).json()
    assert [d["phone"] for d in found["destinations"]] == ["+33612345678"]
    alone = await stage.http.post("/v1/transfer-numbers/import?confirm=true", content=EXCEL, headers=HEADERS)
    assert alone.status_code == 422


async def test_files_that_cannot_be_read(stage: Stage) -> None:
    await stage.agent(publish=False, actions=[TRANSFER])
    path = "/v1/transfer-numbers/import"
    for content, status in ((b"", 422), (b"PK\x03\x04", 422), (b"a,b\n1,2", 422), (b"x" * (MAX_BYTES + 1), 422)):
        assert (await stage.http.post(path, content=content, headers=HEADERS)).status_code == status
    assert (await stage.http.post(path, content=EXCEL)).status_code == 415
    assert (await stage.http.post(path, json={})).status_code == 415
    gone = await stage.http.post(path, params=WHERE | {"action": "none"}, content=EXCEL, headers=HEADERS)
    assert gone.status_code == 404
    assert (
        await stage.http.post(path, params=WHERE | {"country": "XX"}, content=EXCEL, headers=HEADERS)
    ).status_code == 422


async def test_no_spreadsheet_runs_what_is_exported(stage: Stage) -> None:
    dangerous = ["=HYPERLINK(1)", "+1+1", "-2", "@SUM(A1)", "＝1", "plain"]
    destinations = [{"phone": f"+3361234567{n}", "description": text} for n, text in enumerate(dangerous)]
    await stage.agent(publish=False, actions=[TRANSFER | {"destinations": destinations}])
    answer = await stage.http.get("/v1/transfer-numbers/export", params=WHERE)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == [f"'{text}" for text in dangerous[:-1]] + ["plain"]
    assert [row[0] for row in rows[1:]] == [d["phone"] for d in destinations]
    again = await stage.http.post("/v1/transfer-numbers/import", content=answer.content, headers=HEADERS)
    assert again.json()["accepted"] == len(dangerous)


async def test_a_template_for_either_kind_of_excel(stage: Stage) -> None:
    for name, separator in (("comma", b","), ("semicolon", b";")):
        answer = await stage.http.get("/v1/transfer-numbers/template", params={"separator": name})
        assert answer.content.splitlines()[0] == b"\xef\xbb\xbfphone" + separator + b"description"
    assert AGENT["name"]
