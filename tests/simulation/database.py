"""The database that all nodes share: SQLite's real statements on one connection, behind a network. Knows no engine.

It survives every crash, and its clock is the one by which leases run. Each operation takes a while on its way there and
on its way back, so a node may die between the write and hearing of it. It may fail before the write (nothing
is written) or after it (written, but the caller is told that the database is gone).
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from bot.errors import StoreError, StoreUnavailable
from bot.store.sqlite.faults import translate
from bot.store.sqlite.schema import metadata
from tests.simulation.loop import SimulatedLoop

T = TypeVar("T")

START = 1_800_000_000.0
"""The database's time when a run begins, in seconds since 1970."""

Seen = Callable[[str, object, object], None]
"""Told of each operation that ran: its name, its value, and what it answered or raised."""


@dataclass
class Weather:
    """How the database behaves now: how often it fails before and after a write, and whether it is gone."""

    before: float = 0.0
    after: float = 0.0
    gone: bool = False


class Database:
    """One connection. `swapped` are statements that others are run for, to see that the simulation would notice."""

    def __init__(self, loop: SimulatedLoop, seed: int, *, swapped: dict[str, str] | None = None) -> None:
        self.weather = Weather()
        self.seen: Seen = lambda name, value, outcome: None
        self.operations = self.lost_answers = 0
        self._loop, self._chance = loop, random.Random(f"{seed}/database")
        self.raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512, factory=_Connection)
        for statement in _schema():
            self.raw.execute(statement)
        self.raw.swapped = swapped or {}
        self._connection: Connection | None = None

    @property
    def now(self) -> float:
        """The database's own time."""
        return START + self._loop.time()

    async def call(self, name: str, fn: Callable[[sqlite3.Connection, float], T], value: object = None) -> T:
        """Run `fn` in a transaction of its own, with the database's time."""
        answer = self._loop.create_future()
        self._loop.outside(self._latency(), self._arrive, answer, name, fn, value)
        result: T = await answer
        return result

    async def unit(self, fn: Callable[[Connection], T]) -> T:
        """Run a unit of work in a transaction of its own."""

        def run(raw: sqlite3.Connection, now: float) -> T:
            if self._connection is None or self._connection.closed:
                self._connection = _connection(raw)
            try:
                with self._connection.begin():
                    return fn(self._connection)
            except Exception as exc:
                error = translate(exc)
                if error is exc:
                    raise
                raise error from exc

        return await self.call("unit", run)

    def _arrive(self, answer: Any, name: str, fn: Callable[[sqlite3.Connection, float], object], value: object) -> None:
        if self.weather.gone or self._chance.random() < self.weather.before:
            outcome: object = StoreUnavailable("the database is not there")
        else:
            outcome = self._run(fn)
            self.operations += 1
            self._loop.note(len(name), self.raw.total_changes)
            self.seen(name, value, outcome)
            if self.weather.gone or self._chance.random() < self.weather.after:
                self.lost_answers += 1
                outcome = StoreUnavailable("the connection was lost")
        self._loop.outside(self._latency(), _tell, answer, outcome)

    def _run(self, fn: Callable[[sqlite3.Connection, float], object]) -> object:
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            result = fn(self.raw, self.now)
        except StoreError as refused:
            self.raw.execute("ROLLBACK")
            return refused
        except BaseException:
            self.raw.execute("ROLLBACK")
            raise
        self.raw.execute("COMMIT")
        return result

    def _latency(self) -> float:
        """Mostly a millisecond, sometimes a third of a second, now and then longer than a lease, behind a lock."""
        chance = self._chance.random()
        longest = 0.003 if chance < 0.9 else 0.3 if chance < 0.99 else 3.0 if chance < 0.999 else 15.0
        return self._chance.uniform(0.0002, longest)


class _Connection(sqlite3.Connection):
    """A connection that may run other statements than it is given."""

    swapped: dict[str, str]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement, or the one it is swapped for."""
        swapped = getattr(self, "swapped", None)
        return super().execute(swapped.get(sql, sql) if swapped else sql, *values)


def _connection(raw: sqlite3.Connection) -> Connection:
    """SQLAlchemy's view of the connection; the transaction around it is not its own to end."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, pool_reset_on_return=None)
    for ends in ("do_begin", "do_commit", "do_rollback"):
        setattr(engine.dialect, ends, _nothing)
    return engine.connect()


def _nothing(dbapi_connection: object) -> None:
    """Stands in for the dialect's BEGIN, COMMIT and ROLLBACK."""


@lru_cache(maxsize=1)
def _schema() -> tuple[str, ...]:
    dialect = sqlite.dialect()
    tables = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = [index for table in metadata.sorted_tables for index in sorted(table.indexes, key=lambda i: str(i.name))]
    return (*tables, *(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes))


def _tell(answer: Any, outcome: object) -> None:
    if answer.done():
        return
    if isinstance(outcome, BaseException):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
