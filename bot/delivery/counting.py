"""How often something has happened: events counted in windows of time, to be refused where there were enough.

A pace's places (pacing.py) say when something may be done; a count says whether it may be done at all. Counts of this
process only, and gone with it. Knows no channel.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from bot.channel import Pace
from bot.clock import Clock

MOST = 50_000
"""Windows that are remembered; those in which nothing happened for longest are forgotten first."""

SPARE = 1
"""How many more than its count a window remembers: a full one stays full while more come."""


class Counted:
    """Windows by key: in each, events with the times at which they were counted, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: OrderedDict[tuple[str, float], OrderedDict[str, float]] = OrderedDict()

    def admit(self, wanted: Sequence[tuple[str, Pace]], event: str, *, anyway: bool = False) -> str:
        """Count an event in all of these if there is room in each, or `anyway`; the key of a full one, or ""."""
        now = self._clock.steady()
        windows = [self._window(key, pace, now) for key, pace in wanted]
        full = ""
        for (key, pace), window in zip(wanted, windows, strict=True):
            before = list(window).index(event) if event in window else len(window)
            if before >= pace.count:
                full = full or key
        if not full or anyway:
            for (_, pace), window in zip(wanted, windows, strict=True):
                window.setdefault(event, now)
                while len(window) > pace.count + SPARE:
                    window.popitem(last=False)
        return full

    def _window(self, key: str, pace: Pace, now: float) -> OrderedDict[str, float]:
        window = self._windows.setdefault((key, pace.seconds), OrderedDict())
        self._windows.move_to_end((key, pace.seconds))
        if len(self._windows) > MOST:
            self._windows.popitem(last=False)
        while window and next(iter(window.values())) <= now - pace.seconds:
            window.popitem(last=False)
        return window
