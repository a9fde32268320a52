"""What there is in the tests of failover: every case with its agent, the workflows, the connections. Only data."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sip import agents, forgetful_server
from tests.sip.failover_service import CALL_BACK, CALLER_NAME, Service
from tests.sip.transfer_peers import CALLER, EXCHANGE
from tests.support.server import ParlonsServer

RING_SECONDS = 5
PRE_CALL_SECONDS = 1
DEADLINE_TOLERANCE = 0.25
"""Of the ring deadline and of the pre-call deadline (specification, sections 4.1 and 5)."""
GREETING, KNOWN_GREETING = "Bonjour, je vous écoute.", "Bienvenue madame, votre dossier est ouvert."
CLOSED = "Le cabinet est fermé jusqu'à lundi."
"""The failover message."""
SORRY = "Un problème technique nous empêche de répondre."
"""The default error message."""
PHRASES = (GREETING, KNOWN_GREETING, CLOSED, SORRY, CALL_BACK)
"""One sentence each, so that all of it can be looked for; as different as can be."""
CALLER_NUMBER = "+33612345678"
NOBODY = "127.0.1.99"
"""The host of the trunk that is dead: nothing listens there."""

MESSAGE = {"type": "message", "text": CLOSED, "language": "fr-FR"}


def workflow(workflow_id: str) -> dict[str, Any]:
    """The failover action that lets a workflow decide."""
    return {"type": "workflow", "workflow_id": workflow_id}


# -- what is played ----------------------------------------------------------------------------------------------

Play = Callable[[Any], Awaitable[None]]
"""Given the ``failover_stage.Visit``."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call to try.

    Args:
        first: takes long, or leaves transactions behind for a minute.
        alone: not played with the others.
    """

    name: str
    play: Play
    fields: dict[str, Any]
    first: bool = False
    alone: bool = False


CASES: dict[str, Case] = {}


def case(*, name: str = "", first: bool = False, alone: bool = False, **fields: Any) -> Callable[[Play], Play]:
    """Register a coroutine as a case; ``fields`` are its agent's, besides those of every agent here."""

    def register(play: Play) -> Play:
        key = name or play.__name__
        assert key not in CASES, key
        CASES[key] = Case(key, play, fields, first, alone)
        return play

    return register


def failing_over(action: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The fields of an agent with failover on."""
    return {"failover": {"enabled": True, "action": action, **more}}


def asks(path: str) -> dict[str, Any]:
    """The fields of an agent that asks the outside system while the phone rings; see ``failover_service``."""
    return {"pre_call": {"workflow_id": f"ask_{path}", "timeout_seconds": PRE_CALL_SECONDS}}


NO_KEY: dict[str, Any] = {"providers": {"llm": [{"type": "openai"}]}}
"""A provider whose key is nowhere: the agent cannot run."""


def agent_number(name: str) -> str:
    """The number of the agent of a case."""
    return f"+3312345{_index(name):04d}"


def rung_number(name: str) -> str:
    """The number that a case's failover rings."""
    return f"+3361235{_index(name) + 1:04d}"


def _index(name: str) -> int:
    return list(CASES).index(name)


OWN_NUMBER, OWN_NAME, BROKEN, REFUSED = "+33612350000", "name.of.the.case", "https://broken", "https://refused"
"""In a case's fields: the number that it rings, its name, a model that fails, and a provider that cannot be reached."""


def _document(one: Case, service: Service) -> dict[str, Any]:
    opening = f"{{% if name == '{CALLER_NAME}' %}}{KNOWN_GREETING}{{% else %}}{GREETING}{{% endif %}}"
    written = json.dumps(one.fields)
    for token, value in {
        OWN_NUMBER: rung_number(one.name),
        OWN_NAME: one.name,
        BROKEN: service.url("v1"),
        REFUSED: service.refuses,
    }.items():
        written = written.replace(token, value)
    return agents.agent(
        **{
            "name": one.name,
            "greeting": opening,
            "silence_check_seconds": 30,
            "phone_numbers": [agent_number(one.name)],
            "default_error_message": {"text": SORRY, "language": "fr-FR"},
            **json.loads(written),
        }
    )


def _workflows(service: Service) -> dict[str, Any]:
    def steps(trigger: str, *made: dict[str, Any], status: str = "published") -> dict[str, Any]:
        return {"name": "w", "trigger": trigger, "status": status, "steps": list(made)}

    def http(path: str, **more: Any) -> dict[str, Any]:
        return {"id": "ask", "type": "http", "url": service.url(path), "timeout_seconds": 60, **more}

    def back(value: Any) -> dict[str, Any]:
        return {"id": "back", "type": "return", "value": value}

    def webhook(path: str) -> dict[str, Any]:
        return {"name": "w", "trigger": "pre_call", "status": "published", "kind": "webhook", "url": service.url(path)}

    paths = "context late error array failover moved huge no_json never"
    paths += " unknown_key unknown_voice no_data_source no_language"
    answer = back("{{ steps.ask.body }}")
    put_through = {
        "type": "transfer",
        "sip_connection_id": "desk",
        "destination_id": "{{ system.agent_id }}",
        "max_ring_seconds": RING_SECONDS,
        "headers": [{"name": "X-Trigger", "value": "{{ failover.trigger }}"}],
    }
    wait = {"id": "wait", "type": "delay", "seconds": 60}
    return {
        **{f"ask_{path}": webhook(path) for path in paths.split()},
        "ask_hang": steps("pre_call", http("hang"), answer),
        "ask_refused": steps("pre_call", http("", url=f"{service.refuses}/"), answer),
        "then_nothing": steps("failover", {"id": "wait", "type": "delay", "seconds": 1.5}),
        "then_words": steps("failover", http("words"), answer),
        "then_endless_words": steps("failover", http("endless_words"), answer),
        "then_broken_words": steps("failover", http("broken_words"), answer),
        "then_transfer": steps("failover", back({"failover_action": put_through})),
        "then_refused": steps("failover", http("", url=f"{service.refuses}/"), answer),
        "then_invalid": steps("failover", back({"failover_action": {"type": "sing"}})),
        "then_draft": steps("failover", back({}), status="draft"),
        "then_wait": steps("failover", wait),
        "then_hang": steps("failover", http("hang"), answer),
    }


def configuration(cases: Iterable[Case], service: Service) -> dict[str, Any]:
    """Every agent, workflow and connection there is."""

    def to(host: str, **fields: Any) -> dict[str, Any]:
        return agents.trunk(host=host, port=5060, **fields)

    return {
        "agents": {one.name: _document(one, service) for one in cases},
        "workflows": _workflows(service),
        "sip_connections": {
            "front": to(CALLER[0], allowed_addresses=[f"{CALLER[0]}/32"]),
            "desk": to(EXCHANGE[0]),
            "desk_caller": to(EXCHANGE[0], from_mode="caller"),
            "dead": to(NOBODY),
        },
        "settings": {
            "failover_enabled": True,
            "default_country": "FR",
            "outbound_connection_id": "desk",
            "allow_private_addresses": True,
            "max_outbound_per_minute": 0,  # failover is exempt
        },
    }


def new_server(folder: Path, documents: dict[str, Any], rtp_ports: range) -> ParlonsServer:
    """A server that forgets some messages, not started."""
    room = {"LAB_KEY": "test", "PARLONS_MAX_CALLS": "100", "PARLONS_LOG_LEVEL": "warning"}
    program = [str(Path(forgetful_server.__file__))]
    return ParlonsServer(folder, documents, rtp_ports=rtp_ports, environment=room, program=program)
