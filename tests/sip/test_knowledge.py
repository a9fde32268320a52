"""An agent that answers from documents: added on the command line while the server runs, asked for on the telephone."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sip import agents
from tests.sip.talking import SAME_WORDS, dial, listen, sounds_like
from tests.sip.transfer_model import AgentsModel, prompt, told
from tests.support.phone import Phone
from tests.support.providers.base import Reply
from tests.support.server import ParlonsServer, free_port

pytestmark = pytest.mark.peer

ANSWER = "Le guichet ouvre à neuf heures, sauf le lundi."
FACTS = """# Guichet

Le guichet d'accueil ouvre à neuf heures et ferme à dix-huit heures, sauf le lundi matin.

# Piscine

La piscine municipale est fermée au mois d'août pour le nettoyage des bassins.
"""
ASK = Reply(tool_calls=[("faq", json.dumps({"query": "À quelle heure ouvre le guichet ?"}))])


@dataclass
class Desk:
    server: ParlonsServer
    model: AgentsModel


def _agent(name: str, port: int, source: str, **more: Any) -> dict[str, Any]:
    rag = {"type": "rag", "name": "faq", "description": "What the town hall knows.", "data_source_id": source}
    model = {"type": "openai", "model": "m", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "${LAB_KEY}"}
    return agents.agent(
        name=name, greeting="Bonjour.", prompt=prompt(name), providers={"llm": model}, actions=[rag], **more
    )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    port = free_port(socket.SOCK_STREAM)
    chosen = {"data_source_ids": ["town"]}
    back = {"id": "back", "type": "return", "value": {"agent_configuration": chosen}}
    configuration = {
        "agents": {
            "knows": _agent("knows", port, "town"),
            "told": _agent("told", port, "empty", pre_call={"workflow_id": "chooses"}),
            "waits": _agent("waits", port, "empty"),
        },
        "data_sources": {
            "town": {"name": "Town hall", "language": "fr-FR"},
            "empty": {"name": "Nothing yet", "language": "fr-FR"},
        },
        "workflows": {
            "chooses": {"name": "Chooses", "trigger": "pre_call", "status": "published", "steps": [back]},
        },
    }
    script = {name: [ASK, Reply(text=ANSWER)] for name in ("knows", "told", "waits")}
    server = ParlonsServer(tmp_path, configuration, rtp_ports=range(37600, 37660), environment={"LAB_KEY": "test"})
    async with AgentsModel(script, port=port, key="") as model:
        with server:
            yield Desk(server, model)
            server.assert_no_bug()


async def _asks(desk: Desk, phone: Phone, agent: str) -> dict[str, Any]:
    """Call, ask with a key, hear the answer; the action as the timeline has it."""
    call = await dial(phone, desk.server, agent)
    await listen(call)
    call.rtp.press("1#")
    heard = await listen(call, within=10)
    assert (await call.bye()).code == 200
    assert sounds_like(heard, ANSWER) > SAME_WORDS
    record = await asyncio.to_thread(desk.server.ended, call.id)
    (done,) = [e["payload"] for e in desk.server.timeline(record["id"]) if e["kind"] == "action_finished"]
    return dict(done)


async def test_what_was_added_is_found_in_the_next_call(desk: Desk, phone: Phone, tmp_path: Path) -> None:
    facts = tmp_path / "facts.md"
    facts.write_text(FACTS, "utf-8")
    added = await asyncio.to_thread(desk.server.cli, "knowledge", "add", "town", str(facts))
    assert added.returncode == 0, added.stdout + added.stderr
    found = await asyncio.to_thread(desk.server.cli, "knowledge", "search", "town", "quand ouvre le guichet")
    assert "neuf heures" in found.stdout, found.stdout + found.stderr

    await asyncio.to_thread(
        desk.server.until,
        lambda: desk.server.metrics()["parlons_knowledge_sources_ready"],
        20,
        "not known to the server",
    )
    done = await _asks(desk, phone, "knows")
    assert (done["outcome"], done["source"]) == ("found", "town")
    assert (done["passages"][0]["position"], "guichet" in done["passages"][0]["text"]) == ("Guichet", True)
    assert "neuf heures" not in desk.server.log(), "logs hold nobody's words, nor what answers them"
    assert "neuf heures" in told(desk.model.of("knows")[-1])["passages"][0]["text"]

    done = await _asks(desk, phone, "told")
    assert (done["outcome"], bool(done["passages"])) == ("found", True), "the pre-call workflow named the source"

    done = await _asks(desk, phone, "waits")
    assert (done["outcome"], done["passages"]) == ("not_ready", [])
    assert told(desk.model.of("waits")[-1])["error"] == "not_ready"
