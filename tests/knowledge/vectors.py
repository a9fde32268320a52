"""A server of ``/v1/embeddings`` on loopback that knows of hours, money and animals; it can misbehave."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MEANINGS = (
    ("ouvre", "ferme", "heure", "guichet", "horaires", "matin"),
    ("prix", "euros", "coûte", "payer", "tarif", "sous"),
    ("chien", "chat", "animal", "toutou", "matou"),
)


class VectorServer(ThreadingHTTPServer):
    """``asked``: (headers, body) of each request. ``answer``: None to answer well, else what to answer with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status = 200
        self.answer: bytes | None = None
        self.seconds = 0.0
        self.size = 4

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def vector(self, text: str) -> list[float]:
        counts = [float(sum(word in text.lower() for word in words)) for words in _MEANINGS]
        return [*counts, 0.01, *([0.0] * (self.size - 4))]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: VectorServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(({k.lower(): v for k, v in self.headers.items()}, body))
        time.sleep(self.server.seconds)
        texts = body["input"]
        data = [{"index": at, "embedding": self.server.vector(text)} for at, text in enumerate(texts)]
        data.reverse()  # the order is said by the index alone
        answer = self.server.answer if self.server.answer is not None else json.dumps({"data": data}).encode()
        with contextlib.suppress(OSError):
            self.send_response(self.server.status if self.path == "/v1/embeddings" else 404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def vector_server() -> Iterator[VectorServer]:
    server = VectorServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
