"""The playout buffer of one received stream: encoded octets in any packet size, 20 ms out at every tick. Pure.

Knows no socket, no clock and no codec: for every codec of this release one octet is one tick of the RTP clock, so a
timestamp is a position in octets. aiortp's AdaptivePlayout needs packets of exactly one frame, restarts its depth
at every pause and reads the wall clock; hence this one.

Its only measure is the margin: how long before its turn a packet arrives. A packet that misses its turn makes the
delay 20 ms longer; a margin larger than needed for three seconds makes it 20 ms shorter.
"""

from __future__ import annotations

from dataclasses import dataclass

from parlons.telephony.media.codecs import FRAME_OCTETS

_TICKS_PER_SECOND = 8000
_LARGEST_DELAY = 10 * FRAME_OCTETS
_SPARE_MARGIN = FRAME_OCTETS + 120
"""A smallest margin above this (35 ms) is more than needed."""
_BUCKETS = 6
_PACKETS_PER_BUCKET = 25
_RESYNC_BACK = _LARGEST_DELAY
_RESYNC_AHEAD = 2 * _TICKS_PER_SECOND
_SUSPEND_AFTER_TICKS = 50
_MOST_SEGMENTS = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one tick: ``payload`` of ``payload_type``, or a gap (to conceal, or silence meant by the sender)."""

    octets: int
    payload: bytes | None
    payload_type: int = 0
    meant: bool = False


class Playout:
    """Orders, deduplicates and paces one stream. ``late`` counts packets that missed their turn."""

    def __init__(self) -> None:
        self.late = 0
        self.reset()

    def reset(self) -> None:
        """Forget the stream: another source, another codec."""
        self._segments: dict[int, tuple[bytes, int]] = {}
        self._head: int | None = None
        self._played_end = 0
        self._newest = 0
        self._grow = False
        self._grew_last_tick = False
        self._comfort = False
        self._empty_ticks = 0
        self._forget_margins()

    def _forget_margins(self) -> None:
        self._margins = [0] * _BUCKETS  # 0: no shrinking before a full window was seen
        self._bucket_min = _RESYNC_AHEAD
        self._bucket_count = 0
        self._shrink = False

    @property
    def running(self) -> bool:
        """Audio is expected at every tick."""
        return self._head is not None

    @property
    def delay_ms(self) -> float:
        """Audio waiting to be played, in milliseconds."""
        if self._head is None:
            return 0.0
        return max(0, self._newest - self._head) * 1000 / _TICKS_PER_SECOND

    # -- in ------------------------------------------------------------------------------------------------

    def put(self, timestamp: int, payload: bytes, payload_type: int, *, newest: bool, until_tick: float) -> None:
        """Add one packet.

        Args:
            newest: its sequence number is the highest so far.
            until_tick: seconds to the next tick.
        """
        start = self._unwrap(timestamp)
        self._comfort = self._comfort and not newest
        if self._head is not None:
            behind = self._head - start
            if (newest and behind > _RESYNC_BACK and start < self._played_end) or -behind > _RESYNC_AHEAD:
                self._resync()  # the sender jumped
        if self._head is None:
            self._head = start - FRAME_OCTETS  # one tick of patience before the first packet
            self._played_end = start
            self._newest = start
        if start < self._head and start >= self._played_end:
            self._head = start  # late, but nothing later was played: everything is a little later from now on
        late_by = self._head - start
        if late_by > 0:
            if late_by >= len(payload):
                self.late += 1
                self._grow = self._newest - self._head < _LARGEST_DELAY
                return
            start, payload = self._head, payload[late_by:]
        self._newest = max(self._newest, start + len(payload))
        self._segments[start] = (payload, payload_type)
        if len(self._segments) > _MOST_SEGMENTS:
            self._resync()
            return
        self._note_margin((start - self._head) // FRAME_OCTETS * FRAME_OCTETS + int(until_tick * _TICKS_PER_SECOND))

    def comfort_noise(self, *, newest: bool) -> None:
        """The sender says silence (RFC 3389): gaps are meant until audio comes again."""
        self._comfort = self._comfort or newest

    def _unwrap(self, timestamp: int) -> int:
        if self._head is None and not self._newest:
            return timestamp + (1 << 32)
        return self._newest + ((timestamp - self._newest + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)

    def _resync(self) -> None:
        self._segments.clear()
        self._head = None
        self._grow = False
        self._forget_margins()

    def _note_margin(self, margin: int) -> None:
        self._bucket_min = min(self._bucket_min, margin)
        self._bucket_count += 1
        if self._bucket_count == _PACKETS_PER_BUCKET:
            self._margins = [*self._margins[1:], self._bucket_min]
            self._bucket_min, self._bucket_count = _RESYNC_AHEAD, 0
            self._shrink = min(self._margins) > _SPARE_MARGIN

    # -- out -----------------------------------------------------------------------------------------------

    def tick(self) -> list[Piece]:
        """The next 20 ms: pieces of 160 octets in all, or of 320 when they are to be merged into 160; empty while
        nothing is to be expected (nothing came yet, or nothing for a second)."""
        if self._head is None:
            return []
        if self._grow and not self._grew_last_tick:
            self._grow, self._grew_last_tick = False, True
            self._forget_margins()
            return [Piece(FRAME_OCTETS, None)]
        self._grew_last_tick = False
        if self._shrink and self._whole(self._head) and self._whole(self._head + FRAME_OCTETS):
            self._shrink = False
            self._margins = [margin - FRAME_OCTETS for margin in self._margins]
            return self._take(FRAME_OCTETS) + self._take(FRAME_OCTETS)
        return self._take(FRAME_OCTETS)

    def _whole(self, start: int) -> bool:
        segment = self._segments.get(start)
        return segment is not None and len(segment[0]) >= FRAME_OCTETS

    def _take(self, octets: int) -> list[Piece]:
        assert self._head is not None
        position, end = self._head, self._head + octets
        self._head = end
        pieces: list[Piece] = []
        while position < end:
            segment = self._segments.pop(position, None)
            if segment is None:
                following = min((start for start in self._segments if position < start < end), default=end)
                meant = self._comfort or position < self._played_end  # before the first packet nothing is missing
                pieces.append(Piece(following - position, None, meant=meant))
                position = following
                continue
            payload, payload_type = segment
            wanted = end - position
            if len(payload) > wanted:
                self._segments[end] = (payload[wanted:], payload_type)
                payload = payload[:wanted]
            pieces.append(Piece(len(payload), payload, payload_type))
            position += len(payload)
            self._played_end = position
        if len(pieces) == 1 and pieces[0].payload is None:
            self._empty_ticks += 1
            if self._empty_ticks >= _SUSPEND_AFTER_TICKS and not self._segments:
                self._head = None
        else:
            self._empty_ticks = 0
        return pieces
