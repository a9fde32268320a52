"""Every field and limit of the agent document: what is accepted, and what is refused with the path of the bad value."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from parlons.agents.actions import KEYPAD_DESCRIPTION, WAIT_DESCRIPTION
from parlons.agents.common import slug
from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.problems import validate
from parlons.agents.workflows import DataSource, Workflow
from parlons.errors import InvalidDocument

FULL: dict[str, Any] = {
    "name": "Standard Acme",
    "direction": "inbound",
    "active": True,
    "language": "fr-FR",
    "timezone": "Europe/Paris",
    "phone_numbers": ["+33123456789"],
    "sip_connection_id": None,
    "max_call_seconds": 1800,
    "record_audio": False,
    "announcement": None,
    "pronunciations": {"kg": "kilogrammes", "cm": {"fr-FR": "centimètres"}},
    "providers": {
        "stt": [{"type": "openai", "model": "m"}],
        "llm": [{"type": "openai", "model": "m", "base_url": None}],
        "tts": [{"type": "openai", "voice": {"id": "v", "speed": 1.0}}],
    },
    "greeting": "Bonjour {{ first_name | default: '' }}, que puis-je faire pour vous ?",
    "prompt": "Shared instructions.",
    "silence_check_seconds": 10,
    "path": {
        "start": "accueil",
        "steps": [
            {
                "id": "accueil", "type": "prompt", "name": "Accueil", "prompt": "…",
                "actions": ["Transfert support", "Raccrocher"], "end_of_speech_ms": 600, "interruptible": True,
                "sensitive": False,
                "transitions": [
                    {
                        "name": "take_appointment", "description": "The caller wants an appointment", "to": "rdv",
                        "message": {"mode": "text", "text": "Très bien."},
                        "extract": [
                            {"name": "appointment_day", "description": "…", "type": "string", "required": True}
                        ],
                    }
                ],
            },
            {"id": "rdv", "type": "say", "text": "Un instant.", "to": "test"},
            {
                "id": "test", "type": "branch", "else": "wf",
                "branches": [{"variable": "system.anonymous", "operator": "is_true", "to": "wf"}],
            },
            {"id": "wf", "type": "workflow", "workflow_id": "w", "on_success": "tr", "on_error": "fin"},
            {
                "id": "tr", "type": "transfer", "action": "Transfert support", "outcomes": {"busy": "accueil"},
                "else": "fin",
            },
            {"id": "fin", "type": "end", "text": None},
        ],
    },
    "actions": [
        {
            "type": "transfer", "name": "Transfert support", "description": "…", "max_ring_seconds": 20,
            "destinations": [{"phone": "+33612345678", "description": "Support technique"}],
            "sip_connection_id": None, "destination_id": None, "user_to_user": None,
            "headers": [{"name": "X-Queue", "value": "{{ queue }}"}], "target_agent_id": None, "whisper": None,
            "accept_key": None,
            "schedule": {
                "enabled": True, "mode": "inside",
                "ranges": [
                    {"days": ["monday", "tuesday"], "start": "09:00", "end": "12:00"},
                    {"days": ["monday"], "start": "14:00", "end": "17:00"},
                ],
                "closed_dates": ["2026-12-25"],
            },
        },
        {
            "type": "workflow", "name": "find_order", "description": "…", "workflow_id": "w",
            "pre_message": {"enabled": True, "example": "Je regarde."},
        },
        {"type": "hang_up", "name": "Raccrocher", "description": "…", "min_attempts": 1},
        {
            "type": "rag", "name": "faq", "description": "…", "data_source_id": "d",
            "pre_message": {"enabled": True, "example": "Un instant."},
        },
        {"type": "keypad", "name": "Interaction clavier", "description": "…"},
        {"type": "wait", "name": "Attendre", "description": "…", "max_wait_seconds": 300},
    ],
    "pre_call": {"workflow_id": "w", "timeout_seconds": 5},
    "failover": {
        "enabled": True, "forced_until": None, "during_call": False,
        "action": {"type": "message", "text": "…", "language": "fr-FR"},
    },
    "default_error_message": {"text": "…", "language": "fr-FR"},
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full document with one value replaced; the path as problems write it."""
    data: Any = copy.deepcopy(FULL)
    keys = [int(k) if k.isdigit() else k for k in path.replace("]", "").replace("[", ".").split(".")]
    holder = data
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    return dict(data)


