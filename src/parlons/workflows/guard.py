"""Where outgoing HTTP may go: an address is checked after its name is resolved, and that very address is connected to.

So a name that changes between the check and the connection changes nothing. TLS still verifies the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpcore
import httpx

from .failures import AddressRefused, ConnectFailed, NameNotFound, RequestInvalid

DNS_SECONDS = 3.0
MAX_ADDRESSES = 4
"""Addresses of one name that are tried."""
NEXT_ADDRESS_AFTER_SECONDS = 2.0
"""How long an address that is not the last may take to connect."""
MAX_URL = 8_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) to IP addresses, best first."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
"""Special purposes that some versions of Python do not know."""
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)$")


def refusal(address: Address) -> str | None:
    """Why an address may not be reached, or None.

    Only globally reachable unicast addresses may (IANA special-purpose registries, RFC 6890). An IPv4 address inside
    an IPv6 one (mapped, compatible, translated, 6to4, Teredo, NAT64) counts as what it holds.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None or address in _NAT64_LOCAL or address.is_site_local:
            return "private"
        inner = _inside(address)
        if inner is not None:
            return refusal(inner)
    for kind, is_so in (
        ("unspecified", address.is_unspecified),
        ("loopback", address.is_loopback),
        ("link-local", address.is_link_local),
        ("multicast", address.is_multicast),
        ("private", address.is_private or not address.is_global),
        ("reserved", address.is_reserved or any(address in network for network in _NOT_GLOBAL)),
        ("reserved", address.version == 6 and address not in _GLOBAL_UNICAST),
    ):
        if is_so:
            return kind
    return None


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def check_url(text: str) -> httpx.URL:
    """Read a URL that may be asked for.

    Raises:
        RequestInvalid: not ``http`` or ``https``, no host, a user and password inside, or a host that is a number
            written in another form than ``1.2.3.4`` (decimal, octal, hexadecimal).
    """
    stripped = text.strip()
    if len(stripped) > MAX_URL:
        raise RequestInvalid(f"the URL has more than {MAX_URL} characters.")
    if re.search(r"[\x00-\x1f\x7f\\]", stripped):
        raise RequestInvalid("the URL holds a control character or a backslash.", hint="Use the url_encode filter.")
    try:
        url = httpx.URL(stripped)
        host = url.raw_host.decode("ascii").rstrip(".").lower()
        port = url.port
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise RequestInvalid("the URL does not parse.", hint="Write it as https://host/path.") from error
    if url.scheme not in ("http", "https") or not host:
        raise RequestInvalid("the URL is not of http or https.", hint="Write it as https://host/path.")
    if url.userinfo:
        raise RequestInvalid(
            "the URL holds a user name or a password.",
            hint="Send them in the Authorization header, from a secret.",
        )
    if port is not None and not 0 < port < 65_536:
        raise RequestInvalid("the URL's port is not a port.")
    if ":" in host:  # an IPv6 address: the library has read it
        return url
    if not _NAME.fullmatch(host):
        raise RequestInvalid("the URL's host is not a name.")
    if _ENDS_IN_NUMBER.search(host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError as error:
            raise RequestInvalid("the URL's host is a number, not a name or an address.") from error
    return url


_resolving = ThreadPoolExecutor(max_workers=8, thread_name_prefix="workflow-dns")
"""Its own threads: name service that hangs must not hold up the rendering of templates."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The system's own answer (files, DNS), in a thread."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_resolving, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Guard(httpcore.AsyncNetworkBackend):
    """Opens connections for the HTTP pool, only to addresses that may be reached.

    Args:
        allow_private: asked at each connection, so that a changed setting counts at once.
    """

    def __init__(
        self,
        allow_private: Callable[[], bool],
        resolver: Resolver = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers.

        Raises:
            NameNotFound, AddressRefused, ConnectFailed: nothing was sent.
        """
        addresses = await self.addresses(host, port)
        for index, address in enumerate(addresses):
            last = index == len(addresses) - 1
            limit = timeout if last else min(NEXT_ADDRESS_AFTER_SECONDS, timeout or NEXT_ADDRESS_AFTER_SECONDS)
            try:
                return await self._network.connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError) as error:
                if last:
                    raise ConnectFailed(
                        f"no connection to {host} port {port}.", hint="Check that the service is up and reachable."
                    ) from error
        raise NameNotFound(f"{host} has no address.")

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be reached, at most :data:`MAX_ADDRESSES`.

        Raises:
            NameNotFound: the name has none, or the answer took more than :data:`DNS_SECONDS`.
            AddressRefused: it has, and none may be reached.
        """
        try:
            async with asyncio.timeout(DNS_SECONDS):
                found = await self._resolver(host, port)
            parsed = [ipaddress.ip_address(address) for address in found]
        except TimeoutError as error:
            raise NameNotFound(f"the name service did not find {host} in {DNS_SECONDS:g} s.") from error
        except (OSError, ValueError, UnicodeError) as error:
            raise NameNotFound(f"{host} is not a name that exists.", hint="Check the URL.") from error
        if not parsed:
            raise NameNotFound(f"{host} has no address.", hint="Check the URL.")
        if self._allow_private():
            return [str(address) for address in parsed[:MAX_ADDRESSES]]
        allowed = [str(address) for address in parsed if refusal(address) is None]
        if not allowed:
            raise AddressRefused(
                f"{host} is at a {refusal(parsed[0])} address, which may not be reached.",
                hint="An operator can allow it with the setting allow_private_addresses.",
            )
        return allowed[:MAX_ADDRESSES]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def tls_context() -> ssl.SSLContext:
    """Verifies certificates and names; authorities of ``SSL_CERT_FILE`` when the operator set it."""
    return httpx.create_ssl_context()
