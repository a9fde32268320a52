"""Phone numbers as people and spreadsheets write them, to E.164. Pure.

What comes out is always a number that ``common.E164`` takes and leaves unchanged. What goes in may be less tidy: a
national number of a named country, digits that lost their plus, an international prefix. Unlike ``common.E164``,
letters are refused, so that an extension is never dropped in silence.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

from .countries import country_name

_EXAMPLE = "write it with + and the country code, as in +33612345678"
_SHORTENED = re.compile(r"[+-]?\d+([.,]\d*)?E[+-]?\d+", re.IGNORECASE)
_DECIMAL = re.compile(r"\d+[.,]0{1,2}")
_SEPARATORS = re.compile(r"[\s().\-/]")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")

_LENGTHS = {
    ValidationResult.TOO_SHORT: "too short",
    ValidationResult.TOO_LONG: "too long",
    ValidationResult.INVALID_LENGTH: "of a length that no number has",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "without its area code",
}
_PARSING = {
    NumberParseException.INVALID_COUNTRY_CODE: "its country code is no country's",
    NumberParseException.TOO_LONG: "too long",
    NumberParseException.TOO_SHORT_NSN: "too short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too short",
}
_NOWHERE = frozenset({"001", "ZZ"})
"""What phonenumbers calls networks that are of no country, and codes that are nobody's."""


def to_e164(text: str, country: str | None) -> str:
    """Read a number.

    Tried in this order: as international when it starts with ``+`` or ``00``; as a national number of ``country``;
    with a ``+`` put before it.

    Args:
        country: ISO 3166-1 alpha-2 code, as in FR; None to take international numbers only.

    Raises:
        ValueError: what is wrong and how to put it right, without the number in it.
    """
    region = None if country is None else known_country(country)
    compact = tidy(text)
    if not compact:
        raise ValueError(f"empty: {_EXAMPLE}")
    _refuse_spreadsheet_ruins(compact)
    digits = _SEPARATORS.sub("", compact)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise ValueError(f"not only digits: {_EXAMPLE}; an extension needs a SIP connection")
    tries: list[tuple[str, str | None]] = []
    if digits.startswith("+"):
        tries = [(digits, None)]
    else:
        if region is not None:
            tries.append((digits, region))
        tries.append(("+" + (digits[2:] if digits.startswith("00") else digits), None))
    for candidate, where in tries:
        number = _valid(candidate, where)
        if number is not None:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise ValueError(_reason(digits, region))


def known_country(code: str) -> str:
    """The code in capitals. Raises ValueError when no numbers of such a country are known."""
    upper = code.strip().upper()
    if upper not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{code!r} is not a known country: use its two-letter code, as in FR")
    return upper


def tidy(text: str) -> str:
    """Without what cannot be seen: compatibility forms made plain, digits of any script ASCII, spaces trimmed."""
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFKC", text.translate(_DASHES))
    visible = (c for c in plain if unicodedata.category(c) != "Cf")
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in visible).strip()


def _refuse_spreadsheet_ruins(text: str) -> None:
    if _SHORTENED.fullmatch(text):
        raise ValueError(
            "shortened by a spreadsheet, its last digits are lost: format the column as text and write the number again"
        )
    if _DECIMAL.fullmatch(text):
        raise ValueError(f"written as a decimal number by a spreadsheet: {_EXAMPLE}")


def _valid(text: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number) else None


def _reason(digits: str, region: str | None) -> str:
    """Why digits that :func:`_valid` refused are no number, and the fix."""
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+") and region is None:
        return f"neither international nor of a named country: {_EXAMPLE}, or name the country"
    try:
        number = phonenumbers.parse(digits, None if digits.startswith("+") else region)
    except NumberParseException as error:
        return f"{_PARSING.get(error.error_type, 'not a number')}: check the digits"
    place = phonenumbers.region_code_for_country_code(number.country_code or 0)
    problem = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(number), "not a number that exists")
    shown = place if digits.startswith("+") else region or place
    where = "" if shown in _NOWHERE else f" in {country_name(shown)}"
    return f"{problem}{where}: check the digits"
