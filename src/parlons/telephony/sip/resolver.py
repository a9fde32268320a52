"""Where a SIP host is: SRV and address records (RFC 3263 for UDP), cached and renewed off the call path.

Knows names and addresses only. Once a name was resolved its last good answer is always at hand, also with DNS down.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver
import structlog

from parlons.errors import TelephonyError

log = structlog.get_logger(__name__)

Address = tuple[str, int]

DEFAULT_PORT = 5060
MIN_TTL_SECONDS = 30.0
MAX_TTL_SECONDS = 3600.0
RENEW_AT = 0.8
"""Share of the time to live after which an answer is renewed in the background."""
RETRY_SECONDS = 30.0
"""Pause after a renewal that failed."""
FAILURE_SECONDS = 5.0
"""How long a name that could not be resolved is refused at once, without asking again."""
IDLE_SECONDS = 7200.0
"""An answer that nobody asked for this long is forgotten (a trunk's is asked for by each OPTIONS)."""
MAX_NAMES = 10_000
"""Names kept, and failures remembered: peers choose names too, in Contact and Record-Route."""
QUERY_SECONDS = 4.0
HINT = "Check the name and this machine's DNS."


class UnresolvableName(TelephonyError):
    """A host name for which DNS gives no address, or DNS itself does not answer."""

    owner = "configuration"
    retryable = True


class NoSuchRecord(Exception):
    """DNS answered: there is no such record."""


class DnsDown(Exception):
    """DNS did not answer, or could not."""


class Record(NamedTuple):
    """An address (``host``; the rest 0), or one SRV record."""

    host: str
    port: int = 0
    priority: int = 0
    weight: int = 0


class Dns(Protocol):
    """One question to DNS: the records and how long they may be kept. Raises NoSuchRecord or DnsDown."""

    async def query(self, name: str, kind: Literal["SRV", "A", "AAAA"]) -> tuple[list[Record], float]: ...


class SystemDns:
    """The name servers that this machine is set up with."""

    def __init__(self) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver()
        except dns.exception.DNSException:  # no name server configured: names in the hosts file still work
            self._resolver = dns.asyncresolver.Resolver(configure=False)

    async def query(self, name: str, kind: Literal["SRV", "A", "AAAA"]) -> tuple[list[Record], float]:
        try:
            answer = await self._resolver.resolve(name, kind, lifetime=QUERY_SECONDS, search=kind != "SRV")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            raise NoSuchRecord(name) from None
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsDown(str(error)) from None
        if kind == "SRV":
            found = [Record(r.target.to_text(omit_final_dot=True), r.port, r.priority, r.weight) for r in answer]
        else:
            found = [Record(r.address) for r in answer]
        ttl = float(answer.rrset.ttl) if answer.rrset is not None else 0.0
        return found, ttl


class _Key(NamedTuple):
    host: str
    port: int | None
    transport: str


@dataclass(slots=True)
class _Entry:
    addresses: tuple[Address, ...]
    used_at: float
    timer: asyncio.TimerHandle | None = None


class Resolver:
    """Resolves, caches and renews. One for the process; ``close`` it at the end.

    Args:
        dns: asked for records; the machine's own servers by default.
        hosts: names that go before DNS, in the form of hosts(5); None for none. ``localhost`` never needs it.
    """

    def __init__(self, dns: Dns | None = None, hosts: Path | None = Path("/etc/hosts")) -> None:
        self._dns = dns or SystemDns()
        self._hosts = hosts
        self._cache: dict[_Key, _Entry] = {}
        self._asking: dict[_Key, asyncio.Task[tuple[Address, ...]]] = {}
        self._failed: dict[_Key, tuple[float, str]] = {}

    async def resolve(self, host: str, port: int | None = None, transport: str = "udp") -> Address:
        """The address to send to, at once when it is a literal or was resolved before. Raises UnresolvableName.

        Without a port SRV decides (``_sip._udp``), else 5060. The answer stays the same while DNS still gives it.
        """
        return (await self.resolve_all(host, port, transport))[0]

    async def resolve_all(self, host: str, port: int | None = None, transport: str = "udp") -> tuple[Address, ...]:
        """Every address of a host, the one to send to first. Raises UnresolvableName."""
        known = self.all_cached(host, port, transport)
        if known:
            return known
        key = _key(host, port, transport)
        if problem := self._problem(key):
            raise UnresolvableName(problem, hint=HINT)
        return await asyncio.shield(self._ask(key))

    def lookup_cached(self, host: str, port: int | None = None, transport: str = "udp") -> Address | None:
        """What ``resolve`` would give at once; None when DNS would have to be asked."""
        known = self.all_cached(host, port, transport)
        return known[0] if known else None

    def all_cached(self, host: str, port: int | None = None, transport: str = "udp") -> tuple[Address, ...]:
        """What ``resolve_all`` would give at once; empty when DNS would have to be asked."""
        literal = _literal(host)
        if literal:
            return ((literal, port or DEFAULT_PORT),)
        entry = self._cache.get(_key(host, port, transport))
        if entry is None:
            return ()
        entry.used_at = asyncio.get_running_loop().time()
        return entry.addresses

    def prime(self, host: str, port: int | None = None, transport: str = "udp") -> None:
        """Resolve in the background, so that the answer is at hand when it is needed. Never raises."""
        if not self.all_cached(host, port, transport) and not self._problem(_key(host, port, transport)):
            self._ask(_key(host, port, transport))

    async def close(self) -> None:
        """Stop renewing."""
        for entry in self._cache.values():
            if entry.timer:
                entry.timer.cancel()
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._cache.clear()

    def _problem(self, key: _Key) -> str:
        """Why this name could not be resolved a moment ago; empty when it is worth asking."""
        until, problem = self._failed.get(key, (0.0, ""))
        return problem if asyncio.get_running_loop().time() < until else ""

    # -- asking ----------------------------------------------------------------------------------------------

    def _ask(self, key: _Key) -> asyncio.Task[tuple[Address, ...]]:
        """The one question under way for this name, begun now if there is none."""
        task = self._asking.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._refresh(key))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return task

    def _asked(self, key: _Key, task: asyncio.Task[tuple[Address, ...]]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen here, so that a background failure is not reported as never retrieved

    async def _refresh(self, key: _Key) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        old = self._cache.get(key)
        try:
            addresses, ttl = await self._lookup(key, srv_may_fail=old is None)
        except (NoSuchRecord, DnsDown) as error:
            problem = f"The host {key.host} cannot be resolved ({error or 'no such name'})."
            log.warning("sip.resolver.failed", host=key.host, error=str(error), stale=old is not None)
            if old is not None:
                self._schedule(key, old, RETRY_SECONDS)
                return old.addresses
            if len(self._failed) >= MAX_NAMES:
                self._failed.clear()
            self._failed[key] = (loop.time() + FAILURE_SECONDS, problem)
            raise UnresolvableName(problem, hint=HINT) from None
        self._failed.pop(key, None)
        if old is not None and old.addresses[0] in addresses:
            # SRV weights are drawn anew each time: stay with the server that calls and registrations go to
            addresses = (old.addresses[0], *(a for a in addresses if a != old.addresses[0]))
        if old is None and len(self._cache) >= MAX_NAMES:
            return addresses
        entry = old or _Entry(addresses, loop.time())
        entry.addresses = addresses
        self._cache[key] = entry
        self._schedule(key, entry, RENEW_AT * min(max(ttl, MIN_TTL_SECONDS), MAX_TTL_SECONDS))
        return addresses

    def _schedule(self, key: _Key, entry: _Entry, delay: float) -> None:
        entry.timer = asyncio.get_running_loop().call_later(delay, self._renew, key)

    def _renew(self, key: _Key) -> None:
        entry = self._cache[key]
        if asyncio.get_running_loop().time() - entry.used_at > IDLE_SECONDS:
            del self._cache[key]
        else:
            self._ask(key)

    async def _lookup(self, key: _Key, *, srv_may_fail: bool) -> tuple[tuple[Address, ...], float]:
        hosts = await asyncio.to_thread(_read_hosts, self._hosts) if self._hosts else {}
        named = hosts.get(key.host) or (["127.0.0.1"] if key.host == "localhost" else [])
        if named:
            return tuple((address, key.port or DEFAULT_PORT) for address in named), MIN_TTL_SECONDS
        targets, ttl = [Record(key.host, key.port or DEFAULT_PORT)], MAX_TTL_SECONDS
        if key.port is None:
            try:
                records, ttl = await self._dns.query(f"_sip._{key.transport}.{key.host}", "SRV")
                targets = _in_order(records)
            except NoSuchRecord:
                pass
            except DnsDown:  # some name servers choke on SRV; but a name that had SRV must not fall back to 5060
                if not srv_may_fail:
                    raise
        addresses: list[Address] = []
        problem: NoSuchRecord | DnsDown = NoSuchRecord("no such service")
        for target in targets:
            try:
                found, found_ttl = await self._addresses(target.host)
            except (NoSuchRecord, DnsDown) as error:
                problem = error
                continue
            addresses += [(address, target.port) for address in found]
            ttl = min(ttl, found_ttl)
        if not addresses:
            raise problem
        return tuple(dict.fromkeys(addresses)), ttl

    async def _addresses(self, host: str) -> tuple[list[str], float]:
        literal = _literal(host)
        if literal:
            return [literal], MAX_TTL_SECONDS
        with contextlib.suppress(NoSuchRecord):
            records, ttl = await self._dns.query(host, "A")
            return [r.host for r in records], ttl
        records, ttl = await self._dns.query(host, "AAAA")
        return [r.host for r in records], ttl


def _key(host: str, port: int | None, transport: str) -> _Key:
    return _Key(host.lower().rstrip("."), port, transport.lower())


def _literal(host: str) -> str:
    """An IPv4 or IPv6 address (brackets removed); empty for a name."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return ""


def _in_order(records: Sequence[Record]) -> list[Record]:
    """By priority, and within one by a draw on weights (RFC 2782). A lone ``.`` means: no such service."""
    rest = [r for r in records if r.host not in ("", ".")]
    ordered: list[Record] = []
    while rest:
        best = min(r.priority for r in rest)
        group = [r for r in rest if r.priority == best]
        drawn = random.choices(group, weights=[r.weight + 0.01 for r in group])[0]
        ordered.append(drawn)
        rest.remove(drawn)
    return ordered


def _read_hosts(path: Path) -> dict[str, list[str]]:
    """hosts(5), IPv4 before IPv6; a file that cannot be read is empty."""
    found: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if _literal(address):
            for name in names:
                found.setdefault(name.lower(), []).append(_literal(address))
    return {name: sorted(addresses, key=lambda a: ":" in a) for name, addresses in found.items()}
