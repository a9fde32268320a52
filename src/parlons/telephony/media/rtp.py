"""One RTP leg: ``telephony.types.MediaSession`` for the signalling half, ``AudioPort`` for the conversation.

Knows session descriptions and packets; no SIP message and no agent. Driven by the engine's clock, 20 ms at a time:
at every tick one frame is received (decoded, concealed or silence) and one is sent. What is sent always lasts 20 ms a
packet, whatever ``ptime`` the peer would like; received packets may have any length.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from parlons.telephony.media import sdp
from parlons.telephony.media.codecs import FRAME_OCTETS, G711, Codec, make_codec
from parlons.telephony.media.dtmf import PressFilter
from parlons.telephony.media.keypad import DtmfMode, Keypad, Override, SendInfo
from parlons.telephony.media.ports import Address, Datagrams
from parlons.telephony.media.receive import Inbound
from parlons.telephony.media.reports import MediaStats, Reporter
from parlons.telephony.media.send import Outbound
from parlons.telephony.types import AudioSink, AudioSource, AudioTap

_REPORT_EVERY_TICKS = 250


class Ticker(Protocol):
    """The clock that drives the legs."""

    def now(self) -> float:
        """The loop's time."""
        ...

    def until_tick(self) -> float:
        """Seconds to the next tick."""
        ...

    def join(self, media: RtpMedia) -> None:
        """Tick this leg from now on. Idempotent."""
        ...

    def leave(self, media: RtpMedia) -> None:
        """The leg closed: never tick it again and give its ports back."""
        ...


