"""Outgoing HTTP under limits: time, size, redirects, and where it may go. One client for an installation.

No cookies, no proxies and no passwords from the environment; nothing is remembered between requests but open
connections.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

from . import bodies
from .failures import (
    ConnectFailed,
    ConnectionDropped,
    OutsideError,
    OutsideTimeout,
    RedirectRefused,
    ReplyTooBig,
    RequestInvalid,
    UnexpectedStatus,
)
from .guard import Guard, Resolver, check_url, resolve, tls_context

MAX_REDIRECTS = 5
MAX_BODY = 1_000_000
MAX_HEADER_VALUE = 8_000
MAX_RETRY_AFTER_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 2.0
"""Shorter than the common servers' own, so that a request seldom meets a connection just closed."""
READ_IN_THREAD = 50_000
"""Bytes of a reply above which it is read off the loop."""
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})

_OWN_HEADERS = frozenset(
    "host content-length transfer-encoding connection keep-alive upgrade te trailer expect accept-encoding".split()
)
_KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "user-agent"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``body`` is sent as it is; give ``content-type`` in the headers.

    ``any_reply``: a body that cannot be read does no harm, the status says all. ``as_it_is``: a redirect that would
    make a GET of it, without its body, is refused: that would be answered, and nothing done.
    ``max_reply``: bytes of the reply, both as it travels and unpacked.
    ``raw``: the reply's body is wanted as bytes (``Reply.content``); it is not read as JSON or text.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    any_reply: bool = False
    as_it_is: bool = False
    max_reply: int = bodies.MAX_REPLY
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, read whole. ``body`` is JSON when it is some, else text, else None; header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    content: bytes = field(default=b"", repr=False)


