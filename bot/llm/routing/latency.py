"""How long a model's first words take, and whether a second request may be made beside a slow one. Knows no model."""

from __future__ import annotations

from collections import deque

KEPT = 200
ENOUGH = 20
"""With fewer times than this nothing is said about the slow ones."""

SAVED = 3.0
"""So many second requests can be saved up for a bad minute."""


class Latency:
    """The last times of one model, in seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=KEPT)
        self._sorted: list[float] | None = None

    def add(self, seconds: float) -> None:
        """Remember one."""
        self._times.append(seconds)
        self._sorted = None

    def p95(self, otherwise: float) -> float:
        """What 95 of 100 stay below, or `otherwise` where too little is known."""
        if len(self._times) < ENOUGH:
            return otherwise
        if self._sorted is None:
            self._sorted = sorted(self._times)
        return self._sorted[len(self._sorted) * 95 // 100]


class Credit:
    """Second requests are paid for by first ones: each earns `share` of one."""

    def __init__(self, share: float) -> None:
        self._share, self._credit = share, 0.0

    def earn(self) -> None:
        """A first request was made."""
        self._credit = min(SAVED, self._credit + self._share)

    def spend(self) -> bool:
        """Whether a second request may be made now; if so it is paid for."""
        if self._credit < 1 - 1e-9:
            return False
        self._credit -= 1
        return True