class RtpMedia:
    """Made by ``MediaEngine.open``.

    ``source``, ``sink``, ``tap`` and ``on_dtmf`` may be set and changed at any time. ``sink`` is called at every tick
    from ``start`` on. ``source`` is pulled only for a frame that is really sent: not while the peer holds us, not
    while a key is pressed, not before the peer's address is known; so what was pulled is what the peer heard.
    """

    def __init__(
        self,
        ticker: Ticker,
        port: int,
        rtp: Datagrams,
        rtcp: Datagrams,
        public_address: str,
        *,
        codecs: Sequence[str],
        dtmf: DtmfMode,
        cname: str,
    ) -> None:
        self.source: AudioSource | None = None
        self.sink: AudioSink | None = None
        self.tap: AudioTap | None = None
        self.on_dtmf: Callable[[str], None] | None = None
        self.slot_taken: Callable[[], bool] | None = None
        """Asked at every tick that may send and presses no key: true when nothing is to leave now, because packets
        leave as they come (a relay); then whoever says so moves ``outbound.timestamp``."""
        self.hears_hold = False
        """The sink hears what a peer plays while it holds us: its music is for somebody else."""
        self.stats = MediaStats()
        self.received_by = ""
        """How the last digit came: ``rfc4733`` or ``info``."""
        self.port = port
        self._ticker = ticker
        self._rtp, self._rtcp = rtp, rtcp
        self._allowed = tuple(codecs)
        self._dtmf_mode = dtmf
        self._configured_address = bool(public_address)
        self._ipv6 = ":" in public_address
        self._description = sdp.LocalDescription(public_address, port)
        self._last_offer = self._last_answer = self._last_remote_answer = b""

        self._codec: Codec | None = None
        self._received_codecs: dict[int, Codec] = {}
        self._rate: int | None = None
        self._direction: sdp.Direction = "inactive"
        self._on_hold = False
        self._remote: Address | None = None
        self._remote_rtcp: Address | None = None

        self.outbound = Outbound(rtp, self.stats)
        self._ticks = secrets.randbelow(_REPORT_EVERY_TICKS // 2)  # so that reports of many legs do not coincide
        self._started = self._closed = False

        self._quiet_before = 0.0
        self._quiet_since: float | None = None
        self._presses = PressFilter()
        self._keypad = Keypad(lambda: self.dtmf_method, lambda: self.sample_rate)
        self._reporter = Reporter(self.outbound.ssrc, cname, self.stats)
        self.inbound = Inbound(
            self.stats,
            now=ticker.now,
            until_tick=ticker.until_tick,
            heard=self._heard,
            digit=lambda digit: self._digit("rfc4733", digit),
        )
        rtp.receive = self._datagram
        rtcp.receive = self._control

    # -- MediaSession ------------------------------------------------------------------------------------------

    def advertise(self, address: str) -> None:
        """The address of ours that the peer reaches; without effect when one is configured."""
        if not self._configured_address:
            self._ipv6 = ":" in address
            self._description.advertise(address)

    def local_offer(self) -> bytes:
        """Our offer: every allowed codec and telephone-event."""
        self._last_offer = self._last_remote_answer = b""
        return self._description.offer(self._allowed)

    def remote_offer(self, body: bytes) -> bytes:
        """Apply the peer's offer and return our answer: its first codec that we allow. Raises SdpError."""
        if self._last_offer == body and body:
            return self._last_answer
        remote = sdp.parse(body, self._allowed, ipv6=self._ipv6)
        chosen = remote.codecs[0]
        answer = self._description.answer(remote, chosen)
        events = frozenset(() if remote.telephone_event is None else (remote.telephone_event,))
        self._apply(remote, (chosen,), events)
        self._last_offer, self._last_answer = body, answer
        return answer

    def remote_answer(self, body: bytes) -> None:
        """Apply the peer's answer to ``local_offer``. Raises SdpError."""
        if self._last_remote_answer == body and body:
            return
        remote = sdp.parse(body, self._allowed, ipv6=self._ipv6)
        # we announced 101; some peers send events under the number of their answer all the same
        events = {sdp.TELEPHONE_EVENT, remote.telephone_event} if remote.telephone_event is not None else set()
        numbers = {number for number, _name in remote.codecs}
        self._apply(remote, remote.codecs, frozenset(event for event in events if event not in numbers))
        self._last_offer = b""
        self._last_remote_answer = body

    def info_dtmf(self, digit: str) -> None:
        """A digit came by SIP INFO; not counted again when the same press also came as an event."""
        self._digit("info", digit.upper())

    def start(self) -> None:
        """Begin to tick. Idempotent; nothing happens on a closed leg."""
        if not self._started and not self._closed:
            self._started = True
            self._rate = self.sample_rate  # fixed from here on, negotiated or not
            self._resume_quiet()
            self._ticker.join(self)

    def close(self) -> None:
        """BYE by RTCP, free the ports, wake whoever presses keys. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self.stats.sent or self.stats.received:
            self._report(bye=True)
        self._keypad.close()
        self._rtp.close()
        self._rtcp.close()
        self._ticker.leave(self)
        self.source = self.sink = self.tap = self.on_dtmf = self._keypad.send_info = None
        self.slot_taken = self.inbound.forward = None

    # -- AudioPort ---------------------------------------------------------------------------------------------

    @property
    def sample_rate(self) -> int:
        """Of the PCM both ways; fixed by the first negotiation, or by ``start`` if that comes first (8000 then)."""
        return self._rate or 8000

    @property
    def on_hold(self) -> bool:
        return self._on_hold

    @property
    def silent_seconds(self) -> float:
        if not self._started or self._closed:
            return 0.0
        running = 0.0 if self._quiet_since is None else self._ticker.now() - self._quiet_since
        return self._quiet_before + running

    async def send_dtmf(self, digits: str) -> None:
        """Press keys; see ``last_sent`` when this was cancelled. Raises ValueError, LegClosed."""
        await self._keypad.send(digits)

    # -- more than the protocols ask ---------------------------------------------------------------------------

    @property
    def codec(self) -> str:
        """The codec we send: PCMA, PCMU or G722; empty before the negotiation."""
        return self._codec.name if self._codec is not None else ""

    @property
    def dtmf_method(self) -> Literal["rfc4733", "info", "inband"]:
        """How ``send_dtmf`` would press a key now."""
        if self._dtmf_mode in ("auto", "rfc4733") and self.outbound.event_type is not None:
            return "rfc4733"
        if self._dtmf_mode != "inband" and self.send_info is not None and not self._keypad.info_refused:
            return "info"
        return "inband"

    @property
    def last_sent(self) -> str:
        """The digits of the last ``send_dtmf`` that really left."""
        return self._keypad.last_sent

    @property
    def send_info(self) -> SendInfo | None:
        """How to send INFO in this leg's dialog; set by the leg's owner."""
        return self._keypad.send_info

    @send_info.setter
    def send_info(self, send: SendInfo | None) -> None:
        self._keypad.send_info = send

    @property
    def delay_ms(self) -> float:
        """Received audio waiting to be played."""
        return self.inbound.delay_ms

    @property
    def remote_address(self) -> Address | None:
        """Where we send: the latched source, or what the description said before that."""
        return self.inbound.source or self._remote

    @property
    def sends_to(self) -> Address | None:
        """Where a packet may go now; None while none may: closed, not started, not negotiated, hold."""
        if self._closed or not self._started or self._codec is None or self._direction not in ("sendrecv", "sendonly"):
            return None
        return self.inbound.source or self._remote

    @property
    def receives(self) -> bool:
        """The peer may send to us, as it does with music while it holds us."""
        return self._direction in ("sendrecv", "recvonly")

    @property
    def pressing(self) -> bool:
        """A key is being pressed, or waits for its turn."""
        return self._keypad.busy

    # -- negotiation -------------------------------------------------------------------------------------------

    def _apply(self, remote: sdp.RemoteAudio, receive: Sequence[tuple[int, str]], events: frozenset[int]) -> None:
        number, name = remote.codecs[0]
        if self._rate is None:
            self._rate = make_codec(name).sample_rate
        kept = {codec.name: codec for codec in self._received_codecs.values()}  # a refresh keeps G.722's state
        self._received_codecs = {
            pt: kept.get(wanted) or kept.setdefault(wanted, make_codec(wanted, self._rate)) for pt, wanted in receive
        }
        self._codec, self.outbound.payload_type = self._received_codecs[number], number
        self.outbound.event_type = remote.telephone_event
        self.inbound.expect(
            self._received_codecs, events, remote.address, sample_rate=self._rate, own_ssrc=self.outbound.ssrc
        )
        if remote.address is not None:
            self._remote, self._remote_rtcp = remote.address, remote.rtcp_address
        self._pause_quiet()
        self._direction = remote.answer_direction
        self._on_hold = remote.direction in ("sendonly", "inactive")
        self._resume_quiet()

    # -- the clock of silence ------------------------------------------------------------------------------------

    def _heard(self, now: float) -> None:
        self._quiet_before = 0.0
        if self._quiet_since is not None:
            self._quiet_since = now

    def _pause_quiet(self) -> None:
        if self._quiet_since is not None:
            self._quiet_before += self._ticker.now() - self._quiet_since
            self._quiet_since = None

    def _resume_quiet(self) -> None:
        negotiated_away = self._codec is not None and self._direction not in ("sendrecv", "recvonly")
        if self._started and not self._on_hold and not negotiated_away and self._quiet_since is None:
            self._quiet_since = self._ticker.now()

    # -- datagrams ---------------------------------------------------------------------------------------------

    def _datagram(self, data: bytes, address: Address) -> None:
        if len(data) > 1 and 192 <= data[1] <= 223:  # RTCP on the RTP port, though we never accept rtcp-mux
            self._control(data, address)
        else:
            self.inbound.datagram(data, address)

    def _control(self, data: bytes, address: Address) -> None:
        remote = self.remote_address
        if remote is not None and address[0] == remote[0]:
            self._reporter.read(data, self._ticker.now())

    def _digit(self, method: str, digit: str) -> None:
        if self._presses.accept(self._ticker.now(), method, digit):
            self.received_by = method
            if self.on_dtmf is not None:
                self.on_dtmf(digit)

    # -- ticks -------------------------------------------------------------------------------------------------

    def tick(self, *, send: bool = True) -> None:
        """One slot of 20 ms. ``send`` is false for slots long gone: their time passes, nothing leaves."""
        received = self.inbound.tick()
        if self._on_hold and not (self.hears_hold and self.receives):
            received = bytes(len(received))
        if self.sink is not None:
            self.sink(received)
        if self._closed:  # by the sink
            return
        sent = self._send() if send else None
        if sent is None:
            self.skip(1)
            sent = bytes(self.sample_rate // 50 * 2)
        if self.tap is not None:
            self.tap(received, sent)
        self._ticks += 1
        if self._ticks % _REPORT_EVERY_TICKS == 0:
            self._report(bye=False)

    def skip(self, slots: int) -> None:
        """Time passed that nobody can make up for (the machine slept)."""
        self.outbound.timestamp += slots * FRAME_OCTETS
        self.outbound.marker = True

    def _send(self) -> bytes | None:
        """Send one packet and return its PCM; None when nothing may be sent."""
        remote = self.sends_to
        if remote is None or self._codec is None:
            return None
        size = self.sample_rate // 50 * 2
        out = self.outbound
        override = self._keypad.tick()
        event = override.event if override is not None else None
        if event is not None and out.event_type is not None:
            out.send(out.event_type, event.payload, out.timestamp - event.offset, event.marker, remote)
            out.timestamp += FRAME_OCTETS
            return bytes(size)
        if override is None and self.slot_taken is not None and self.slot_taken():
            return bytes(size)
        pcm = self._pull(override)
        if self._closed:  # by the source
            return None
        if pcm is None and isinstance(self._codec, G711):
            payload, pcm = self._codec.silence, bytes(size)
        else:
            pcm = bytes(size) if pcm is None else pcm[:size].ljust(size, b"\0")
            payload = self._codec.encode(pcm)
        out.send(out.payload_type, payload, out.timestamp, out.marker, remote)
        out.marker = False
        out.timestamp += FRAME_OCTETS
        return pcm

    def _pull(self, override: Override | None) -> bytes | None:
        if override is not None:
            return override.pcm
        return self.source() if self.source is not None else None

    def _report(self, *, bye: bool) -> None:
        source = self.inbound.source
        remote = self._remote_rtcp
        if source is not None and source != self._remote:
            remote = (source[0], source[1] + 1) if source[1] < 65535 else None
        if remote is not None:
            now = self._ticker.now()
            reception = self.inbound.reception
            compound = self._reporter.compound(now, self.outbound.timestamp, self.inbound.ssrc, reception, bye=bye)
            self._rtcp.send(compound, remote)
