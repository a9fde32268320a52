"""Packets of one stream leaving as packets of another, renumbered. Knows arrivals and the leg they leave by; no codec.

Sequence and timestamp are shifted, never made up, so that the far end sees what got lost, was overtaken or paused on
its way to us. The shift is chosen anew whenever something else was sent in between (silence, a key), and when the
stream becomes another one. The sending clock follows the stream, so whatever is sent next continues it.
"""

from __future__ import annotations

from typing import Literal

from parlons.telephony.media.codecs import FRAME_OCTETS
from parlons.telephony.media.ports import Address
from parlons.telephony.media.receive import Arrival
from parlons.telephony.media.rtp import RtpMedia

Mode = Literal["passthrough", "transcode"]

_TICKS_PER_SECOND = 8000
_SILENCE_AFTER_TICKS = 10
"""Slots of 20 ms with nothing passed before silence fills in: longer than jitter, shorter than anybody's timeout."""
_KEY_UP_AFTER_TICKS = 5
_LATE_BY_JITTER = 2 * FRAME_OCTETS
_EARLY_BY_JITTER = 3 * FRAME_OCTETS
_AHEAD_OF_TIME = 2000
"""More ticks of the RTP clock between two packets than time between their arrivals: their clock jumped (250 ms)."""
_LONGEST_LOSS = 50
"""A larger gap of sequence numbers within the time that silence takes to fill in is a new numbering."""
_CATCH_UP_SECONDS = 0.1
_CATCH_UP_TICKS = 200
_SEGMENT = 0xFFFF
"""The longest duration of one telephone-event; a longer press goes on under another timestamp (RFC 4733, 2.5.1.3)."""