class HttpClient:
    """Sends requests; safe to share between calls of one event loop. Close it at the end.

    Args:
        allow_private: whether private, loopback and link-local addresses may be reached; asked at each connection.
        resolver: finds the addresses of a name.
        tls: verifies servers; by default with the usual authorities.
    """

    def __init__(
        self,
        *,
        allow_private: Callable[[], bool] = lambda: False,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        max_connections: int = 200,
    ) -> None:
        tls = tls or tls_context()

        def pool(allowed: Callable[[], bool]) -> httpcore.AsyncConnectionPool:
            return httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=max_connections,
                max_keepalive_connections=20,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=Guard(allowed, resolver),
            )

        self._pool = pool(allow_private)
        self._public = pool(lambda: False)
        """For redirects to another host than was asked for: what a person allowed, a reply did not."""

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
        await self._public.aclose()

    @property
    def connections(self) -> list[str]:
        """Connections that are open, and what each does."""
        return [repr(made) for made in (*self._pool.connections, *self._public.connections)]

    async def send(
        self, request: Request, *, timeout: float = 5.0, retries: int = 0, expected: Sequence[int] = ()
    ) -> Reply:
        """Send a request until it is answered as expected.

        Args:
            timeout: seconds for one attempt, redirects and the whole reply with it.
            retries: further attempts, after a failure to connect or a status of 429, 502, 503 or 504; when the method
                is idempotent also after a timeout or a dropped connection. A dropped connection with an idempotent
                method is always tried once more.
            expected: statuses that are right; empty means 200 to 299.

        Raises:
            RequestInvalid: nothing was sent.
            OutsideError: one of its classes says what failed. UnexpectedStatus holds the reply.
        """
        idempotent = request.method in IDEMPOTENT
        spare = 1 if idempotent else 0
        attempt = 0
        while True:
            wait = min(2.0, 0.2 * 2**attempt)
            try:
                reply = await self._attempt(request, timeout)
                if _is_expected(reply.status, expected):
                    return reply
                if attempt >= retries or reply.status not in RETRIED_STATUSES:
                    raise UnexpectedStatus(f"the service answered {reply.status}.", reply)
                wait = _retry_after(reply) or wait
            except ConnectionDropped:
                if attempt < retries and idempotent:
                    pass
                elif spare:
                    spare, attempt, wait = 0, attempt - 1, 0.0
                else:
                    raise
            except ConnectFailed:
                if attempt >= retries:
                    raise
            except OutsideTimeout:
                if attempt >= retries or not idempotent:
                    raise
            attempt += 1
            await asyncio.sleep(wait)

    async def _attempt(self, request: Request, timeout: float) -> Reply:
        reached = _Reached()
        url = check_url(request.url)
        if request.query:
            url = url.copy_merge_params(dict(request.query))
        try:
            async with asyncio.timeout(timeout) as scope:
                return await self._follow(request, url, timeout, reached)
        except TimeoutError as error:
            if not scope.expired():
                raise
            if not reached.sent:
                raise ConnectFailed(f"no connection to {url.host} in {timeout:g} s.") from error
            raise OutsideTimeout(f"{url.host} did not answer within {timeout:g} s.") from error

    async def _follow(self, request: Request, url: httpx.URL, timeout: float, reached: _Reached) -> Reply:
        method, headers, body = request.method, _checked(request.headers), request.body
        first_host = url.raw_host
        if body is not None and len(body) > MAX_BODY:
            raise RequestInvalid(f"the body is over {MAX_BODY} bytes.")
        for _ in range(MAX_REDIRECTS + 1):
            pool = self._pool if url.raw_host == first_host else self._public
            reply = await self._exchange(pool, method, url, headers, body, timeout, reached, request)
            location = reply.headers.get("location")
            if reply.status not in (301, 302, 303, 307, 308) or not location:
                return reply
            new = _redirected(url, location)
            if (reply.status == 303 and method != "HEAD") or (reply.status in (301, 302) and method == "POST"):
                if request.as_it_is:
                    raise RedirectRefused(f"{url.host} redirects the {method} to a page.", hint="Use the final URL.")
                method, body = "GET", None
            if body is None:
                headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
            if not _same_origin(url, new):
                if body is not None:
                    raise RedirectRefused(
                        f"{url.host} sends the request's body on to {new.host}.", hint="Ask there at once."
                    )
                headers = {k: v for k, v in headers.items() if k.lower() in _KEPT_ACROSS_ORIGINS}
            url = new
        raise RedirectRefused(f"{url.host} redirects more than {MAX_REDIRECTS} times.", hint="Use the final URL.")

    async def _exchange(
        self,
        pool: httpcore.AsyncConnectionPool,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,
        reached: _Reached,
        request: Request,
    ) -> Reply:
        port = f":{url.port}" if url.port is not None else ""
        host = f"[{url.host}]" if ":" in url.host else url.raw_host.decode()
        sent = [(b"Host", f"{host}{port}".encode()), (b"Accept-Encoding", b"gzip, deflate")]
        sent += [(name.encode(), _header_bytes(value)) for name, value in headers.items()]
        if not any(name.lower() == "user-agent" for name in headers):
            sent.append((b"User-Agent", b"Parlons"))
        if body is not None or method in ("POST", "PUT", "PATCH"):
            sent.append((b"Content-Length", str(len(body or b"")).encode()))
        reached.sent = False
        asked = httpcore.Request(
            method=method.encode(),
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=sent,
            content=body,
            extensions={
                "timeout": {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout},
                "trace": reached.trace,
            },
        )
        try:
            response = await pool.handle_async_request(asked)
            try:
                return await _read(method, response, request)
            finally:
                await response.aclose()
        except OutsideError:
            raise
        except httpcore.TimeoutException as error:
            if not reached.sent:
                raise ConnectFailed(f"no connection to {url.host} in {timeout:g} s.") from error
            raise OutsideTimeout(f"{url.host} did not answer within {timeout:g} s.") from error
        except httpcore.LocalProtocolError as error:
            raise RequestInvalid("the request cannot be sent as HTTP.", hint="Check its headers.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            if reached.sent:
                raise ConnectionDropped(f"{url.host} closed the connection before it had answered.") from error
            raise ConnectFailed(
                f"no secure connection to {url.host}." if _is_tls(error) else f"no connection to {url.host}.",
                hint="Its certificate is not valid for this name." if _is_tls(error) else "",
            ) from error


class _Reached:
    """How far an attempt came."""

    sent = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.sent = True


async def _read(method: str, response: httpcore.Response, request: Request) -> Reply:
    headers: dict[str, str] = {}
    for name, value in response.headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if method == "HEAD":
        return Reply(response.status, headers)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > request.max_reply:
        raise ReplyTooBig(f"the reply is over {request.max_reply} bytes.")
    unpacker = bodies.Unpacker(headers.get("content-encoding", ""), request.max_reply)
    async for part in response.aiter_stream():
        unpacker.feed(part)
    if response.status in (301, 302, 303, 307, 308):
        return Reply(response.status, headers)
    try:
        whole, media_type = unpacker.finish(), headers.get("content-type", "")
        if request.raw:
            return Reply(response.status, headers, content=whole)
        if len(whole) > READ_IN_THREAD:
            body, text = await asyncio.to_thread(bodies.read, whole, media_type)
        else:
            body, text = bodies.read(whole, media_type)
    except OutsideError:
        if 200 <= response.status < 300 and not request.any_reply:
            raise
        body, text = None, ""  # the status says what is wrong; a broken page beside it adds nothing
    return Reply(response.status, headers, body, text)


def json_body(value: Any) -> bytes:
    """A JSON value as bytes. Raises RequestInvalid when it is none, or too big."""
    try:
        made = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str).encode("utf-8", "replace")
    except (ValueError, TypeError, RecursionError) as error:
        raise RequestInvalid("the body is not JSON.") from error
    if len(made) > MAX_BODY:
        raise RequestInvalid(f"the body is over {MAX_BODY} bytes.")
    return made


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS or name.lower().startswith("proxy-"):
            raise RequestInvalid(f"the header {name[:64]!r} cannot be set.")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value.strip()) or len(value) > MAX_HEADER_VALUE:
            raise RequestInvalid(f"the header {name} holds a line break or is too long.")
    return {name: value.strip() for name, value in headers.items()}


def _header_bytes(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return check_url(str(url.join(location)))
    except (RequestInvalid, httpx.InvalidURL, ValueError) as error:
        raise RedirectRefused(f"{url.host} redirects to a URL that may not be asked for.") from error


def _same_origin(old: httpx.URL, new: httpx.URL) -> bool:
    """Whether secrets may go along: the same origin, or its move from http to https on the usual ports."""
    if old.raw_host.lower() != new.raw_host.lower():
        return False
    if (old.scheme, new.scheme) == ("http", "https"):
        return old.port is None and new.port is None
    return old.scheme == new.scheme and old.port == new.port


def _is_expected(status: int, expected: Sequence[int]) -> bool:
    return status in expected if expected else 200 <= status < 300


def _retry_after(reply: Reply) -> float | None:
    """Seconds a reply asks to wait (RFC 9110, section 10.2.3), at most :data:`MAX_RETRY_AFTER_SECONDS`."""
    value = reply.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(MAX_RETRY_AFTER_SECONDS, max(0.0, seconds))


def _is_tls(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
