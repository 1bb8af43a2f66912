"""What keeps one bad skill from harming the others: a share of concurrency, a deadline, a circuit breaker."""

from __future__ import annotations

from collections.abc import Callable

from bot.dialog.queues import FairQueue

TRIP_AFTER = 5
"""So many failures in a row open the breaker."""

REST = 30.0
"""So long (seconds) an open breaker lets nothing through; then turns may try, and the first failure opens it anew."""


class Gate:
    """The way into one skill."""

    def __init__(self, deadline: float, concurrency: int, now: Callable[[], float]) -> None:
        self.deadline = deadline
        self._now = now
        self._places = FairQueue(concurrency)
        self._failures = 0
        self._open_until = 0.0

    @property
    def resting(self) -> bool:
        """Whether the breaker is open."""
        return self._now() < self._open_until

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._places.full

    def failed(self) -> None:
        """A handler failed; enough of these in a row open the breaker."""
        self._failures += 1
        if self._failures >= TRIP_AFTER:
            self._open_until = self._now() + REST

    def succeeded(self) -> None:
        """A handler came to its end."""
        self._failures = 0

    async def enter(self, tenant: str) -> None:
        """Wait for a place; tenants that wait take turns."""
        await self._places.take(tenant)

    def leave(self) -> None:
        """Give the place back."""
        self._places.give_back()


class Gates:
    """The gates of all skills; `limits` says a skill's (deadline in seconds, concurrency)."""

    def __init__(self, limits: Callable[[str], tuple[float, int]], now: Callable[[], float]) -> None:
        self._limits, self._now = limits, now
        self._gates: dict[str, Gate] = {}

    def of(self, skill: str) -> Gate:
        """The gate of a skill."""
        gate = self._gates.get(skill)
        if gate is None:
            gate = self._gates[skill] = Gate(*self._limits(skill), self._now)
        return gate

    def forget(self) -> None:
        """Skills were loaded anew: their limits may have changed."""
        self._gates.clear()
