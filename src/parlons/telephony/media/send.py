"""The sending half of a leg: what its packets are numbered with. Knows no codec, no clock, no session description."""

from __future__ import annotations

import secrets
import struct

from parlons.telephony.media.ports import Address, Datagrams
from parlons.telephony.media.reports import MediaStats

_HEADER = struct.Struct("!BBHLL")


class Outbound:
    """One sent stream (RFC 3550 section 5.1): one SSRC as long as the leg lives, sequence and timestamp from anywhere.

    Attributes:
        payload_type: of the codec negotiated.
        event_type: of telephone-event (RFC 4733); None when the peer does not take it.
        sequence: of the next packet.
        timestamp: when the next frame of the sending clock begins; grows without bound, cut to 32 bits on the wire.
        marker: the next audio packet begins a spurt.
    """

    def __init__(self, port: Datagrams, stats: MediaStats) -> None:
        self.ssrc = secrets.randbits(32)
        self.payload_type = 0
        self.event_type: int | None = None
        self.sequence = secrets.randbits(16)
        self.timestamp = secrets.randbits(32)
        self.marker = True
        self._port = port
        self._stats = stats

    def send(self, payload_type: int, payload: bytes, timestamp: int, marker: bool, to: Address) -> None:
        """Send the next packet."""
        sequence = self.sequence
        self.sequence = (sequence + 1) & 0xFFFF
        self.write(payload_type, payload, sequence, timestamp, marker, to)

    def write(
        self, payload_type: int, payload: bytes, sequence: int, timestamp: int, marker: bool, to: Address
    ) -> None:
        """Send a packet with a number of the caller's choice; ``sequence`` of this stream stays as it is."""
        second = payload_type | 0x80 if marker else payload_type
        header = _HEADER.pack(0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.ssrc)
        stats = self._stats
        stats.sent += 1
        stats.sent_octets += len(payload)
        self._port.send(header + payload, to)
