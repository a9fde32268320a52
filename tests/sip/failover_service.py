"""The outside system that workflows ask in the tests of failover: every path is another way to answer, or not to.

Runs in threads, from before the server starts until it has ended. Knows nothing of Parlons but the shape of a reply.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.server import free_port

CALLER_NAME = "Zoé"
ELSEWHERE = "127.0.3.1"
"""Another private address of the same service: nothing may be sent on to it."""
LATE_SECONDS = 1.6
HANG_SECONDS = 30.0
CALL_BACK = "Nous vous rappelons dans la matinée."
OPEN_FILE = {"context": {"name": CALLER_NAME}}

_WORDS = "{% if failover.trigger %}Nous vous rappelons{{ nothing.at.all }} dans la matinée{% endif %}."
"""A template of an outside system's: an undefined variable in it is nothing."""


def _configures(**changes: Any) -> dict[str, Any]:
    return OPEN_FILE | {"agent_configuration": changes}


def _message(text: str) -> dict[str, Any]:
    return {"failover_action": {"type": "message", "text": text}}


ANSWERS: dict[str, Any] = {
    "context": OPEN_FILE,
    "array": [OPEN_FILE],
    "failover": OPEN_FILE | {"failover": True},
    "unknown_key": _configures(greetings="Bonjour."),
    "unknown_voice": _configures(voice="nobody"),
    "no_data_source": _configures(data_source_ids=["faq"]),
    "no_language": _configures(language="zu-ZA"),
    "words": _message(_WORDS),
    "endless_words": _message("{% for i in (1..1000000) %}{% for j in (1..1000000) %}x{% endfor %}{% endfor %}"),
    "broken_words": _message("Bonjour {{ name"),
    "v1/models": {"object": "list", "data": [{"id": "m", "object": "model"}]},
}
"""What is answered under each path, as JSON."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def _answer(self) -> None:
        path = self.path.strip("/")
        self.service.asked[path] += 1
        with contextlib.suppress(OSError):  # who asked has given up
            match path:
                case "hang":
                    self._hang()
                case "late":
                    time.sleep(LATE_SECONDS)
                    self._send(200, json.dumps(OPEN_FILE).encode())
                case "error" | "v1/chat/completions" | "v1/audio/speech":
                    self._send(500, b'{"error": {"message": "broken", "type": "server_error"}}')
                case "moved":
                    self._send(301, b"", ("Location", f"http://{ELSEWHERE}:{self.service.port}/elsewhere"))
                case "huge":
                    self._send(200, json.dumps({"context": {"name": "x" * 2_000_000}}).encode())
                case "no_json":
                    self._send(200, b'{"context": {')
                case _:
                    self._send(200, json.dumps(ANSWERS.get(path, OPEN_FILE)).encode())

    def _hang(self) -> None:
        """Say nothing for as long as somebody waits."""
        self.close_connection = True
        if select.select([self.connection], [], [], HANG_SECONDS)[0]:
            self.service.given_up += 1

    def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False


class Service:
    """``asked`` counts requests by path, ``given_up`` those who left while it said nothing."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.given_up = 0
        self.port = free_port(socket.SOCK_STREAM)
        self.closed_port = free_port(socket.SOCK_STREAM)
        """Nobody listens here: a connection is refused."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def refuses(self) -> str:
        return f"http://127.0.0.1:{self.closed_port}/v1"


@contextlib.contextmanager
def running() -> Iterator[Service]:
    """The service, at both of its addresses."""
    service = Service()
    handler = type("Handler", (_Handler,), {"service": service})
    servers = [_Server((host, service.port), handler) for host in ("127.0.0.1", ELSEWHERE)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
