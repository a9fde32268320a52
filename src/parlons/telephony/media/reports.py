"""What a leg measured of its packets, and the RTCP reports made of it (RFC 3550 sections 6 and A). No socket."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Literal

from aiortp.packet import (
    RtcpByePacket,
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    clamp_packets_lost,
)

_NTP_EPOCH = 2208988800
_CNAME = 1
_WINDOW = 64
_LARGEST_JUMP = 3000
_LARGEST_MISORDER = 1000
_TICKS_PER_SECOND = 8000


@dataclass(slots=True)
class MediaStats:
    """Counts of one leg since it opened. Milliseconds where the name says so.

    ``late`` packets came after their turn; ``duplicates`` came twice; ``dropped`` were none of ours (another source,
    another payload type, not RTP). ``remote_lost``, ``remote_jitter_ms`` and ``round_trip_ms`` are the peer's view of
    what we send, from its RTCP; -1 until it reports.
    """

    sent: int = 0
    sent_octets: int = 0
    received: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    dropped: int = 0
    concealed: int = 0
    jitter_ms: float = 0.0
    max_gap_ms: float = 0.0
    remote_lost: int = -1
    remote_jitter_ms: float = -1.0
    round_trip_ms: float = -1.0


class Reception:
    """Sequence numbers and arrival times of one SSRC."""

    def __init__(self) -> None:
        self._base = -1
        self._lost_before = 0
        self._highest = 0
        self._seen = 0
        self._received = 0
        self._expected_prior = self._received_prior = 0
        self._arrival = 0.0
        self._timestamp = 0
        self.jitter = 0.0
        """In ticks of the RTP clock."""

    def add(self, sequence: int) -> Literal["newest", "reordered", "duplicate"]:
        """Note a sequence number; one that is too old to tell counts as a duplicate."""
        if self._base < 0:
            self._begin(sequence)
            return "newest"
        ahead = (sequence - self._highest) & 0xFFFF
        if 0 < ahead <= _LARGEST_JUMP:
            self._highest += ahead
            self._seen = (self._seen << ahead | 1) & ((1 << _WINDOW) - 1)
            self._received += 1
            return "newest"
        behind = 0x10000 - ahead if ahead else 0
        if behind > _LARGEST_MISORDER:
            self._begin(sequence)  # the sender restarted its numbering
            return "newest"
        if behind >= _WINDOW or self._seen >> behind & 1:
            return "duplicate"
        self._seen |= 1 << behind
        self._received += 1
        return "reordered"

    def _begin(self, sequence: int) -> None:
        self._lost_before = self.lost
        self._base = self._highest = sequence
        self._seen = self._received = 1
        self._expected_prior = self._received_prior = 0

    def timing(self, now: float, timestamp: int) -> None:
        """Note an audio packet that is the newest: interarrival jitter (RFC 3550 section A.8)."""
        if self._arrival:
            spacing = ((timestamp - self._timestamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
            off = abs((now - self._arrival) * _TICKS_PER_SECOND - spacing)
            if off < _TICKS_PER_SECOND:  # more is a new timeline, not jitter
                self.jitter += (off - self.jitter) / 16
        self._arrival, self._timestamp = now, timestamp

    @property
    def lost(self) -> int:
        """Expected less received; late and reordered packets were received."""
        return self._lost_before + (self._highest - self._base + 1 - self._received if self._base >= 0 else 0)

    def report(self, ssrc: int, last_report: int, delay: float) -> RtcpReceiverInfo:
        """The report block; begins a new interval."""
        expected = self._highest - self._base + 1
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self._received - self._received_prior)
        self._expected_prior, self._received_prior = expected, self._received
        fraction = min(255, max(0, (lost_interval << 8) // expected_interval)) if expected_interval else 0
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=fraction,
            packets_lost=clamp_packets_lost(self.lost),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=int(self.jitter),
            lsr=last_report,
            dlsr=int(delay * 65536) & 0xFFFFFFFF if last_report else 0,
        )


def _ntp() -> int:
    """The wall clock, as sender reports need it; nothing is ever timed with it but the round trip."""
    return int((time.time() + _NTP_EPOCH) * (1 << 32))


class Reporter:
    """Writes and reads the RTCP of one leg."""

    def __init__(self, ssrc: int, cname: str, stats: MediaStats) -> None:
        self._ssrc = ssrc
        self._cname = cname.encode()
        self._stats = stats
        self._last_report = 0
        self._last_report_at = 0.0

    def compound(self, now: float, timestamp: int, source: int | None, reception: Reception, *, bye: bool) -> bytes:
        """A sender report (a receiver report before anything was sent), SDES with our CNAME, and BYE if asked."""
        blocks = []
        if source is not None and reception.lost >= 0 and self._stats.received:
            blocks.append(reception.report(source, self._last_report, now - self._last_report_at))
        report: RtcpSrPacket | RtcpRrPacket
        if self._stats.sent:
            info = RtcpSenderInfo(
                ntp_timestamp=_ntp(),
                rtp_timestamp=timestamp & 0xFFFFFFFF,
                packet_count=self._stats.sent & 0xFFFFFFFF,
                octet_count=self._stats.sent_octets & 0xFFFFFFFF,
            )
            report = RtcpSrPacket(self._ssrc, info, blocks)
        else:
            report = RtcpRrPacket(self._ssrc, blocks)
        names = RtcpSdesPacket([RtcpSourceInfo(self._ssrc, [(_CNAME, self._cname)])])
        return bytes(report) + bytes(names) + (bytes(RtcpByePacket([self._ssrc])) if bye else b"")

    def read(self, data: bytes, now: float) -> None:
        """Take what a peer's compound packet says of our stream; anything malformed is dropped."""
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, struct.error):
            self._stats.dropped += 1
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._last_report = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
                self._last_report_at = now
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                for block in packet.reports:
                    if block.ssrc == self._ssrc:
                        self._take(block)

    def _take(self, block: RtcpReceiverInfo) -> None:
        self._stats.remote_lost = block.packets_lost
        self._stats.remote_jitter_ms = block.jitter * 1000 / _TICKS_PER_SECOND
        if block.lsr:
            elapsed = ((_ntp() >> 16 & 0xFFFFFFFF) - block.lsr - block.dlsr) & 0xFFFFFFFF
            if elapsed < 1 << 31:
                self._stats.round_trip_ms = elapsed * 1000 / 65536
