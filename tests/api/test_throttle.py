"""Counting per somebody, on a clock of its own."""

from __future__ import annotations

from parlons.api import throttle
from parlons.api.throttle import Throttle


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_fills_up_evenly() -> None:
    clock = Clock()
    counted = Throttle(6, 60, clock)
    assert [counted.take("a").remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = counted.take("a")
    assert (refused.allowed, refused.retry_seconds, refused.reset_seconds) == (False, 10, 60)
    clock.now += 9.9
    assert not counted.take("a").allowed
    clock.now += 0.1
    assert counted.take("a").allowed
    assert not counted.take("a").allowed
    clock.now += 3600
    assert counted.take("a").remaining == 5


def test_each_for_themselves_and_given_back() -> None:
    counted = Throttle(1, 60, Clock())
    assert counted.take("a").allowed
    assert counted.take("b").allowed
    assert not counted.take("a").allowed
    counted.give_back("a")
    assert counted.take("a").allowed


def test_it_remembers_a_bounded_number() -> None:
    counted = Throttle(1, 60, Clock())
    for number in range(throttle.MAX_KNOWN + 5):
        counted.take(str(number))
    assert not counted.knows("0")
    assert counted.knows(str(throttle.MAX_KNOWN + 4))
