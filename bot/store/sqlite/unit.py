"""A SQLAlchemy connection that shares the writer's raw one, and can't reach beyond its own savepoint.

The group commits, not the unit: the dialect's commit does nothing, its rollback goes back to the unit's savepoint, and
SQLite itself is asked to refuse every other way to end the group's transaction.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, Result, StaticPool, create_engine
from sqlalchemy.pool import PoolProxiedConnection

from bot.errors import StoreError

T = TypeVar("T")

_REFUSED = {sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}

# What SQLAlchemy reads when a plugin looks at its tables or makes them.
_HARMLESS = {
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
}


class Transaction:
    """The writer's one transaction at a time, and the units inside it."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self._guarded = False
        # A statement that is in the cache is not asked about again; so no unit may guess the texts of these.
        secret = secrets.token_hex(8)
        self._begin, self._commit, self._roll_back = (
            f"{word} /* {secret} */" for word in ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        )
        self._save, self._undo_unit, self._keep = (
            f"{word} unit_{secret}" for word in ("SAVEPOINT", "ROLLBACK TO", "RELEASE")
        )
        self._engine = self._make_engine()
        self._connection = self._engine.connect()
        # Asked when a statement is prepared, so statements that are in the cache cost nothing.
        raw.set_authorizer(self._authorize)

    @property
    def open(self) -> bool:
        """Whether there is a transaction; SQLite itself ends it when the disk is full."""
        return self.raw.in_transaction

    def begin(self) -> None:
        """Begin it, as the file's only writer."""
        self.raw.execute(self._begin)

    def commit(self) -> None:
        """Make it durable."""
        self.raw.execute(self._commit)

    def roll_back(self) -> None:
        """Take everything in it back."""
        if self.raw.in_transaction:
            self.raw.execute(self._roll_back)

    def unit(self, fn: Callable[[Connection], T]) -> T:
        """Run a unit of work; if it raises, it leaves nothing behind."""
        self.raw.execute(self._save)
        try:
            result = self._run(fn)
        except BaseException:
            self._undo()
            raise
        self.raw.execute(self._keep)
        return result

    def close(self) -> None:
        """Close both connections."""
        self._connection.close()
        self._engine.dispose()
        self.raw.close()

    def _run(self, fn: Callable[[Connection], T]) -> T:
        if self._connection.closed:
            self._connection = self._engine.connect()
        connection, self._guarded = self._connection, True
        try:
            with connection.begin():
                return fetched(fn(connection))
        finally:
            if connection.in_transaction():
                connection.rollback()
            self._guarded = False

    def _make_engine(self) -> Engine:
        engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool, pool_reset_on_return=None)
        dialect = engine.dialect
        dialect.do_begin = _nothing  # type: ignore[method-assign]  # on this engine only: the group commits
        dialect.do_commit = _nothing  # type: ignore[method-assign]
        dialect.do_rollback = self._rollback  # type: ignore[method-assign]
        return engine

    def _rollback(self, dbapi_connection: PoolProxiedConnection) -> None:
        if self._guarded:
            self._undo()

    def _undo(self) -> None:
        # Without a transaction SQLite has rolled the whole group back already (disk full, interrupt).
        if not self.raw.in_transaction:
            return
        guarded, self._guarded = self._guarded, False
        try:
            self.raw.execute(self._undo_unit)
        finally:
            self._guarded = guarded

    def _authorize(self, action: int, what: str | None, name: str | None, _db: str | None, _by: str | None) -> int:
        if not self._guarded:
            return sqlite3.SQLITE_OK
        refused = (
            action in _REFUSED
            or (action == sqlite3.SQLITE_SAVEPOINT and not (name or "").startswith("sa_savepoint"))
            or (action == sqlite3.SQLITE_PRAGMA and (what or "").lower() not in _HARMLESS)
        )
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


def fetched(result: T) -> T:
    """The result of a unit; an open cursor would keep an old snapshot alive for whoever comes next."""
    if isinstance(result, Result):
        raise StoreError("a unit of work must return rows, not a cursor: call .all() or .scalars().all() inside it")
    return result


def _nothing(dbapi_connection: PoolProxiedConnection) -> None:
    """Stands in for the dialect's BEGIN and COMMIT."""
