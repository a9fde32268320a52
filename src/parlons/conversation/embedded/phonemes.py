"""Pronunciations in the 39 phones of the English acoustic model, for words of any language espeak-ng can read.

There is no free acoustic model for each language that installs with a package, but a small grammar needs only phones
that are closest in sound. Knows IPA and phones; nothing of grammars or audio.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from . import espeak

PHONES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()

# Longest first wins. Nasal vowels are written by espeak-ng as a vowel and U+0303.
_PHONES_OF = {
    "a": "AA", "ɑ": "AA", "ɒ": "AA", "æ": "AE", "ɐ": "AH", "ʌ": "AH", "ə": "AH", "ɘ": "AH", "ɜ": "ER", "ɚ": "ER",
    "ɝ": "ER", "e": "EY", "ɛ": "EH", "ɪ": "IH", "ᵻ": "IH", "i": "IY", "ɨ": "IH", "o": "OW", "ɔ": "AO", "u": "UW",
    "ʊ": "UH", "ʉ": "UW", "ɯ": "UW", "y": "UW", "ʏ": "UH", "ø": "ER", "œ": "ER", "ɵ": "UH", "ɤ": "AH",
    "aɪ": "AY", "aʊ": "AW", "ɔɪ": "OY", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɪə": "IH R", "eə": "EH R", "ʊə": "UH R",
    "ai": "AY", "au": "AW", "ɔø": "OY", "ɔy": "OY",
    "ɑ̃": "AO N", "ɔ̃": "OW N", "ɛ̃": "AE N", "œ̃": "AH N", "ã": "AA N", "õ": "OW N",
    "b": "B", "d": "D", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "ɦ": "HH", "k": "K", "l": "L", "ɫ": "L", "ʎ": "L Y",
    "m": "M", "n": "N", "ɲ": "N Y", "ŋ": "NG", "p": "P", "r": "R", "ɹ": "R", "ɾ": "D", "ʁ": "R", "ʀ": "R", "ɽ": "R",
    "s": "S", "ʃ": "SH", "ʂ": "SH", "ɕ": "SH", "t": "T", "v": "V", "β": "V", "w": "W", "ɥ": "W", "x": "HH", "χ": "HH",
    "ç": "HH", "ɣ": "G", "j": "Y", "ʝ": "Y", "z": "Z", "ʒ": "ZH", "ʐ": "ZH", "θ": "TH", "ð": "DH", "ʔ": "",
    "tʃ": "CH", "dʒ": "JH", "ts": "T S", "dz": "D Z", "pf": "P F", "tɕ": "CH", "dʑ": "JH", "ʑ": "ZH", "c": "K",
    "ɟ": "G",
}  # fmt: skip
_LONGEST = max(len(k) for k in _PHONES_OF)
_IGNORED = frozenset("ˈˌːˑ‿.|ʲʰʷ̩̯̪͡- ")


def to_phones(ipa: str) -> tuple[str, ...]:
    """IPA as the nearest phones; signs it does not know are left out.

    >>> to_phones("b ɔ̃ ʒ ˈu ʁ")
    ('B', 'OW', 'N', 'ZH', 'UW', 'R')
    """
    phones: list[str] = []
    for group in unicodedata.normalize("NFD", ipa).split():
        sign = "".join(c for c in group if c not in _IGNORED)
        while sign:
            size = next((n for n in range(min(_LONGEST, len(sign)), 0, -1) if sign[:n] in _PHONES_OF), 0)
            phones += _PHONES_OF.get(sign[:size], "").split()
            sign = sign[size or 1 :]
    return tuple(phones)


@lru_cache(maxsize=8192)
def pronounce(phrase: str, voice: str) -> tuple[str, ...]:
    """How a phrase sounds when said in one go by this espeak-ng voice. Blocks for a moment."""
    return to_phones(espeak.phonemes(phrase, voice))
