"""The one writer of a database file: a thread with a queue, which commits everything that is waiting at once.

One fsync then serves many callers, who hear of it only after the COMMIT. A group that fails as a whole (a full
disk takes the whole transaction back) is repeated item by item, so only the guilty one fails. Knows no tables.

Units of work run in a savepoint each. Our own operations need none: they refuse (with a StoreError) before they write,
and whatever else goes wrong in one takes the group back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

import structlog
from sqlalchemy import Connection

from bot.errors import StoreError, StoreUnavailable
from bot.store.checkpoint import Checkpointer
from bot.store.faults import translate
from bot.store.unit import Transaction

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = structlog.get_logger("store")

_GROUP = 256
_UNITS = 16  # of 0.2 ms each: more in one group would make everybody wait for them
_SLOW = 0.020


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
    """Runs operations and units of work in the order in which they come, durably."""

    def __init__(self, path: Path, *, max_bytes: int = 0) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="store-writer", daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._open = False

    def start(self) -> None:
        """Open the file; blocks until it is open."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Finish what is waiting, then close; blocks until that is done."""
        if self._open:
            self._open = False
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def run(self, fn: Callable[[sqlite3.Connection, *Ts], T], *values: *Ts) -> asyncio.Future[T]:
        """Run an operation of ours on the raw connection; a StoreError of its own comes before its first write."""
        return self._submit(_Item(_future(), False, fn, values))

    def unit(self, fn: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run a unit of work on the SQLAlchemy connection."""
        return self._submit(_Item(_future(), True, fn, ()))

    def _submit(self, item: _Item) -> asyncio.Future[Any]:
        if not self._open:
            raise StoreUnavailable("the store is not open")
        self._queue.put(item)
        return item.future

    # --- everything below runs on the writer's thread

    def _live(self) -> None:
        try:
            raw = self._connect()
            transaction, checkpointer = Transaction(raw), Checkpointer(self._path)
        except Exception as exc:
            self._failure = translate(exc)
            self._ready.set()
            return
        self._open = True
        self._ready.set()
        last = False
        while not last:
            group, last = self._collect()
            _deliver(_run(transaction, group))
            checkpointer.wrote(raw, len(group))
        self._refuse_rest()
        checkpointer.stop()
        transaction.close()

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            self._path, isolation_level=None, timeout=5.0, cached_statements=512, check_same_thread=True
        )
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA journal_size_limit=67108864")
        raw.execute("PRAGMA wal_autocheckpoint=0")  # see checkpoint.py
        raw.execute("PRAGMA cache_size=-32768")
        if self._max_bytes:
            (page,) = raw.execute("PRAGMA page_size").fetchone()
            raw.execute(f"PRAGMA max_page_count={self._max_bytes // page}")
        return raw

    def _collect(self) -> tuple[list[_Item], bool]:
        """Wait for work, then take what is there; True when it was the last."""
        queue, group, units = self._queue, list[_Item](), 0
        item = queue.get()
        while item is not None:
            group.append(item)
            units += item.unit
            if len(group) >= _GROUP or units >= _UNITS or queue.empty():
                return group, False
            item = queue.get()
        return group, True

    def _refuse_rest(self) -> None:
        error = StoreUnavailable("the store is closed")
        rest = []
        while not self._queue.empty():
            item = self._queue.get()
            if item is not None:
                rest.append(_Outcome(item.future, None, error))
        _deliver(rest)


def _run(transaction: Transaction, items: list[_Item]) -> list[_Outcome]:
    """Run items in one transaction; each has its own outcome."""
    if not items:
        return []
    try:
        transaction.begin()
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


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _name(fn: Callable[..., Any]) -> str:
    return f"{getattr(fn, '__module__', '?')}.{getattr(fn, '__qualname__', type(fn).__qualname__)}"


def _deliver(outcomes: list[_Outcome]) -> None:
    """Wake each event loop once, with everything that is its own."""
    loops: dict[asyncio.AbstractEventLoop, list[_Outcome]] = defaultdict(list)
    for outcome in outcomes:
        loops[outcome.future.get_loop()].append(outcome)
    for loop, own in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, own)
        except RuntimeError:  # that loop has ended, and with it whoever waited
            continue


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
