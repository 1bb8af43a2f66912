"""Buckets: never more places in any window than the pace allows, and no wait that is not needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Pace
from bot.delivery import pacing
from bot.delivery.pacing import LocalBuckets
from bot.testing import VirtualClock

A_HAIR = 1e-6


def crowded(places: list[float], pace: Pace) -> bool:
    """Whether some window of the pace's length has more places than it allows."""
    ordered = sorted(places)
    spans = zip(ordered, ordered[pace.count :], strict=False)
    return any(last - first < pace.seconds - A_HAIR for first, last in spans)


async def test_a_burst_is_let_through_and_the_rest_waits_its_turn() -> None:
    buckets, pace = LocalBuckets(VirtualClock()), Pace(count=3, seconds=1.0)
    waits = [await buckets.take([("a", pace)]) for _ in range(7)]
    assert waits == pytest.approx([0, 0, 0, 1, 1, 1, 2])


async def test_places_come_back_when_their_window_is_over() -> None:
    clock = VirtualClock()
    buckets, pace = LocalBuckets(clock), Pace(count=2, seconds=10.0)
    assert [await buckets.take([("a", pace)]), await buckets.take([("a", pace)])] == [0, 0]
    clock.move(clock.now() + 4)
    assert await buckets.take([("a", pace)]) == pytest.approx(6)
    clock.move(clock.now() + 30)
    assert [await buckets.take([("a", pace)]), await buckets.take([("a", pace)])] == [0, 0]


async def test_one_who_must_wait_long_in_another_bucket_keeps_nobody_back() -> None:
    buckets = LocalBuckets(VirtualClock())
    account, group = Pace(count=2, seconds=1.0), Pace(count=1, seconds=60.0, of="conversation")
    for chat in "xyz":
        await buckets.take([("account", account), (chat, group)])
    late = [await buckets.take([("account", account), (chat, group)]) for chat in "xyz"]
    assert late == pytest.approx([60, 60, 61])
    assert await buckets.take([("account", account), ("new", group)]) == pytest.approx(1)


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from("xyz"), st.booleans(), st.sampled_from([0.0, 0.0, 0.1, 0.7, 3.0])), max_size=40),
)
def test_no_window_ever_has_too_many_whatever_is_asked(
    count: int, each: int, asked: list[tuple[str, bool, float]]
) -> None:
    clock = VirtualClock()
    buckets = LocalBuckets(clock)
    account, chat = Pace(count=count, seconds=1.0), Pace(count=each, seconds=2.5)
    places: dict[str, list[float]] = {}
    for who, both, pause in asked:
        clock.move(clock.now() + pause)
        wanted = [("account", account), (who, chat)] if both else [("account", account)]
        wait = buckets.take_now(wanted)
        assert wait >= 0
        for key, _ in wanted:
            places.setdefault(key, []).append(clock.now() + wait)
    for key, taken in places.items():
        assert not crowded(taken, account if key == "account" else chat)


@given(st.integers(1, 4), st.lists(st.sampled_from([0.0, 0.1, 0.4, 1.5]), min_size=1, max_size=30))
def test_nobody_waits_longer_than_the_pace_asks_for(count: int, pauses: list[float]) -> None:
    clock = VirtualClock()
    buckets, pace = LocalBuckets(clock), Pace(count=count, seconds=1.0)
    places: list[float] = []
    for pause in pauses:
        clock.move(clock.now() + pause)
        place = clock.now() + buckets.take_now([("a", pace)])
        earlier = place - 0.01
        assert earlier < clock.now() or crowded([*places, earlier], pace)
        places.append(place)


async def test_a_closed_bucket_gives_its_first_place_when_it_opens() -> None:
    clock = VirtualClock()
    buckets, pace = LocalBuckets(clock), Pace(count=2, seconds=1.0)
    await buckets.close("a", 30)
    await buckets.close("a", 5)
    assert [await buckets.take([("a", pace)]) for _ in range(3)] == pytest.approx([30, 30, 31])
    assert await buckets.take([("b", pace)]) == 0
    clock.move(clock.now() + 29.5)
    assert buckets.closed("a") == pytest.approx(0.5)
    clock.move(clock.now() + 0.5)
    assert buckets.closed("a") == 0


@pytest.mark.parametrize(("count", "share", "per_minute"), [(1, 0.25, 15), (20, 0.25, 300), (30, 0.25, 420)])
async def test_a_share_is_never_more_than_its_part(count: int, share: float, per_minute: int) -> None:
    clock = VirtualClock()
    buckets, pace = LocalBuckets(clock, share=share), Pace(count=count, seconds=1.0)
    waits = [await buckets.take([("a", pace)]) for _ in range(per_minute + 1)]
    assert sum(wait < 60 - A_HAIR for wait in waits) == per_minute
    assert not crowded(waits, Pace(count=max(1, int(count * share)), seconds=1.0))


async def test_buckets_that_nobody_is_in_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "MOST", 10)
    clock = VirtualClock()
    buckets, pace = LocalBuckets(clock), Pace(count=1, seconds=5.0)
    buckets._forget_at = 10
    for n in range(200):
        clock.move(clock.now() + 1)
        assert await buckets.take([(str(n), pace)]) == 0
        assert len(buckets._places) <= 12
    assert await buckets.take([("199", pace)]) == pytest.approx(5), "a bucket in use is kept"
