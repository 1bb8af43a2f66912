"""How often something may be done: buckets that everybody asks before doing it.

Each bucket gives out places in time, never more than its pace allows in any window. Whoever asks gets the next one
that is free in all the buckets it asks, and is told how long to wait for it: nobody needs to ask twice, and those who
ask for the same come in the order in which they asked. Knows no channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right, insort
from collections.abc import Sequence

from bot.channel import Pace
from bot.clock import Clock
from bot.delivery.counting import Counted

MOST = 100_000
"""Buckets that are remembered before those are looked for that nobody is in any more."""

APART = 0.02
"""Seconds between two of those in one process who wait for a platform to take messages again."""

Wanted = Sequence[tuple[str, Pace]]


class Buckets(ABC):
    """Buckets by key."""

    async def start(self) -> None:  # noqa: B027 - most have nothing to do
        """Connect, if need be; never raises."""

    async def stop(self) -> None:  # noqa: B027 - most have nothing to do
        """Disconnect."""

    @abstractmethod
    async def take(self, wanted: Wanted) -> float:
        """Take a place in all of these buckets; how many seconds to wait for it. Never raises."""

    @abstractmethod
    async def admit(self, wanted: Wanted, event: str, *, anyway: bool = False) -> str:
        """Count an event in all of these windows if there is room in each; the key of a full one, or "". Never raises.

        What was counted already keeps its place: it is neither counted again nor refused when others came after it.
        `anyway` counts it where there is no room too.
        """

    @abstractmethod
    async def close(self, key: str, seconds: float) -> None:
        """Give no place in a bucket for so long: the platform said so. Never raises."""

    @abstractmethod
    def closed(self, key: str) -> float:
        """For how many seconds more a bucket gives no place, as far as this process knows."""


class Places:
    """The places of one bucket: at most `count` in any `span` seconds. Each has a number, by which others know it."""

    __slots__ = ("count", "given", "span")

    def __init__(self) -> None:
        self.count, self.span = 1, 1.0
        self.given: list[tuple[float, int]] = []

    def trim(self, now: float) -> None:
        """Forget those that no window from now on can have."""
        if self.given and self.given[0][0] <= now - self.span:
            del self.given[: bisect_right(self.given, now - self.span, key=_at)]

    def fit(self, place: float) -> float:
        """The first place from `place` on that leaves no window with too many."""
        given, more = self.given, self.count - 1
        # Every `count` places that stand within one window with this one push it behind the first of them.
        for i in range(bisect_right(given, place - self.span, key=_at), len(given) - more):
            first, last = given[i][0], given[i + more][0]
            if first >= place + self.span:
                break
            if max(last, place) - min(first, place) < self.span:
                place = first + self.span
        return place


class LocalBuckets(Buckets):
    """Buckets of one process. `share` is the part of each pace that it may use: below 1 where others use it too."""

    def __init__(self, clock: Clock, *, share: float = 1.0) -> None:
        self._clock, self._share = clock, share
        self._places: dict[tuple[str, float], Places] = {}
        self._counted = Counted(clock)
        self._closed: dict[str, float] = {}
        self._last, self._forget_at = 0, MOST

    async def take(self, wanted: Wanted) -> float:
        """Take a place in all of them."""
        return self.take_now(wanted)

    def take_now(self, wanted: Wanted) -> float:
        """The same, without waiting for anything."""
        now = self._clock.steady()
        place = now + max((self.closed(key) for key, _ in wanted), default=0.0)
        buckets = [self._bucket(key, pace, now) for key, pace in wanted]
        before = -1.0
        while place != before:
            before = place
            for bucket in buckets:
                place = bucket.fit(place)
        self.note(wanted, place, self.number())
        return place - now

    def number(self) -> int:
        """A number for a place."""
        self._last += 1
        return self._last

    def note(self, wanted: Wanted, place: float, number: int) -> None:
        """A place was given (by whomever), at `place` on the steady clock."""
        now = self._clock.steady()
        for key, pace in wanted:
            insort(self._bucket(key, pace, now).given, (place, number))
        if len(self._places) > self._forget_at:
            self._places = {key: bucket for key, bucket in self._places.items() if bucket.given[-1][0] > now - key[1]}
            # Not at every call, should most of them be in use.
            self._forget_at = max(MOST, 2 * len(self._places))

    def given(self, key: str, pace: Pace) -> list[tuple[float, int]]:
        """The places of a bucket within its pace's seconds, and later ones, with their numbers."""
        now = self._clock.steady()
        return [place for place in self._bucket(key, pace, now).given if place[0] > now - pace.seconds]

    async def admit(self, wanted: Wanted, event: str, *, anyway: bool = False) -> str:
        """Count an event."""
        return self._counted.admit(wanted, event, anyway=anyway)

    async def close(self, key: str, seconds: float) -> None:
        """Give no place in a bucket for so long."""
        self.close_now(key, seconds)

    def close_now(self, key: str, seconds: float) -> None:
        """The same, without waiting for anything."""
        self._closed[key] = max(self._closed.get(key, 0.0), self._clock.steady() + seconds)

    def closed(self, key: str) -> float:
        """For how many seconds more it is closed."""
        until = self._closed.get(key)
        if until is None:
            return 0.0
        left = until - self._clock.steady()
        if left <= 0:
            del self._closed[key]
        return max(left, 0.0)

    def _bucket(self, key: str, pace: Pace, now: float) -> Places:
        bucket = self._places.get((key, pace.seconds))
        if bucket is None:
            bucket = self._places[key, pace.seconds] = Places()
        # A share of less than one place is a place in a longer window.
        share = pace.count * self._share
        bucket.count = max(1, int(share))
        bucket.span = pace.seconds * max(1.0, bucket.count / share)
        bucket.trim(now)
        return bucket


class Openings:
    """Who waits for a platform to take messages again comes after whoever asked before, never all at one moment.

    A thousand that did would hold up everybody else in the process, and its database; and most would be refused again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def place(self, key: str, closed: float) -> float:
        """Seconds until one may come to a bucket that is closed for so long."""
        now = self._clock.steady()
        place = max(now + closed, self._last.get(key, 0.0) + APART)
        self._last[key] = place
        return place - now


def _at(place: tuple[float, int]) -> float:
    return place[0]
