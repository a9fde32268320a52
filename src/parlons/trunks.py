"""SIP connections at work: registered, watched and resolved, off the call path. Part of the composition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from . import logs
from .agents.connections import SipConnection
from .errors import ParlonsError
from .telephony.sip.endpoint import Endpoint
from .telephony.sip.resolver import Resolver
from .telephony.sip.trunks import TrunkConfig, TrunkMonitor, TrunkStatus
from .telephony.types import Credentials

RESOLVE_SECONDS = 3.0

log = logs.get(__name__)


class Trunks:
    """Every configured connection, with its state."""

    def __init__(self, endpoint: Endpoint, resolver: Resolver) -> None:
        self._endpoint = endpoint
        self._resolver = resolver
        self._monitor = TrunkMonitor(endpoint.request, self._resolver.resolve, self._changed)
        self._connections: dict[str, SipConnection] = {}

    async def configure(self, connections: Mapping[str, SipConnection], passwords: Mapping[str, str]) -> None:
        """Watch exactly these connections."""
        self._connections = dict(connections)
        configs = []
        for key, connection in connections.items():
            host, port = connection.host.strip("[]"), connection.port
            self._resolver.prime(host, port)
            credentials = Credentials(connection.username, passwords.get(key, "")) if connection.username else None
            configs.append(
                TrunkConfig(
                    id=key,
                    host=host,
                    port=port,
                    contact=self._endpoint.core.local(await self._address(host, port)),
                    credentials=credentials,
                    register=connection.register_,
                )
            )
        await self._monitor.apply(configs)

    async def _address(self, host: str, port: int) -> tuple[str, int]:
        """Where a host is, or some public address while it cannot be resolved: only the way there matters."""
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                return await self._resolver.resolve(host, port)
        except (TimeoutError, ParlonsError, OSError) as error:
            log.warning("sip_connection_unresolved", host=host, error=str(error))
            return ("192.0.2.1", port)  # RFC 5737: never reached, but routed like any other

    def addresses(self) -> dict[str, list[str]]:
        """The addresses each connection's host was last seen at; none while it cannot be resolved."""
        return {
            key: [address[0] for address in self._resolver.all_cached(c.host.strip("[]"), c.port)]
            for key, c in self._connections.items()
        }

    def statuses(self) -> Iterable[TrunkStatus]:
        """How each stands."""
        return self._monitor.statuses()

    def up(self) -> dict[str, bool | None]:
        """Whether each connection is up; None for one that was asked nothing yet."""
        return {status.id: status.up if status.known else None for status in self._monitor.statuses()}

    def gauges(self) -> dict[str, float]:
        """Connections configured, and those known to be down."""
        statuses = self._monitor.statuses()
        return {"configured": len(statuses), "down": sum(not s.up for s in statuses)}

    async def stop(self) -> None:
        """Un-register and stop watching."""
        await self._monitor.stop()

    @staticmethod
    def _changed(status: TrunkStatus) -> None:
        write = log.info if status.up else log.warning
        write(
            "sip_connection",
            connection=status.id,
            registered=status.registered,
            reachable=status.reachable,
            error=status.last_error,
        )
