"""Opening hours against a clock read minute by minute, most of all on the days the clock is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from parlons.agents.actions import Schedule
from parlons.agents.schedules import HORIZON_DAYS, describe_opening, is_open, next_opening

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PARIS = "Europe/Paris"

CHANGE_DAYS = [
    (PARIS, date(2026, 3, 29)),
    (PARIS, date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 4, 5)),  # at midnight, back to 23:00 of the day before
    ("America/Santiago", date(2026, 9, 6)),  # the day starts at 01:00
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("America/St_Johns", date(2010, 11, 7)),  # at 00:01, back to 23:01: two days overlap
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
    ("Asia/Kathmandu", date(2026, 6, 1)),
]


def schedule(*ranges: tuple[str, str, str], closed: list[str] | None = None, mode: str = "inside") -> Schedule:
    """Ranges as (days, start, end)."""
    return Schedule.model_validate(
        {
            "enabled": True,
            "mode": mode,
            "ranges": [{"days": days.split(), "start": start, "end": end} for days, start, end in ranges],
            "closed_dates": closed or [],
        }
    )


WORKING_WEEK = "monday tuesday wednesday thursday friday"
OFFICE = schedule((WORKING_WEEK, "09:00", "12:00"), (WORKING_WEEK, "14:00", "17:00"), closed=["2026-12-25"])


def at(text: str, zone: str = PARIS, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def shown(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="minutes")


# -- the oracle ----------------------------------------------------------------------------------------------------


def oracle_open(hours: Schedule, zone: str, moment: datetime) -> bool:
    if not hours.enabled:
        return True
    wall = moment.astimezone(ZoneInfo(zone))
    clock = wall.strftime("%H:%M")
    inside = wall.date() not in hours.closed_dates and any(
        DAYS[wall.weekday()] in r.days and r.start <= clock < r.end for r in hours.ranges
    )
    return inside if hours.mode == "inside" else not inside


@st.composite
def clock_times(draw: st.DrawFn) -> str:
    minute = draw(st.one_of(st.integers(0, 1440), st.sampled_from([0, 1, 30, 60, 90, 120, 150, 180, 1380, 1439, 1440])))
    return f"{minute // 60:02d}:{minute % 60:02d}"


@st.composite
def schedules(draw: st.DrawFn, day: date) -> Schedule:
    ranges = []
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.lists(clock_times(), min_size=2, max_size=2, unique=True)))
        days = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True))
        ranges.append({"days": days, "start": start, "end": end})
    around = st.integers(-1, 2).map(lambda n: day + timedelta(days=n))
    return Schedule.model_validate(
        {
            "enabled": True,
            "mode": draw(st.sampled_from(["inside", "outside"])),
            "ranges": ranges,
            "closed_dates": draw(st.lists(around, max_size=2)),
        }
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schedule, str, datetime]:
    zone, day = draw(st.sampled_from(CHANGE_DAYS))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=24)
    return draw(schedules(day)), zone, start + timedelta(minutes=draw(st.integers(0, 60 * 48)))


@given(cases())
@settings(max_examples=300, deadline=None)
def test_open_is_what_the_clock_on_the_wall_says(case: tuple[Schedule, str, datetime]) -> None:
    hours, zone, now = case
    for seconds in (0, 59):
        moment = now + timedelta(seconds=seconds)
        assert is_open(hours, zone, moment) == oracle_open(hours, zone, moment)
    other = hours.model_copy(update={"mode": "outside" if hours.mode == "inside" else "inside"})
    assert is_open(other, zone, now) != is_open(hours, zone, now)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_the_next_opening_is_the_first_minute_that_is_open(case: tuple[Schedule, str, datetime]) -> None:
    hours, zone, now = case
    scanned = 60 * 48
    minutes = (now + timedelta(minutes=n) for n in range(scanned))
    expected = next((m for m in minutes if oracle_open(hours, zone, m)), None)
    found = next_opening(hours, zone, now)
    if expected is not None:
        assert found is not None
        assert found.astimezone(UTC) == expected
    elif found is not None:
        moment = found.astimezone(UTC)
        assert moment >= now + timedelta(minutes=scanned)
        assert oracle_open(hours, zone, moment)
        assert not oracle_open(hours, zone, moment - timedelta(minutes=1))


def every_minute(zone: str, day: date) -> Iterator[datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    for minute in range(54 * 60):
        yield start + timedelta(minutes=minute)


@pytest.mark.parametrize(("zone", "day"), CHANGE_DAYS)
def test_a_whole_change_day_minute_by_minute(zone: str, day: date) -> None:
    everyday = " ".join(DAYS)
    hours = schedule((everyday, "00:30", "02:15"), (everyday, "02:15", "03:10"), (everyday, "23:15", "24:00"))
    for moment in every_minute(zone, day):
        assert is_open(hours, zone, moment) == oracle_open(hours, zone, moment), moment


# -- what cannot be asked ------------------------------------------------------------------------------------------


def test_a_time_without_offset_is_refused() -> None:
    naive = datetime(2026, 11, 23, 10)
    with pytest.raises(ValueError, match="offset"):
        is_open(OFFICE, PARIS, naive)
    with pytest.raises(ValueError, match="offset"):
        next_opening(OFFICE, PARIS, naive)
    with pytest.raises(ValueError, match="offset"):
        describe_opening(naive, naive, "fr")


@pytest.mark.parametrize("end", ["09:00", "08:59"])
def test_a_range_that_ends_before_it_starts_is_refused(end: str) -> None:
    with pytest.raises(ValidationError, match="must be before end"):
        schedule(("monday", "09:00", end))


def test_never_open_is_none() -> None:
    closed = [(date(2026, 11, 1) + timedelta(days=n)).isoformat() for n in range(500)]
    assert (
        next_opening(schedule((" ".join(DAYS), "00:00", "24:00"), closed=closed), PARIS, at("2026-11-23T10:00")) is None
    )
    always_inside = schedule((" ".join(DAYS), "00:00", "24:00"), mode="outside")
    assert next_opening(always_inside, PARIS, at("2026-11-23T10:00")) is None
    assert not is_open(always_inside, PARIS, at("2026-11-23T10:00"))


def test_a_range_that_only_the_skipped_hour_holds_opens_a_week_later() -> None:
    hours = schedule(("sunday", "02:10", "02:50"))
    assert shown(next_opening(hours, PARIS, at("2026-03-29T00:00"))) == "2026-04-05T02:10+02:00"


def test_nothing_is_promised_beyond_the_horizon() -> None:
    now = at("2026-11-23T10:00")
    shut = [(date(2026, 11, 23) + timedelta(days=n)).isoformat() for n in range(HORIZON_DAYS + 1)]
    hours = schedule((" ".join(DAYS), "00:00", "24:00"), closed=shut)
    assert next_opening(hours, PARIS, now) is None
    assert next_opening(hours, PARIS, now + timedelta(days=2)) is not None


# -- hours ---------------------------------------------------------------------------------------------------------


def test_a_schedule_that_is_not_enabled_never_refuses() -> None:
    off = Schedule.model_validate({**OFFICE.model_dump(), "enabled": False})
    sunday = at("2026-11-22T03:00")
    assert is_open(off, PARIS, sunday)
    assert next_opening(off, PARIS, sunday) == sunday


@pytest.mark.parametrize(
    ("clock", "allowed"),
    [("08:59", False), ("09:00", True), ("11:59", True), ("12:00", False), ("14:00", True), ("17:00", False)],
)
def test_several_ranges_a_day_ends_excluded(clock: str, allowed: bool) -> None:
    assert is_open(OFFICE, PARIS, at(f"2026-11-23T{clock}")) is allowed


def test_the_agents_clock_counts_not_the_askers() -> None:
    assert is_open(OFFICE, PARIS, datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    assert not is_open(OFFICE, PARIS, datetime(2026, 11, 23, 16, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23T07:00", "2026-11-23T09:00+01:00"),
        ("2026-11-23T12:00", "2026-11-23T14:00+01:00"),
        ("2026-11-23T18:00", "2026-11-24T09:00+01:00"),
        ("2026-11-27T17:00", "2026-11-30T09:00+01:00"),
        ("2026-12-24T17:30", "2026-12-28T09:00+01:00"),  # a closed Friday, then a week-end
    ],
)
def test_the_next_opening_of_an_office(now: str, opening: str) -> None:
    assert shown(next_opening(OFFICE, PARIS, at(now))) == opening


def test_open_now_is_now_to_the_microsecond() -> None:
    now = at("2026-11-23T10:00:12.345678")
    assert next_opening(OFFICE, PARIS, now) == now


def test_seconds_before_an_opening() -> None:
    opening = next_opening(OFFICE, PARIS, at("2026-11-23T08:59:59.900000"))
    assert opening == at("2026-11-23T09:00")


def test_a_night_in_two_ranges_has_no_hole_at_midnight() -> None:
    night = schedule((" ".join(DAYS), "20:00", "24:00"), (" ".join(DAYS), "00:00", "06:00"))
    for clock in ("2026-11-23T23:59:59", "2026-11-24T00:00:00", "2026-11-24T05:59:59"):
        assert is_open(night, PARIS, at(clock))
    assert not is_open(night, PARIS, at("2026-11-24T06:00"))


def test_a_closed_date_shuts_the_office_and_opens_the_on_call_line_all_day() -> None:
    on_call = OFFICE.model_copy(update={"mode": "outside"})
    christmas = at("2026-12-25T10:00")
    assert not is_open(OFFICE, PARIS, christmas)
    assert is_open(on_call, PARIS, christmas)
    assert shown(next_opening(on_call, PARIS, at("2026-11-23T10:00"))) == "2026-11-23T12:00+01:00"


def test_an_on_call_line_whose_hours_are_always_opens_at_the_start_of_a_closed_day() -> None:
    hours = schedule((" ".join(DAYS), "00:00", "24:00"), closed=["2026-09-06"], mode="outside")
    opening = next_opening(hours, "America/Santiago", at("2026-09-01T10:00", "America/Santiago"))
    assert shown(opening) == "2026-09-06T01:00-03:00"  # that day has no midnight


# -- the clock is changed ------------------------------------------------------------------------------------------


def test_a_range_that_starts_in_the_gap_starts_when_the_gap_ends() -> None:
    hours = schedule(("sunday", "02:30", "05:00"))
    assert shown(next_opening(hours, PARIS, at("2026-03-29T01:00"))) == "2026-03-29T03:00+02:00"


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    hours = schedule(("sunday", "02:00", "02:30"))
    first, second = at("2026-10-25T02:10"), at("2026-10-25T02:10", fold=1)
    assert is_open(hours, PARIS, first)
    assert is_open(hours, PARIS, second)
    between = first.astimezone(UTC) + timedelta(minutes=30)
    assert not is_open(hours, PARIS, between)
    opening = next_opening(hours, PARIS, between)
    assert shown(opening) == "2026-10-25T02:00+01:00"


def test_hours_after_the_change_are_by_the_new_clock() -> None:
    assert shown(next_opening(OFFICE, PARIS, at("2026-03-27T18:00"))) == "2026-03-30T09:00+02:00"


def test_a_clock_set_back_over_midnight_finds_the_end_of_the_day_before() -> None:
    hours = schedule(("saturday", "23:30", "24:00"))
    zone = "America/Santiago"
    first_end = at("2026-04-04T23:59", zone).astimezone(UTC) + timedelta(minutes=1)  # shows 23:00 again
    assert not is_open(hours, zone, first_end)
    opening = next_opening(hours, zone, first_end)
    assert opening is not None
    assert opening.astimezone(UTC) == first_end + timedelta(minutes=30)


def test_a_clock_set_back_just_after_midnight_repeats_the_end_of_the_day_before() -> None:
    hours = schedule(("saturday", "23:30", "24:00"))
    zone = "America/St_Johns"
    sunday = at("2010-11-07T00:00:30", zone)  # at 00:01 it becomes 23:01 on Saturday
    opening = next_opening(hours, zone, sunday)
    assert opening is not None
    assert opening.astimezone(UTC) == sunday.astimezone(UTC) + timedelta(minutes=29, seconds=30)


def test_the_first_of_two_midnights_is_found_wherever_the_search_began() -> None:
    hours = schedule(("sunday", "00:00", "00:01"))
    zone = "America/St_Johns"
    first = at("2010-11-07T00:00", zone).astimezone(UTC)
    for minutes in range(0, 120, 5):
        opening = next_opening(hours, zone, first + timedelta(minutes=minutes + 1) - timedelta(days=7))
        assert opening is not None
        assert opening.astimezone(UTC) == first


def test_an_on_call_line_opens_at_midnight_when_the_next_day_is_closed() -> None:
    hours = schedule((" ".join(DAYS), "00:00", "24:00"), closed=["2026-12-25"], mode="outside")
    assert shown(next_opening(hours, PARIS, at("2026-12-20T10:00"))) == "2026-12-25T00:00+01:00"


# -- in words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "moment", "words"),
    [
        ("fr-FR", "2026-11-23T20:00", "maintenant"),
        ("en-GB", "2026-11-23T19:00", "now"),
        ("fr-FR", "2026-11-23T21:05", "aujourd'hui à 21 h 05"),
        ("fr-FR", "2026-11-24T09:00", "demain, mardi 24 novembre, à 9 h 00"),
        ("fr-FR", "2026-11-26T14:30", "jeudi 26 novembre à 14 h 30"),
        ("fr-CA", "2026-12-01T09:00", "mardi 1er décembre à 9 h 00"),
        ("fr", "2027-01-04T09:00", "lundi 4 janvier 2027 à 9 h 00"),
        ("en-GB", "2026-11-23T21:05", "today at 21:05"),
        ("en-GB", "2026-11-24T09:00", "tomorrow, Tuesday 24 November, at 09:00"),
        ("en", "2026-11-26T14:30", "Thursday 26 November at 14:30"),
        ("en-IE", "2027-01-04T09:00", "Monday 4 January 2027 at 09:00"),
        ("en-US", "2026-11-24T09:00", "tomorrow, Tuesday, November 24, at 9:00 AM"),
        ("en-US", "2027-01-04T14:00", "Monday, January 4, 2027 at 2:00 PM"),
        ("de-DE", "2026-11-24T09:00", "Dienstag, 24. November 2026, 09:00"),
        ("es-ES", "2026-11-24T09:00", "martes, 24 de noviembre de 2026, 9:00"),
        ("ja-JP", "2026-11-24T09:00", "2026年11月24日火曜日, 9:00"),
    ],
)
def test_words_for_an_opening(language: str, moment: str, words: str) -> None:
    assert describe_opening(at(moment), at("2026-11-23T20:00"), language) == words


def test_tomorrow_is_the_agents_tomorrow() -> None:
    opening = at("2026-11-24T09:00", "Asia/Tokyo")
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # half past midnight on the 24th in Tokyo
    assert describe_opening(opening, now, "en-GB") == "today at 09:00"


@pytest.mark.parametrize("language", ["fr-FR", "en-GB", "en-US", "de-DE"])
def test_the_words_of_a_change_day_name_the_hour_on_the_wall(language: str) -> None:
    hours = schedule(("sunday", "03:00", "05:00"))
    opening = next_opening(hours, PARIS, at("2026-03-28T12:00"))
    assert opening is not None
    assert "3" in describe_opening(opening, at("2026-03-28T12:00"), language).split("29")[1]


def test_the_second_of_two_equal_hours_is_not_now_while_the_first_runs() -> None:
    first, second = at("2026-10-25T02:10"), at("2026-10-25T02:00", fold=1)
    assert describe_opening(second, first, "en-GB") == "today at 02:00"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="language"):
        describe_opening(at("2026-11-24T09:00"), at("2026-11-23T20:00"), "klingon")


def test_a_schedule_is_asked_with_the_models_defaults() -> None:
    assert is_open(Schedule(), PARIS, at("2026-11-23T10:00"))