def refused(model: type[Any], data: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        validate(model, data, "the document")
    return dict(caught.value.problems)


def transfer(**changes: Any) -> dict[str, Any]:
    return {"name": "A", "actions": [{"type": "transfer", "name": "t", "description": "d", **changes}]}


def test_the_document_of_the_specification_is_accepted_and_comes_back() -> None:
    agent = Agent.model_validate(FULL)
    assert Agent.model_validate(agent.model_dump(mode="json", by_alias=True)) == agent
    assert Agent.model_validate_json(agent.model_dump_json(by_alias=True)) == agent


@pytest.mark.parametrize(
    "path",
    [
        "unknown", "providers.unknown", "providers.llm[0].unknown", "providers.tts[0].voice.unknown", "path.unknown",
        "path.steps[0].unknown", "path.steps[0].transitions[0].unknown", "path.steps[0].transitions[0].message.unknown",
        "path.steps[0].transitions[0].extract[0].unknown", "path.steps[2].branches[0].unknown", "actions[0].unknown",
        "actions[0].destinations[0].unknown", "actions[0].headers[0].unknown", "actions[0].schedule.unknown",
        "actions[0].schedule.ranges[0].unknown", "actions[1].pre_message.unknown", "actions[2].unknown",
        "actions[3].unknown", "actions[4].unknown", "actions[5].unknown", "pre_call.unknown", "failover.unknown",
        "failover.action.unknown", "default_error_message.unknown",
    ],
)  # fmt: skip
def test_unknown_keys_are_refused_everywhere_with_their_path(path: str) -> None:
    assert refused(Agent, changed(path, 1)) == {path: "unknown key: correct its name or remove it"}


LIMITS: list[tuple[str, list[Any], list[Any]]] = [
    ("name", ["a", "a" * 200], ["", "  ", "a" * 201, None]),
    ("direction", ["inbound"], ["both", ""]),
    ("language", ["fr", "en-GB", "zh-Hans-CN"], ["xx-YY", "french", ""]),
    ("timezone", ["UTC", "America/New_York"], ["Europe/Pariss", "", "../etc/passwd", "/etc/passwd"]),
    ("phone_numbers[0]", ["+33 1 23 45 67 89", "+442079460958"], ["0123456789", "+33", "+99912345", "", "sip:x"]),
    ("max_call_seconds", [10, 14_400], [9, 14_401, 1.5]),
    ("silence_check_seconds", [3, 60], [2, 61]),
    ("greeting", ["", None, "{{ a }}"], ["{{ a", "{% if a %}", "{{ a | nope }}"]),
    ("prompt", ["", "a" * 50_000], ["a" * 50_001, "{% include 'x' %}"]),
    ("announcement", ["This call is recorded."], ["{{"]),
    ("pronunciations.kg", ["kilo", {"fr-FR": "k", "en-GB": "k"}], [1, None]),
    ("providers.llm[0].type", ["embedded", "mistral"], ["Open AI", ""]),
    ("providers.llm[0].base_url", ["http://localhost:8000/v1"], ["localhost:8000", "ftp://x", "http://a b"]),
    ("providers.tts[0].voice.speed", [0.5, 2], [0.4, 2.1]),
    ("providers.stt", [{"type": "embedded"}, [{"type": "a"}] * 5], [[], [{"type": "a"}] * 6, "embedded"]),
    ("path.steps[0].end_of_speech_ms", [100, 5000], [99, 5001]),
    ("path.steps[0].transitions[0].name", ["a-B_9", "a" * 64], ["", "a" * 65, "a b", "é"]),
    ("path.steps[0].transitions[0].description", ["a" * 4000], ["", "a" * 4001]),
    ("path.steps[0].transitions[0].message.mode", [], ["loud", "silent", "generated"]),
    ("path.steps[0].transitions[0].extract[0].type", ["integer", "number", "boolean"], ["date"]),
    ("path.steps[0].transitions[0].extract[0].name", ["a", "_a1"], ["1a", "a b", "a.b", ""]),
    ("path.steps[4].outcomes", [{}, {"answered": "fin", "out_of_hours": "fin"}], [{"maybe": "fin"}]),
    ("actions[0].name", ["Transfert support"], ["", "a" * 65]),
    ("actions[0].description", ["a"], ["", " ", "a" * 4001]),
    ("actions[0].max_ring_seconds", [5, 45], [4, 46, 20.5, "x"]),
    ("actions[0].destinations[0].phone", ["+33612345678"], ["0612345678", "+3361234", "3,36E+10"]),
    ("actions[0].headers[0].name", ["X-A", "X-~!%*_+`'.-"], ["", "X A", "X:A", "X\r\nA", "Via", "from", "CSeq", "t",
        "Content-Type", "Proxy-Authorization", "Route", "Max-Forwards", "Contact", "Call-ID", "Require", "Supported",
        "Allow", "Record-Route", "Authorization", "User-To-User"]),
    ("actions[0].headers[0].value", ["", "é" * 256, "a\tb"], ["a" * 257, "a\rb", "a\nb", "a\0b", "a\u2028b", "{{ a"]),
    ("actions[0].user_to_user", ["{{ system.call_id }}"], ["a" * 1001, "{{ a"]),
    ("actions[0].whisper", ["{{ name }} on the line"], ["{{ a"]),
    ("actions[0].accept_key", ["0", "9", "*", "#"], ["", "12", "A", "w"]),
    ("actions[0].schedule.mode", ["outside"], ["between"]),
    ("actions[0].schedule.ranges[0].days", [["sunday"]], [[], ["lundi"]]),
    ("actions[0].schedule.ranges[0].start", ["00:00", "11:59"], ["9:00", "24:01", "25:00", "12h"]),
    ("actions[0].schedule.ranges[0].end", ["24:00", "09:01"], ["24:01", "12:60"]),
    ("actions[0].schedule.closed_dates", [[]], [["25/12/2026"], ["2026-02-30"]]),
    ("actions[1].workflow_id", ["w_1.a-b"], ["", "a/b", "-a", "a" * 65, None]),
    ("actions[1].pre_message.example", [None, "a" * 500], ["a" * 501]),
    ("actions[2].min_attempts", [1, 5], [0, 6]),
    ("actions[3].data_source_id", ["d"], [None, ""]),
    ("actions[5].max_wait_seconds", [5, 1800], [4, 1801]),
    ("pre_call.timeout_seconds", [1, 20], [0, 21]),
    ("failover.action.text", ["a" * 2000], ["", "a" * 2001]),
    ("failover.action.language", ["en-GB"], ["klingon"]),
    ("default_error_message.text", ["Désolé."], [""]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, good, _ in LIMITS for value in good])
def test_accepted(path: str, value: Any) -> None:
    Agent.model_validate(changed(path, value))


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, _, bad in LIMITS for value in bad])
def test_refused_with_the_path(path: str, value: Any) -> None:
    found = refused(Agent, changed(path, value))
    assert len(found) == 1
    # a mode that does not fit its text is the message's problem
    assert next(iter(found)).startswith(path.removesuffix(".mode"))


