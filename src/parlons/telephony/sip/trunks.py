"""How each SIP connection stands: registered, reachable, last error.

Given a way to send requests and to resolve names; plain data in, call-backs out. Knows no agent and no call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from aiosipua.message import SipRequest
from aiosipua.utils import bracket_ipv6, format_addr, generate_call_id, generate_tag

from parlons.errors import ParlonsError
from parlons.telephony.types import Credentials

from .registrar import Registrar, RegistrarConfig, RegistrationState, Resolve, Send

OPTIONS_SECONDS = 30.0
"""Between two OPTIONS to the same connection."""
ANSWER_SECONDS = 10.0
"""How long an OPTIONS may go unanswered: four repeats of it."""
NOT_REACHABLE = frozenset({408, 503})
"""Final answers that mean nobody is there: made up by a transaction that timed out, or by an edge in front."""


@dataclass(frozen=True, slots=True)
class TrunkConfig:
    """What the monitor needs of one SIP connection.

    Args:
        id: the connection's.
        host, port: where its requests go; no port: SRV decides.
        credentials: for REGISTER, which needs them. An OPTIONS that is challenged has shown what it was sent for.
        register: whether to keep our Contact bound there.
        contact: our (public address, port).
    """

    id: str
    host: str
    port: int | None
    contact: tuple[str, int]
    credentials: Credentials | None = None
    register: bool = False
    expires_seconds: int = 300


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """How a connection stands. ``registered`` is None when it does not register, ``reachable`` until it was asked."""

    id: str
    registered: bool | None = None
    reachable: bool | None = None
    last_error: str = ""
    since: float = 0.0
    """Loop time of the last change of ``registered`` or ``reachable``."""
    answers_options: bool = False
    """Whether it ever answered an OPTIONS."""

    @property
    def up(self) -> bool:
        """Whether calls can be expected to pass: nothing that is known says otherwise.

        An OPTIONS without an answer says nothing about a registrar that grants registrations and never answers one.
        """
        if self.registered and not self.answers_options:
            return True
        return self.registered is not False and self.reachable is not False

    @property
    def known(self) -> bool:
        """Whether it was asked anything yet."""
        return self.reachable is not None


class TrunkMonitor:
    """Keeps every configured connection registered and watched.

    ``on_change`` gets the new status on the loop after each change; it may not block or raise.
    """

    def __init__(self, send: Send, resolve: Resolve, on_change: Callable[[TrunkStatus], None] | None = None) -> None:
        self._send, self._resolve, self._on_change = send, resolve, on_change
        self._trunks: dict[str, _Trunk] = {}

    async def apply(self, configs: Iterable[TrunkConfig]) -> None:
        """Watch exactly these: new ones begin, changed ones begin again, others un-register and go."""
        wanted = {config.id: config for config in configs}
        gone = [t for t in self._trunks.values() if wanted.get(t.config.id) != t.config]
        for trunk in gone:
            del self._trunks[trunk.config.id]
        await asyncio.gather(*(trunk.stop() for trunk in gone))
        for config in wanted.values():
            if config.id not in self._trunks:
                trunk = _Trunk(config, self._send, self._resolve, self._on_change)
                self._trunks[config.id] = trunk
                trunk.start()

    def status(self, trunk_id: str) -> TrunkStatus:
        """How one connection stands. Raises KeyError when it is not watched."""
        return self._trunks[trunk_id].status

    def statuses(self) -> list[TrunkStatus]:
        """How all stand, in the order they were configured."""
        return [trunk.status for trunk in self._trunks.values()]

    async def stop(self) -> None:
        """Un-register all and stop watching."""
        await self.apply([])


class _Trunk:
    """One connection: its registrar client and its OPTIONS."""

    def __init__(
        self, config: TrunkConfig, send: Send, resolve: Resolve, on_change: Callable[[TrunkStatus], None] | None
    ) -> None:
        self.config = config
        self._send, self._resolve, self._on_change = send, resolve, on_change
        self._probe: asyncio.Task[None] | None = None
        self._probe_error = ""
        self._call_id = generate_call_id(bracket_ipv6(config.contact[0]))
        self._sequence = 0
        self._registrar: Registrar | None = None
        if config.register and config.credentials:
            wanted = RegistrarConfig(
                config.host, config.port, config.credentials, config.contact, expires_seconds=config.expires_seconds
            )
            self._registrar = Registrar(wanted, send, resolve, self._registration_changed)
        self.status = TrunkStatus(config.id, registered=False if self._registrar else None)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.status = replace(self.status, since=loop.time())
        if self._registrar:
            self._registrar.start()
        self._probe = loop.create_task(self._watch())

    async def stop(self) -> None:
        self._on_change = None  # whoever removed the connection is not told how it went
        if self._probe:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        if self._registrar:
            await self._registrar.stop()

    async def _watch(self) -> None:
        while True:
            self._probe_error = await self._ask()
            self._changed(reachable=not self._probe_error)
            await asyncio.sleep(OPTIONS_SECONDS)

    async def _ask(self) -> str:
        """One OPTIONS (RFC 3261 section 11): what went wrong, or empty."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                address = await self._resolve(self.config.host, self.config.port)
                response = await self._send(self._options(), address)
        except TimeoutError:
            return "no answer to OPTIONS"
        except (ParlonsError, OSError) as error:
            return str(error)
        if response.status_code in NOT_REACHABLE:
            return f"OPTIONS: {response.status_code} {response.reason_phrase}".strip()
        return ""

    def _options(self) -> SipRequest:
        host = self.config.host if self.config.host.startswith("[") else bracket_ipv6(self.config.host)
        user = self.config.credentials.username if self.config.credentials else "parlons"
        here = format_addr(*self.config.contact)
        self._sequence += 1
        request = SipRequest(method="OPTIONS", uri=f"sip:{host}")
        for name, value in (
            ("Max-Forwards", "70"),
            ("From", f"<sip:{user}@{here}>;tag={generate_tag()}"),
            ("To", f"<sip:{host}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} OPTIONS"),
            ("Contact", f"<sip:{user}@{here}>"),
            ("Accept", "application/sdp"),
        ):
            request.headers.set_single(name, value)
        return request

    def _registration_changed(self, registrar: Registrar) -> None:
        self._changed(registered=registrar.state is RegistrationState.REGISTERED)

    def _changed(self, *, registered: bool | None = None, reachable: bool | None = None) -> None:
        old = self.status
        new = replace(
            old,
            registered=old.registered if registered is None else registered,
            reachable=old.reachable if reachable is None else reachable,
            answers_options=old.answers_options or reachable is True,
            last_error=(self._registrar.last_error if self._registrar else "") or self._probe_error,
        )
        if (new.registered, new.reachable) != (old.registered, old.reachable):
            new = replace(new, since=asyncio.get_running_loop().time())
        if new != old:
            self.status = new
            if self._on_change:
                self._on_change(new)
