"""When a transfer is allowed, and when it will be next. Pure: the caller supplies the time.

A range is a range of the clock on the wall, so an instant is inside exactly when the local clock then shows a time
in the range on a local day that is not closed. On the days the clock changes this means:

- a time that is skipped never comes: a range that starts in the gap starts when the gap ends, and one that lies
  within it does not open that day;
- a time that comes twice is inside both times.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .actions import Schedule
from .opening_words import describe_opening

__all__ = ["HORIZON_DAYS", "describe_opening", "is_open", "next_opening"]

HORIZON_DAYS = 400
"""How far an opening is looked for: a year and a closed month."""
DAY_MINUTES = 24 * 60

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WINDOW = timedelta(days=7)
_SECOND = timedelta(seconds=1)

_Minutes = tuple[int, int]


def is_open(schedule: Schedule, timezone: str, now: datetime) -> bool:
    """Whether a transfer is allowed at ``now``.

    A schedule that is not enabled never refuses. A closed date is outside all hours all day, so ``inside`` refuses
    on it and ``outside`` (the on-call line) allows.

    Args:
        timezone: IANA name, the agent's.
        now: an aware time, in any zone.

    Raises:
        ValueError: ``now`` has no offset.
    """
    _refuse_naive(now)
    return _Week(schedule, timezone).allows(now.astimezone(UTC))


def next_opening(schedule: Schedule, timezone: str, now: datetime) -> datetime | None:
    """The first instant, ``now`` or later, at which a transfer is allowed; in the agent's time zone.

    None when there is none within ``HORIZON_DAYS`` (every day is closed, or never inside). Compare the answer as UTC:
    Python ignores which of two equal clock times is meant within a zone, and finds them unequal across zones.

    Raises:
        ValueError: ``now`` has no offset.
    """
    _refuse_naive(now)
    week = _Week(schedule, timezone)
    start = now.astimezone(UTC)
    if week.allows(start):
        return start.astimezone(week.zone)
    last = start + timedelta(days=HORIZON_DAYS)
    while start <= last:
        end = min(start + _WINDOW, last + _SECOND)
        for moment in sorted(week.changes(start, end)):
            if week.allows(moment):
                return moment.astimezone(week.zone)
        start = end
    return None


def merged(ranges: list[_Minutes]) -> list[_Minutes]:
    """Ranges of minutes of one day in order, those that overlap or touch made one."""
    joined: list[_Minutes] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


class _Week:
    """A schedule made ready for questions."""

    def __init__(self, schedule: Schedule, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        self._enabled = schedule.enabled
        self._inside = schedule.mode == "inside"
        self._closed = frozenset(schedule.closed_dates)
        self._days = [
            merged([(_minutes(r.start), _minutes(r.end)) for r in schedule.ranges if day in r.days]) for day in _DAYS
        ]

    def allows(self, moment: datetime) -> bool:
        if not self._enabled:
            return True
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        inside = any(start <= minute < end for start, end in self._hours(local.date()))
        return inside == self._inside

    def _hours(self, day: date) -> list[_Minutes]:
        return [] if day in self._closed else self._days[day.weekday()]

    def changes(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Every instant in [start, end) at which the answer may change; UTC in, UTC out.

        These are the bounds of the local days' ranges (twice where the clock goes back) and the instants at which the
        clock is changed. A day's beginning changes nothing unless a range ends or starts there.
        """
        day = start.astimezone(self.zone).date() - timedelta(days=1)  # a clock set back at midnight repeats a day's end
        last = end.astimezone(self.zone).date() + timedelta(days=1)
        while day <= last:
            for minute in {bound for hours in self._hours(day) for bound in hours}:
                for moment in self._instants(day, minute):
                    if start <= moment < end:
                        yield moment
            day += timedelta(days=1)
        while start < end:
            after = min(start + timedelta(days=1), end)
            if self._offset(start) != self._offset(after):
                yield self._clock_change(start, after)
            start = after

    def _instants(self, day: date, minute: int) -> set[datetime]:
        """When the clock on the wall shows this minute of this day: never, once or twice. UTC."""
        wall = datetime.combine(day, time()) + timedelta(minutes=minute)
        found = set()
        for fold in (0, 1):
            moment = wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
            if moment.astimezone(self.zone).replace(tzinfo=None) == wall:
                found.add(moment)
        return found

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.astimezone(self.zone).utcoffset()

    def _clock_change(self, before: datetime, after: datetime) -> datetime:
        """The first whole second whose offset is no longer that of ``before``."""
        known = self._offset(before)
        low, high = before.replace(microsecond=0), after.replace(microsecond=0)
        while high - low > _SECOND:
            middle = (low + (high - low) / 2).replace(microsecond=0)
            low, high = (middle, high) if self._offset(middle) == known else (low, middle)
        return low + _SECOND


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _refuse_naive(moment: datetime) -> None:
    if moment.utcoffset() is None:
        raise ValueError("the time needs an offset, as in 2026-12-24T18:00:00+01:00")