def test_numbers_are_stored_as_e164() -> None:
    assert Agent.model_validate(changed("phone_numbers", ["+33 (1) 23.45-67/89"])).phone_numbers == ["+33123456789"]


def test_one_provider_stands_for_a_list_of_one_and_embedded_is_the_default() -> None:
    agent = Agent.model_validate({"name": "A", "providers": {"tts": {"type": "openai"}}})
    assert [p.type for p in agent.providers.tts] == ["openai"]
    assert [p.type for p in (*agent.providers.stt, *agent.providers.llm)] == ["embedded", "embedded"]


def test_defaults_of_the_specification() -> None:
    agent = Agent.model_validate({"name": "A"})
    assert (agent.direction, agent.active, agent.silence_check_seconds, agent.max_call_seconds) == (
        "inbound", True, 10, 1800,
    )  # fmt: skip
    assert (agent.failover.enabled, agent.failover.during_call, agent.record_audio) == (False, False, False)
    made = Agent.model_validate(
        {
            "name": "A",
            "actions": [
                {"type": "transfer", "name": "t", "description": "d", "sip_connection_id": "s"},
                {"type": "hang_up", "name": "h", "description": "d"},
                {"type": "keypad", "name": "k"},
                {"type": "wait", "name": "w"},
                {"type": "workflow", "name": "f", "description": "d", "workflow_id": "w"},
            ],
        }
    ).actions
    assert made[0].type == "transfer"
    assert (made[0].max_ring_seconds, made[0].schedule.enabled) == (20, False)
    assert made[1].type == "hang_up"
    assert made[1].min_attempts == 1
    assert (made[2].description, made[3].description) == (KEYPAD_DESCRIPTION, WAIT_DESCRIPTION)
    assert made[3].type == "wait"
    assert made[3].max_wait_seconds == 300
    assert made[4].type == "workflow"
    assert (made[4].timeout_seconds, made[4].pre_message.enabled) == (10, False)


