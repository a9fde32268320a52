"""A bridged call: what one leg receives leaves by the other, at once and undecoded when their codecs are the same.

Knows two legs; no SIP message and no agent. The far ends hear one stream each for the whole call: our SSRC and
numbering go on, whatever the other side does with its own (RFC 3550 section 7 calls it a translator, but one that
keeps its own SSRC, because the stream it continues was spoken by an agent before).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from parlons.errors import LegClosed
from parlons.telephony.media.crossing import Crossing
from parlons.telephony.media.passage import Mode, Passage
from parlons.telephony.media.receive import Arrival
from parlons.telephony.media.rtp import RtpMedia

Side = Literal["one", "other"]

_MOST_KEYS_WAITING = 32

log = logging.getLogger(__name__)


class _Direction:
    """From one leg to another: takes the source's packets, sound and keys, and the target's slots."""

    def __init__(self, source: RtpMedia, target: RtpMedia, *, decode: bool, pressed: Callable[[str], None]) -> None:
        self._source, self._target = source, target
        self._decode = decode
        self._pressed = pressed
        self._crossing = Crossing(target.sample_rate)
        self._codec = source.codec
        self._passage = Passage(target, passing=self.mode == "passthrough")
        self._presses: set[asyncio.Task[None]] = set()
        # bound once: only what is still ours is taken away at the end
        self._forward, self._sink, self._on_dtmf = self._packet, self._sound, self._key
        self._slot_taken, self._pull_source = self._slot, self._pull

    @property
    def mode(self) -> Mode:
        same = self._codec == self._target.codec
        return "passthrough" if same and not self._decode else "transcode"

    def start(self) -> None:
        self._source.inbound.forward = self._forward
        self._source.sink, self._source.on_dtmf = self._sink, self._on_dtmf
        self._source.hears_hold = True
        self._target.source, self._target.slot_taken = self._pull_source, self._slot_taken

    def close(self) -> None:
        source, target = self._source, self._target
        if source.inbound.forward == self._forward:
            source.inbound.forward = None
        if source.sink == self._sink:
            source.sink = None
        if source.on_dtmf == self._on_dtmf:
            source.on_dtmf = None
        source.hears_hold = False
        if target.source == self._pull_source:
            target.source = None
        if target.slot_taken == self._slot_taken:
            target.slot_taken = None
            target.outbound.marker = True
        for press in self._presses:
            press.cancel()

    # -- sound ---------------------------------------------------------------------------------------------------

    def _packet(self, arrival: Arrival) -> bool:
        """A packet came to the source; true when it is not to be decoded."""
        codec = arrival.codec
        if codec is None:
            if arrival.event:
                self._passage.event(arrival)
            else:
                self._passage.skip(arrival)  # comfort noise: silence is made here, the peer may not know type 13
            return False
        self._codec = codec.name
        if self.mode == "transcode":
            self._passage.passing = False
            return False
        if not self._passage.passing:
            self._passage.passing = True
            self._crossing.clear()
        if self._source.receives:
            self._passage.audio(arrival)
        return True

    def _sound(self, pcm: bytes) -> None:
        if not self._passage.passing:
            self._crossing.push(pcm)

    def _pull(self) -> bytes | None:
        return None if self._passage.passing else self._crossing.pull()

    def _slot(self) -> bool:
        taken = self._passage.slot()
        if taken and not self._passage.passing:
            self._crossing.pull()  # its time is taken by a key
        return taken

    # -- keys ----------------------------------------------------------------------------------------------------

    def _key(self, digit: str) -> None:
        target = self._target
        by_packets = self._source.received_by == "rfc4733" and target.dtmf_method == "rfc4733"
        if by_packets and not target.pressing and not self._presses:
            self._passage.key_down()
        elif len(self._presses) < _MOST_KEYS_WAITING:
            press = asyncio.get_running_loop().create_task(self._press(digit))
            self._presses.add(press)
            press.add_done_callback(self._presses.discard)
        self._pressed(digit)

    async def _press(self, digit: str) -> None:
        try:
            await self._target.send_dtmf(digit)
        except LegClosed:
            pass  # the call is over
        except Exception:  # one key lost must not cost two people their call
            log.exception("A key could not be passed to the other leg of a bridged call")


class Relay:
    """Bridges two legs that were negotiated and started.

    Sound passes as packets where the codec that comes is the codec that the other leg sends, and is decoded, resampled
    and encoded where it is not (or everywhere with ``decode``: then sinks, taps and recorders hear it). This is decided
    for every packet, so either leg may be re-negotiated or held meanwhile. While nothing passes to a leg, it is sent
    silence: its peer's RTP timeout never fires. A leg that holds us is sent nothing; the music it sends is passed.

    Keys pass in both directions by whatever each side speaks (RFC 4733 packet by packet if both do), each press once.

    From ``start`` to ``close`` the relay owns ``source``, ``sink`` and ``on_dtmf`` of both legs; afterwards they are
    None, if nobody else took them. A leg may close by itself at any time.

    Args:
        one, other: the legs.
        decode: never pass undecoded packets.
    """

    def __init__(self, one: RtpMedia, other: RtpMedia, *, decode: bool = False) -> None:
        self.on_digit: Callable[[Side, str], None] | None = None
        """A key was pressed on that leg; once a press. Must not raise."""
        self._onward = _Direction(one, other, decode=decode, pressed=lambda digit: self._digit("one", digit))
        self._back = _Direction(other, one, decode=decode, pressed=lambda digit: self._digit("other", digit))
        self._started = self._closed = False

    @property
    def modes(self) -> tuple[Mode, Mode]:
        """How sound passes now: from ``one`` to ``other``, and back."""
        return self._onward.mode, self._back.mode

    @property
    def mode(self) -> Mode:
        """``passthrough`` when both directions do."""
        return "passthrough" if self.modes == ("passthrough", "passthrough") else "transcode"

    def start(self) -> None:
        """Bridge the legs, on the running loop. Idempotent; nothing happens after ``close``."""
        if not self._started and not self._closed:
            self._started = True
            self._onward.start()
            self._back.start()

    def close(self) -> None:
        """Let go of both legs: each goes on with silence until it gets another source. Idempotent."""
        if self._started and not self._closed:
            self._onward.close()
            self._back.close()
        self._closed = True

    def _digit(self, side: Side, digit: str) -> None:
        if self.on_digit is not None:
            self.on_digit(side, digit)
