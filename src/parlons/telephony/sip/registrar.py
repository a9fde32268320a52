"""Registrar client (RFC 3261 section 10): keeps one connection's Contact bound at its registrar.

Given a way to send a request and get its final answer; knows no endpoint, no agent and no other connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosipua.message import SipRequest, SipResponse
from aiosipua.utils import bracket_ipv6, format_addr, generate_call_id, generate_tag

from parlons.errors import IllegalMove, ParlonsError
from parlons.telephony.types import Credentials

from . import digest
from .headers import parse_name_addr, split_outside_quotes

Send = Callable[[SipRequest, tuple[str, int]], Awaitable[SipResponse]]
"""Sends a request (adding Via) to an address and gives the final answer; raises TimeoutError or a ParlonsError."""

Resolve = Callable[[str, "int | None"], Awaitable[tuple[str, int]]]
"""Gives the address of a host and port; ``Resolver.resolve`` is one."""

RENEW_AT = 0.8
"""Share of the granted time after which a binding is renewed."""
FIRST_RETRY_SECONDS = 2.0
MAX_RETRY_SECONDS = 300.0
REFUSED_FOR_GOOD = frozenset({401, 403, 404, 407, 410, 604})
"""Answers that trying again soon does not change: straight to the longest pause, lest the registrar locks us out."""
MAX_EXPIRES_SECONDS = 86_400
MIN_RENEW_SECONDS = 1.0
UNREGISTER_SECONDS = 4.0
"""How long ``stop`` waits for the registrar."""


class RegistrationState(enum.StrEnum):
    """Where a registration is."""

    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"


_S = RegistrationState
_MOVES: dict[RegistrationState, frozenset[RegistrationState]] = {
    _S.UNREGISTERED: frozenset({_S.REGISTERING}),
    _S.REGISTERING: frozenset({_S.REGISTERED, _S.FAILED, _S.UNREGISTERED}),
    _S.REGISTERED: frozenset({_S.FAILED, _S.UNREGISTERED}),
    _S.FAILED: frozenset({_S.REGISTERING, _S.UNREGISTERED}),
}


@dataclass(frozen=True, slots=True)
class RegistrarConfig:
    """One registration.

    Args:
        host, port: the registrar; without a port it is found by SRV.
        credentials: whose user part is also the address-of-record's unless ``user`` says otherwise.
        contact: our (public address, port), bound at the registrar.
        expires_seconds: asked for; what is granted counts.
    """

    host: str
    port: int | None
    credentials: Credentials
    contact: tuple[str, int]
    user: str = ""
    expires_seconds: int = 300


class Registrar:
    """Registers, renews at 80 %, backs off on failure, un-registers on ``stop``.

    While a binding that cannot be renewed still lasts the state stays ``registered`` (calls do come in) and
    ``last_error`` says what is wrong. ``on_change`` is called on the loop after each change of either; it may not
    block or raise.
    """

    def __init__(
        self,
        config: RegistrarConfig,
        send: Send,
        resolve: Resolve,
        on_change: Callable[[Registrar], None] | None = None,
    ) -> None:
        self.config = config
        self.state = RegistrationState.UNREGISTERED
        self.last_error = ""
        self._send, self._resolve, self._on_change = send, resolve, on_change
        self._user = config.user or config.credentials.username
        self._contact_uri = f"sip:{self._user}@{format_addr(*config.contact)}"
        self._call_id = generate_call_id(bracket_ipv6(config.contact[0]))
        self._tag = generate_tag()
        self._sequence = 0
        self._expires = config.expires_seconds
        self._bound_until = 0.0
        self._may_be_bound = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to register. Idempotent."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_registered())

    async def stop(self) -> None:
        """Stop renewing and remove our binding, waiting at most 4 s for the registrar. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._may_be_bound:
            self._may_be_bound = False
            # best effort: a registrar that does not answer forgets us when the binding expires
            with contextlib.suppress(TimeoutError, ParlonsError, OSError):
                async with asyncio.timeout(UNREGISTER_SECONDS):
                    await self._register(0)
        if self.state is not RegistrationState.UNREGISTERED:
            self._move(RegistrationState.UNREGISTERED)

    # -- the loop --------------------------------------------------------------------------------------------

    async def _keep_registered(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            if self.state is not RegistrationState.REGISTERED:
                self._move(RegistrationState.REGISTERING)
            code, retry_after, error = await self._attempt()
            if not error:
                failures = 0
                granted = self._bound_until - loop.time()
                if self.state is RegistrationState.REGISTERING:
                    self._move(RegistrationState.REGISTERED)
                elif self.last_error:
                    self._note("")
                await asyncio.sleep(max(MIN_RENEW_SECONDS, granted * RENEW_AT))
                continue
            failures += 1
            pause = max(self._pause(failures, code), min(retry_after, MAX_RETRY_SECONDS))
            remaining = self._bound_until - loop.time()
            if self.state is RegistrationState.REGISTERED and remaining > 0:
                self._note(error)
                if pause >= remaining:
                    await asyncio.sleep(remaining)
                    pause -= remaining
                    self._move(RegistrationState.FAILED, error)
            else:
                self._move(RegistrationState.FAILED, error)
            await asyncio.sleep(pause)

    @staticmethod
    def _pause(failures: int, code: int) -> float:
        """Seconds before trying again: doubling from 2 s to 5 min, less up to a quarter so that trunks do not march."""
        if code in REFUSED_FOR_GOOD:
            longest = MAX_RETRY_SECONDS
        else:
            longest = min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
        return longest * random.uniform(0.75, 1.0)

    async def _attempt(self) -> tuple[int, float, str]:
        """Register once: (final code, Retry-After, what went wrong or empty)."""
        loop = asyncio.get_running_loop()
        self._may_be_bound = True
        try:
            response = await self._register(self._expires)
        except TimeoutError:
            return 408, 0, "the registrar does not answer"
        except (ParlonsError, OSError) as error:
            return 0, 0, str(error)
        if not 200 <= response.status_code < 300:
            return response.status_code, _retry_after(response), _said(response)
        granted = self._granted(response)
        if granted <= 0:
            return response.status_code, 0, "the registrar granted no time"
        self._bound_until = loop.time() + granted
        return response.status_code, 0, ""

    async def _register(self, expires: int) -> SipResponse:
        """One REGISTER, its challenges and a 423 answered by sending it anew; the final answer."""
        address = await self._resolve(self.config.host, self.config.port)
        request = self._request(expires)
        challenges = 0
        lengthened = False
        while True:
            response = await self._send(self._numbered(request), address)
            request = self._copy(request)
            if response.status_code in (401, 407) and challenges < 3:
                challenges += 1
                if not digest.answer(response, request, self.config.credentials):
                    return response
            elif response.status_code == 423 and not lengthened and expires:
                lengthened = True
                shortest = _seconds(response.headers.get_first("min-expires"))
                if not expires < shortest <= MAX_EXPIRES_SECONDS:
                    return response
                self._expires = shortest
                request.headers.set_single("Expires", str(shortest))
            else:
                return response

    def _request(self, expires: int) -> SipRequest:
        # IPv6 literals come with or without brackets
        host = self.config.host if self.config.host.startswith("[") else bracket_ipv6(self.config.host)
        request = SipRequest(method="REGISTER", uri=f"sip:{host}")
        aor = f"<sip:{self._user}@{host}>"
        for name, value in (
            ("Max-Forwards", "70"),
            ("From", f"{aor};tag={self._tag}"),
            ("To", aor),
            ("Call-ID", self._call_id),
            ("Contact", f"<{self._contact_uri}>"),
            ("Expires", str(expires)),
        ):
            request.headers.set_single(name, value)
        return request

    @staticmethod
    def _copy(request: SipRequest) -> SipRequest:
        """The same request for a transaction of its own: whoever sends it adds its Via."""
        fresh = SipRequest(method=request.method, uri=request.uri, headers=request.headers.copy())
        fresh.headers.remove("Via")
        return fresh

    def _numbered(self, request: SipRequest) -> SipRequest:
        self._sequence += 1
        request.headers.set_single("CSeq", f"{self._sequence} REGISTER")
        return request

    def _granted(self, response: SipResponse) -> float:
        """Seconds granted to **our** Contact; the list holds everybody's (RFC 3261 section 10.3)."""
        overall = response.headers.get_first("expires")
        for value in response.headers.get("contact"):
            for part in split_outside_quotes(value, ","):
                contact = parse_name_addr(part)
                if contact and _same_contact(contact.uri, self._contact_uri):
                    own = contact.params.get("expires", overall)
                    return _seconds(own) if own is not None else self._expires
        # a registrar behind a border controller may list us under an address we never see
        return _seconds(overall) if overall is not None else self._expires

    # -- state -----------------------------------------------------------------------------------------------

    def _move(self, state: RegistrationState, error: str = "") -> None:
        if state not in _MOVES[self.state]:
            raise IllegalMove(f"A registration cannot go from {self.state} to {state}.")
        self.state = state
        # while trying again, what went wrong before is still the last error
        self._note(self.last_error if state is RegistrationState.REGISTERING else error)

    def _note(self, error: str) -> None:
        self.last_error = error
        if self._on_change:
            self._on_change(self)


def _same_contact(a: str, b: str) -> bool:
    """Whether two Contacts are one binding: user, host and port; registrars add and drop parameters."""

    def essence(uri: str) -> tuple[str, str]:
        user, _, host = uri.partition(":")[2].rpartition("@")
        return user, re.split("[;?]", host, maxsplit=1)[0].lower().removesuffix(":5060")

    return essence(a) == essence(b)


def _seconds(value: str | None) -> int:
    """A delta-seconds, at most a day; 0 when it is none."""
    match = re.match("[0-9]{1,10}", (value or "").strip())
    return min(int(match[0]), MAX_EXPIRES_SECONDS) if match else 0


def _retry_after(response: SipResponse) -> float:
    return float(_seconds(response.headers.get_first("retry-after")))


def _said(response: SipResponse) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()