@pytest.mark.parametrize("kind", ["hang_up", "keypad", "wait"])
def test_only_one_of_some_actions(kind: str) -> None:
    two = [{"type": kind, "name": name, "description": "d"} for name in "ab"]
    assert f"only one {kind}" in str(refused(Agent, {"name": "A", "actions": two}))


@pytest.mark.parametrize(
    ("first", "second"), [("Bye", "Bye"), ("Été", "ete"), ("Find order", "find-order"), ("日本", "中国")]
)
def test_two_actions_the_model_could_not_tell_apart_are_refused(first: str, second: str) -> None:
    two = [{"type": "rag", "name": name, "description": "d", "data_source_id": "d"} for name in (first, second)]
    assert refused(Agent, {"name": "A", "actions": two})


def test_slugs() -> None:
    assert slug("Transfert d'été") == "transfert_d_ete"
    assert slug("日本") == "action"
    assert len(slug("a" * 200)) == 64


@pytest.mark.parametrize(
    "where",
    [
        {"destinations": [{"phone": "+33612345678"}]},
        {"destinations": [{"phone": "+33612345678"}, {"phone": "+33612345679"}]},
        {"sip_connection_id": "s"},
        {"sip_connection_id": "s", "destination_id": "support"},
        {"sip_connection_id": "s", "destinations": [{"phone": "+33612345678"}, {"extension": "*10#a._-"}]},
        {"target_agent_id": "other"},
    ],
)
def test_a_transfer_goes_somewhere(where: dict[str, Any]) -> None:
    Agent.model_validate(transfer(**where))


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"destination_id": "x"},
        {"destinations": [{"extension": "10"}]},
        {"destinations": [{"phone": "+33612345678", "extension": "10"}], "sip_connection_id": "s"},
        {"destinations": [{"description": "nobody"}]},
        {"destinations": [{"extension": "1" * 33}], "sip_connection_id": "s"},
        {"destinations": [{"extension": "1 0"}], "sip_connection_id": "s"},
        {"destinations": [{"phone": "+33612345678"}], "sip_connection_id": "s", "destination_id": "x"},
        {"destinations": [{"phone": "+33612345678"}, {"phone": "+33 6 12 34 56 78"}]},
        {"target_agent_id": "o", "sip_connection_id": "s"},
        {"target_agent_id": "o", "destinations": [{"phone": "+33612345678"}]},
        {"target_agent_id": "o", "whisper": "x"},
        {"sip_connection_id": "s", "headers": [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]},
    ],
)
def test_a_transfer_that_goes_nowhere_or_to_two_places(where: dict[str, Any]) -> None:
    assert all(path.startswith("actions[0]") for path in refused(Agent, transfer(**where)))


