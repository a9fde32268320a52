"""The page on workflows says what is: its documents are valid, and its payload has the fields that are sent."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parlons.agents.workflows import Workflow
from parlons.calls.record import CallRecord
from parlons.calls.timeline import Event, Kind
from parlons.settings import Settings
from parlons.workflows.delivery import PAUSES
from parlons.workflows.delivery_call import MAX_ENTRIES, MAX_TIMELINE_BYTES, MAX_TRANSCRIPT_BYTES, describe
from parlons.workflows.webhook import DELIVERY_HEADER, SIGNATURE_HEADER

PAGE = (Path(__file__).parents[2] / "docs" / "workflows.md").read_text("utf-8")
DOCUMENTS: list[dict[str, Any]] = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_the_workflows_on_the_page_are_valid() -> None:
    workflows = [document for document in DOCUMENTS if "kind" in document]
    assert len(workflows) == 2
    for document in workflows:
        Workflow.model_validate(document)


def test_the_payload_on_the_page_has_the_fields_that_are_sent() -> None:
    (shown,) = [document for document in DOCUMENTS if document.get("trigger") == "post_call" and "call" in document]
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    events = [Event(0, "caller", Kind.TRANSCRIPT, {"text": "x"})]
    record = dataclasses.asdict(CallRecord("c", "inbound", at, answered_at=at, ended_at=at))
    call, _ = describe("d", record, [dataclasses.asdict(event) for event in events])
    assert list(shown) == ["trigger", "call", "agent", "context", "input"]
    assert set(shown["call"]) == set(call)
    assert set(shown["call"]["transcript"][0]) == set(call["transcript"][0])
    assert set(shown["call"]["timeline"][0]) == set(call["timeline"][0])


def test_its_figures_and_names_are_those_of_the_code() -> None:
    assert PAUSES == (10, 30, 60, 300, 900, 1800, 3600, 7200)
    assert Settings().delivery_pauses == PAUSES
    assert "10 s, 30 s, 1, 5, 15 and 30 minutes, 1 hour, then\nevery 2 hours" in PAGE
    assert (MAX_TRANSCRIPT_BYTES, MAX_TIMELINE_BYTES, MAX_ENTRIES) == (250_000, 250_000, 1_900)
    assert "(each keeps 250 kB and 1 900 entries)" in PAGE
    assert SIGNATURE_HEADER in PAGE
    assert DELIVERY_HEADER in PAGE
