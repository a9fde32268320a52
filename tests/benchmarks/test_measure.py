"""The figures: streams made by hand whose answer is known."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest
from benchmarks.load import measure
from benchmarks.load.measure import Passed, Stream, delays, frames, lateness, passed, percentile, summary_ms, turns


def stream(
    arrivals: list[float], *, loud: set[int] | None = None, timestamps: list[int] | None = None, source: int = 7
) -> Stream:
    count = len(arrivals)
    return Stream(
        arrivals=array("d", arrivals),
        timestamps=array("I", timestamps or [(4_294_967_000 + 160 * i) % 2**32 for i in range(count)]),
        sequence=array("H", [(65_530 + i) % 65_536 for i in range(count)]),
        sources=array("I", [source] * count),
        loud=bytearray(i in (loud or set()) for i in range(count)),
    )


def steady(count: int, start: float = 0.0) -> list[float]:
    return [start + 0.02 * i for i in range(count)]


def late_of(s: Stream) -> list[float]:
    values = lateness(np.frombuffer(s.arrivals, np.float64), np.frombuffer(s.timestamps, np.uint32))
    return [round(float(v), 6) for v in values]


def test_a_steady_stream_is_never_late_across_the_wrap_of_timestamp_and_sequence() -> None:
    got = frames(stream(steady(100)), 0.0, 2.0)
    assert (got["received"], got["expected"], got["lost"]) == (100, 100, 0)
    assert got["late"].max() < 1e-6


def test_a_stall_that_is_caught_up_is_late_only_in_between() -> None:
    arrivals = steady(100)
    for i in range(50, 56):
        arrivals[i] = 50 * 0.02 + 0.1  # six frames leave together, 100 ms after the first was due
    late = late_of(stream(arrivals))
    assert [round(v * 1000) for v in late[49:57]] == [0, 100, 80, 60, 40, 20, 0, 0]
    assert sum(v > measure.LATE_SECONDS + 1e-6 for v in late) == 3


def test_a_sender_that_sleeps_and_never_catches_up_is_caught() -> None:
    arrivals = [t + (0.06 if i >= 20 else 0.0) for i, t in enumerate(steady(100))]
    late = late_of(stream(arrivals))
    assert late[20] == pytest.approx(0.06)
    # most of the stream follows the new schedule: the other frames are on it
    assert max(late[:20]) == 0.0
    assert max(late[21:]) < 1e-6


def test_a_silence_that_is_not_sent_is_not_late_when_the_timestamp_says_so() -> None:
    arrivals = steady(50) + steady(50, 3.0)
    timestamps = [160 * i for i in range(50)] + [24_000 + 160 * i for i in range(50)]
    assert max(late_of(stream(arrivals, timestamps=timestamps))) < 1e-6


def test_each_source_has_its_own_schedule() -> None:
    both = stream(steady(50) + steady(50, 1.013))
    both.timestamps[50:] = array("I", [99 + 160 * i for i in range(50)])
    both.sources[50:] = array("I", [8] * 50)
    assert frames(both, 0.0, 2.1)["late"].max() < 1e-6


def test_lost_packets_and_the_gap_they_leave_are_counted() -> None:
    arrivals, whole = steady(100), stream(steady(100))
    kept = [i for i in range(100) if i not in (40, 41, 42)]
    thinned = stream([arrivals[i] for i in kept])
    thinned.timestamps = array("I", [whole.timestamps[i] for i in kept])
    thinned.sequence = array("H", [whole.sequence[i] for i in kept])
    got = frames(thinned, 0.0, 2.0)
    assert (got["received"], got["expected"], got["lost"]) == (97, 100, 3)
    assert (got["steps"] > 0.06).sum() == 1
    assert got["late"].max() < 1e-6


def test_a_stream_that_stops_leaves_a_gap_up_to_the_end_of_the_window() -> None:
    got = frames(stream(steady(50)), 0.0, 2.0)
    assert got["steps"].max() == pytest.approx(1.02)
    assert frames(stream([]), 0.0, 2.0)["expected"] == 100


def loud_between(arrivals: list[float], *spans: tuple[float, float]) -> set[int]:
    return {i for i, t in enumerate(arrivals) if any(a <= t + 1e-9 < b for a, b in spans)}


def test_overhead_is_what_the_answer_took_beyond_the_end_of_speech_delay() -> None:
    arrivals = steady(1000)
    heard = stream(arrivals, loud=loud_between(arrivals, (3.72, 5.0), (13.7, 15.0)))
    got = turns(heard, [(1.0, 3.0), (11.0, 13.0)], 0.6, 0.0, 20.0)
    assert [t.kind for t in got] == ["answered", "answered"]
    assert [round(t.overhead, 3) for t in got] == [0.12, 0.1]


def test_a_turn_not_answered_before_the_next_one_is_infinite_not_forgotten() -> None:
    arrivals = steady(1000)
    heard = stream(arrivals, loud=loud_between(arrivals, (13.7, 15.0)))
    got = turns(heard, [(1.0, 3.0), (11.0, 13.0)], 0.6, 0.0, 20.0)
    assert [t.kind for t in got] == ["unanswered", "answered"]
    assert math.isinf(got[0].overhead)


def test_an_agent_still_talking_when_we_end_has_not_answered() -> None:
    arrivals = steady(1000)
    heard = stream(arrivals, loud=loud_between(arrivals, (0.0, 5.0)))
    (got,) = turns(heard, [(1.0, 3.0)], 0.6, 0.0, 20.0)
    assert got.kind == "talked_over"


def test_an_answer_that_barge_in_stopped_does_not_spoil_the_turn() -> None:
    arrivals = steady(1000)
    heard = stream(arrivals, loud=loud_between(arrivals, (0.0, 1.4), (3.7, 5.0)))
    (got,) = turns(heard, [(1.0, 3.0)], 0.6, 0.0, 20.0)
    assert (got.kind, round(got.overhead, 3)) == ("answered", 0.1)


def test_turns_that_the_window_cuts_are_left_out() -> None:
    arrivals = steady(1000)
    heard = stream(arrivals, loud=loud_between(arrivals, (3.7, 5.0), (13.7, 15.0)))
    assert turns(heard, [(1.0, 3.0), (11.0, 13.0)], 0.6, 2.0, 14.0) == []


def test_percentile_is_the_nearest_rank_and_keeps_infinity() -> None:
    assert percentile([float(i) for i in range(1, 101)], 95) == 95.0
    assert percentile([3.0], 50) == 3.0
    assert percentile([], 95) is None
    assert percentile([1.0, math.inf], 95) == math.inf
    assert summary_ms([0.01, math.inf]) == {"count": 2, "p50": 10.0, "p95": None, "p99": None, "max": None}


def test_a_window_between_two_frames_misses_none() -> None:
    for start in (0.0, 0.001, 0.0199):
        got = frames(stream(steady(100)), start, start + 1.013)
        assert got["received"] >= got["expected"] == 50


def test_a_decision_waits_for_its_own_invite_and_for_ever_when_there_is_none() -> None:
    decided = {"a": 1.0, "b": 2.0, "c": 3.0}
    waited = delays(decided, {"b": 2.25, "a": 1.5})
    assert waited == {"a": 0.5, "b": 0.25, "c": math.inf}
    assert percentile(list(waited.values()), 95) == math.inf


def test_invites_that_were_not_decided_are_not_measured() -> None:
    with pytest.raises(ValueError, match="no model asked for"):
        delays({"a": 1.0}, {"a": 1.1, "b": 1.2})
    with pytest.raises(ValueError, match="before their decision"):
        delays({"a": 1.0}, {"a": 0.999})


def test_what_one_end_sent_is_held_against_what_the_other_received_in_the_same_window() -> None:
    s = stream(steady(200), loud=set(range(0, 200, 2)))
    got = passed(s, 100, 50, 0.999, 2.999)
    assert (got.received, got.loud_received, got.expected, got.crossed) == (100, 50, 100, True)


@pytest.mark.parametrize(
    "broken",
    [
        Passed(sent=100, loud_sent=50, received=97, loud_received=50, expected=100),
        Passed(sent=100, loud_sent=50, received=103, loud_received=50, expected=100),
        Passed(sent=100, loud_sent=50, received=100, loud_received=47, expected=100),
        Passed(sent=100, loud_sent=50, received=100, loud_received=100, expected=100),
        Passed(sent=50, loud_sent=25, received=50, loud_received=25, expected=100),
        Passed(sent=100, loud_sent=0, received=100, loud_received=0, expected=100),
        Passed(sent=0, loud_sent=0, received=0, loud_received=0, expected=100),
    ],
)
def test_sound_that_was_lost_added_or_never_sent_did_not_cross(broken: Passed) -> None:
    assert not broken.crossed