def test_ten_thousand_destinations_and_no_more() -> None:
    many = [{"extension": str(n)} for n in range(10_001)]
    Agent.model_validate(transfer(sip_connection_id="s", destinations=many[:-1]))
    assert list(refused(Agent, transfer(sip_connection_id="s", destinations=many))) == ["actions[0].destinations"]


@pytest.mark.parametrize(
    ("schedule", "about"),
    [
        ({"enabled": True}, "at least one range"),
        ({"ranges": [{"days": ["monday"], "start": "12:00", "end": "12:00"}]}, "before end"),
        ({"ranges": [{"days": ["monday"], "start": "22:00", "end": "06:00"}]}, "before end"),
        ({"ranges": [{"days": ["monday", "monday"], "start": "09:00", "end": "10:00"}]}, "twice"),
    ],
)
def test_schedules_that_cannot_be(schedule: dict[str, Any], about: str) -> None:
    assert about in str(refused(Agent, transfer(sip_connection_id="s", schedule=schedule)))


@pytest.mark.parametrize(
    ("failover", "about"),
    [
        ({"enabled": True}, "needs an action"),
        ({"forced_until": "2026-12-24T18:00:00"}, "offset"),
        ({"action": {"type": "message", "text": "Hello {{ name }}", "language": "en-GB"}}, "cannot be used here"),
        ({"action": {"type": "message", "text": "{% if x %}", "language": "en-GB"}}, "cannot be used here"),
        ({"action": {"type": "transfer"}}, "exactly one"),
        ({"action": {"type": "transfer", "phone": "+33612345678", "sip_connection_id": "s"}}, "exactly one"),
        ({"action": {"type": "transfer", "phone": "+33612345678", "user_to_user": "x"}}, "need a sip_connection_id"),
        ({"action": {"type": "transfer", "phone": "+33612345678", "max_ring_seconds": 46}}, "45"),
        ({"action": {"type": "transfer", "phone": "+33612345678", "schedule": {}}}, "unknown key"),
        ({"action": {"type": "workflow"}}, "required"),
        ({"action": {"type": "hang_up"}}, "type"),
    ],
)
def test_failovers_that_cannot_be(failover: dict[str, Any], about: str) -> None:
    found = refused(Agent, {"name": "A", "failover": failover})
    assert about in str(found)
    assert all(path.startswith("failover") for path in found)


@pytest.mark.parametrize(
    "action",
    [
        {"type": "workflow", "workflow_id": "w"},
        {"type": "transfer", "phone": "+33612345678", "max_ring_seconds": 5},
        {"type": "transfer", "sip_connection_id": "s", "destination_id": "d", "user_to_user": "{{ x }}",
         "headers": [{"name": "X-A", "value": "{{ x }}"}]},
    ],
)  # fmt: skip
def test_failovers_that_can_be(action: dict[str, Any]) -> None:
    Agent.model_validate({"name": "A", "failover": {"enabled": True, "action": action}})


def test_failover_is_refused_on_an_outbound_agent_unless_it_is_off() -> None:
    data = changed("direction", "outbound")
    assert "inbound" in str(refused(Agent, data))
    data["failover"]["enabled"] = False
    Agent.model_validate(data)


PROMPT = {"id": "a", "type": "prompt", "prompt": ""}


def path_of(*steps: dict[str, Any], start: str = "a") -> dict[str, Any]:
    return {"name": "A", "path": {"start": start, "steps": list(steps)}}


