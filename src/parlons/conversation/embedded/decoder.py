"""Recognition itself: a grammar of the phrases that may be said, decoded by pocketsphinx, checked by ear.

Runs in a worker process: a decode holds the interpreter for 50 ms per second of speech, which no call may feel. So this
module imports neither the voice runtime nor the agent models.

How it hears (figures in ``tests/conversation/embedded/accuracy.py``): the acoustic model is American English at 16 kHz,
and the telephone is neither. Each phrase is therefore spoken by espeak-ng in several voices, sent through a telephone's
band, and written down as the phones which the model hears in it; those are the phrase's pronunciations. The same
free hearing of the caller's words, compared with the pronunciations of what the grammar found, tells speech outside
the grammar from speech inside it.
"""

from __future__ import annotations

import ctypes
import json
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import pocketsphinx

from . import espeak
from .phonemes import PHONES, pronounce
from .phrases import pack
from .resample import Samples, from_pcm, level, resample, to_pcm
from .words import words

TELEPHONE = 8000
MODEL = 16000
MAX_SECONDS = 10
"""Only the end of a longer utterance is decoded."""
MAX_DISTANCE_SHORT, MAX_DISTANCE_LONG, LONG = 0.75, 0.63, 8
"""Share of the phones heard that do not fit what the grammar found, below and from ``LONG`` phones on; above it nothing
was understood. A sentence cannot be further off than that by accident, a word can."""
MAX_BETTER = 4
"""Phrases that may fit the phones heard better than the one which the grammar found; with more, nothing was understood.
The grammar always finds something, so for words outside it the two ears disagree."""
MAX_TERMS = 200

_VOICES = ("", "+f2", "+m1", "+f4")
_IMAGE = 0.1
_QUIET = 0.5
_NOISE = 0.005
_BEFORE, _AFTER = 0.3, 0.35
_SPEEDS = (0.85, 1.1)
_OPENING_WEIGHT = 0.3
_CLOSING_WEIGHT = 0.2
_BEAMS = {"beam": 1e-30, "wbeam": 1e-20, "pbeam": 1e-30, "lw": 1.0}
_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())

