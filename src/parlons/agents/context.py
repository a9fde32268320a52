"""The variables of one call: what templates and conditions may read, and who wins when two sources name the same one.

Pure: no I/O, no clock. Knows nothing of how templates are rendered.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import format_datetime

RESERVED = frozenset({"system", "sip", "path", "steps"})
"""Names that only Parlons writes."""

_SYSTEM_DEFAULTS: dict[str, Any] = {
    "call_id": "",
    "agent_id": "",
    "direction": "",
    "language": "",
    "phone": "",
    "phone_e164": "",
    "anonymous": False,
    "now": "",
    "date": "",
    "time": "",
    "year": "",
    "day_of_week": "",
}


class CallContext:
    """Variables of one call (specification, section 2). Not shared between calls; values are copied in.

    Args:
        system: ``system.*``, from :func:`system_variables`; what it lacks is defined and empty.
        sip: ``sip.*``: ``user_to_user`` and ``headers`` (names lower-cased).
    """

    def __init__(self, *, system: Mapping[str, Any], sip: Mapping[str, Any] | None = None) -> None:
        self._system = {**_SYSTEM_DEFAULTS, **copy.deepcopy(dict(system))}
        self._sip: dict[str, Any] = {"user_to_user": "", "headers": {}, **copy.deepcopy(dict(sip or {}))}
        self._path: dict[str, dict[str, Any]] = {}
        self._values: dict[str, Any] = {}
        self._sensitive: set[tuple[str, str]] = set()

    def merge(self, values: Mapping[str, Any]) -> None:
        """Add the values of one source; they win over those of earlier sources.

        Raises:
            ValueError: a name is reserved or not text; then nothing is merged.
        """
        for name in values:
            if not isinstance(name, str):
                raise ValueError(f"{name!r} is not the name of a variable")
            _refuse_reserved(name)
        self._values.update(copy.deepcopy(dict(values)))

    def set_step_value(self, step: str, name: str, value: Any, *, sensitive: bool = False) -> None:
        """Store what a transition extracted: as ``path.<step>.<name>`` for good, and as ``<name>``.

        Args:
            sensitive: for this call alone; see ``kept``.

        Raises:
            ValueError: the name is reserved.
        """
        _refuse_reserved(name)
        if sensitive:
            self._sensitive.add((step, name))
        self._path.setdefault(step, {})[name] = copy.deepcopy(value)
        self._values[name] = copy.deepcopy(value)

    def handed_to(self, other: CallContext) -> CallContext:
        """The context as another agent finds it: everything known so far, with that agent's own ``system``."""
        made = CallContext(system=other._system, sip=self._sip)
        made._values = dict(self._values)
        made._path = {step: dict(found) for step, found in self._path.items()}
        made._sensitive = set(self._sensitive)
        return made

    def note(self, step: str, name: str, value: Any) -> None:
        """Store what came of a step, as ``path.<step>.<name>`` alone."""
        self._path.setdefault(step, {})[name] = copy.deepcopy(value)

    def kept(self) -> dict[str, Any]:
        """What may be stored with the call: every value but those of sensitive steps, and ``path``. Not to be changed
        inside, like ``variables``."""
        private = {name for _, name in self._sensitive}
        values = {name: value for name, value in self._values.items() if name not in private}
        path = {
            step: {name: value for name, value in found.items() if (step, name) not in self._sensitive}
            for step, found in self._path.items()
        }
        path = {step: found for step, found in path.items() if found}
        return {**values, "path": path} if path else values

    def variables(self) -> dict[str, Any]:
        """Everything a template can read. The caller must not change what is inside."""
        return {**self._values, "system": self._system, "sip": self._sip, "path": self._path}


def _refuse_reserved(name: str) -> None:
    if name in RESERVED:
        raise ValueError(f"{name!r} is reserved: {', '.join(sorted(RESERVED))} cannot be set")


def system_variables(
    *,
    call_id: str,
    agent_id: str,
    direction: str,
    language: str,
    timezone: str,
    phone: str,
    anonymous: bool,
    now: datetime,
) -> dict[str, Any]:
    """Build ``system.*`` for a call.

    Args:
        language: BCP 47 tag of the agent; names the day of the week.
        timezone: IANA name; ``now`` and what derives from it are given in it.
        phone: the other side's number, E.164 when it can be read so, else as it came.
        anonymous: the caller withheld their number: ``phone`` and ``phone_e164`` are empty.
        now: an aware time.

    Raises:
        ValueError: ``now`` has no offset.
    """
    if now.tzinfo is None:
        raise ValueError("now needs an offset")
    local = now.astimezone(ZoneInfo(timezone))
    national, e164 = ("", "") if anonymous else _phone(phone)
    return {
        "call_id": call_id,
        "agent_id": agent_id,
        "direction": direction,
        "language": language,
        "phone": national,
        "phone_e164": e164,
        "anonymous": anonymous,
        "now": local.isoformat(timespec="seconds"),
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "year": local.year,
        "day_of_week": format_datetime(local, "EEEE", locale=Locale.parse(language, sep="-")),
    }


def _phone(value: str) -> tuple[str, str]:
    """National form with spaces (easy to say and to read) and E.164; as it came, and empty, when it is no number."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value, ""
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return re.sub(r"\D+", " ", national).strip(), e164
