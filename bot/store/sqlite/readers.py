"""Reads beside the writer: a few threads, each with a read-only connection. Knows no tables.

Every read sees everything that was committed before it began, and nothing of what is being written.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar, TypeVarTuple
from urllib.parse import quote

from sqlalchemy import Connection, StaticPool, create_engine

from bot.errors import StoreUnavailable
from bot.store.sqlite.faults import translate
from bot.store.sqlite.unit import fetched

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_STEPS = 100_000  # SQLite's own instructions between two looks at the clock: about a millisecond


class _Reader:
    """One read-only connection, raw and for SQLAlchemy."""

    def __init__(self, path: Path, longest: float) -> None:
        self.raw = sqlite3.connect(
            f"file:{quote(str(path.resolve()))}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=5.0,
            cached_statements=512,
            check_same_thread=False,  # one thread at a time uses it
        )
        self._longest = longest
        self._deadline = 0.0
        self.raw.set_progress_handler(self._too_long, _STEPS)
        self._engine = create_engine(
            "sqlite://", creator=lambda: self.raw, poolclass=StaticPool, pool_reset_on_return=None
        )

    def call(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` on one snapshot."""
        self._deadline = time.monotonic() + self._longest
        try:
            self.raw.execute("BEGIN")
            return fn(self.raw)
        except Exception as exc:
            error = translate(exc)
            if error is exc:
                raise
            raise error from exc
        finally:
            # A read that never ends keeps the log from being reused, for everybody.
            self._deadline = 0.0
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")

    def unit(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on the SQLAlchemy connection; for use inside `call`."""
        with self._engine.connect() as connection:
            return fetched(fn(connection))

    def close(self) -> None:
        """Close it."""
        self._engine.dispose()
        self.raw.close()

    def _too_long(self) -> int:
        return 1 if self._deadline and time.monotonic() > self._deadline else 0


class Readers:
    """Runs reads on as many threads as there are connections."""

    def __init__(self, path: Path, *, threads: int = 2, longest: float = 10.0) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._free: SimpleQueue[_Reader] = SimpleQueue()
        self._threads = threads
        self._open = True
        for _ in range(threads):
            self._free.put(_Reader(path, longest))

    async def run(self, fn: Callable[[sqlite3.Connection, *Ts], T], *values: *Ts) -> T:
        """Run one of our own reads on a raw connection."""
        return await self._submit(lambda reader: reader.call(lambda raw: fn(raw, *values)))

    async def unit(self, fn: Callable[[Connection], T]) -> T:
        """Run a read of somebody else's on a SQLAlchemy connection."""
        return await self._submit(lambda reader: reader.call(lambda _: reader.unit(fn)))

    def stop(self) -> None:
        """Wait for the reads that are under way, then close."""
        self._open = False
        self._pool.shutdown()
        for _ in range(self._threads):
            self._free.get().close()

    async def _submit(self, job: Callable[[_Reader], T]) -> T:
        if not self._open:
            raise StoreUnavailable("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._borrow, job)

    def _borrow(self, job: Callable[[_Reader], T]) -> T:
        reader = self._free.get()
        try:
            return job(reader)
        finally:
            self._free.put(reader)
