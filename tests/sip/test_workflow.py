"""A workflow in a call: the caller asks, a real HTTP server answers, and the caller hears what it said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from parlons.workflows import webhook
from tests.sip import agents
from tests.sip.talking import SAME_WORDS, ask, dial, goodbye, listen, sounds_like
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

pytestmark = pytest.mark.peer

SECRET = "signs what is sent"
SENT = "Votre commande est partie ce matin, vous la recevrez demain."


class _Shop(BaseHTTPRequestHandler):
    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/signed" and not webhook.verify(
            SECRET, self.headers.get(webhook.SIGNATURE_HEADER, ""), raw, now=time.time()
        ):
            self.send_error(403)
            return
        self.asked.append({"path": self.path, "body": json.loads(raw)})
        if self.path == "/slow":
            time.sleep(5)
        reply = json.dumps({"say": SENT, "said": SENT}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked has given up
            self.wfile.write(reply)

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="module")
def server(shop: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """Agents whose workflows ask the shop."""
    find = {
        "id": "find",
        "type": "http",
        "method": "POST",
        "url": f"http://127.0.0.1:{shop}/orders",
        "body": {"call": "{{ system.call_id }}", "agent": "{{ system.agent_id }}"},
    }
    slow = {**find, "url": f"http://127.0.0.1:{shop}/slow", "timeout_seconds": 30}
    orders = {"name": "Orders", "trigger": "live_call", "status": "published"}
    known = {"name": "Known", "trigger": "pre_call", "status": "published"}
    greeting = "{% if said %}{{ said }}{% else %}" + agents.GREETING + "{% endif %}"
    action = {
        "type": "workflow",
        "name": "find_order",
        "description": "Cherche où en est la livraison. Mots : ma livraison, où est ma livraison.",
        "workflow_id": "orders",
    }
    configuration = {
        "agents": {
            "lab": agents.agent(actions=[action]),
            "known": agents.agent(greeting=greeting, pre_call={"workflow_id": "known"}),
            "signed": agents.agent(greeting=greeting, pre_call={"workflow_id": "signed"}),
            "late": agents.agent(greeting=greeting, pre_call={"workflow_id": "late", "timeout_seconds": 1}),
        },
        "workflows": {
            "orders": {**orders, "steps": [find, {"id": "back", "type": "return", "value": "{{ steps.find.body }}"}]},
            "known": {
                **known,
                "steps": [find, {"id": "back", "type": "return", "value": {"said": "{{ steps.find.body.say }}"}}],
            },
            "late": {**known, "steps": [slow]},
            "signed": {
                **known,
                "kind": "webhook",
                "url": f"http://127.0.0.1:{shop}/signed",
                "secret": "${SHOP_SECRET}",
            },
        },
        "settings": {"allow_private_addresses": True},
    }
    folder = tmp_path_factory.mktemp("workflow")
    key = {"SHOP_SECRET": SECRET}
    with ParlonsServer(folder, configuration, rtp_ports=range(36560, 36600), environment=key) as made:
        yield made
        made.assert_no_bug()


async def test_the_caller_hears_what_the_workflow_found(server: ParlonsServer, phone: Phone) -> None:
    call = await dial(phone, server, "lab")
    await listen(call)
    assert sounds_like(await ask(call, "où est ma livraison"), SENT) > SAME_WORDS
    await goodbye(call)
    record = server.ended(call.id)
    assert {"path": "/orders", "body": {"call": record["id"], "agent": "lab"}} in _Shop.asked
    finished = [e["payload"] for e in server.timeline(record["id"]) if e["kind"] == "action_finished"]
    assert (finished[0]["action"], finished[0]["outcome"]) == ("find_order", "ok")


@pytest.mark.parametrize("agent", ["known", "signed"])
async def test_what_is_asked_while_it_rings_is_in_the_greeting(server: ParlonsServer, phone: Phone, agent: str) -> None:
    """By a step that asks, and by a webhook, whose signature the shop checks."""
    call = await dial(phone, server, agent)
    assert 180 in call.codes()
    assert sounds_like(await listen(call), SENT) > SAME_WORDS
    await call.bye()


async def test_a_service_that_is_late_costs_the_caller_no_more_than_its_time(
    server: ParlonsServer, phone: Phone
) -> None:
    asked = asyncio.get_running_loop().time()
    call = await dial(phone, server, "late")
    assert asyncio.get_running_loop().time() - asked < 1.25  # the deadline that the specification gives
    assert sounds_like(await listen(call), agents.GREETING) > SAME_WORDS
    await call.bye()
    assert server.ended(call.id)["trigger"] == "pre_call_timeout"
