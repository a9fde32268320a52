"""The webhook kind: one signed POST, whose JSON reply is the workflow's result.

``X-Parlons-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "<t>.<body>">``; ``X-Parlons-Delivery`` names the
delivery and is the same when it is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from .failures import ReplyInvalid
from .http_client import HttpClient, Reply, Request, json_body

TOLERANCE_SECONDS = 300
SIGNATURE_HEADER = "X-Parlons-Signature"
DELIVERY_HEADER = "X-Parlons-Delivery"


def payload(
    *,
    trigger: str,
    call: Mapping[str, Any],
    agent: Mapping[str, Any],
    context: Mapping[str, Any],
    input: Mapping[str, Any],
) -> bytes:
    """The body of the POST. Raises RequestInvalid when it would be too big."""
    whole = {"trigger": trigger, "call": call, "agent": agent, "context": context, "input": input}
    return json_body({key: dict(value) if isinstance(value, Mapping) else value for key, value in whole.items()})


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of the signature header."""
    return f"t={at},v1={_digest(secret, body, at)}"


def verify(secret: str, header: str, body: bytes, *, now: float, tolerance_seconds: float = TOLERANCE_SECONDS) -> bool:
    """Whether a received body was signed with this secret, not longer ago (or ahead) than the tolerance.

    The body must be the very bytes that came, before any JSON is read from them.
    """
    at: int | None = None
    given: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdecimal() and len(value) < 16:
            at = int(value)
        elif name == "v1":
            given.append(value)
    if at is None or abs(now - at) > tolerance_seconds:
        return False
    wanted = _digest(secret, body, at).encode()
    return any(hmac.compare_digest(wanted, value.encode("utf-8", "replace")) for value in given)


def request(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    secret: str | None,
    delivery: str,
    at: int,
    any_reply: bool = False,
) -> Request:
    """The POST, signed when there is a secret. Its own headers win over those configured.

    Args:
        any_reply: the reply's body is of no use: whatever it is, a status of 200 to 299 is success.
    """
    own = {"Content-Type": "application/json", DELIVERY_HEADER: delivery}
    if secret:
        own[SIGNATURE_HEADER] = sign(secret, body, at)
    taken = {name.lower() for name in own} | {SIGNATURE_HEADER.lower()}
    configured = {name: value for name, value in headers.items() if name.lower() not in taken}
    return Request("POST", url, {"Accept": "application/json", **configured, **own}, {}, body, any_reply, as_it_is=True)


async def send(http: HttpClient, made: Request, *, timeout: float) -> Reply:
    """Send it once. Raises OutsideError, also when a reply that matters is neither JSON nor empty."""
    reply = await http.send(made, timeout=timeout)
    if isinstance(reply.body, str) and not made.any_reply and not _is_json(reply):
        raise ReplyInvalid("the webhook's reply is not JSON.", hint="Answer with JSON, or with status 204.")
    return reply


def _is_json(reply: Reply) -> bool:
    return "json" in reply.headers.get("content-type", "").split(";")[0].lower()


def _digest(secret: str, body: bytes, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
