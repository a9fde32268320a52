"""One question to a provider: can you be used? A request that costs nothing, and what its answer means.

Keys stay inside: no message made here holds one, nor the user and password of a URL.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from .kinds import Probe

State = Literal["usable", "down", "refused"]

MAX_READ = 4096
"""Bytes of a refusal that are read for its reason."""
DNS_THREADS = 8
_OWN_TROUBLE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
_CHECK_SERVICE = "Check that the service is up and reachable from here."


@dataclass(frozen=True, slots=True)
class Target:
    """A provider as agents use it: two with the same kind, ``base_url`` and key are one.

    Args:
        variable: the environment variable that holds the key; empty when it stands in the agent.
        env: the variable that would hold it.
    """

    kind: str
    base_url: str = field(repr=False)
    key: str = field(repr=False)
    probe: Probe = field(compare=False)
    variable: str = field(default="", compare=False)
    env: str = field(default="", compare=False)

    @property
    def server(self) -> str:
        """Where it is, for people: without user, password and query."""
        try:
            url = httpx.URL(self.base_url or self.probe.server)
        except httpx.InvalidURL:
            return "(unreadable base_url)"
        host = f"[{url.host}]" if ":" in url.host else url.host
        return f"{url.scheme}://{host}{f':{url.port}' if url.port else ''}{url.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means; ``error`` and ``hint`` say why and what to do, unless it is usable."""

    state: State
    error: str = ""
    hint: str = ""


USABLE = Verdict("usable")


class Prober:
    """Asks providers, ``at_once`` of them at a time, each for at most ``seconds``. An async context manager.

    Names are looked up in threads of its own: name service that hangs must not hold up the process's other work.
    """

    def __init__(self, *, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._room = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="provider-dns")
        self._looked_up: dict[tuple[str, int], asyncio.Future[object]] = {}
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        # no connection is kept: what is to be seen is whether the next call can make one
        self._client = httpx.AsyncClient(
            verify=await asyncio.to_thread(_tls),
            timeout=self._seconds,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "Parlons", "Accept": "application/json"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
        for looking in self._looked_up.values():
            looking.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, target: Target) -> Verdict | None:
        """Ask once; None when the trouble is this process's own (no file or memory left) and says nothing."""
        assert self._client is not None, "ask inside the context manager"
        async with self._room:
            try:
                async with asyncio.timeout(self._seconds):
                    url, headers = _request(target)
                    await self._look_up(url)
                    async with self._client.stream("GET", url, headers=headers) as response:
                        return await _meaning(target, response)
            except (TimeoutError, httpx.TimeoutException):
                return silent(self._seconds)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol):
                return Verdict("down", "its base_url cannot be read", "Write it as https://host/path.")
            except (httpx.LocalProtocolError, UnicodeEncodeError):
                return Verdict("refused", "the key holds characters that cannot be sent", _about_the_key(target))
            except (httpx.TransportError, OSError) as error:
                return _unreached(target, error)

    async def _look_up(self, url: httpx.URL) -> None:
        """Find the name first, in our own threads. Raises OSError."""
        if getproxies() and not proxy_bypass(url.host):
            return  # the proxy finds it
        where = (url.host, url.port or (443 if url.scheme == "https" else 80))
        looking = self._looked_up.get(where)
        if looking is None:  # one thread for a name, however long it takes
            looking = asyncio.get_running_loop().run_in_executor(self._threads, _addresses, *where)
            self._looked_up[where] = looking
            looking.add_done_callback(lambda done: self._found(where, done))
        await asyncio.shield(looking)

    def _found(self, where: tuple[str, int], done: asyncio.Future[object]) -> None:
        self._looked_up.pop(where, None)
        if not done.cancelled():
            done.exception()  # whoever asked may have given up meanwhile


def silent(seconds: float) -> Verdict:
    """The verdict on a provider that said nothing for so long."""
    return Verdict("down", f"no answer within {seconds:g} s", _CHECK_SERVICE)


def _addresses(host: str, port: int) -> object:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror("not a name") from error


def _tls() -> ssl.SSLContext:
    """The authorities of the clients that calls use, and the system's: some plug-ins trust these, some those."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _request(target: Target) -> tuple[httpx.URL, dict[str, str]]:
    base = (target.base_url or target.probe.server).rstrip("/")
    if base.startswith(("ws://", "wss://")):
        base = "http" + base.removeprefix("ws")
    probe = target.probe
    headers = {probe.header: f"{probe.scheme} {target.key}".strip(" ")} if target.key else {}
    return httpx.URL(base + probe.path), headers


async def _meaning(target: Target, response: httpx.Response) -> Verdict:
    status = response.status_code
    if status in (401, 403):
        if target.probe.limited and target.probe.limited in await _beginning(response):
            return USABLE
        what = f"it refused the key ({status})" if target.key else f"it wants a key ({status})"
        return Verdict("refused", what, _about_the_key(target))
    if status >= 500 and status != 501:  # 501: it is up, and has no such listing
        return Verdict("down", f"it answered {status}", _CHECK_SERVICE)
    return USABLE


async def _beginning(response: httpx.Response) -> str:
    read = b""
    async for part in response.aiter_bytes():
        read += part
        if len(read) >= MAX_READ:
            break
    return read[:MAX_READ].decode("utf-8", "replace")


def _about_the_key(target: Target) -> str:
    if target.variable:
        return f"Check the environment variable {target.variable}."
    verb = "Check" if target.key else "Set"
    return f"{verb} the api_key of this provider, or set the environment variable {target.env}."


def _unreached(target: Target, error: Exception) -> Verdict | None:
    causes = list(_causes(error))
    if any(isinstance(cause, OSError) and cause.errno in _OWN_TROUBLE for cause in causes):
        return None
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Verdict("down", "its name was not found", "Check base_url, and the name service of this machine.")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Verdict("down", "no secure connection", "Check its certificate, and that base_url should be https.")
    if isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        return Verdict("down", "it closed the connection without an answer", _CHECK_SERVICE)
    return Verdict("down", "no connection", _CHECK_SERVICE)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        if isinstance(seen, BaseExceptionGroup):
            for inner in seen.exceptions:
                yield from _causes(inner)
        seen = seen.__cause__ or seen.__context__
