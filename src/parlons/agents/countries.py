"""Countries to pick a phone number's from: name, flag and calling prefix. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError

_REGIONAL_INDICATOR_A = 0x1F1E6


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with its own numbers."""

    code: str
    """ISO 3166-1 alpha-2, as ``to_e164`` and imports take it (and AC, TA, XK, which telephony uses too)."""
    name: str
    flag: str
    """An emoji."""
    prefix: str
    """The calling code with its plus, as in +33. Several countries may share one."""


def countries(language: str) -> list[Country]:
    """Every country whose numbers are known, named in a language and sorted by that name, accents aside.

    Args:
        language: a BCP 47 tag; a name that it lacks is given in English.

    Raises:
        ValueError: not a known language.
    """
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"{language!r} is not a known language: use a BCP 47 tag such as fr-FR or en-GB") from None
    return list(_countries(str(locale)))


def country_name(code: str) -> str:
    """The English name of a country, by its code; the code itself when it is not known."""
    return str(Locale("en").territories.get(code, code))


@lru_cache(maxsize=16)
def _countries(locale: str) -> tuple[Country, ...]:
    names, english = Locale.parse(locale).territories, Locale("en").territories
    found = [
        Country(
            code=code,
            name=names.get(code) or english.get(code) or code,
            flag="".join(chr(_REGIONAL_INDICATOR_A + ord(letter) - ord("A")) for letter in code),
            prefix=f"+{phonenumbers.country_code_for_region(code)}",
        )
        for code in phonenumbers.SUPPORTED_REGIONS
    ]
    return tuple(sorted(found, key=lambda country: (_folded(country.name), country.code)))


def _folded(name: str) -> str:
    """What a person sorts by: Émirats among the E, Åland among the A."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
