"""How well music is told from speech, and a beep from everything else: over Debian's hold music and voice prompts,
through PCMA. ``python -m benchmarks.machines [SHARE]``; needs the packages of ``scripts/test-packages``. SHARE: every
n-th prompt alone is played (1 plays all: seven minutes of processor time; 8 by default: one minute).

What is measured is the detector of a call while it listens with care (``conversation.music``, ``conversation.vad``),
frame by frame and in step, and ``conversation.answering_machine``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sys
import time
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from livekit import rtc
from livekit.agents import vad

from parlons.conversation.answering_machine import AnsweringMachine, Beep
from parlons.conversation.menus import MENU_END_OF_SPEECH_MS
from parlons.conversation.music import Lull, SpeechGate
from parlons.conversation.vad import new_detector, set_careful
from parlons.telephony.media.codecs import PCMA
from parlons.telephony.media.tones import BUSY, RINGBACK, Cadence, ToneSource, key_tone

RATE = 8000
FRAME = 320
CHUNK_SECONDS = 0.04
WINDOW_SECONDS = 0.032
DEBIAN = Path("/usr/share/asterisk")
VOICES = {"fr": "fr_CA_f_June", "en": "en_US_f_Allison"}
NO_SPEECH = ("beep", "tone", "silence", "tt-", "screaming")
"""Prompts that hold tones, noises or nothing."""
OTHER_TONES = {
    "AU ringing": Cadence((400, 425, 450), (0.4, 0.2, 0.4, 2.0)),
    "BR ringing": Cadence((425,), (1.0, 4.0)),
    "CN ringing": Cadence((450,), (1.0, 4.0)),
    "IN ringing": Cadence((400, 25), (0.4, 0.2, 0.4, 2.0)),
    "JP ringing": Cadence((400,), (1.0, 2.0)),
    "RU ringing": Cadence((425,), (0.8, 3.2)),
    "ZA ringing": Cadence((400, 33), (0.4, 0.2, 0.4, 2.0)),
    "FR dial": Cadence((440,), (1.0,)),
    "US dial": Cadence((350, 440), (1.0,)),
    "US reorder": Cadence((480, 620), (0.25, 0.25)),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """s16le mono at 8 kHz, as PCMA leaves it."""

    name: str
    pcm: bytes

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE


def sound(name: str, pcm: bytes) -> Sound:
    """Through PCMA."""
    return Sound(name, PCMA.decode(PCMA.encode(pcm)))


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def _files(folder: Path) -> Iterator[Sound]:
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise SystemExit(f"{folder} holds no sound: run scripts/test-packages")
    for file in files:
        with contextlib.suppress(wave.Error, EOFError), wave.open(str(file)) as opened:
            if opened.getframerate() == RATE and opened.getsampwidth() == 2:
                yield sound(file.stem, opened.readframes(opened.getnframes()))


def music() -> list[Sound]:
    """Every piece of hold music."""
    return list(_files(DEBIAN / "moh"))


def prompts(language: str) -> list[Sound]:
    """Spoken prompts of a second or so and more, ``fr`` or ``en``: one utterance each."""
    found = _files(DEBIAN / "sounds" / VOICES[language])
    return [s for s in found if s.seconds >= 0.8 and not any(mark in s.name for mark in NO_SPEECH)]


def tones(seconds: float = 60.0) -> list[Sound]:
    """Ringing, busy and other tones of networks."""
    named = {f"{country} ringing": cadence for country, cadence in RINGBACK.items()}
    named |= {f"{country} busy": cadence for country, cadence in BUSY.items()} | OTHER_TONES
    made = []
    for name, cadence in named.items():
        source = ToneSource(cadence, RATE)
        made.append(sound(name, b"".join(source() for _ in range(round(seconds * 50)))))
    return made


# -- speech --------------------------------------------------------------------------------------------------------


class CarefulEars:
    """The detector of a call, in step: each chunk is judged before the next one comes."""

    def __init__(self, *, careful: bool = True) -> None:
        self._detector = new_detector(MENU_END_OF_SPEECH_MS)
        self._careful = careful
        set_careful(self._detector, careful)

    async def hear(self, pcm: bytes) -> list[tuple[float, float]]:
        """Stretches of what is taken for speech: seconds of when it was noticed, and when it was over."""
        stream, lull = self._detector.stream(), Lull()
        judged, noticed, found = 0.0, None, []
        lenient_until = 0.0
        try:
            for number in range(len(pcm) // (2 * FRAME)):
                chunk = pcm[number * 2 * FRAME : (number + 1) * 2 * FRAME]
                for frame in (chunk[:FRAME], chunk[FRAME:]):
                    if self._careful and lull.hear(frame, CHUNK_SECONDS / 2, speaking=noticed is not None):
                        self._detector.forget()
                        judged += WINDOW_SECONDS  # what was not judged yet is dropped
                stream.push_frame(
                    rtc.AudioFrame(data=chunk, sample_rate=RATE, num_channels=1, samples_per_channel=FRAME)
                )
                heard = (number + 1) * CHUNK_SECONDS
                if self._careful and 0.0 < lenient_until <= heard:
                    lenient_until = 0.0
                    set_careful(self._detector, True)
                while judged + 2 * WINDOW_SECONDS < heard:
                    event = await asyncio.wait_for(anext(stream), 5)
                    if event.type is vad.VADEventType.INFERENCE_DONE:
                        judged += WINDOW_SECONDS
                    elif event.type is vad.VADEventType.START_OF_SPEECH:
                        noticed, lenient_until = heard, 0.0
                    elif noticed is not None:
                        found.append((noticed, heard))
                        noticed, lenient_until = None, heard + MENU_END_OF_SPEECH_MS / 1000
                        if self._careful:  # within a turn, as in a call
                            set_careful(self._detector, False)
        finally:
            await stream.aclose()
        if noticed is not None:
            found.append((noticed, len(pcm) / 2 / RATE))
        return found


def turns(stretches: Iterable[tuple[float, float]]) -> int:
    """Turns that these stretches make at most: as if a recogniser found words in every one."""
    count, last = 0, float("-inf")
    for start, end in stretches:
        count += start - last > MENU_END_OF_SPEECH_MS / 1000
        last = end
    return count


async def false_turns(sounds: Iterable[Sound], *, careful: bool = True) -> tuple[int, float]:
    """Turns made of what is no speech, and the minutes heard."""
    count, seconds = 0, 0.0
    for one in sounds:
        count += turns(await CarefulEars(careful=careful).hear(one.pcm))
        seconds += one.seconds
    return count, seconds / 60


async def missed(utterances: Iterable[Sound], before: list[bytes], gap: float, *, careful: bool = True) -> list[str]:
    """Utterances not noticed within a second of their end. Each comes after a piece of ``before`` and ``gap``."""
    names, pieces = [], itertools.cycle(before)
    for one in utterances:
        lead = next(pieces) + silence(gap)
        begins = len(lead) / 2 / RATE
        found = await CarefulEars(careful=careful).hear(lead + one.pcm + silence(1.0))
        if not any(start > begins for start, _ in found):
            names.append(one.name)
    return names


def pieces(sounds: list[Sound], count: int, seconds: float) -> list[bytes]:
    """Stretches of these sounds from anywhere, the same at every run."""
    choose, size = random.Random(4), round(seconds * RATE) * 2
    made = []
    for _ in range(count):
        pcm = choose.choice([s.pcm for s in sounds if len(s.pcm) > size])
        start = choose.randrange(0, len(pcm) - size) // 2 * 2
        made.append(pcm[start : start + size])
    return made


# -- beeps ---------------------------------------------------------------------------------------------------------


def beeps(pcm: bytes, speech: float | None) -> list[Beep]:
    """Beeps heard; ``speech``: the seconds at the beginning in which somebody talks. None: as if a greeting had ended
    at every moment, which is harsher than any call."""
    found, machine = [], AnsweringMachine(RATE)
    for number in range(len(pcm) // FRAME):
        if machine.done:
            machine = AnsweringMachine(RATE)
        speaking = speech is None or number * 0.02 < speech
        beep = machine.hear(pcm[number * FRAME : (number + 1) * FRAME], speaking=speaking)
        if beep is not None:
            found.append(beep)
    return found


def tone(frequency: float, seconds: float, level: float) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    return bytes((np.sin(2 * np.pi * frequency * at) * level).astype("<i2").tobytes())


def _missed_beeps(greeting: Sound) -> tuple[int, int]:
    tried = heard = 0
    for frequency in (400, 425, 440, 480, 550, 620, 700, 800, 941, 1000, 1209, 1400, 1500, 1750, 2000):
        for seconds, level in itertools.product((0.15, 0.25, 0.5, 1.0, 1.9), (800, 4000, 12000)):
            after = silence(0.3) + tone(frequency, seconds, level) + silence(6.0)
            tried += 1
            heard += len(beeps(greeting.pcm + sound("", after).pcm, greeting.seconds)) == 1
    return tried - heard, tried


def _cpu() -> float:
    """Part of a core that listening with care adds to a call: level, gate, and in the first two minutes beeps."""
    pcm = b"".join(pieces(music(), 10, 6.0))
    lull, gate, machine = Lull(), SpeechGate(), AnsweringMachine(RATE)
    began = time.process_time()
    for number in range(len(pcm) // FRAME):
        frame = pcm[number * FRAME : (number + 1) * FRAME]
        lull.hear(frame, 0.02, speaking=False)
        machine.hear(frame, speaking=False)
        if number % 2:
            gate.take(
                rtc.AudioFrame(data=frame * 2, sample_rate=RATE, num_channels=1, samples_per_channel=FRAME),
                careful=True,
                speaking=False,
            )
    return (time.process_time() - began) / (len(pcm) / 2 / RATE)


async def main(share: int) -> None:
    """Measure, and print."""
    hold, spoken = music(), {language: prompts(language)[::share] for language in VOICES}
    for careful in (False, True):
        print("listening with care" if careful else "listening as usual")
        for name, sounds in (("hold music", hold), ("network tones", tones())):
            count, minutes = await false_turns(sounds, careful=careful)
            print(f"  {name}: {count} false turns in {minutes:.1f} min")
        for language, utterances in spoken.items():
            quiet = await missed(utterances, [silence(1.0)], 0.0, careful=careful)
            print(f"  {language}, after silence: {_share(quiet, utterances)}")
            for gap in (0.0, 0.2, 0.5):
                names = await missed(utterances, pieces(hold, 50, 8.0), gap, careful=careful)
                print(f"  {language}, {gap:.1f} s after music: {_share(names, utterances)}")
    print("beeps")
    greeting = next(s for s in prompts("fr") if s.seconds > 3)
    print("  missed: {} of {}".format(*_missed_beeps(greeting)))
    keys = [Sound(key, silence(0.5) + b"".join(key_tone(key, RATE, 0.2)) + silence(6.0)) for key in "0123456789*#ABCD"]
    humans = [Sound(s.name, s.pcm + silence(6.0)) for s in itertools.chain(*spoken.values())]
    for name, sounds in (("music", hold), ("tones", tones()), ("keys", keys), ("voices", humans)):
        print(f"  taken for one in {name}: {sum(len(beeps(s.pcm, None)) for s in sounds)}")
    print(f"CPU of listening with care: {100 * _cpu():.2f} % of a core a call, besides the detector's own")


def _share(names: list[str], utterances: list[Sound]) -> str:
    return f"{100 - 100 * len(names) / len(utterances):.1f} % of {len(utterances)} noticed; missed {names[:6]}"


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
