"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from bot.clock import Clock

START = 1_800_000_000.0
"""2027-01-15 08:00 UTC, a Friday."""


class VirtualClock(Clock):
    """Time for tests: `now` changes only by `move`, which wakes whoever sleeps until then."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """The time as it stands."""
        return self._now

    def steady(self) -> float:
        """The same: nobody sets this clock back."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has been moved so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    @property
    def next_waking(self) -> float | None:
        """When the next sleeper wakes."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def move(self, to: float) -> None:
        """Make it `to`, waking everybody who sleeps until then, in order."""
        self._now = max(self._now, to)
        while (at := self.next_waking) is not None and at <= self._now:
            heapq.heappop(self._sleepers)[2].set_result(None)
