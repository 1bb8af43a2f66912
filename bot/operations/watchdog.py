"""Notices when something blocks the event loop, and names the plugin that does.

A thread watches a heartbeat of the loop. It samples only while the heart is late, so it costs next to nothing. It
knows no plugin: it asks who owns a file.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from bot.messages import Value
from bot.services import short

BEAT = 0.1  # seconds between heartbeats

log = structlog.get_logger()


class Blocked(Value, frozen=True):
    """The loop stood still for `ms` (so far) in `function`; `plugin` is empty when no plugin was to blame."""

    plugin: str
    function: str
    file: str
    line: int
    ms: int


class Watchdog:
    """Watches the loop in which `start` is called. `threshold` is in seconds."""

    def __init__(self, owner: Callable[[str], str], *, threshold: float = 0.25) -> None:
        self._owner = owner
        self._threshold = threshold
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop_thread = 0
        self._beat_at = 0.0
        self.last: Blocked | None = None
        self.lag = 0.0

    def start(self) -> None:
        """Begin, on the running loop."""
        self._loop_thread = threading.get_ident()
        self._beat(asyncio.get_running_loop(), time.monotonic())
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; may be called from the loop."""
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join(1.0)

    def _beat(self, loop: asyncio.AbstractEventLoop, expected: float) -> None:
        now = time.monotonic()
        self.lag = max(0.0, now - expected)
        self._beat_at = now
        self._timer = loop.call_later(BEAT, self._beat, loop, now + BEAT)

    def _watch(self) -> None:
        """The thread: a look per BEAT, a report per blockage, and another when it has lasted four times as long."""
        reported, report_at = 0.0, self._threshold
        while not self._stop.wait(BEAT):
            beat = self._beat_at
            late = time.monotonic() - beat - BEAT
            if beat != reported:
                report_at = self._threshold
            if late < report_at:
                continue
            blocked = self._look(late)
            if blocked is None or not blocked.plugin:
                self._stop.wait(BEAT / 2)  # perhaps the whole process had been paused, and the loop goes on too
            if blocked is None or self._beat_at != beat:
                continue
            reported, report_at = beat, max(late, report_at) * 4
            self.last = blocked
            log.error(
                "loop_blocked",
                plugin=blocked.plugin or "(none)",
                function=blocked.function,
                where=f"{blocked.file}:{blocked.line}",
                ms=blocked.ms,
            )

    def _look(self, late: float) -> Blocked | None:
        """Who runs now: the deepest frame of a plugin, else the deepest frame of all."""
        top: FrameType | None = sys._current_frames().get(self._loop_thread)
        frame, plugin = top, ""
        while frame is not None:
            plugin = self._owner(frame.f_code.co_filename)
            if plugin:
                break
            frame = frame.f_back
        found = frame or top
        if found is None:
            return None
        code = found.f_code
        return Blocked(
            plugin=plugin,
            function=code.co_qualname,
            file=short(code.co_filename),
            line=found.f_lineno,
            ms=round(late * 1000),
        )
