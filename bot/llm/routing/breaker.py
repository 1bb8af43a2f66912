"""A circuit breaker: after failures nobody is sent there for a while, and then one, to see. Knows no model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

IN_A_ROW = 5
"""So many failures in a row open it."""

WINDOW = 20
"""Of the last so many attempts, half failing opens it too: what fails every other time is no help to anybody."""

REST = 5.0
"""So long (seconds) it lets nobody through the first time; twice as long after each probe that failed."""

LONGEST = 60.0

PROBE_LASTS = 120.0
"""A probe of which nothing is heard for so long is forgotten: whoever made it may have gone before it began."""


class Breaker:
    """Closed, open, or half open: then one probe at a time is let through, and decides."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._row = 0
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._rest = REST
        self._closed = True
        self._until = 0.0
        self._probe: float | None = None
        self.why = ""

    @property
    def state(self) -> Literal["closed", "open", "half open"]:
        """How it stands."""
        if self._closed:
            return "closed"
        return "open" if self._now() < self._until else "half open"

    @property
    def ready_in(self) -> float:
        """In how many seconds somebody may try; 0 is now. While a probe is out, nobody else may for a moment."""
        wait = max(0.0, self._until - self._now())
        if not wait and not self._closed and self._probing:
            return 0.5
        return wait

    @property
    def _probing(self) -> bool:
        return self._probe is not None and self._now() - self._probe < PROBE_LASTS

    def enter(self) -> bool:
        """Somebody tries. True when this is the probe."""
        if self._closed:
            return False
        self._probe = self._now()
        return True

    def leave(self, probe: bool) -> None:
        """An attempt ended without telling anything: it was cancelled, or the question was at fault."""
        if probe:
            self._probe = None

    def worked(self) -> None:
        """It answered."""
        self._row = 0
        self._last.append(True)
        if not self._closed:
            self._closed, self._probe, self._rest, self.why = True, None, REST, ""
            self._last.clear()

    def failed(self, why: str) -> bool:
        """It failed. True when this opened the breaker."""
        self._row += 1
        self._last.append(False)
        if not self._closed:
            if not self._probing:
                return False  # a straggler from before it opened
            self._rest = min(LONGEST, self._rest * 2)
            return self.open(self._rest, why)
        half = len(self._last) == WINDOW and self._last.count(False) * 2 >= WINDOW
        return self.open(self._rest, why) if self._row >= IN_A_ROW or half else False

    def open(self, seconds: float, why: str) -> bool:
        """Let nobody through for so long. True when it was closed before."""
        was, self._closed, self._probe, self.why = self._closed, False, None, why
        self._until = self._now() + seconds
        return was

    def hold(self, seconds: float) -> None:
        """The provider said when to come again: not before, but nothing is wrong."""
        self._until = max(self._until, self._now() + seconds)
