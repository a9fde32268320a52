"""A workflow in a call: the caller asks, a real HTTP server answers, and the caller hears what it said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sip import agents
from tests.sip.talking import SAME_WORDS, ask, dial, goodbye, listen, sounds_like
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer

SENT = "Votre commande est partie ce matin, vous la recevrez demain."


class _Shop(BaseHTTPRequestHandler):
    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, "body": body})
        reply = json.dumps({"say": SENT}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


async def test_the_caller_hears_what_the_workflow_found(
    shop: int, phone: Phone, tmp_path_factory: pytest.TempPathFactory
) -> None:
    steps = [
        {
            "id": "find",
            "type": "http",
            "method": "POST",
            "url": f"http://127.0.0.1:{shop}/orders",
            "body": {"call": "{{ system.call_id }}", "agent": "{{ system.agent_id }}"},
        },
        {"id": "back", "type": "return", "value": "{{ steps.find.body }}"},
    ]
    action = {
        "type": "workflow",
        "name": "find_order",
        "description": "Cherche où en est la livraison. Mots : ma livraison, où est ma livraison.",
        "workflow_id": "orders",
    }
    configuration = {
        "agents": {"lab": agents.agent(actions=[action])},
        "workflows": {"orders": {"name": "Orders", "trigger": "live_call", "status": "published", "steps": steps}},
        "settings": {"allow_private_addresses": True},
    }
    folder = tmp_path_factory.mktemp("workflow")
    with ParlonsServer(folder, configuration, rtp_ports=range(36560, 36600)) as server:
        call = await dial(phone, server, "lab")
        await listen(call)
        assert sounds_like(await ask(call, "où est ma livraison"), SENT) > SAME_WORDS
        await goodbye(call)
        record = server.ended(call.id)
        assert _Shop.asked == [{"path": "/orders", "body": {"call": record["id"], "agent": "lab"}}]
        finished = [e["payload"] for e in server.timeline(record["id"]) if e["kind"] == "action_finished"]
        assert (finished[0]["action"], finished[0]["outcome"]) == ("find_order", "ok")
        server.assert_no_bug()
