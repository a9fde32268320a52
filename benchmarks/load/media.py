"""The audio of every call: one timer sends, the kernel says when each packet came in. Knows no SIP.

Cost is kept off the clock: payloads are encoded once, headers are packed in place, and arrival times are the
kernel's (SO_TIMESTAMPNS), so that a busy generator cannot make the other side look late.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from array import array
from collections.abc import Sequence

from benchmarks import audio
from benchmarks.load.measure import Stream
from benchmarks.load.sockets import KernelClock

TICK = 0.002
PHASES = 10
"""Calls are spread over ten moments in each 20 ms, as real callers are, not all sent in one burst."""

_HEADER = struct.Struct("!BBHII")


class Script:
    """What a caller sends: one utterance at the start of each cycle, silence for the rest of it. Encoded once."""

    def __init__(self, utterance: bytes, cycle_seconds: float, codec: audio.Codec = audio.PCMA) -> None:
        size = audio.FRAME
        self.codec = codec
        clip = codec.encode(utterance)
        clip += bytes([codec.silence]) * (-len(clip) % size)
        self.spoken = len(clip) // size
        self.length = round(cycle_seconds * 50)
        if self.spoken >= self.length:
            raise ValueError("the utterance does not fit its cycle")
        self.silence = bytes([codec.silence]) * size
        self.frames = [clip[i * size : (i + 1) * size] for i in range(self.spoken)]
        self.loud = [codec.loud(frame) for frame in self.frames]


class MediaLeg:
    """One call's RTP: what it sends by the script, and a record of all that comes."""

    def __init__(self, sock: socket.socket, script: Script, clock: KernelClock) -> None:
        self.stream = Stream()
        self.utterances: list[tuple[float, float]] = []
        self.sent = 0
        self.loud_sent = 0
        self.send_errors = 0
        self.strange = 0
        self.talk_at: float | None = None
        self._sock, self._script, self._clock = sock, script, clock
        self._frame = 0
        self._began = 0.0
        self._sequence = random.randrange(30000)
        self._timestamp = random.randrange(2**31)
        self._packet = bytearray(12 + audio.FRAME)
        _HEADER.pack_into(self._packet, 0, 0x80, script.codec.payload_type, 0, 0, random.randrange(2**32))

    @property
    def sock(self) -> socket.socket:
        return self._sock

    def recite(self, script: Script) -> None:
        """Say this from now on, in the codec of before."""
        self._script, self._frame, self.talk_at = script, 0, 0.0

    def send(self, now: float) -> None:
        """The next 20 ms. Notes when our speech began and ended: a frame leaves once its words are said."""
        script = self._script
        payload = script.silence
        if self.talk_at is not None and now >= self.talk_at:
            frame = self._frame
            if frame < script.spoken:
                payload = script.frames[frame]
                self.loud_sent += script.loud[frame]
                if frame == 0:
                    self._began = now
                elif frame == script.spoken - 1:
                    self.utterances.append((self._began, now))
            self._frame = frame + 1 if frame + 1 < script.length else 0
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + audio.FRAME) & 0xFFFFFFFF
        struct.pack_into("!HI", self._packet, 2, self._sequence, self._timestamp)
        self._packet[12:] = payload
        try:
            self._sock.send(self._packet)
        except OSError:  # the other side's port is gone: counted, and the call goes on
            self.send_errors += 1
        self.sent += 1

    def readable(self) -> None:
        """Take everything that waits on the socket."""
        stream, codec = self.stream, self._script.codec
        for _ in range(32):
            try:
                packet, arrived, _ = self._clock.receive(self._sock, 2048)
            except BlockingIOError:
                return
            except OSError:  # ECONNREFUSED from an earlier send
                self.send_errors += 1
                return
            if len(packet) < 13 or packet[0] >> 6 != 2 or packet[1] & 0x7F != codec.payload_type:
                self.strange += 1
                continue
            _, _, sequence, timestamp, source = _HEADER.unpack_from(packet)
            stream.arrivals.append(arrived)
            stream.timestamps.append(timestamp)
            stream.sequence.append(sequence)
            stream.sources.append(source)
            stream.loud.append(codec.loud(packet[12:]))


class Sender:
    """The one timer. Wakes every 2 ms and sends for the tenth of the calls whose moment it is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lateness = array("d")
        self._loop = loop
        self._groups: list[list[MediaLeg]] = [[] for _ in range(PHASES)]
        self._tick = 0
        self._start = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def add(self, leg: MediaLeg) -> None:
        """Send for this leg from now on, in the emptiest tenth."""
        min(self._groups, key=len).append(leg)
        if self._handle is None:
            self._start, self._tick = self._loop.time(), 0
            self._handle = self._loop.call_at(self._start + TICK, self._wake)

    def remove(self, leg: MediaLeg) -> None:
        """Stop sending for this leg."""
        for group in self._groups:
            if leg in group:
                group.remove(leg)

    def stop(self) -> None:
        """Send nothing more."""
        if self._handle is not None:
            self._handle.cancel()

    def reset(self) -> None:
        """Forget the lateness seen so far: what is measured begins now."""
        self.lateness = array("d")

    def _wake(self) -> None:
        now = self._loop.time()
        while (due := self._start + (self._tick + 1) * TICK) <= now:
            self._tick += 1
            group = self._groups[self._tick % PHASES]
            if group:
                for leg in group:
                    leg.send(self._loop.time())
                self.lateness.append(self._loop.time() - due)
        self._handle = self._loop.call_at(due, self._wake)


def spread(legs: Sequence[MediaLeg], first: float, cycle: float) -> None:
    """Give each leg its moment to begin talking, evenly over one cycle, so that turns do not all end at once."""
    for index, leg in enumerate(legs):
        leg.talk_at = first + cycle * index / len(legs)
