"""The queue between two clocks: bounded whatever either does, silent when it has nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parlons.webrtc.frames import MOST, START, WINDOW, Frames


def loud(number: int) -> bytes:
    """A frame that is no silence."""
    return (1000 + number).to_bytes(2, "little")


def test_it_waits_for_some_patience_first_and_after_running_dry() -> None:
    frames = Frames()
    frames.put(loud(1))
    assert frames.take() is None
    frames.put(loud(2))
    assert [frames.take(), frames.take(), frames.take()] == [loud(1), loud(2), None]
    frames.put(loud(3))
    assert frames.take() is None, "one frame is no patience"
    frames.put(loud(4))
    assert frames.take() == loud(3)


def test_a_burst_is_cut_to_what_is_newest() -> None:
    frames = Frames()
    for number in range(100):
        frames.put(loud(number))
    assert len(frames) <= MOST
    taken = [frame for _ in range(MOST) if (frame := frames.take()) is not None]
    assert taken[-1] == loud(99)
    assert frames.dropped + len(taken) == 100


def test_words_after_a_stall_are_whole_and_its_silence_is_not_waited_for() -> None:
    """A loop that stood still for 0.3 s brings fifteen frames at once: the greeting lost its first syllable."""
    frames = Frames()
    for _ in range(15):
        frames.put(bytes(2))
    for number in range(5):
        frames.put(loud(number))
    taken = [frames.take() for _ in range(7)]
    assert [frame for frame in taken if frame not in (None, bytes(2))] == [loud(n) for n in range(5)]


def test_a_clock_that_runs_fast_does_not_make_the_delay_grow() -> None:
    """0.5 % fast, for five minutes: 75 frames too many."""
    frames = Frames()
    for number in range(15_000):
        frames.put(loud(1))
        if number % 200 == 0:
            frames.put(loud(1))
        frames.take()
        assert len(frames) <= MOST
    assert frames.dropped >= 60
    assert len(frames) <= START + 3


def test_a_steady_flow_loses_nothing() -> None:
    frames = Frames()
    for _ in range(20 * WINDOW):
        frames.put(loud(1))
        frames.take()
    assert frames.dropped == 0


@given(st.lists(st.booleans(), max_size=400))
def test_it_is_bounded_and_keeps_the_order(moves: list[bool]) -> None:
    frames, put, taken = Frames(), 0, []
    for move in moves:
        if move:
            frames.put(loud(put))
            put += 1
        elif (frame := frames.take()) is not None:
            taken.append(int.from_bytes(frame, "little"))
        assert len(frames) <= MOST
    assert taken == sorted(set(taken))
    assert len(taken) + frames.dropped + len(frames) == put