def _signed(difference: int) -> int:
    """Of two 32-bit timestamps."""
    return ((difference + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


class Passage:
    """Where one direction's packets leave.

    Attributes:
        passing: audio leaves as packets; otherwise the leg sends a frame of its own at every tick.
    """

    def __init__(self, target: RtpMedia, *, passing: bool) -> None:
        self.passing = passing
        self._target = target
        self._out = target.outbound
        self._next = -1  # the number after the last packet that passed; the leg's own differs once it sent otherwise
        self._ssrc: int | None = None
        self._first_sequence = self._last_sequence = self._sequence_shift = 0
        self._shift = 0
        self._shift_of: int | None = None  # which SSRC the shift of timestamps was chosen for
        self._last_timestamp, self._last_at = 0, 0.0
        self._late_since: tuple[float, int] | None = None
        self._moved = False
        self._idle = self._patience = _SILENCE_AFTER_TICKS
        self._key_ticks = 0
        self._event_begins = False
        self._event: tuple[int, int] | None = None

    # -- the leg's clock -----------------------------------------------------------------------------------------

    def slot(self) -> bool:
        """One tick of the leg; whether it belongs to packets passing, which left or are still to come."""
        if self._key_ticks:
            self._key_ticks -= 1
        elif self._moved:  # the clock too
            self._moved = False
            self._idle = 0
            return True
        else:
            self._idle += 1
            if not self.passing:
                return False
            if self._idle >= self._patience:
                self._out.marker = self._out.marker or self._idle == self._patience
                return False
        self._out.timestamp += FRAME_OCTETS
        return True

    # -- audio ---------------------------------------------------------------------------------------------------

    def audio(self, arrival: Arrival) -> None:
        """Pass one packet on, now or never."""
        out, to = self._out, self._target.sends_to
        if to is None or self._target.pressing:
            self._next = -1
            return
        marker = arrival.marker
        if arrival.newest:
            if not self._in_step(arrival, out.sequence != self._next):
                return
            marker = marker or out.marker or out.sequence != self._next or arrival.ssrc != self._ssrc
            out.marker = False
            out.timestamp += self._ahead(arrival) + len(arrival.payload)
            self._last_timestamp, self._last_at = arrival.timestamp, arrival.at
            self._patience = _SILENCE_AFTER_TICKS + len(arrival.payload) // FRAME_OCTETS
            self._moved = True
        self._write(arrival, out.payload_type, arrival.timestamp + self._shift, marker, to)

    def _in_step(self, arrival: Arrival, resumed: bool) -> bool:
        """Choose the shift of timestamps again if need be; false for a packet whose time is past."""
        if arrival.ssrc != self._shift_of or (not resumed and self._jumped(arrival)):
            self._align(arrival)
            self._out.marker = True
        elif resumed:
            ahead = self._ahead(arrival)
            if ahead < -_LATE_BY_JITTER and not arrival.marker and self._catching_up(arrival.at, -ahead):
                return False
            if not 0 <= ahead <= _EARLY_BY_JITTER:
                self._align(arrival)
            self._late_since = None
        return True

    def _ahead(self, arrival: Arrival) -> int:
        """How far its timestamp would be after the next one of the leg's own clock."""
        return _signed(arrival.timestamp + self._shift - self._out.timestamp)

    def _align(self, arrival: Arrival) -> None:
        """This packet continues what the leg sent last."""
        self._shift, self._shift_of = self._out.timestamp - arrival.timestamp, arrival.ssrc
        self._last_timestamp, self._last_at = arrival.timestamp, arrival.at
        self._late_since = None

    def _jumped(self, arrival: Arrival) -> bool:
        step = _signed(arrival.timestamp - self._last_timestamp)
        return step < 0 or step - (arrival.at - self._last_at) * _TICKS_PER_SECOND > _AHEAD_OF_TIME

    def _catching_up(self, now: float, late: int) -> bool:
        """Whether a packet ``late`` by so many ticks belongs to the past, because what follows is less and less late.

        After a stall of the network everything arrives in a heap. What silence was sent for is over then; sending it
        after the silence would delay the call for good. A sender whose clock stood still stays late.
        """
        if self._late_since is None:
            self._late_since = now, late
            return True
        since, before = self._late_since
        if now - since >= _CATCH_UP_SECONDS:
            if before - late < _CATCH_UP_TICKS:
                return False
            self._late_since = now, late
        return True

    # -- keys ----------------------------------------------------------------------------------------------------

    def key_down(self) -> None:
        """The next telephone-event is the first of a press that is to pass."""
        self._event_begins = True

    def event(self, arrival: Arrival) -> None:
        """Pass a telephone-event on, if it belongs to a press that is to pass."""
        out, to = self._out, self._target.sends_to
        if self._event_begins:
            self._event_begins = False
            self._event = arrival.timestamp, self._event_start(arrival)
        elif self._event is not None and (arrival.timestamp - self._event[0]) & 0xFFFFFFFF == _SEGMENT:
            self._event = arrival.timestamp, self._event[1] + _SEGMENT
        if self._event is None or arrival.timestamp != self._event[0]:
            self.skip(arrival)
        elif to is None or out.event_type is None or self._target.pressing:
            self._next = -1
        else:
            self._key_ticks = _KEY_UP_AFTER_TICKS
            self._write(arrival, out.event_type, self._event[1], arrival.marker, to)

    def _event_start(self, arrival: Arrival) -> int:
        """The timestamp of a press. It may well be a little before the last audio's, as gateways notice keys late."""
        ahead = self._ahead(arrival)
        resumed = self._out.sequence != self._next
        if (
            not self.passing
            or arrival.ssrc != self._shift_of
            or (resumed and not -_LATE_BY_JITTER <= ahead <= _EARLY_BY_JITTER)
            or abs(ahead) > _TICKS_PER_SECOND
        ):
            self._align(arrival)
            return self._out.timestamp
        return self._out.timestamp + ahead

    # -- numbers -------------------------------------------------------------------------------------------------

    def skip(self, arrival: Arrival) -> None:
        """A packet that does not pass is no loss: the numbers close up."""
        if arrival.newest and arrival.ssrc == self._ssrc:
            self._sequence_shift -= 1
            self._last_sequence = arrival.sequence
            self._first_sequence = arrival.sequence + 1

    def _write(self, arrival: Arrival, payload_type: int, timestamp: int, marker: bool, to: Address) -> None:
        out, sequence = self._out, arrival.sequence
        broken = out.sequence != self._next or arrival.ssrc != self._ssrc
        if not arrival.newest:
            if not broken and (sequence - self._first_sequence) & 0xFFFF < 0x8000:
                out.write(payload_type, arrival.payload, sequence + self._sequence_shift, timestamp, marker, to)
            return
        if broken or not 0 < (sequence - self._last_sequence) & 0xFFFF <= _LONGEST_LOSS:
            self._sequence_shift = out.sequence - sequence
            self._first_sequence, self._ssrc = sequence, arrival.ssrc
        self._last_sequence = sequence
        out.sequence = (sequence + self._sequence_shift) & 0xFFFF
        out.send(payload_type, arrival.payload, timestamp, marker, to)
        self._next = out.sequence
