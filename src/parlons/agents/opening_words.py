"""The next opening in words that a language model can say to a caller. Pure: no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

_TWELVE_HOURS = frozenset({"US", "CA", "AU", "NZ", "IN", "PH"})
"""Where English says 9:00 AM for 09:00."""
_NOW = {"fr": "maintenant", "en": "now"}


def describe_opening(moment: datetime, now: datetime, language: str) -> str:
    """Say when an opening is, seen from ``now``.

    English and French say now, today and tomorrow; the year is named when it is another. Other languages get the whole
    date and the time as they write them, which is long but never ambiguous.

    Args:
        moment: from :func:`parlons.agents.schedules.next_opening`; its zone is the one the words are in.
        language: a BCP 47 tag.

    Raises:
        ValueError: a time without offset, or an unknown language.

    >>> from datetime import UTC
    >>> describe_opening(datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 23, 20, tzinfo=UTC), "fr-FR")
    'demain, mardi 24 novembre, à 9 h 00'
    """
    if moment.utcoffset() is None or now.utcoffset() is None:
        raise ValueError("the times need an offset, as in 2026-12-24T18:00:00+01:00")
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"{language!r} is not a known language: use a BCP 47 tag such as fr-FR or en-GB") from None
    seen_from = now.astimezone(moment.tzinfo)
    passed = moment.astimezone(UTC) <= now.astimezone(UTC)  # as UTC: within a zone the fold would not count
    if passed and locale.language in _NOW:
        return _NOW[locale.language]
    if locale.language == "fr":
        return _french(moment, seen_from, locale)
    if locale.language == "en":
        return _english(moment, seen_from, locale)
    return _plain_spaces(f"{format_date(moment, 'full', locale)}, {_clock(moment, locale)}")


def _english(moment: datetime, now: datetime, locale: Locale) -> str:
    clock = _clock(moment, locale) if locale.territory in _TWELVE_HOURS else f"{moment:%H:%M}"
    pattern = "EEEE, MMMM d" if locale.territory == "US" else "EEEE d MMMM"
    if moment.year != now.year:
        pattern += ", y" if locale.territory == "US" else " y"
    day = format_date(moment, pattern, locale)
    if moment.date() == now.date():
        return f"today at {clock}"
    if _is_tomorrow(moment, now):
        return f"tomorrow, {day}, at {clock}"
    return f"{day} at {clock}"


def _french(moment: datetime, now: datetime, locale: Locale) -> str:
    clock = f"{moment.hour} h {moment:%M}"
    number = "1er" if moment.day == 1 else str(moment.day)
    day = f"{format_date(moment, 'EEEE', locale)} {number} {format_date(moment, 'MMMM', locale)}"
    if moment.year != now.year:
        day += f" {moment.year}"
    if moment.date() == now.date():
        return f"aujourd'hui à {clock}"
    if _is_tomorrow(moment, now):
        return f"demain, {day}, à {clock}"
    return f"{day} à {clock}"


def _is_tomorrow(moment: datetime, now: datetime) -> bool:
    return moment.date() - now.date() == timedelta(days=1)


def _clock(moment: datetime, locale: Locale) -> str:
    """The time of day as the language writes it. Formatted without its zone, which must not shift it."""
    return _plain_spaces(format_time(moment.time(), "short", locale=locale))


def _plain_spaces(text: str) -> str:
    return " ".join(text.split())