Phones = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood (empty when nothing was), and how sure that is, 0 to 1."""

    text: str
    confidence: float


def _acoustic_model() -> str:
    return str(pocketsphinx.get_model_path("en-us/en-us"))


def widen(samples: Samples, rate: int) -> Samples:
    """Telephone speech as the acoustic model wants it: 16 kHz, with a faint mirror of the low band above 4 kHz, where
    the telephone has nothing and the model expects something."""
    narrow = resample(samples, rate, TELEPHONE)
    wide = resample(narrow, TELEPHONE, MODEL)
    mirrored = np.zeros(len(narrow) * 2, np.float32)
    mirrored[::2] = narrow * 2
    return (wide + np.float32(_IMAGE) * (mirrored - wide)).astype(np.float32)


def for_the_model(samples: Samples, rate: int) -> bytes:
    """An utterance as PCM that always stands in the same way for the model: at one level, with a short and faintly
    noisy pause on either side. The model's idea of silence is an average of the whole utterance, so the long digital
    silence which a detector leaves around the words on a clean line made it deaf to them."""
    samples = resample(level(samples, rate), rate, TELEPHONE) * np.float32(_QUIET)
    size = TELEPHONE // 50
    power = (samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0) * 1e-3)
    if len(loud):
        samples = samples[loud[0] * size : (loud[-1] + 1) * size]
    samples = np.pad(samples, (round(_BEFORE * TELEPHONE), round(_AFTER * TELEPHONE)))
    noise = np.random.default_rng(0).normal(0, _NOISE, len(samples))
    return to_pcm(widen(samples + noise.astype(np.float32), TELEPHONE))


@lru_cache(maxsize=1)
def _ear() -> Any:
    """Hears phones, free of any grammar."""
    return pocketsphinx.Decoder(
        hmm=_acoustic_model(),
        allphone=str(pocketsphinx.get_model_path("en-us/en-us-phone.lm.bin")),
        lm=None,
        allphone_ci=True,
        beam=1e-20,
        pbeam=1e-20,
        lw=1.0,
        samprate=MODEL,
        loglevel="FATAL",
    )


Segment = tuple[str, int, int]
"""What was found, and its first and last frame of 10 ms."""


def _decode(decoder: Any, pcm: bytes) -> list[Segment]:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [(segment.word.split("(")[0], segment.start_frame, segment.end_frame) for segment in decoder.seg()]


def _phones(pcm: bytes, first: int, last: int) -> Phones:
    """The phones heard, in order, whose middle lies between two frames: around speech the ear hears phones in noise."""
    return tuple(p for p, start, end in _decode(_ear(), pcm) if p in PHONES and first <= (start + end) / 2 <= last)


def _by_rule(phones: Phones) -> list[Phones]:
    """Spellings of a pronunciation as the model tends to hear it: other languages' R is an L or W to it, and a nasal
    vowel has no N."""
    spellings = []
    for onset, coda, nasal in (("L", (), False), ("W", ("UW",), False), ("R", ("R",), True), ("L", ("UW",), True)):
        out: list[str] = []
        for index, phone in enumerate(phones):
            before_vowel = index + 1 < len(phones) and phones[index + 1] in _VOWELS
            if phone == "R":
                out += [onset] if before_vowel else coda
            elif not (phone == "N" and not nasal and not before_vowel and out and out[-1] in ("AO", "OW", "AE", "AH")):
                out.append(phone)
        spellings.append(tuple(out))
    return spellings


def _by_ear(phrase: str, voice: str) -> list[Phones]:
    """The phones heard when each of several voices says the phrase over a telephone."""
    heard = []
    for variant in _VOICES:
        for speed in _SPEEDS:
            pcm = for_the_model(*espeak.speak_blocking(phrase, voice + variant, speed=speed))
            heard.append(_phones(pcm, round(_BEFORE * 100), len(pcm) // (MODEL // 100 * 2) - round(_AFTER * 100)))
    return heard


@lru_cache(maxsize=1)
def _learned() -> dict[str, dict[str, list[str]]]:
    """Pronunciations of the built-in phrases, by voice. Written by the module ``learn``."""
    text = resources.files(__package__).joinpath("pronunciations.json").read_text("utf-8")
    learned: dict[str, dict[str, list[str]]] = json.loads(text)
    return learned


@lru_cache(maxsize=8192)
def pronunciations(phrase: str, voice: str, *, afresh: bool = False) -> tuple[Phones, ...]:
    """Every way a phrase may sound to the acoustic model. Takes 150 ms the first time unless it is built in."""
    known = None if afresh else _learned().get(voice, {}).get(phrase)
    if known is not None:
        return tuple(tuple(p.split()) for p in known)
    straight = pronounce(phrase, voice)
    by_rule = [straight] if voice.startswith("gmw/en") else _by_rule(straight)
    return tuple(p for p in dict.fromkeys([*by_rule, *_by_ear(phrase, voice)]) if p)


def built_in(language: str) -> tuple[list[str], list[str], list[str]]:
    """(words that mean something, openings, closings) of a language."""
    known = pack(language)
    if known is None:
        return [], [], []
    return [*standing_alone(language), *known.subjects], list(known.openings), list(known.closings)


def fillers(language: str) -> list[str]:
    """What may come before anything, or is heard there when nothing was said."""
    known = pack(language)
    return list(known.fillers) if known else []


def standing_alone(language: str) -> list[str]:
    """What people say on the telephone whatever it is about: goodbye, yes, pardon."""
    known = pack(language)
    if known is None:
        return []
    return [*known.goodbye, *known.wait, *known.greeting, *known.thanks, *known.yes, *known.no, *known.repeat]


class Grammar:
    """One vocabulary, ready to decode: an optional opening, one phrase, an optional closing."""

    def __init__(self, language: str, terms: Iterable[str]) -> None:
        voice = espeak.voice_for(language)
        if voice is None:
            raise ValueError(f"espeak-ng cannot read {language}")
        general, openings, closings = built_in(language)
        meanings: dict[tuple[str, ...], str] = {}
        for phrase in [*list(terms)[:MAX_TERMS], *general]:
            meanings.setdefault(tuple(words(phrase)), phrase)
        meanings.pop((), None)
        self._phrases: list[str] = list(dict.fromkeys([*meanings.values(), *openings, *closings]))
        self._meaning = {f"w{self._phrases.index(p)}" for p in meanings.values()}
        self._alone = {f"w{self._phrases.index(meanings[tuple(words(p))])}" for p in standing_alone(language)}
        """What is said on its own: with anything around it but a filler before it, it is not what was said."""
        self._fillers = {f"w{self._phrases.index(p)}" for p in fillers(language)}
        self._phones = {f"w{i}": pronunciations(p, voice) for i, p in enumerate(self._phrases)}
        self._openings = [f"w{self._phrases.index(p)}" for p in openings]
        self._decoder = self._build(self._openings, closings)

    def _build(self, openings: list[str], closings: list[str]) -> Any:
        with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8") as dictionary:
            for name, variants in self._phones.items():
                for number, phones in enumerate(variants):
                    dictionary.write(f"{name}{f'({number + 1})' if number else ''} {' '.join(phones)}\n")
            dictionary.flush()
            decoder = pocketsphinx.Decoder(
                hmm=_acoustic_model(), dict=dictionary.name, lm=None, samprate=MODEL, loglevel="FATAL", **_BEAMS
            )
        each = 1 / max(1, len(self._meaning))
        start, opened, meant, end = range(4)
        arcs: list[tuple[Any, ...]] = [
            *((start, opened, _OPENING_WEIGHT / len(openings), name) for name in openings),
            *((start, meant, (1 - _OPENING_WEIGHT) * each, name) for name in sorted(self._meaning)),
            *((opened, meant, each, name) for name in sorted(self._meaning)),
            *(
                (meant, end, _CLOSING_WEIGHT / len(closings), f"w{self._phrases.index(closing)}")
                for closing in closings
            ),
            (meant, end, 1 - _CLOSING_WEIGHT),
        ]
        decoder.add_fsg("phrases", decoder.create_fsg("phrases", start, end, arcs))
        decoder.activate_search("phrases")
        return decoder

    def recognise(self, samples: Samples, rate: int) -> Heard:
        """What somebody said, in the words of the grammar."""
        pcm = for_the_model(samples[-MAX_SECONDS * rate :], rate)
        segments = [segment for segment in _decode(self._decoder, pcm) if segment[0] in self._phones]
        found = [name for name, _, _ in segments]
        if not self._meaning.intersection(found):
            return Heard("", 0.0)
        around = len(found) > 2 or (len(found) == 2 and found[0] not in self._fillers)
        if around and self._alone.intersection(found):
            return Heard("", 0.0)  # "votre au revoir": nobody says so, but other speech is often taken for it
        heard = _phones(pcm, segments[0][1], segments[-1][2])
        distance, better = self._fit(heard, found)
        if distance > (MAX_DISTANCE_LONG if len(heard) >= LONG else MAX_DISTANCE_SHORT) or better > MAX_BETTER:
            return Heard("", 0.0)
        return Heard(" ".join(self._phrases[int(name[1:])] for name in found), max(0.0, 1 - distance))

    def _fit(self, heard: Phones, found: list[str]) -> tuple[float, int]:
        """Edits, per phone heard, between the phones heard and these words; and how many other phrases in the place of
        the one that matters would need fewer."""
        place = 1 if len(found) == 3 or (len(found) == 2 and found[0] in self._openings) else 0
        before = list(range(len(heard) + 1))
        for name in found[:place]:
            before = self._nearest(before, heard, name)

        def cost(name: str) -> int:
            row = self._nearest(before, heard, name)
            for closing in found[place + 1 :]:
                row = self._nearest(row, heard, closing)
            return row[-1]

        own = cost(found[place])
        better = sum(cost(other) < own for other in self._meaning if other != found[place])
        return own / max(1, len(heard)), better

    def _nearest(self, row: list[int], heard: Phones, name: str) -> list[int]:
        """The table's row after this phrase, in whichever of its pronunciations is nearest at each point."""
        return [min(costs) for costs in zip(*(_edits(row, heard, p) for p in self._phones[name]), strict=True)]


def _edits(row: list[int], heard: Phones, phones: Phones) -> list[int]:
    """One more pronunciation's rows of a Levenshtein table that begins with ``row``."""
    for phone in phones:
        following = [row[0] + 1]
        for index, other in enumerate(heard):
            following.append(min(following[-1] + 1, row[index + 1] + 1, row[index] + (phone != other)))
        row = following
    return row


# -- in the worker process ---------------------------------------------------------------------------------


def start_worker() -> None:
    """End with the parent whatever ends it, and leave the terminal's Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@lru_cache(maxsize=32)
def grammar(language: str, terms: tuple[str, ...]) -> Grammar:
    """The grammar of a vocabulary, built once."""
    return Grammar(language, terms)


def prepare(language: str, terms: tuple[str, ...]) -> None:
    """Build a grammar ahead of the call that needs it."""
    grammar(language, terms)


def recognise(language: str, terms: tuple[str, ...], pcm: bytes, rate: int) -> Heard:
    """Recognise one utterance of s16le mono PCM."""
    return grammar(language, terms).recognise(from_pcm(pcm), rate)
