"""The one writer of a database file: everything that is waiting is written in one transaction, with one fsync.

Callers hear of it only after the COMMIT. Our own operations are short and run on the event loop; the COMMIT, which
waits for the disk, runs on a thread. (On that thread each statement would give the interpreter's lock away and have to
get it back from a busy loop.)

Units of work are somebody else's code: they run on the thread altogether, in a savepoint each. Our own operations need
none: they refuse (with a StoreError) before they write, and whatever else goes wrong in one takes the group back. A
group that fails as a whole (a full disk takes the whole transaction back) is repeated item by item, so only the guilty
one fails. Knows no tables.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

import structlog
from sqlalchemy import Connection

from bot.errors import StoreError, StoreUnavailable
from bot.store.sqlite.checkpoint import Checkpointer
from bot.store.sqlite.faults import translate
from bot.store.sqlite.unit import Transaction

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = structlog.get_logger("store")

_GROUP = 64  # of 0.05 ms each: the loop does nothing else meanwhile
_UNITS = 16  # of 0.2 ms each: more in one group would make everybody wait for them
_SLOW = 0.020
_BREATH = 0.001  # seconds between two groups where several had come at once: more of them then share one fsync
_PATIENCE = 5.0  # seconds that another program may keep the file to itself


class _Item(NamedTuple):
    future: asyncio.Future[Any]
    unit: bool
    fn: Callable[..., Any]
    values: tuple[Any, ...]


class _Outcome(NamedTuple):
    future: asyncio.Future[Any]
    result: Any
    error: BaseException | None


class Writer:
    """Runs operations and units of work in the order in which they come, durably. All on one event loop."""

    def __init__(self, path: Path, *, max_bytes: int = 0) -> None:
        raw = _connect(path, max_bytes)
        self._transaction, self._checkpointer = Transaction(raw), Checkpointer(path)
        self._waiting: deque[_Item] = deque()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="store-writer", daemon=True)
        self._thread.start()
        self._open = True
        self._busy = False  # from the moment when a group is about to begin until it is durable
        self._idle: asyncio.Event = asyncio.Event()

    async def stop(self) -> None:
        """Finish what is waiting, then close."""
        self._open = False
        if self._busy:
            self._idle.clear()
            await self._idle.wait()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def run(self, fn: Callable[[sqlite3.Connection, *Ts], T], *values: *Ts) -> asyncio.Future[T]:
        """Run an operation of ours on the raw connection; a StoreError of its own comes before its first write."""
        return self._submit(False, fn, values)

    def unit(self, fn: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run a unit of work on the SQLAlchemy connection."""
        return self._submit(True, fn, ())

    def _submit(self, unit: bool, fn: Callable[..., Any], values: tuple[Any, ...]) -> asyncio.Future[Any]:
        if not self._open:
            raise StoreUnavailable("the store is not open")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append(_Item(future, unit, fn, values))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._begin)  # with whatever else comes in this round of the loop
        return future

    def _begin(self) -> None:
        """Write what is waiting."""
        loop, items = asyncio.get_running_loop(), self._collect()
        outcomes = None if items[0].unit else _write(self._transaction, items)

        def on_thread() -> None:
            try:
                done = _finish(self._transaction, items, outcomes)
                self._checkpointer.wrote(self._transaction.raw, len(items))
            except Exception as exc:  # nobody may wait for ever, whatever it was
                done = [_Outcome(item.future, None, translate(exc)) for item in items]
            try:
                loop.call_soon_threadsafe(self._deliver, done)
            except RuntimeError:  # the loop has ended, and with it whoever waited
                return

        self._jobs.put(on_thread)

    def _collect(self) -> list[_Item]:
        """What comes next: units of work, or operations."""
        waiting = self._waiting
        unit, items = waiting[0].unit, [waiting.popleft()]
        most = _UNITS if unit else _GROUP
        while waiting and waiting[0].unit == unit and len(items) < most:
            items.append(waiting.popleft())
        return items

    def _deliver(self, outcomes: list[_Outcome]) -> None:
        _resolve(outcomes)
        loop = asyncio.get_running_loop()
        if len(outcomes) > 1:
            loop.call_later(_BREATH, self._go_on)
        else:
            # After those who just heard: what they want next goes into the same group.
            loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._waiting:
            self._begin()
        else:
            self._busy = False
            self._idle.set()

    def _live(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._checkpointer.stop()
        self._transaction.close()


def _connect(path: Path, max_bytes: int) -> sqlite3.Connection:
    try:
        # The loop and the thread use it in turns, never at once.
        raw = sqlite3.connect(path, isolation_level=None, timeout=0.0, cached_statements=512, check_same_thread=False)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA journal_size_limit=67108864")
        raw.execute("PRAGMA wal_autocheckpoint=0")  # see checkpoint.py
        raw.execute("PRAGMA cache_size=-8192")
        if max_bytes:
            (page,) = raw.execute("PRAGMA page_size").fetchone()
            raw.execute(f"PRAGMA max_page_count={max_bytes // page}")
        return raw
    except sqlite3.Error as exc:
        raise translate(exc) from exc


def _write(transaction: Transaction, items: list[_Item]) -> list[_Outcome] | None:
    """Run operations in a transaction that is not committed yet; None, with nothing written, when one of them broke."""
    try:
        transaction.begin()
        return [_attempt(transaction, item) for item in items]
    except Exception:
        transaction.roll_back()
        return None


def _finish(transaction: Transaction, items: list[_Item], outcomes: list[_Outcome] | None) -> list[_Outcome]:
    """Make durable what was written; or, where nothing was (`outcomes` None), write it first."""
    if outcomes is not None:
        try:
            transaction.commit()
            return outcomes
        except Exception as exc:
            transaction.roll_back()
            if len(items) == 1:
                return [_Outcome(items[0].future, None, translate(exc))]
    elif len(items) == 1 or items[0].unit:
        return _run(transaction, items)
    return [outcome for item in items for outcome in _run(transaction, [item])]


def _run(transaction: Transaction, items: list[_Item]) -> list[_Outcome]:
    """Run items in one transaction; each has its own outcome."""
    try:
        _begin_patiently(transaction)
    except sqlite3.Error as exc:
        # Another process holds the file, or it is gone: no use asking again for each of them.
        error = translate(exc)
        return [_Outcome(item.future, None, error) for item in items]
    try:
        outcomes = [_attempt(transaction, item) for item in items]
        transaction.commit()
        return outcomes
    except Exception as exc:
        transaction.roll_back()
        if len(items) > 1:
            return [outcome for item in items for outcome in _run(transaction, [item])]
        return [_Outcome(items[0].future, None, translate(exc))]


def _begin_patiently(transaction: Transaction) -> None:
    """Begin, waiting for another program that writes the file right now."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return transaction.begin()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _attempt(transaction: Transaction, item: _Item) -> _Outcome:
    """Run one item; raises what ends the whole group."""
    future, unit, fn, values = item
    try:
        result = _timed(transaction, fn) if unit else fn(transaction.raw, *values)
    except StoreError as exc:
        if unit and not transaction.open:
            raise
        return _Outcome(future, None, exc)
    except Exception as exc:
        if not unit or not transaction.open:
            raise
        return _Outcome(future, None, translate(exc))
    if unit and not transaction.open:
        raise StoreError("a unit of work ended the transaction that it runs in")
    return _Outcome(future, result, None)


def _timed(transaction: Transaction, fn: Callable[[Connection], T]) -> T:
    began = time.perf_counter()
    try:
        return transaction.unit(fn)
    finally:
        took = time.perf_counter() - began
        if took > _SLOW:
            _log.warning("slow_unit", unit=_name(fn), milliseconds=round(took * 1000, 1))


def _name(fn: Callable[..., Any]) -> str:
    return f"{getattr(fn, '__module__', '?')}.{getattr(fn, '__qualname__', type(fn).__qualname__)}"


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():  # whoever waited was cancelled; what was written stays written
            continue
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):  # a future can't carry it, and those behind it must not wait for ever
            future.set_exception(RuntimeError(f"a unit of work raised {error!r}"))
        else:
            future.set_exception(error)
