"""One browser's connection: ICE, DTLS and SRTP by aiortc, and its sound to and from a leg's media.

Loaded with the first browser call, by ``service``. Nothing outside is asked: no STUN and no TURN server.
"""

from __future__ import annotations

import asyncio
import functools
from fractions import Fraction
from typing import Any, cast

from aioice.ice import get_host_addresses
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler

from parlons import logs
from parlons.errors import InvalidDocument
from parlons.telephony.types import FRAME_SECONDS

from .frames import Frames

RATE = 16_000
"""Of a leg that talks G.722."""
FRAME_SAMPLES = RATE // 50
_SILENCE = bytes(2 * FRAME_SAMPLES)
_LATE_SECONDS = 0.2
"""A sender that is later than this does not catch up: it goes on from now."""
_JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_OPUS = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/opus"]

log = logs.get(__name__)


class Connection:
    """One browser.

    Args:
        addresses: of this machine, that the browser may reach.

    Attributes:
        heard: done when the first of the browser's sound came.
        closed: done with True when the browser closed the connection, with False when it broke.
        heard_at: the loop's time when sound came last.
        to_browser: put 20 ms of s16le mono PCM at ``RATE`` in.
        from_browser: take likewise.
    """

    def __init__(self, addresses: list[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self.heard: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[bool] = self._loop.create_future()
        self.heard_at = self._loop.time()
        self.to_browser = Frames()
        self.from_browser = Frames()
        self._addresses = addresses
        self._listening: asyncio.Task[None] | None = None
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # none given would be one of Google's
        self._peer.on("track", self._track)
        self._peer.on("connectionstatechange", self._changed)

    async def answer(self, offer: str) -> str:
        """Take an offer that ``offers.checked`` let pass; connecting goes on by itself. Close it when this raises.

        Raises:
            InvalidDocument: it cannot be used after all; names ``sdp``.
        """
        peer = self._peer
        peer.addTrack(_Outgoing(self.to_browser))
        (transceiver,) = peer.getTransceivers()
        transceiver.setCodecPreferences(_OPUS)
        jitter_buffer = JitterBuffer(capacity=4, prefetch=1)  # theirs holds up to 320 ms for ever after one lost packet
        vars(transceiver.receiver)[_JITTER_BUFFER] = jitter_buffer
        ice = cast("Any", transceiver.sender.transport.transport.iceGatherer)._connection
        ice.get_component_candidates = functools.partial(_candidates, ice.get_component_candidates, self._addresses)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await peer.setLocalDescription()
        except Exception as error:  # its parser raises whatever a line that it did not expect makes it raise
            log.info("browser_offer_refused", error=type(error).__name__)
            raise InvalidDocument("the request", [("sdp", "cannot be understood, or has nothing in common")]) from error
        return str(peer.localDescription.sdp)

    async def close(self) -> None:
        """Let go of its ports, tasks and threads. Idempotent."""
        self._peer.remove_all_listeners()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._peer.close()

    def _track(self, track: MediaStreamTrack) -> None:
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(track), name="browser-listen")

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=FRAME_SAMPLES)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.heard_at = self._loop.time()
            if not self.heard.done():
                self.heard.set_result(None)
            for made in resampler.resample(cast("AudioFrame", frame)):
                self.from_browser.put(bytes(made.planes[0])[: 2 * made.samples])

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state in ("failed", "closed") and not self.closed.done():
            self.closed.set_result(state == "closed")


class _Outgoing(MediaStreamTrack):
    """What the browser hears: a frame every 20 ms from the first to the last, silence when there is none.

    Its clock is the loop's, like that of the leg that fills ``frames``: neither waits for the other.
    """

    kind = "audio"

    def __init__(self, frames: Frames) -> None:
        super().__init__()
        self._frames = frames
        self._due: float | None = None
        self._samples = 0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._due is None or now - self._due > _LATE_SECONDS:
            self._due = now
        self._due += FRAME_SECONDS
        await asyncio.sleep(self._due - now)
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(self._frames.take() or _SILENCE)
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += FRAME_SAMPLES
        return frame


async def _candidates(gather: Any, ours: list[str], component: int, addresses: list[str], timeout: int = 5) -> Any:
    """Candidates at the addresses that we chose, in place of every address but the loopback."""
    return await gather(component=component, addresses=ours, timeout=timeout)


def addresses_of(host: str) -> list[str]:
    """Where browsers may reach this machine: the address that SIP and RTP listen on, or each of its own for "all"."""
    if host == "0.0.0.0":
        return [*get_host_addresses(use_ipv4=True, use_ipv6=False), "127.0.0.1"]
    if host == "::":
        return [*get_host_addresses(use_ipv4=True, use_ipv6=True), "127.0.0.1", "::1"]
    return [host]