@pytest.mark.parametrize(
    ("document", "about"),
    [
        (path_of(PROMPT, start="z"), "'z', which does not exist"),
        (path_of({"id": "a", "type": "say", "text": "x", "to": "z"}), "leads to 'z'"),
        (path_of(PROMPT, PROMPT), "twice"),
        (path_of(PROMPT, {"id": "b", "type": "end"}), "no transition leads to: b"),
        (path_of({"id": "a", "type": "say", "text": "x"}), "required"),
        (path_of({"id": "a", "type": "say", "text": "x", "to": "a"}), "lead only to each other"),
        (path_of(PROMPT | {"actions": ["nope"]}), "'nope', which does not exist"),
        (path_of({"id": "a", "type": "transfer", "action": "nope", "else": "b"}, PROMPT | {"id": "b"}), "transfer"),
        (path_of({"id": "a", "type": "branch", "branches": [], "else": "a"}), "branches"),
        (path_of(), "steps"),
        (
            path_of({"id": "a", "type": "branch", "branches": [], "otherwise": "a"}),
            "otherwise': 'unknown key",
        ),
    ],
)
def test_paths_that_do_not_hold_together(document: dict[str, Any], about: str) -> None:
    assert about in str(refused(Agent, document))


def test_a_transition_and_an_action_may_not_look_the_same_to_the_model() -> None:
    document = changed("path.steps[0].transitions[0].name", "raccrocher")
    assert "same name" in str(refused(Agent, document))
    document["path"]["steps"][0]["actions"] = ["Transfert support"]
    Agent.model_validate(document)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"operator": "is_set"}, True),
        ({"operator": "is_set", "value": 1}, False),
        ({"operator": "equals", "value": "x"}, True),
        ({"operator": "equals"}, False),
        ({"operator": "matches", "value": "x"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], fits: bool) -> None:
    document = changed("path.steps[2].branches[0]", {"variable": "order.id", "to": "wf", **condition})
    if fits:
        Agent.model_validate(document)
    else:
        assert refused(Agent, document)


TRUNK: dict[str, Any] = {"name": "T", "host": "sip.example"}


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "192.0.2.1"}, {"host": "[2001:db8::1]"}, {"port": 1}, {"port": 65535},
        {"username": "u", "password": "p"}, {"username": "u", "password": "p", "register": True},
        {"inbound_username": "u", "inbound_password": "p"}, {"from_mode": "caller"}, {"number_format": "00"},
        {"allowed_addresses": ["192.0.2.0/24", "2001:db8::/32"]},
        {"codecs": ["G722"]}, {"dtmf": "info"}, {"max_calls": 1}, {"headers": [{"name": "X-A", "value": "b"}]},
    ],
)  # fmt: skip
def test_connections_that_can_be(changes: dict[str, Any]) -> None:
    made = SipConnection.model_validate(TRUNK | changes)
    assert SipConnection.model_validate(made.model_dump(mode="json", by_alias=True)) == made


@pytest.mark.parametrize(
    ("changes", "path", "about"),
    [
        ({"transport": "tcp"}, "transport", "SIP edge"),
        ({"transport": "tls"}, "transport", "SIP edge"),
        ({"host": "a b"}, "host", ""),
        ({"port": 0}, "port", ""),
        ({"port": 65536}, "port", ""),
        ({"register": True}, "", "username and password"),
        ({"inbound_username": "u"}, "", "go together"),
        ({"password": "a\r\nb"}, "password", ""),
        ({"allowed_addresses": ["example.com"]}, "allowed_addresses", "not an address"),
        ({"codecs": []}, "codecs", ""),
        ({"codecs": ["PCMA", "PCMA"]}, "", "twice"),
        ({"codecs": ["OPUS"]}, "codecs[0]", ""),
        ({"dtmf": "loud"}, "dtmf", ""),
        ({"headers": [{"name": "From", "value": "x"}]}, "headers[0].name", "call set-up"),
        ({"register_": True}, "register_", "unknown"),
    ],
)
def test_connections_that_cannot_be(changes: dict[str, Any], path: str, about: str) -> None:
    found = refused(SipConnection, TRUNK | changes)
    assert list(found) == [path]
    assert about in found[path]


