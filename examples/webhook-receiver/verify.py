"""Was a request really sent by your Parlons? Standard library only: copy this file into your own program.

As a command, with the body on standard input and the secret in WEBHOOK_SECRET:

    python verify.py 't=1780000000,v1=…' < body.json && echo genuine
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
import time

TOLERANCE_SECONDS = 300
"""Older requests are refused: somebody may be sending one again that they have overheard."""


def is_genuine(secret: str, signature: str, body: bytes, now: float | None = None) -> bool:
    """Whether the ``X-Parlons-Signature`` header fits the body.

    The body must be the bytes as they came, before any JSON is read from them.
    """
    parts = [part.strip().partition("=") for part in signature.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()) or len(times[0]) > 15:
        return False
    if abs((time.time() if now is None else now) - int(times[0])) > TOLERANCE_SECONDS:
        return False
    expected = hmac.new(secret.encode(), f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest()
    return any(
        hmac.compare_digest(expected.encode(), value.encode("utf-8", "replace"))
        for name, _, value in parts
        if name == "v1"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2 or "WEBHOOK_SECRET" not in os.environ:
        sys.exit("usage: WEBHOOK_SECRET=… python verify.py 't=…,v1=…' < body")
    sys.exit(0 if is_genuine(os.environ["WEBHOOK_SECRET"], sys.argv[1], sys.stdin.buffer.read()) else 1)
