"""The registrar half of a trunk, for the test phone: challenges REGISTER with digest and keeps the binding."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass

from tests.support import sip_text
from tests.support.phone import Address, Phone
from tests.support.sip_text import Message


@dataclass(frozen=True, slots=True)
class Binding:
    """One accepted REGISTER; ``expires`` 0 took the binding away."""

    at: float
    contact: str
    expires: int


class Registrar:
    """Makes ``phone`` accept registrations of one user.

    Args:
        expires: seconds granted, whatever was asked.
    """

    def __init__(
        self, phone: Phone, user: str, password: str, *, realm: str = "trunk.example", expires: int = 60
    ) -> None:
        self.phone, self.user, self.password, self.realm, self.expires = phone, user, password, realm, expires
        self.bindings: list[Binding] = []
        self.refused = 0
        self._changed = asyncio.Event()
        self._nonce = secrets.token_hex(8)
        phone.handlers["REGISTER"] = self._register

    async def wait(self, count: int, timeout: float = 15.0) -> list[Binding]:
        """The first ``count`` bindings, once there are as many. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while len(self.bindings) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.bindings[:count]

    def _register(self, request: Message, source: Address) -> None:
        fields = sip_text.challenge_fields(request.get("Authorization"))
        if not fields:
            challenge = f'Digest realm="{self.realm}", nonce="{self._nonce}", algorithm=MD5, qop="auth"'
            self.phone.respond(request, source, 401, "Unauthorized", headers=(("WWW-Authenticate", challenge),))
            return
        wanted = sip_text.digest_response(fields, self.user, self.password, "REGISTER", fields["uri"])
        if (fields["username"], fields["response"], fields["nonce"]) != (self.user, wanted, self._nonce):
            self.refused += 1
            self.phone.respond(request, source, 403, "Forbidden")
            return
        contact = request.get("Contact")
        asked = re.search(r"expires=(\d+)", contact)
        seconds = int(asked.group(1) if asked else request.get("Expires", "3600"))
        granted = min(seconds, self.expires)
        now = asyncio.get_running_loop().time()
        self.bindings.append(Binding(now, sip_text.address(contact), granted))
        self._changed.set()
        headers = (("Contact", f"<{sip_text.address(contact)}>;expires={granted}"),) if granted else ()
        self.phone.respond(request, source, 200, "OK", headers=headers)