def test_settings_have_the_defaults_of_the_specification() -> None:
    made = InstallationSettings()
    assert (made.failover_enabled, made.max_outbound_legs, made.max_outbound_per_minute) == (False, 50, 60)
    assert (made.retention.recordings_days, made.retention.calls_days) == (30, 365)
    assert (made.max_bridged_seconds, made.record_bridge, made.allow_private_addresses) == (14_400, False, False)
    assert {"+881", "+979"} <= set(made.refused_prefixes)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"default_country": "France"}, "default_country"),
        ({"refused_prefixes": ["33"]}, "refused_prefixes[0]"),
        ({"alert_url": "hooks.example"}, "alert_url"),
        ({"retention": {"recordings_days": -1}}, "retention.recordings_days"),
        ({"default_error_message": {"text": "{{ x }}", "language": "fr-FR"}}, "default_error_message"),
        ({"failover": True}, "failover"),
    ],
)
def test_settings_that_cannot_be(data: dict[str, Any], path: str) -> None:
    assert list(refused(InstallationSettings, data)) == [path]


HOOK: dict[str, Any] = {"name": "W", "trigger": "pre_call", "kind": "webhook", "url": "https://h.example"}


def test_workflows_that_can_be() -> None:
    Workflow.model_validate(HOOK | {"headers": {"X-A": "b"}, "secret": "s"})
    steps = [
        {"type": "http", "id": "get", "method": "POST", "url": "https://h.example/{{ x }}", "body": {"a": ["{{ y }}"]}},
        {"type": "branch", "id": "b", "branches": [
            {"variable": "steps.get.ok", "operator": "is_true",
             "steps": [{"type": "delay", "id": "d", "seconds": 120}]},
        ], "else": [{"type": "set", "id": "s", "values": {"a": 1, "b": "{{ x }}"}}]},
        {"type": "return", "id": "r", "value": {"result": "{{ steps.get.body }}"}, "on_error": "continue"},
    ]  # fmt: skip
    made = Workflow.model_validate({"name": "W", "trigger": "live_call", "steps": steps})
    assert Workflow.model_validate(made.model_dump(mode="json", by_alias=True)) == made


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (HOOK | {"steps": []}, ""),
        (HOOK | {"url": None}, ""),
        (HOOK | {"trigger": "later"}, "trigger"),
        ({"name": "W", "trigger": "pre_call"}, ""),
        ({"name": "W", "trigger": "pre_call", "steps": [], "url": "https://h.example"}, ""),
        ({"name": "W", "trigger": "pre_call", "steps": [{"type": "http", "id": "a", "url": "{{ x"}]}, "steps[0].url"),
        (
            {"name": "W", "trigger": "pre_call", "steps": [{"type": "http", "id": "a", "url": "u", "body": ["{{ x"]}]},
            "steps[0].body",
        ),
        (
            {"name": "W", "trigger": "pre_call", "steps": [{"type": "delay", "id": "a", "seconds": 121}]},
            "steps[0].seconds",
        ),
        ({"name": "W", "trigger": "pre_call", "steps": [{"type": "delay", "id": "a", "seconds": 1}] * 2}, ""),
        ({"name": "W", "trigger": "pre_call", "steps": [], "input": [{"name": "a", "type": "date"}]}, "input[0].type"),
    ],
)
def test_workflows_that_cannot_be(data: dict[str, Any], path: str) -> None:
    assert list(refused(Workflow, data)) == [path]


def test_data_sources() -> None:
    assert DataSource.model_validate({"name": "FAQ", "pages": [{"url": "https://e.example/faq"}]}).pages
    assert list(refused(DataSource, {"name": "FAQ", "pages": [{"url": "e.example"}]})) == ["pages[0].url"]
