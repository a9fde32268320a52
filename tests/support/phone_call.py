"""One call of the test phone, placed or taken: dialog state, session descriptions, every request a peer may send.

Shares no code with Parlons.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable
from typing import Self

from tests.support import sip_text
from tests.support.phone import Address, Logged, Phone
from tests.support.phone_rtp import EVENT, PAYLOAD_TYPE, STATIC, RtpEnd
from tests.support.sip_text import Message

Headers = tuple[tuple[str, str], ...]
ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY")


def describe(
    port: int,
    codecs: tuple[str, ...],
    *,
    direction: str = "sendrecv",
    version: int = 1,
    event_type: int | None = EVENT,
    host: str = "127.0.0.1",
    extra: str = "",
) -> str:
    """A session description for loopback, by hand."""
    types = [str(PAYLOAD_TYPE[c]) for c in codecs] + ([str(event_type)] if event_type else [])
    lines = [
        "v=0",
        f"o=- 4711 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(types)}",
        *(f"a=rtpmap:{PAYLOAD_TYPE[c]} {c}/8000" for c in codecs),
        *([f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"] if event_type else []),
        "a=ptime:20",
        f"a={direction}",
    ]
    return "\r\n".join(lines) + "\r\n" + extra


class Call:
    """One dialog and its audio.

    Args:
        target: the Request-URI.
        codecs: offered or accepted, best first.
        dtmf: offer telephone-event.
        to, from_, headers: to write other header values than the usual ones.
        next_hop: where datagrams go; the target's host and port when not given.
    """

    def __init__(
        self,
        phone: Phone,
        target: str,
        *,
        codecs: tuple[str, ...] = ("PCMA",),
        dtmf: bool = True,
        to: str = "",
        from_: str = "",
        headers: Headers = (),
        next_hop: Address | None = None,
    ) -> None:
        self.phone = phone
        self.target = target
        self.codecs = codecs
        self.dtmf = dtmf
        self.headers = headers
        self.id = f"{secrets.token_hex(10)}@127.0.0.1"
        self.local = f"{from_ or f'<{phone.uri}>'};tag={secrets.token_hex(6)}"
        self.remote = to or f"<{target}>"
        self.next_hop = next_hop or sip_text.host_port(target)
        self.routes: list[str] = []
        self.cseq = 0
        self.rtp = RtpEnd()
        self.responses: list[Logged] = []
        self.requests: list[Logged] = []
        self.info_digits: list[str] = []
        self.hook: Callable[[Message, Address], bool] | None = None
        """Sees each request of the call first; True keeps the phone from answering it."""
        self.deaf_to: Callable[[Message], bool] | None = None
        """Sees each response first; True loses it, as a bad network would."""
        self.sent = asyncio.Event()
        self.heard_back = asyncio.Event()
        self.ended = asyncio.Event()
        self.ended_by = ""
        self.ended_at = 0.0
        self.up = asyncio.Event()
        self.up_at = 0.0
        self.invite_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._invite: Message | None = None
        self._invite_from: Address = ("", 0)
        self._acked: dict[int, Message] = {}
        self._ack_body = ""
        self._acknowledged = asyncio.Event()
        self._version = 0
        self._offered = False
        self._inbound = False
        phone.calls[self.id] = self

    # -- placing -------------------------------------------------------------------------------------------
    async def invite(self, *, sdp: str | None = None, late: bool = False, timeout: float = 32.0) -> Message:
        """Send the INVITE and wait for the final response; a 200 is ACKed and the audio started.

        ``late`` leaves the offer to the other side. A challenge is answered once when the phone has credentials.
        """
        if not self.rtp.port:
            await self.rtp.open(self.phone.rtp_ports, self.phone.host)
        self._offered = not late
        body = "" if late else sdp if sdp is not None else self.description()
        self.invite_at = self._loop.time()
        return await self.request("INVITE", body=body, headers=self.headers, timeout=timeout)

    async def invite_by_hand(self) -> Message:
        """An INVITE with our offer, for the caller to send (and repeat, and bend) itself; a 200 to it is ACKed."""
        await self.rtp.open(self.phone.rtp_ports, self.phone.host)
        self._offered = True
        self._invite = self.make("INVITE", body=self.description(), headers=self.headers)
        return self._invite

    async def request(
        self,
        method: str,
        *,
        body: str = "",
        kind: str = "application/sdp",
        headers: Headers = (),
        timeout: float = 32.0,
    ) -> Message:
        """A request in the call, repeated when lost; the final response. A 401 or 407 is answered once."""
        request = self.make(method, body=body, kind=kind, headers=headers)
        if method == "INVITE":
            self._invite = request
        self._loop.call_soon(self.sent.set)
        response = await self.phone.transact(request, self.next_hop, timeout=timeout)
        if response.code in (401, 407) and self.phone.credentials is not None:
            plain = response.code == 401
            challenge = response.get("WWW-Authenticate" if plain else "Proxy-Authenticate")
            proof = sip_text.authorization(challenge, *self.phone.credentials, method, request.uri)
            name = "Authorization" if plain else "Proxy-Authorization"
            request = self.make(method, body=body, kind=kind, headers=(*headers, (name, proof)))
            if method == "INVITE":
                self._invite = request
            response = await self.phone.transact(request, self.next_hop, timeout=timeout)
        return response

    def make(self, method: str, *, body: str = "", kind: str = "application/sdp", headers: Headers = ()) -> Message:
        """The next request of the dialog, not sent."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        message = Message(
            f"{method} {self.target} SIP/2.0",
            [
                ("Via", self.phone.via()),
                ("Max-Forwards", "70"),
                *(("Route", route) for route in self.routes),
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.id),
                ("CSeq", f"{self.cseq} {method}"),
                ("Contact", f"<{self.phone.contact_uri}>"),
                ALLOW,
                *headers,
            ],
            body,
        )
        if body:
            message.headers.append(("Content-Type", kind))
        return message

    def description(self, direction: str = "sendrecv") -> str:
        """Our next session description."""
        self._version += 1
        event = self.rtp.event_type if self.dtmf else None
        return describe(
            self.rtp.port,
            self.codecs,
            direction=direction,
            version=self._version,
            event_type=event,
            host=self.phone.host,
        )

    def on_response(self, response: Message) -> None:
        """A response in this call: the dialog is learnt from it, a 2xx to an INVITE is ACKed every time it comes."""
        self.responses.append(Logged(self._loop.time(), True, response))
        self.heard_back.set()
        if self.deaf_to is not None and self.deaf_to(response):
            return
        if response.cseq_method != "INVITE" or response.code <= 100:
            return
        if 180 <= response.code < 200 and response.body:
            self._remote_description(response.body)
        if response.code < 200 or response.code >= 300:
            return
        known = self._acked.get(response.cseq)
        if known is None:
            self.remote = response.get("To")
            self.target = sip_text.address(response.get("Contact")) or self.target
            self.routes = list(reversed(response.all("Record-Route")))
            if response.body:
                self._remote_description(response.body)
            body = "" if self._offered else self.description()
            known = self.make("ACK", body=body)
            known.headers = [(n, f"{response.cseq} ACK" if n == "CSeq" else v) for n, v in known.headers]
            self._acked[response.cseq] = known
            if not self.up.is_set():
                self.up_at = self._loop.time()
                self.up.set()
        self.phone.send(known, self.next_hop)

    def _remote_description(self, body: str) -> None:
        """Learn where to send, and which codec the other side put first."""
        host = re.search(r"^c=IN IP4 (\S+)", body, re.M)
        media = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", body, re.M)
        if host is None or media is None:
            raise AssertionError(f"not a description a phone can use: {body!r}")
        self.rtp.remote = (host.group(1), int(media.group(1)))
        named = [STATIC[int(t)] for t in media.group(2).split() if int(t) in STATIC]
        self.rtp.codec = next((c for c in named if c in self.codecs), self.rtp.codec)
        event = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", body, re.M)
        self.rtp.event_type = int(event.group(1)) if event else None
        self.rtp.start()

    # -- taking --------------------------------------------------------------------------------------------
    @classmethod
    def incoming(cls, phone: Phone, invite: Message, source: Address) -> Self:
        """The call that an INVITE just opened."""
        target = sip_text.address(invite.get("Contact")) or f"sip:{source[0]}:{source[1]}"
        call = cls(phone, target, codecs=("PCMA", "PCMU", "G722"), next_hop=source)
        del phone.calls[call.id]
        call.id = invite.get("Call-ID")
        call.local = f"{invite.get('To')};tag={secrets.token_hex(6)}"
        call.remote = invite.get("From")
        call._invite, call._invite_from, call._inbound = invite, source, True
        call.invite_at = call._loop.time()
        call.requests.append(Logged(call.invite_at, True, invite))
        phone.calls[call.id] = call
        return call

    @property
    def invitation(self) -> Message:
        """The INVITE that opened the call, or the last one sent."""
        if self._invite is None:
            raise AssertionError("no INVITE yet")
        return self._invite

    def reply(self, code: int, reason: str, *, body: str = "", headers: Headers = ()) -> bytes:
        """Answer the INVITE that opened the call."""
        tag = self.local.rpartition("tag=")[2]
        mine = (("Contact", f"<{self.phone.contact_uri}>"), ALLOW, *headers)
        return self.phone.respond(self.invitation, self._invite_from, code, reason, headers=mine, body=body, tag=tag)

    def ring(self) -> None:
        self.reply(180, "Ringing")

    async def answer(self) -> None:
        """200 with our answer, repeated until the ACK comes. Raises TimeoutError when none does."""
        await self.rtp.open(self.phone.rtp_ports, self.phone.host)
        if self.invitation.body:
            self._remote_description(self.invitation.body)
            self.codecs = (self.rtp.codec,)
        sent = self.reply(200, "OK", body=self.description())
        interval = 0.5
        async with asyncio.timeout(32):
            while not self._acknowledged.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._acknowledged.wait(), interval)
                    break
                self.phone.send(sent, self._invite_from)
                interval = min(2 * interval, 4.0)

    def on_request(self, request: Message, source: Address) -> None:
        """A request in this call."""
        if self._inbound and request.method == "INVITE" and request.branch == self.invitation.branch:
            return  # a repetition; the phone has not made up its mind
        self.requests.append(Logged(self._loop.time(), True, request))
        if self.hook is not None and self.hook(request, source):
            return
        ours = (("Contact", f"<{self.phone.contact_uri}>"), ALLOW)
        match request.method:
            case "ACK":
                if request.body:
                    self._remote_description(request.body)
                self._up()
            case "BYE":
                self.phone.respond(request, source, 200, "OK")
                self._end("peer")
            case "CANCEL":
                self.phone.respond(request, source, 200, "OK")
                self.reply(487, "Request Terminated")
                self._end("peer")
            case "INVITE" | "UPDATE":
                if request.body:
                    self._remote_description(request.body)
                self.phone.respond(request, source, 200, "OK", headers=ours, body=self.description())
            case "INFO":
                signal = re.search(r"Signal\s*=\s*([0-9A-D*#])", request.body)
                if signal:
                    self.info_digits.append(signal.group(1))
                self.phone.respond(request, source, 200, "OK")
            case _:
                self.phone.respond(request, source, 200, "OK", headers=ours)

    def _up(self) -> None:
        self._acknowledged.set()
        if not self.up.is_set():
            self.up_at = self._loop.time()
            self.up.set()

    # -- during the call -----------------------------------------------------------------------------------
    async def hold(self, direction: str = "sendonly") -> Message:
        """re-INVITE with another direction (``sendrecv`` takes the other side back)."""
        self._offered = True
        return await self.request("INVITE", body=self.description(direction))

    async def update(self, *, sdp: str | None = None) -> Message:
        return await self.request("UPDATE", body=sdp or "")

    async def press_info(self, digit: str) -> Message:
        """One digit by SIP INFO."""
        return await self.request("INFO", body=f"Signal={digit}\r\nDuration=100\r\n", kind="application/dtmf-relay")

    # -- ending --------------------------------------------------------------------------------------------
    async def cancel(self) -> Message:
        """CANCEL the INVITE under way; the response to the CANCEL."""
        invite = self.invitation
        kept = [(n, v) for n, v in invite.headers if n in ("Via", "From", "To", "Call-ID", "Max-Forwards", "Route")]
        message = Message(f"CANCEL {invite.uri} SIP/2.0", [*kept, ("CSeq", f"{invite.cseq} CANCEL")])
        return await self.phone.transact(message, self.next_hop)

    async def bye(self, headers: Headers = ()) -> Message:
        response = await self.request("BYE", headers=headers)
        self._end("us")
        return response

    async def wait_end(self, timeout: float = 20.0) -> str:
        """Wait for the end; who ended it. Raises TimeoutError."""
        await asyncio.wait_for(self.ended.wait(), timeout)
        return self.ended_by

    async def leave(self) -> None:
        """End it whatever its state, quickly."""
        if self.up.is_set() and not self.ended.is_set():
            await asyncio.wait_for(self.bye(), 2)
        self.rtp.close()

    def _end(self, who: str) -> None:
        if not self.ended.is_set():
            self.ended_by, self.ended_at = who, self._loop.time()
            self.ended.set()
            self.rtp.muted = True

    def codes(self) -> list[int]:
        """Status codes received, in order."""
        return [entry.message.code for entry in self.responses]
