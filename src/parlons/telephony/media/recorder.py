"""Both sides of a call as a stereo WAV file: left what we received, right what we sent. Streamed to disk by threads.

Knows nothing of RTP: it is hung on the ``tap`` of an audio port. The file is valid at any moment, also when the
process is killed: its header is rewritten after every second of audio.
"""

from __future__ import annotations

import asyncio
import collections
import io
import logging
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

_CHUNK_FRAMES = 50
"""One second goes to disk at a time."""
_MOST_CHUNKS = 20
"""What may wait for a slow disk: 20 s, under 1.3 MB a call. Anything beyond becomes silence in the file."""
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")

_writers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="recorder")

log = logging.getLogger(__name__)


class Recorder:
    """Hang ``tap`` on an audio port; ``await close()`` when the call is over.

    Args:
        path: the file; missing folders are made, an existing file is replaced.
        sample_rate: the port's.

    Attributes:
        muted: while true both sides are recorded as silence (a step marked sensitive).
        dropped_frames: frames replaced by silence because the disk did not keep up.
        error: why nothing is written any more (disk full, no permission), or None.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.path = path
        self.muted = False
        self.dropped_frames = 0
        self.error: OSError | None = None
        self._rate = sample_rate
        self._silence = bytes(sample_rate // 50 * 2)
        self._loop = asyncio.get_running_loop()
        self._left: list[bytes] = []
        self._right: list[bytes] = []
        self._waiting: collections.deque[tuple[bytes, bytes] | int] = collections.deque()
        self._writing: asyncio.Future[None] | None = None
        self._closed = False
        self._file: io.FileIO | None = None
        self._octets = 0

    # -- on the loop -------------------------------------------------------------------------------------------

    def tap(self, received: bytes, sent: bytes) -> None:
        """One frame of both sides. Never blocks, never raises."""
        if self._closed or self.error is not None:
            return
        self._left.append(self._silence if self.muted else received)
        self._right.append(self._silence if self.muted else sent)
        if len(self._left) == _CHUNK_FRAMES:
            self._hand_over()

    async def close(self) -> None:
        """Write what is left and finish the file. Idempotent. A failure to write is in ``error``, not raised."""
        if self._closed:
            return
        self._closed = True
        if self._left:
            self._hand_over()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # lets _written start the next chunk
        await self._loop.run_in_executor(_writers, self._finish)

    def _hand_over(self) -> None:
        frames = len(self._left)
        if len(self._waiting) < _MOST_CHUNKS:
            self._waiting.append((b"".join(self._left), b"".join(self._right)))
        else:
            self.dropped_frames += frames
            last = self._waiting[-1]
            if isinstance(last, int):
                self._waiting[-1] = last + frames
            else:
                self._waiting.append(frames)
        self._left.clear()
        self._right.clear()
        if self._writing is None:
            self._next()

    def _next(self) -> None:
        self._writing = self._loop.run_in_executor(_writers, self._write, self._waiting.popleft())
        self._writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        error = None if writing.cancelled() else writing.exception()
        if isinstance(error, OSError):
            self.error = error
            self._waiting.clear()
            log.error("Recording to %s stopped: %s", self.path, error.strerror)
        elif error is not None:
            raise error
        elif self._waiting:
            self._next()

    # -- in a thread, one call at a time -------------------------------------------------------------------------

    def _write(self, chunk: tuple[bytes, bytes] | int) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = io.FileIO(self.path, "wb")
            self._write_header(self._file)
        if isinstance(chunk, int):
            for _ in range(chunk):
                self._append(self._file, bytes(2 * len(self._silence)))
        else:
            sides = [np.frombuffer(side, "<i2") for side in chunk]
            self._append(self._file, np.column_stack(sides).tobytes())
        self._write_header(self._file)

    def _append(self, file: io.FileIO, data: bytes) -> None:
        file.seek(0, io.SEEK_END)
        view = memoryview(data)
        while view:
            written = file.write(view) or 0
            self._octets += written
            view = view[written:]

    def _write_header(self, file: io.FileIO) -> None:
        file.seek(0)
        octets = min(self._octets, 0xFFFFFFFF - 36)
        file.write(
            _HEADER.pack(
                b"RIFF", 36 + octets, b"WAVE", b"fmt ", 16, 1, 2, self._rate, self._rate * 4, 4, 16, b"data", octets
            )
        )

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
