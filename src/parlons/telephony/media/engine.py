"""The media engine: RTP ports, and the one clock that sends for every leg. Knows no SIP message and no agent."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence

from parlons.errors import LegClosed
from parlons.telephony.media.codecs import CODEC_NAMES, warm_up
from parlons.telephony.media.keypad import DtmfMode
from parlons.telephony.media.ports import OpenPort, PortPool, UdpPort
from parlons.telephony.media.rtp import RtpMedia
from parlons.telephony.types import FRAME_SECONDS

_BURST = 3
"""Frames sent at once after a stall, at most; a peer's jitter buffer swallows 60 ms, not more."""
_CATCH_UP = 50
"""Frames received at once after a stall, at most: voice detection counts frames, not time."""
_LATE_SECONDS = 0.04
_IDLE_TICKS = 10
_LAG_DECAY = 0.98

log = logging.getLogger(__name__)


class MediaEngine:
    """Opens legs and ticks them.

    Args:
        host: the local address to bind, ``0.0.0.0`` for all.
        public_address: what session descriptions say (IPv4 or IPv6; the same family as ``host``); empty: what the
            leg tells with ``advertise``.
        port_min, port_max: UDP ports, both included; RTP on the even ones, RTCP on the odd ones.
        open_port: how to bind a port; replaced in tests.

    Attributes:
        late_frames: frames that left more than 40 ms after their time, or never.
        max_lateness: the worst lateness of a tick, in seconds.
        loop_lag: the lateness of recent ticks in seconds; a worse one counts at once and fades by 2 % a tick.
    """

    def __init__(
        self, host: str, public_address: str, port_min: int, port_max: int, *, open_port: OpenPort = UdpPort
    ) -> None:
        self.late_frames = 0
        self.max_lateness = 0.0
        self.loop_lag = 0.0
        self._host, self._public_address = host, public_address
        self._port_range = (port_min, port_max)
        self._open_port = open_port
        self._pool: PortPool | None = None
        self._open: set[RtpMedia] = set()
        self._ticking: dict[RtpMedia, None] = {}
        self._cname = secrets.token_hex(12)  # RFC 7022: random, says nothing of the machine
        self._timer: asyncio.TimerHandle | None = None
        self._epoch = self._due = 0.0
        self._slot = 0

    async def start(self) -> None:
        """Start the clock on the running loop."""
        self._loop = asyncio.get_running_loop()
        warm_up()  # blocks for 200 ms, once in a process, before there is any call to disturb
        self._pool = PortPool(self._host, *self._port_range, self._open_port)
        self._rebase()

    async def stop(self) -> None:
        """Close every leg and stop the clock. Idempotent."""
        for media in list(self._open):
            media.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pool = None

    def open(self, codecs: Sequence[str] = CODEC_NAMES, dtmf: DtmfMode = "auto") -> RtpMedia:
        """Bind a pair of ports and make a leg of it.

        Args:
            codecs: what may be negotiated, in our order of preference (used in our offers; in answers the peer's
                order counts).
            dtmf: how keys are pressed. ``auto`` and ``rfc4733``: events if negotiated, else INFO, else tones;
                ``info``: INFO, tones if that is refused; ``inband``: tones.

        Raises PortsExhausted; ValueError for an unknown codec or none; LegClosed when the engine is not running.
        """
        if not codecs or set(codecs) - set(CODEC_NAMES):
            raise ValueError(f"codecs must be some of {', '.join(CODEC_NAMES)}")
        if self._pool is None:
            raise LegClosed("The media engine is not running.")
        port, rtp, rtcp = self._pool.acquire()
        media = RtpMedia(self, port, rtp, rtcp, self._public_address, codecs=codecs, dtmf=dtmf, cname=self._cname)
        self._open.add(media)
        return media

    def gauges(self) -> dict[str, float]:
        """What ``/metrics`` shows and what the audit of released resources reads."""
        return {
            "legs": len(self._open),
            "ports_in_use": self._pool.in_use if self._pool is not None else 0,
            "late_frames": self.late_frames,
            "max_lateness_seconds": self.max_lateness,
            "loop_lag_seconds": self.loop_lag,
        }

    # -- Ticker --------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def until_tick(self) -> float:
        """Seconds to the next tick; 0 when it is overdue."""
        return max(0.0, self._due - self._loop.time())

    def join(self, media: RtpMedia) -> None:
        """Tick ``media`` from now on."""
        if not self._ticking:
            self._rebase()  # the clock was idling
        self._ticking[media] = None

    def leave(self, media: RtpMedia) -> None:
        """``media`` closed: its ports go back to rest."""
        self._ticking.pop(media, None)
        if media in self._open:
            self._open.remove(media)
            if self._pool is not None:
                self._pool.release(media.port)

    # -- the clock -----------------------------------------------------------------------------------------------

    def _rebase(self) -> None:
        self._epoch, self._slot = self._loop.time(), 0
        self._schedule(1)

    def _schedule(self, slots: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._slot += slots
        self._due = self._epoch + self._slot * FRAME_SECONDS  # never a sum of delays: no drift
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        lateness = max(0.0, self._loop.time() - self._due)
        self.loop_lag = max(lateness, self.loop_lag * _LAG_DECAY)
        self.max_lateness = max(self.max_lateness, lateness)
        slots = 1 + int(lateness / FRAME_SECONDS)
        if self._ticking:
            self._run(slots, lateness)
        if self._timer is None and self._pool is not None:
            self._schedule(slots if self._ticking else _IDLE_TICKS)

    def _run(self, slots: int, lateness: float) -> None:
        missed = max(0, slots - _CATCH_UP)
        late = sum(lateness - slot * FRAME_SECONDS > _LATE_SECONDS for slot in range(slots))
        self.late_frames += late * len(self._ticking)
        for media in list(self._ticking):
            try:
                if missed:
                    media.skip(missed)
                for slot in range(missed, slots):
                    if media in self._ticking:  # a call-back may close any leg
                        media.tick(send=slots - slot <= _BURST)
            except Exception:  # one leg's call-back must not silence every other call
                log.exception("A call-back of an RTP leg failed; its frame is lost")
