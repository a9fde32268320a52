"""How much may be dialled, and where never: the limits that keep a stolen key or a bad prompt from costing a fortune.

Pure but for the clock it is given. Knows no leg: whoever dials holds a ``Permit`` for as long as its leg lives.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Callable

import phonenumbers

from parlons.agents.connections import InstallationSettings

WINDOW_SECONDS = 60.0
SHORTEST_NUMBER = 7
"""Digits. Anything shorter without a ``+`` is an extension or a local short code: no range begins with it."""
SHORTEST_INTERNATIONAL = 9
"""Digits, country code included, that a network may take for an international number without being told so."""

_SEPARATORS = re.compile(r"[\s().\-/]")
_NUMBERS = re.compile(rf"\+[0-9]+|[0-9]{{{SHORTEST_NUMBER},}}")


class Permit:
    """Leave to have one leg under way. ``release`` it when the leg is over; twice does nothing."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """The leg is over."""
        if self._release is not None:
            release, self._release = self._release, None
            release()


class OutboundLimits:
    """Counts outgoing legs; one for the process.

    Args:
        clock: seconds, never going back: ``loop.time``.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._legs = 0
        self._begun: deque[float] = deque()

    @property
    def legs(self) -> int:
        """Legs under way."""
        return self._legs

    def ask(
        self,
        user: str,
        settings: InstallationSettings,
        *,
        exempt_from_rate: bool = False,
        country: str | None = None,
    ) -> Permit | str:
        """Leave to dial, or why not, for the person who reads the timeline. A refusal counts for nothing.

        Args:
            user: a number in any form, or an extension.
            exempt_from_rate: neither held back by ``max_outbound_per_minute`` nor counted in it (failover).
            country: see ``refused_number``.
        """
        if refusal := refused_number(user, settings, country):
            return refusal
        if self._legs >= settings.max_outbound_legs:
            return f"{self._legs} outgoing legs are under way: no more are allowed at once (max_outbound_legs)."
        if not exempt_from_rate:
            now = self._clock()
            while self._begun and self._begun[0] <= now - WINDOW_SECONDS:
                self._begun.popleft()
            if len(self._begun) >= settings.max_outbound_per_minute:
                return f"{len(self._begun)} calls within a minute: no more are allowed (max_outbound_per_minute)."
            self._begun.append(now)
        self._legs += 1
        return Permit(self._ended)

    def _ended(self) -> None:
        self._legs -= 1


def refused_number(user: str, settings: InstallationSettings, country: str | None = None) -> str:
    """Why this number may not be dialled (``refused_prefixes``); empty when it may.

    A number is judged by everything that a network could take it for: international as it stands, and as dialled in
    the installation's country; also after a service code such as ``*31#``.

    Args:
        country: where national numbers are dialled when the settings have no ``default_country`` (ISO 3166).
    """
    compact = _SEPARATORS.sub("", unicodedata.normalize("NFKC", user))
    for number in _NUMBERS.findall(compact):
        for candidate in _readings(number, settings.default_country or country):
            for prefix in settings.refused_prefixes:
                if candidate.startswith(prefix):
                    return f"Numbers that begin with {prefix} may not be called (refused_prefixes)."
    return ""


def _readings(number: str, country: str | None) -> set[str]:
    """The international numbers that ``number`` may stand for, each with its ``+``, whether they exist or not."""
    whole = "+" + number.removeprefix("+" if number.startswith("+") else "00")
    told = number.startswith(("+", "00"))
    found = {whole} if told or len(number) >= SHORTEST_INTERNATIONAL else set()
    for text, region in ((number, country), *((text, None) for text in tuple(found))):
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        found.add(f"+{parsed.country_code}{parsed.national_number}")
    return found
