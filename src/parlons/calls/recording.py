"""The recording of one call: begun, muted and stopped by its life, and noted on its timeline and its record."""

from __future__ import annotations

from pathlib import Path

from parlons import logs
from parlons.telephony.media.recorder import Recorder
from parlons.telephony.media.rtp import RtpMedia

from .record import CallRecord
from .timeline import Kind, Timeline

log = logs.get(__name__)


class Recording:
    """Of the caller's leg, both sides. Off until ``start``; every method may be called at any time."""

    def __init__(self, folder: Path, record: CallRecord, media: RtpMedia, timeline: Timeline) -> None:
        self._folder = folder
        self._record = record
        self._media = media
        self._timeline = timeline
        self._recorder: Recorder | None = None

    @property
    def running(self) -> bool:
        return self._recorder is not None

    @property
    def started(self) -> bool:
        """There is a recording of this call, running or not."""
        return self._record.recording is not None

    def start(self) -> None:
        """Record from now on. A call has one file: once stopped it is not begun again."""
        if self.started:
            return
        name = f"{self._record.id}.wav"
        self._recorder = Recorder(self._folder / name, self._media.sample_rate)
        self._media.tap = self._recorder.tap
        self._record.recording = name
        self._timeline.add("system", Kind.RECORDING, event="started", file=name)

    def mute(self, on: bool) -> None:
        """Silence in place of both sides, for as long as a step is sensitive."""
        if self._recorder is not None:
            self._recorder.muted = on

    async def stop(self) -> None:
        """Finish the file. A failure to write costs the recording, never the call."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if self._media.tap == recorder.tap:
            self._media.tap = None
        await recorder.close()
        event = "stopped"
        if recorder.error is not None:
            event = "failed"
            log.error("recording_failed", error=str(recorder.error))
        self._timeline.add("system", Kind.RECORDING, event=event, file=self._record.recording)
