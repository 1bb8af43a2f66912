"""Counts: never more than a window has room for, each event once, and full for whoever goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Pace
from bot.delivery import counting
from bot.delivery.counting import Counted
from bot.testing import VirtualClock

THREE, FIVE = Pace(count=3, seconds=10.0), Pace(count=5, seconds=100.0)


def test_what_has_no_room_is_refused_and_not_counted() -> None:
    clock = VirtualClock()
    counted = Counted(clock)
    assert [counted.admit([("a", THREE)], str(n)) for n in range(5)] == ["", "", "", "a", "a"]
    clock.move(clock.now() + 10)
    assert counted.admit([("a", THREE)], "later") == ""
    assert counted.admit([("b", THREE)], "0") == ""


def test_who_goes_on_stays_refused_where_refusals_count_too() -> None:
    clock = VirtualClock()
    counted = Counted(clock)
    verdicts = []
    for n in range(40):
        verdicts.append(counted.admit([("a", THREE)], str(n), anyway=True))
        clock.move(clock.now() + 1)
    assert verdicts == [""] * 3 + ["a"] * 37
    clock.move(clock.now() + 10)
    assert counted.admit([("a", THREE)], "a person again", anyway=True) == ""


def test_an_event_is_counted_once_and_keeps_its_place() -> None:
    counted = Counted(VirtualClock())
    for _ in range(5):
        assert counted.admit([("a", THREE)], "one") == ""
    assert [counted.admit([("a", THREE)], event) for event in ("two", "three", "four")] == ["", "", "a"]
    assert counted.admit([("a", THREE)], "one") == ""


def test_it_is_counted_in_all_windows_or_in_none() -> None:
    clock = VirtualClock()
    counted = Counted(clock)
    verdicts = []
    for n in range(9):
        verdicts.append(counted.admit([("day", FIVE), ("hour", THREE)], str(n)))
        clock.move(clock.now() + 2)
    assert verdicts == ["", "", "", "hour", "hour", "", "", "day", "day"]


def test_the_windows_that_are_remembered_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST", 10)
    counted = Counted(VirtualClock())
    for n in range(100):
        counted.admit([(str(n), THREE)], "x")
    assert len(counted._windows) == 10


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 5)), max_size=60))
def test_no_window_ever_admits_more_than_its_count(count: int, asked: list[tuple[str, float]]) -> None:
    clock, pace = VirtualClock(), Pace(count=count, seconds=4.0)
    counted = Counted(clock)
    admitted: dict[str, float] = {}
    for event, wait in asked:
        if not counted.admit([("a", pace)], event):
            at = admitted.get(event, -10.0)
            admitted[event] = at if clock.now() - at < 4.0 else clock.now()
        assert sum(clock.now() - 4.0 < at for at in admitted.values()) <= count
        clock.move(clock.now() + wait)
