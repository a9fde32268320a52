"""The receiving half of a leg: whose packets count, and one frame of PCM at every tick. Knows no socket, no SDP."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiortp.packet import RtpPacket

from parlons.telephony.media.codecs import FRAME_OCTETS, Codec
from parlons.telephony.media.dtmf import EventReceiver
from parlons.telephony.media.playout import Piece, Playout
from parlons.telephony.media.plc import Concealer, merge
from parlons.telephony.media.ports import Address
from parlons.telephony.media.reports import MediaStats, Reception

COMFORT_NOISE = 13
"""RFC 3389; accepted whether negotiated or not."""

_NEW_SOURCE_AFTER = 0.2
"""Seconds of silence of the old SSRC before another one from the same address is believed."""
_STALE_FOR = 1.0
"""Seconds for which packets from the address before a re-offer do not latch."""
_KEY_UP_AFTER_TICKS = 5
_LARGEST_PAYLOAD = 800
_HEADER = struct.Struct("!BBHLL")


class Arrival(NamedTuple):
    """A packet that counts: from the peer, not a duplicate, of a payload type that was agreed on."""

    codec: Codec | None
    """None for comfort noise and for a telephone-event."""
    event: bool
    at: float
    ssrc: int
    sequence: int
    timestamp: int
    marker: bool
    newest: bool
    """Its sequence number is the highest so far."""
    payload: bytes


class Inbound:
    """One received stream.

    Args:
        now: the loop's clock.
        until_tick: seconds to the next tick of the sending clock.
        heard: called for every packet that counts.
        digit: called for every key pressed by RFC 4733.
    """

    def __init__(
        self,
        stats: MediaStats,
        *,
        now: Callable[[], float],
        until_tick: Callable[[], float],
        heard: Callable[[float], None],
        digit: Callable[[str], None],
    ) -> None:
        self.source: Address | None = None
        """Where the stream comes from, once latched."""
        self.ssrc: int | None = None
        self.reception = Reception()
        self.forward: Callable[[Arrival], bool] | None = None
        """Given every packet that counts, right when it came (a digit is told before); true for audio that is not to
        be played as well."""
        self._stats = stats
        self._now, self._until_tick, self._heard, self._digit = now, until_tick, heard, digit
        self._codecs: Mapping[int, Codec] = {}
        self._events: frozenset[int] = frozenset()
        self._own_ssrc = 0
        self._signalled: Address | None = None
        self._stale: Address | None = None
        self._stale_until = 0.0
        self._last_packet = 0.0
        self._lost_before = 0
        self._playout = Playout()
        self._event_receiver = EventReceiver()
        self._key_ticks = 0
        self._frame_bytes = 320
        self._concealer = Concealer(8000)

    @property
    def delay_ms(self) -> float:
        """Audio waiting to be played."""
        return self._playout.delay_ms

    def expect(
        self,
        codecs: Mapping[int, Codec],
        events: frozenset[int],
        signalled: Address | None,
        *,
        sample_rate: int,
        own_ssrc: int,
    ) -> None:
        """What an offer and its answer agreed on. A new address opens the latch; the same one leaves it as it is."""
        if dict(codecs) != dict(self._codecs):
            self._playout.reset()
            self._frame_bytes = sample_rate // 50 * 2
            self._concealer = Concealer(sample_rate)
        self._codecs, self._events, self._own_ssrc = codecs, events, own_ssrc
        if signalled is not None and signalled != self._signalled:
            if self.source is not None and self.source != signalled:
                self._stale, self._stale_until = self.source, self._now() + _STALE_FOR
            self._signalled = signalled
            self.source = None

    # -- packets ---------------------------------------------------------------------------------------------

    def datagram(self, data: bytes, address: Address) -> None:
        """One datagram, whoever sent it and whatever it holds."""
        if len(data) <= 12 or data[0] >> 6 != 2:
            self._stats.dropped += 1
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        payload_type = second & 0x7F
        known = payload_type in self._codecs or payload_type in self._events or payload_type == COMFORT_NOISE
        if not known or not self._codecs or ssrc == self._own_ssrc:
            self._stats.dropped += 1
            return
        if first == 0x80:
            payload = data[12:]
        else:
            try:
                payload = RtpPacket.parse(data).payload
            except ValueError:
                payload = b""
        now = self._now()
        if not 0 < len(payload) <= _LARGEST_PAYLOAD or not self._accept(address, ssrc, now):
            self._stats.dropped += 1
            return
        order = self.reception.add(sequence)
        if order == "duplicate":
            self._stats.duplicates += 1
            return
        self._note(now)
        newest = order == "newest"
        codec, event = self._codecs.get(payload_type), payload_type in self._events
        if codec is not None and newest:
            self.reception.timing(now, timestamp)
            self._stats.jitter_ms = self.reception.jitter / 8
        if codec is None and event:
            self._event(timestamp, payload)
        if self.forward is not None and self.forward(
            Arrival(codec, event, now, ssrc, sequence, timestamp, second > 127, newest, payload)
        ):
            if self._playout.running:
                self._playout.reset()
        elif codec is not None:
            self._playout.put(timestamp, payload, payload_type, newest=newest, until_tick=self._until_tick())
            self._stats.late = self._playout.late
        elif not event:
            self._playout.comfort_noise(newest=newest)

    def _note(self, now: float) -> None:
        if self._stats.received:
            self._stats.max_gap_ms = max(self._stats.max_gap_ms, (now - self._last_packet) * 1000)
        self._last_packet = now
        self._stats.received += 1
        self._stats.lost = self._lost_before + max(0, self.reception.lost)
        self._heard(now)

    def _event(self, timestamp: int, payload: bytes) -> None:
        digit, down = self._event_receiver.packet(timestamp, payload)
        self._playout.comfort_noise(newest=True)  # events take the place of audio: the gap is meant
        self._key_ticks = _KEY_UP_AFTER_TICKS if down else 0
        if digit is not None:
            self._digit(digit)

    def _accept(self, address: Address, ssrc: int, now: float) -> bool:
        if self.source is None:
            if address == self._stale and now < self._stale_until:
                return False  # still under way from where the peer was before its re-offer
            self._latch(address, ssrc)
        elif address != self.source:
            if address != self._signalled:
                return False
            self._latch(address, ssrc)  # the announced address beats whoever was faster
        elif ssrc != self.ssrc:
            if now - self._last_packet < _NEW_SOURCE_AFTER:
                return False
            self._latch(address, ssrc)
        return True

    def _latch(self, address: Address, ssrc: int) -> None:
        self.source = address
        if ssrc != self.ssrc:
            self.ssrc = ssrc
            self._lost_before = self._stats.lost
            self.reception = Reception()
            self._event_receiver = EventReceiver()
            late = self._playout.late
            self._playout.reset()
            self._playout.late = late

    # -- frames ----------------------------------------------------------------------------------------------

    def tick(self) -> bytes:
        """The next 20 ms of s16le PCM: decoded, concealed, or silence."""
        pieces = self._playout.tick()
        if not pieces:
            self._concealer.forget()
            return bytes(self._frame_bytes)
        if len(pieces) == 1:
            pcm = self._pcm(pieces[0])
        else:
            pcm = b"".join([self._pcm(piece) for piece in pieces])
            if sum(piece.octets for piece in pieces) > FRAME_OCTETS:
                pcm = merge(pcm[: len(pcm) // 2], pcm[len(pcm) // 2 :])
        if self._key_ticks:
            self._key_ticks -= 1
            return bytes(self._frame_bytes)
        return pcm

    def _pcm(self, piece: Piece) -> bytes:
        size = piece.octets * self._frame_bytes // FRAME_OCTETS
        if piece.payload is not None:
            codec = self._codecs.get(piece.payload_type)
            if codec is not None:
                pcm = codec.decode(piece.payload)
                return self._concealer.good(pcm if len(pcm) == size else pcm[:size].ljust(size, b"\0"))
        elif not piece.meant:
            self._stats.concealed += 1
            return self._concealer.conceal(size // 2)
        self._concealer.forget()
        return bytes(size)
