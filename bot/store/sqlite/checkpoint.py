"""Moves the write-ahead log into the database file, mostly on a thread of its own. Knows no tables.

A checkpoint inside the writer makes everybody wait for its fsyncs (10-20 ms). So the bulk is copied beside the writer;
but while somebody writes, the log never gets to its end that way, and would grow for ever. So the writer itself then
copies the few pages that have come since, after which SQLite starts the log from its beginning.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from queue import SimpleQueue

import structlog

_log = structlog.get_logger("store")

_OFTEN = 8_000  # pages, 32 MB: half of what journal_size_limit lets the file keep
_PER_GROUP = 3  # pages that each commit writes, however small; an item adds about one (both measured)
_ALARM = 50_000  # pages, 200 MB: a reader must be holding an old snapshot


class Checkpointer:
    """Copies the log from time to time. `wrote` is called by the writer, between two groups."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0
        self._busy = False  # from asking the thread until the writer has finished its work
        self._asked: SimpleQueue[bool] = SimpleQueue()  # True: copy; False: end
        self._copied = threading.Event()
        self._thread = threading.Thread(target=self._live, name="store-checkpoint", daemon=True)
        self._thread.start()

    def wrote(self, raw: sqlite3.Connection, items: int) -> None:
        """So many more were committed; `raw` is the writer's own connection."""
        self._written += items + _PER_GROUP
        if self._copied.is_set():
            self._copied.clear()
            self._finish(raw)
            self._busy = False
        elif self._written >= _OFTEN and not self._busy:
            self._written = 0
            self._busy = True
            self._asked.put(True)

    def stop(self) -> None:
        """End the thread; blocks until it has ended."""
        self._asked.put(False)
        self._thread.join()

    def _finish(self, raw: sqlite3.Connection) -> None:
        try:
            _busy, pages, copied = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as exc:  # the disk may be full; the next round tries again
            _log.warning("checkpoint_failed", error=str(exc))
            return
        if pages > _ALARM:
            _log.warning("log_grows", pages=pages, copied=copied)

    def _live(self) -> None:
        raw = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
        try:
            while self._asked.get():
                self._copy(raw)
                self._copied.set()
        finally:
            raw.close()

    def _copy(self, raw: sqlite3.Connection) -> None:
        try:
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as exc:  # the disk may be full; the next round tries again
            _log.warning("checkpoint_failed", error=str(exc))
