"""What the caller hears while somebody is rung, and what of theirs the agent does not: then the port is given back.

Knows a port and tones; neither legs nor agents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from babel import Locale
from babel.core import get_global

from parlons.telephony.media.tones import ToneSource, ringback
from parlons.telephony.types import AudioPort, AudioSink, AudioSource


class EarlyMedia(Protocol):
    """What a leg that is not answered sends, at another port's rate. See ``telephony.media.crossing.early_media``."""

    @property
    def flowing(self) -> bool:
        """There is sound now: better heard than a ringback of ours."""
        ...

    def pull(self) -> bytes | None:
        """One frame, or None for silence."""
        ...

    def close(self) -> None:
        """Take nothing from the leg any more. Idempotent."""
        ...


def territory(language: str) -> str:
    """The ISO 3166 country whose tones speakers of a language expect: the tag's own, else where most of them live."""
    locale = Locale.parse(language, sep="-")
    if locale.territory:
        return str(locale.territory)
    likely = str(get_global("likely_subtags").get(locale.language, ""))
    return likely.rpartition("_")[2]


class RingingAudio:
    """Takes a caller's port from the agent until ``give_back``, or until somebody else takes it.

    From the start the agent gets silence in place of the caller's voice (a missing frame would stop its clocks). The
    agent's own voice goes on until ``sentence_over``; then the caller hears ringback, or early media while there is any
    sound in it. Nobody is met with silence.

    Args:
        country: whose ringback, ISO 3166.
        on_digit: told of the keys the caller presses meanwhile.
    """

    def __init__(self, port: AudioPort, country: str, on_digit: Callable[[str], None]) -> None:
        self._port = port
        self._tone: AudioSource = _Ringback(country, port)
        self._early: EarlyMedia | None = None
        self._talking = True
        self._source, self._sink, self._on_dtmf = port.source, port.sink, port.on_dtmf
        self._digit = on_digit
        self._mute: AudioSink = self._silence
        self._play: AudioSource = self._pull
        port.sink, port.on_dtmf = self._mute, self._digit

    def sentence_over(self) -> None:
        """The agent has finished: ringback from now on."""
        if self._talking:
            self._talking = False
            self._port.source = self._play

    def early(self, media: EarlyMedia) -> None:
        """The destination may send sound before it answers: heard in place of ringback while there is any."""
        self.early_over()
        self._early = media

    def early_over(self) -> None:
        """Ringback again, and nothing of the destination's."""
        if self._early is not None:
            self._early.close()
            self._early = None

    def give_back(self) -> None:
        """The port is the agent's again, unless somebody else took it meanwhile. Idempotent."""
        self.early_over()
        port = self._port
        if port.source is self._play:
            port.source = self._source
        if port.sink is self._mute:
            port.sink = self._sink
        if port.on_dtmf is self._digit:
            port.on_dtmf = self._on_dtmf

    def _silence(self, frame: bytes) -> None:
        if self._sink is not None:
            self._sink(bytes(len(frame)))

    def _pull(self) -> bytes | None:
        if self._early is not None:
            frame = self._early.pull()  # taken also while it is not played: what waits would come late
            if self._early.flowing:
                return frame
        return self._tone()


class _Ringback:
    """Made when it is first heard: by then the port's rate is known."""

    def __init__(self, country: str, port: AudioPort) -> None:
        self._country = country
        self._port = port
        self._tone: ToneSource | None = None

    def __call__(self) -> bytes:
        if self._tone is None:
            self._tone = ringback(self._country, self._port.sample_rate)
        return self._tone()
