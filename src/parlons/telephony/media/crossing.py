"""PCM from the sink of one leg to the source of another, both on the engine's clock. Knows no packet.

A leg gives one frame a tick and a leg takes one frame a tick, so hardly anything ever waits; what a stall or a hold
left behind is not carried along.
"""

from __future__ import annotations

import collections

from parlons.telephony.media.plc import merge
from parlons.telephony.media.resample import Resampler
from parlons.telephony.media.rtp import RtpMedia

_MOST_FRAMES = 4
_WINDOW = 50
"""Frames after which one that waited all the time is merged away."""


class Crossing:
    """A bounded queue of 20 ms frames with ``push`` (an AudioSink) and ``pull`` (an AudioSource) of another rate.

    In steady state a frame waits for less than one tick. A frame too many, for a whole second, is merged with the next
    one; when nobody takes frames (the taker is on hold), all but the newest are dropped.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._frames: collections.deque[bytes] = collections.deque()
        self._resampler: Resampler | None = None
        self._resampled_from = 0
        self._fewest, self._pulls = _MOST_FRAMES, 0

    def push(self, pcm: bytes) -> None:
        """Add one frame, of any rate."""
        if len(self._frames) >= _MOST_FRAMES:
            self._frames.clear()
        self._frames.append(pcm)

    def pull(self) -> bytes | None:
        """The oldest frame at ``sample_rate``; None when none is there. Each is given once."""
        if not self._frames:
            self._fewest = 0
            return None
        pcm = self._frames.popleft()
        self._fewest = min(self._fewest, len(self._frames))
        self._pulls += 1
        if self._pulls == _WINDOW:
            if self._fewest and len(self._frames[0]) == len(pcm):
                pcm = merge(pcm, self._frames.popleft())
            self._fewest, self._pulls = _MOST_FRAMES, 0
        rate = len(pcm) * 25  # two bytes a sample, fifty frames a second
        if rate == self._rate:
            return pcm
        if self._resampler is None or rate != self._resampled_from:
            self._resampler, self._resampled_from = Resampler(rate, self._rate), rate
        return self._resampler.push(pcm)

    def clear(self) -> None:
        """Forget what waits."""
        self._frames.clear()
        self._resampler = None
        self._fewest, self._pulls = _MOST_FRAMES, 0


class EarlyMedia:
    """What a destination plays before it answers, to be played to the caller meanwhile; made by ``early_media``.

    ``pull`` is an AudioSource: set it as the caller's ``source``.
    """

    def __init__(self, leg: RtpMedia, sample_rate: int) -> None:
        self._leg = leg
        self._crossing = Crossing(sample_rate)
        self._sink = self._crossing.push
        leg.sink = self._sink

    @property
    def flowing(self) -> bool:
        """A packet of it came within the last second: better heard than a ringback of ours."""
        return self._leg.stats.received > 0 and self._leg.silent_seconds < 1.0

    def pull(self) -> bytes | None:
        """The next 20 ms at the rate asked for; None (silence) when the destination sends nothing."""
        return self._crossing.pull()

    def close(self) -> None:
        """Let go of the leg's sink, unless somebody else has it by now. Idempotent."""
        if self._leg.sink == self._sink:
            self._leg.sink = None
        self._crossing.clear()


def early_media(source_leg: RtpMedia, sample_rate: int) -> EarlyMedia:
    """Listen to what ``source_leg`` receives, at ``sample_rate`` Hz."""
    return EarlyMedia(source_leg, sample_rate)
