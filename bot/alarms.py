"""Many waits that seldom come to their end, on one timer of the loop: deadlines above all.

A timer of the loop for each would be made and thrown away several times a turn. Knows nothing of what it cuts off.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from types import TracebackType


class Alarm:
    """Calls `ring` when it is time, unless it was turned off before."""

    __slots__ = ("_others", "at", "ring")

    def __init__(self, others: dict[Alarm, None], at: float, ring: Callable[[], object]) -> None:
        self._others, self.at, self.ring = others, at, ring
        others[self] = None

    def off(self) -> bool:
        """Turn it off; whether it had not rung yet."""
        return self._others.pop(self, self) is None


class Within:
    """The block inside is cut off when its time is over, and TimeoutError is raised behind it, as by asyncio.timeout.

    That one can only be waited for, which costs ten times as much.
    """

    __slots__ = ("_alarm", "_alarms", "_cancelling", "_seconds", "_task")

    def __init__(self, alarms: Alarms, seconds: float) -> None:
        self._alarms, self._seconds = alarms, seconds
        self._alarm: Alarm | None = None

    def __enter__(self) -> None:
        """Begin, for the task that runs now."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be cut off")
        self._task, self._cancelling = task, task.cancelling()
        if self._seconds:
            self._alarm = self._alarms.set(self._seconds, task.cancel)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End; somebody else's cancellation goes on as such."""
        if self._alarm is None or self._alarm.off():
            return
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class Alarms:
    """Those of one owner, on one event loop."""

    def __init__(self) -> None:
        self._set: dict[Alarm, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = math.inf

    def set(self, seconds: float, ring: Callable[[], object]) -> Alarm:
        """Call `ring`, which must be short, in so many seconds."""
        alarm = Alarm(self._set, asyncio.get_running_loop().time() + seconds, ring)
        if alarm.at < self._next:
            self._wait(alarm.at)
        return alarm

    def within(self, seconds: float) -> Within:
        """A block that may take so long; 0 for as long as it likes."""
        return Within(self, seconds)

    def _wait(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next, self._timer = at, asyncio.get_running_loop().call_at(at, self._look)

    def _look(self) -> None:
        """Ring those whose time has come. Whoever set the timer may be off long since: then the next one sets it."""
        now = asyncio.get_running_loop().time()
        self._next, self._timer = math.inf, None
        try:
            for alarm in [alarm for alarm in self._set if alarm.at <= now]:
                if alarm.off():
                    alarm.ring()
        finally:
            if self._set:
                self._wait(min(alarm.at for alarm in self._set))
