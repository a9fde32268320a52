"""A receiver of post-call deliveries: checks the signature, takes each delivery once, writes a line for each call.

Run it with the secret in WEBHOOK_SECRET: python receiver.py 8099
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from verify import is_genuine

MAX_BODY = 1_000_000

seen: set[str] = set()
"""Deliveries that were taken. A real program keeps them with what it stores, in one transaction."""


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 once a delivery is taken; anything else would have it sent again."""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        if not is_genuine(os.environ["WEBHOOK_SECRET"], self.headers.get("X-Parlons-Signature", ""), body):
            self.send_error(403)
            return
        delivery = self.headers["X-Parlons-Delivery"]
        if delivery not in seen:
            seen.add(delivery)
            call = json.loads(body)["call"]
            told = {"delivery": delivery, "call": call["id"], "status": call["status"]}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
