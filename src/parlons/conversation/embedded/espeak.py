"""espeak-ng through ctypes, on the one thread that may touch it: speech and phonemes out of text.

The library keeps its voice, rate and call-backs in globals, so every call goes through a single worker thread; nothing
here runs on the event loop. Knows languages and PCM, nothing of plug-ins or agents.
"""

from __future__ import annotations

import asyncio
import ctypes
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
T = TypeVar("T")

WORDS_PER_MINUTE = 160
"""The pace at speed 1.0: slower than espeak's own 175, which is hard to follow on a telephone."""

_SYNCHRONOUS = 2
_UTF8 = 1
_END_PAUSE = 0x1000
_RATE = 1
_IPA_SPACED = 0x02 | (ord(" ") << 8)
_ALIASES = {"zh": "cmn", "no": "nb", "iw": "he"}
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


_SPARE_OCTETS = 64


class _Library:
    """The loaded library. Made, and used, on the worker thread only."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 500, espeakng_loader.get_data_path().encode(), 0)
        if self.rate <= 0:
            raise OSError("espeak-ng could not be started: its data files are missing")
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._pcm = bytearray()
        self._cancelled: threading.Event | None = None
        self._callback = _Callback(self._collect)  # kept: the library holds only its address
        self._lib.espeak_SetSynthCallback(self._callback)

    def _collect(self, wav: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if wav and count > 0:
            self._pcm += ctypes.string_at(wav, count * 2)
        return int(self._cancelled is not None and self._cancelled.is_set())

    def voices(self) -> dict[str, str]:
        """Every language tag spoken, in lower case, with the identifier of the voice that speaks it best."""
        best: dict[str, tuple[int, str]] = {}
        listed = self._lib.espeak_ListVoices(None)
        index = 0
        while listed[index]:
            voice = listed[index].contents
            index += 1
            address = voice.languages
            while priority := ctypes.string_at(address, 1)[0]:
                tag = ctypes.string_at(address + 1)
                address += len(tag) + 2
                name = tag.decode().lower()
                if name not in best or priority < best[name][0]:
                    best[name] = (priority, voice.identifier.decode())
        return {tag: identifier for tag, (_, identifier) in best.items()}

    def select(self, voice: str) -> bool:
        return bool(self._lib.espeak_SetVoiceByName(voice.encode()) == 0)

    def speak(self, text: str, voice: str, speed: float, pause: bool, cancelled: threading.Event) -> Samples:
        if not self.select(voice):
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._lib.espeak_SetParameter(_RATE, max(80, min(450, round(WORDS_PER_MINUTE * speed))), 0)
        self._pcm, self._cancelled = bytearray(), cancelled
        raw = _UNSPEAKABLE.sub(" ", text).encode()
        self._lib.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, _UTF8 | (_END_PAUSE if pause else 0), None, None)
        return np.frombuffer(bytes(self._pcm), dtype=np.int16).astype(np.float32) / np.float32(32768)

    def phonemes(self, text: str, voice: str) -> str:
        if not self.select(voice):
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        # The library moves the pointer on by a clause, at the end to NULL or a few octets past the terminator: the text
        # stands in memory of ours, with zeros after it, and the pointer is never followed out of it.
        text_octets = _UNSPEAKABLE.sub(" ", text).encode().replace(b"\0", b" ")
        memory = ctypes.create_string_buffer(text_octets, len(text_octets) + _SPARE_OCTETS)
        start = ctypes.addressof(memory)
        rest = ctypes.c_void_p(start)
        clauses = []
        while rest.value is not None and start <= rest.value < start + len(text_octets):
            clauses.append(self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_SPACED).decode())
        return "  ".join(clauses)


_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak")
_library: _Library | None = None


def _on_worker(work: Callable[[_Library], T]) -> T:
    global _library
    if _library is None:
        _library = _Library()
    return work(_library)


@lru_cache(maxsize=1)
def _voices() -> dict[str, str]:
    return _worker.submit(_on_worker, _Library.voices).result()


def prewarm() -> None:
    """Load the library and its list of voices (10 ms once), so that no call waits for it."""
    _voices()


def voice_for(language: str) -> str | None:
    """The voice that speaks a BCP 47 language (its exact region, else the language at large), or None.

    >>> voice_for("fr-FR")
    'roa/fr'
    """
    voices = _voices()
    tag = language.lower()
    base = tag.split("-")[0]
    base = _ALIASES.get(base, base)
    for name in (tag, base):
        if name in voices:
            return voices[name]
    return next((voices[name] for name in sorted(voices) if name.startswith(base + "-")), None)


def has_voice(name: str) -> bool:
    """Whether espeak-ng knows this voice by name, file or variant (``fr+f2``)."""
    known: bool = _worker.submit(_on_worker, lambda library: library.select(name)).result()
    return known


def phonemes(text: str, voice: str) -> str:
    """The IPA of a text: phonemes parted by one space, words by two. Blocks: not for the event loop."""
    ipa: str = _worker.submit(_on_worker, lambda library: library.phonemes(text, voice)).result()
    return ipa


def speak_blocking(text: str, voice: str, *, speed: float = 1.0) -> tuple[Samples, int]:
    """``speak`` for code that runs on no event loop."""
    never = threading.Event()
    return _worker.submit(
        _on_worker, lambda library: (library.speak(text, voice, speed, False, never), library.rate)
    ).result()


async def speak(text: str, voice: str, *, speed: float = 1.0, pause: bool = False) -> tuple[Samples, int]:
    """Speak a text; its samples (-1 to 1) and how many make a second. Cancelling stops the synthesis.

    Raises ValueError for an unknown voice.
    """
    cancelled = threading.Event()

    def work(library: _Library) -> tuple[Samples, int]:
        return library.speak(text, voice, speed, pause, cancelled), library.rate

    try:
        return await asyncio.get_running_loop().run_in_executor(_worker, _on_worker, work)
    except asyncio.CancelledError:
        cancelled.set()
        raise
