"""Post-call deliveries of the real server: whatever dies meanwhile, the receiver gets each call, once if it can be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.sip import agents
from tests.sip.talking import dial, listen
from tests.support import postgres
from tests.support.phone import Phone
from tests.support.server import EXAMPLES, ParlonsServer, free_port

pytestmark = pytest.mark.peer

SECRET = "signs what is sent"
SATELLITE = "+881612345678"
"""Refused by policy."""
VERIFY = EXAMPLES / "webhook-receiver" / "verify.py"


@dataclass
class Crm:
    """A receiver that can be down, fail, or hang before it answers; it keeps all that came."""

    port: int
    fails: int = 0
    hangs: threading.Event | None = None
    came: list[dict[str, Any]] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def up(self) -> None:
        crm = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                crm.came.append({"headers": dict(self.headers), "body": body})
                if crm.hangs is not None:
                    crm.hangs.wait(30)
                self.send_response(500 if crm.fails > 0 else 204)
                crm.fails -= 1
                with contextlib.suppress(OSError):  # who sent has died
                    self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def calls(self) -> Counter[str]:
        """How many times each call came."""
        return Counter(json.loads(one["body"])["call"]["id"] for one in self.came)

    def ids(self) -> set[str]:
        return {one["headers"]["X-Parlons-Delivery"] for one in self.came}


@pytest.fixture
def crm() -> Iterator[Crm]:
    made = Crm(free_port(socket.SOCK_STREAM))
    yield made
    if made.hangs is not None:
        made.hangs.set()
    made.down()


Starts = Callable[..., ParlonsServer]


@pytest.fixture
def start(tmp_path: Path, crm: Crm) -> Iterator[Starts]:
    made: list[ParlonsServer] = []

    def begin(rtp_first: int, pauses: str = "1", database: str = "", **more: Any) -> ParlonsServer:
        every_call = {
            "name": "Every call",
            "trigger": "post_call",
            "status": "published",
            "kind": "webhook",
            "url": f"http://127.0.0.1:{crm.port}/calls",
            "secret": "${CRM_SECRET}",
        }
        configuration = {
            "agents": {"lab": agents.agent(pre_call={"workflow_id": "slow"} if "slow" in more else None)},
            "workflows": {"crm": every_call, **more},
            "sip_connections": {"nowhere": {"name": "Nowhere", "host": "127.0.0.1", "port": 9}},
            "settings": {"allow_private_addresses": True, "outbound_connection_id": "nowhere"},
        }
        environment = {"CRM_SECRET": SECRET, "PARLONS_DELIVERY_PAUSES": pauses, "PARLONS_DATABASE_URL": database}
        ports = range(rtp_first, rtp_first + 40)
        server = ParlonsServer(tmp_path, configuration, rtp_ports=ports, environment=environment)
        server.start()
        made.append(server)
        return server

    yield begin
    for server in made:
        server.stop()


def deliveries(server: ParlonsServer, status: str | None = None) -> list[dict[str, Any]]:
    option = ["--status", status] if status else []
    listed = server.cli("workflow", "deliveries", "--json", *option)
    assert listed.returncode == 0, listed.stderr
    found: list[dict[str, Any]] = json.loads(listed.stdout)
    return found


async def one_call(phone: Phone, server: ParlonsServer) -> str:
    """The id of a call that began, greeted, and was ended by its caller."""
    call = await dial(phone, server, "lab")
    await listen(call)
    await call.bye()
    return str((await asyncio.to_thread(server.ended, call.id))["id"])


async def test_a_call_is_told_of_once_with_a_signature_that_anybody_can_check(
    start: Starts, crm: Crm, phone: Phone
) -> None:
    crm.up()
    send = {
        "id": "send",
        "type": "http",
        "method": "POST",
        "url": f"http://127.0.0.1:{crm.port}/steps",
        "headers": {"X-Parlons-Delivery": "{{ call.delivery_id }}"},
        "body": {"call": {"id": "{{ call.id }}"}},
    }
    steps = {"name": "S", "trigger": "post_call", "status": "published", "steps": [send]}
    server = await asyncio.to_thread(start, 36900, steps=steps)
    call_id = await one_call(phone, server)
    refused = await asyncio.to_thread(server.place, "lab", SATELLITE)  # not even dialled, but there is a record
    await asyncio.to_thread(server.until, lambda: crm.calls() == {call_id: 2, refused: 2}, 20, "not delivered")
    one = next(c for c in crm.came if "X-Parlons-Signature" in c["headers"] and call_id.encode() in c["body"])
    body = json.loads(one["body"])
    assert (body["trigger"], body["agent"]["id"], body["call"]["status"]) == ("post_call", "lab", "completed")
    assert body["call"]["ended_by"] == "caller"
    assert [turn["text"] for turn in body["call"]["transcript"]] == [agents.GREETING]
    assert body["call"]["timeline"][-1]["kind"] == "hang_up"
    for content, expected in ((one["body"], 0), (one["body"].replace(b"completed", b"failed___"), 1)):
        checked = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(VERIFY), one["headers"]["X-Parlons-Signature"]],
            input=content,
            env={"WEBHOOK_SECRET": SECRET},
            timeout=20,
        )
        assert checked.returncode == expected
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)  # what was confirmed is not sent again
    await asyncio.sleep(4)
    assert crm.calls() == {call_id: 2, refused: 2}
    runs = await asyncio.to_thread(server.cli, "workflow", "runs", "--json", "--call", call_id)
    listed = json.loads(runs.stdout)
    assert {run["workflow_id"] for run in listed} == {"crm", "steps"}
    shown = await asyncio.to_thread(server.cli, "workflow", "runs", listed[0]["id"])
    assert "> POST http://127.0.0.1:" in shown.stdout
    assert SECRET not in shown.stdout
    server.assert_no_bug()


async def test_a_receiver_that_is_down_and_then_fails_gets_it_when_it_is_up(
    start: Starts, crm: Crm, phone: Phone
) -> None:
    server = await asyncio.to_thread(start, 36940)
    call_id = await one_call(phone, server)
    await asyncio.to_thread(
        server.until, lambda: any(d["attempts"] for d in deliveries(server, "due")), 15, "no attempt was made"
    )
    crm.fails = 1
    crm.up()
    await asyncio.to_thread(server.until, lambda: deliveries(server, "delivered"), 20, "not delivered")
    assert crm.calls() == {call_id: 2}
    assert len(crm.ids()) == 1
    server.assert_no_bug()


async def test_kill_9_between_the_end_of_the_call_and_its_delivery(start: Starts, crm: Crm, phone: Phone) -> None:
    """And of calls under way, which end with the process."""
    server = await asyncio.to_thread(start, 36980)
    calls = [await dial(phone, server, "lab") for _ in range(3)]
    await asyncio.sleep(1.0)
    await calls[0].bye()
    ended = await asyncio.to_thread(server.ended, calls[0].id)
    server.kill9()
    crm.up()
    await asyncio.to_thread(server.start)
    wanted = {record["id"] for record in server.calls()}
    assert len(wanted) == 3
    assert ended["id"] in wanted
    await asyncio.to_thread(server.until, lambda: set(crm.calls()) == wanted, 20, "not all delivered")
    await asyncio.to_thread(server.until, lambda: len(deliveries(server, "delivered")) == 3, 10, "not all noted")
    assert set(crm.calls().values()) == {1}
    statuses = {json.loads(one["body"])["call"]["status"] for one in crm.came}
    assert statuses == {"completed", "failed"}
    for call in calls[1:]:
        call.ended.set()
    server.assert_no_bug()


async def test_kill_9_in_the_middle_of_a_delivery(start: Starts, crm: Crm, phone: Phone) -> None:
    """Nobody knows then whether the receiver has it: it comes again, under the same id."""
    crm.hangs = threading.Event()
    crm.up()
    server = await asyncio.to_thread(start, 37020)
    call_id = await one_call(phone, server)
    await asyncio.to_thread(server.until, lambda: crm.came, 15, "nothing came")
    server.kill9()
    crm.hangs.set()
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.until, lambda: deliveries(server, "delivered"), 20, "not delivered")
    assert crm.calls() == {call_id: 2}
    assert len(crm.ids()) == 1
    server.assert_no_bug()


@pytest.fixture
def postgres_database() -> Iterator[str]:
    with postgres.server() as server:
        name = f"parlons_post_call_{os.getpid()}"
        asyncio.run(postgres.execute(f"{server}/postgres", f"CREATE DATABASE {name}"))
        yield f"{server}/{name}"
        asyncio.run(postgres.execute(f"{server}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_same_with_postgresql(postgres_database: str, start: Starts, crm: Crm) -> None:
    """Calls, deliveries and jobs are all in one database."""
    crm.hangs = threading.Event()
    crm.up()
    server = start(37140, database=postgres_database)
    call_id = server.place("lab", SATELLITE)
    server.until(lambda: crm.came, 15, "nothing came")
    server.kill9()
    crm.hangs.set()
    server.start()
    server.until(lambda: deliveries(server, "delivered"), 20, "not delivered")
    assert crm.calls() == {call_id: 2}
    assert len(crm.ids()) == 1
    assert not (server.data / "jobs.db").exists()
    server.assert_no_bug()


async def test_a_drain_does_not_wait_for_retries_and_they_go_on_at_the_next_start(
    start: Starts, crm: Crm, phone: Phone
) -> None:
    server = await asyncio.to_thread(start, 37060)
    call_id = await one_call(phone, server)
    await asyncio.to_thread(
        server.until, lambda: any(d["attempts"] for d in deliveries(server, "due")), 15, "no attempt was made"
    )
    began = time.monotonic()
    server.terminate()
    assert await asyncio.to_thread(server.wait, 15) == 0
    assert time.monotonic() - began < 10
    crm.up()
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.until, lambda: deliveries(server, "delivered"), 20, "not delivered")
    assert crm.calls() == {call_id: 1}
    server.assert_no_bug()


async def test_runs_of_every_trigger_are_kept_also_one_that_the_caller_cut_short(
    start: Starts, crm: Crm, phone: Phone
) -> None:
    crm.up()
    wait = {"name": "Slow", "trigger": "pre_call", "status": "published"}
    server = await asyncio.to_thread(start, 37180, slow={**wait, "steps": [{"id": "w", "type": "delay", "seconds": 4}]})
    call = phone.call(server.uri("lab"))
    inviting = asyncio.ensure_future(call.invite())
    await asyncio.sleep(1)
    await call.cancel()
    assert (await inviting).code == 487
    call_id = (await asyncio.to_thread(server.ended, call.id))["id"]
    await asyncio.to_thread(server.until, lambda: crm.calls() == {call_id: 1}, 15, "not delivered")
    assert json.loads(crm.came[0]["body"])["call"]["status"] == "canceled"
    listed = await asyncio.to_thread(server.cli, "workflow", "runs", "--json", "--call", call_id)
    kept = {(run["workflow_id"], run["trigger"], run["status"]) for run in json.loads(listed.stdout)}
    assert kept == {("slow", "pre_call", "cancelled"), ("crm", "post_call", "ok")}
    server.assert_no_bug()


async def test_a_delivery_is_sent_again_when_a_person_asks_for_it(start: Starts, crm: Crm, phone: Phone) -> None:
    """One that waits for its next attempt; a confirmed one is refused."""
    server = await asyncio.to_thread(start, 37100, pauses="600")
    call_id = await one_call(phone, server)
    await asyncio.to_thread(
        server.until, lambda: any(d["attempts"] for d in deliveries(server, "due")), 15, "no attempt was made"
    )
    (waiting,) = await asyncio.to_thread(deliveries, server)
    crm.up()
    sent = await asyncio.to_thread(server.cli, "workflow", "resend", waiting["id"])
    assert sent.returncode == 0, sent.stderr
    await asyncio.to_thread(server.until, lambda: deliveries(server, "delivered"), 20, "not delivered")
    assert crm.calls() == {call_id: 1}
    refused = await asyncio.to_thread(server.cli, "workflow", "resend", waiting["id"])
    assert refused.returncode == 1
    assert "confirmed" in refused.stderr
    server.assert_no_bug()
