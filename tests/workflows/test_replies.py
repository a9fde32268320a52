"""What results mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.agents.models import FailoverTransfer
from parlons.workflows.failures import ResultInvalid
from parlons.workflows.replies import FailoverWords, LiveCallAnswer, PreCallAnswer, failover, live_call, pre_call


@pytest.mark.parametrize(
    "result",
    [
        [],
        [{}],
        1,
        0,
        0.5,
        True,
        False,
        "",
        "text",
        {"context": {}, "name": "x"},
        {"failover": True, "reason": "x"},
        {"agent_configuration": {}, "agentConfiguration": {}},
        {"context": None},
        {"context": []},
        {"context": {"system": {}}},
        {"context": {"": 1}},
        {"sip": {}},
        {"path": 1, "name": "x"},
        {"steps": {}},
        {"failover": "true"},
        {"failover": 1},
        {"failover": None},
        {"agent_configuration": None},
        {"agent_configuration": []},
        {"agent_configuration": {"greetings": "x"}},
        {"agent_configuration": {"greeting": "{{ broken"}},
        {"agent_configuration": {"language": "klingonish"}},
        {"agent_configuration": {"max_call_seconds": 1}},
        {"agent_configuration": {"max_call_seconds": "soon"}},
        {"agent_configuration": {"voice": {"id": "a", "pitch": 2}}},
        {"agent_configuration": {"actions": "all"}},
        {"agent_configuration": {"actions": ["a", "a"]}},
        {"agent_configuration": {"data_source_ids": ["../x"]}},
        {"agent_configuration": {"phone_numbers": []}},
    ],
)
def test_pre_call_results_that_are_invalid(result: Any) -> None:
    with pytest.raises(ResultInvalid) as caught:
        pre_call(result)
    assert str(caught.value)


def test_pre_call_results_that_are_valid() -> None:
    assert pre_call(None) == PreCallAnswer()
    assert pre_call({}) == PreCallAnswer()
    assert pre_call({"name": "x", "agent": 1}) == PreCallAnswer({"name": "x", "agent": 1})
    assert pre_call({"failover": True}) == PreCallAnswer(failover=True)
    assert pre_call({"a": 1}, {"a": 0, "b": 2}).context == {"a": 1, "b": 2}
    made = pre_call(
        {
            "context": {"name": "x"},
            "agent_configuration": {
                "greeting": "Bonjour {{ name }}",
                "voice": "v1",
                "language": "fr-FR",
                "max_call_seconds": 60,
                "record_audio": False,
                "data_source_ids": ["faq"],
                "actions": [],
            },
            "failover": False,
        }
    )
    assert made.agent_configuration is not None
    assert made.agent_configuration.voice is not None
    assert made.agent_configuration.voice.id == "v1"
    assert made.agent_configuration.model_fields_set == {
        "greeting", "voice", "language", "max_call_seconds", "record_audio", "data_source_ids", "actions",
    }  # fmt: skip


def test_the_error_says_where() -> None:
    with pytest.raises(ResultInvalid, match=r"agent_configuration\.max_call_seconds"):
        pre_call({"agent_configuration": {"max_call_seconds": 1}})
    with pytest.raises(ResultInvalid, match="'system' is reserved"):
        pre_call({"system": 1})


@pytest.mark.parametrize("result", [None, 1, "x", [], {}, {"a": 1}, {"result": 1, "other": 2}, {"context": "words"}])
def test_any_other_json_is_all_result(result: Any) -> None:
    assert live_call(result) == LiveCallAnswer(result)


def test_a_live_call_result_with_context() -> None:
    assert live_call({"result": [1], "context": {"a": 1}}) == LiveCallAnswer([1], {"a": 1})
    assert live_call({"context": {"a": 1}}, {"a": 0, "b": 0}) == LiveCallAnswer(None, {"a": 1, "b": 0})
    assert live_call({"result": 1}) == LiveCallAnswer(1)
    with pytest.raises(ResultInvalid):
        live_call({"result": 1, "context": {"system": {}}})


def test_failover_actions() -> None:
    assert failover(None) is None
    assert failover({"done": True}) is None
    assert failover({"failover_action": None}) is None
    words = failover({"failover_action": {"type": "message", "text": "Bonjour {{ name }}", "language": "fr-FR"}})
    assert words == FailoverWords(type="message", text="Bonjour {{ name }}", language="fr-FR")
    ring = failover({"failover_action": {"type": "transfer", "phone": "+33612345678"}})
    assert isinstance(ring, FailoverTransfer)


@pytest.mark.parametrize(
    "action",
    [
        "message",
        {},
        [],
        {"type": "message"},
        {"type": "message", "text": ""},
        {"type": "message", "text": "{{ broken"},
        {"type": "workflow", "workflow_id": "x"},
        {"type": "transfer"},
        {"type": "transfer", "phone": "12"},
        {"type": "transfer", "phone": "+33612345678", "sip_connection_id": "x"},
    ],
)
def test_failover_actions_that_cannot_be_carried_out(action: Any) -> None:
    with pytest.raises(ResultInvalid, match="failover_action"):
        failover({"failover_action": action})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("context agent_configuration failover failover_action result type text system a".split()),
            inner,
            max_size=4,
        )
    ),
)


@given(anything)
def test_any_json_is_read_or_clearly_refused(result: Any) -> None:
    for reader in (pre_call, live_call, failover):
        try:
            reader(result)
        except ResultInvalid as error:
            json.dumps(str(error))
