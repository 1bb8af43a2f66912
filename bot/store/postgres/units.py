"""Units of work for whatever is not on the path of a turn, on SQLAlchemy connections of their own.

They are written for a database with one writer, so writes are SERIALIZABLE: two that cross are taken back and run
again, and each sees the world as if it were alone. Units that lock their rows themselves are READ COMMITTED: on a row
that everybody wants, the others would run out of tries. Knows no tables.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import Connection, Result, event

from bot.errors import StoreError, StoreUnavailable
from bot.store.postgres.address import DatabaseAddress
from bot.store.postgres.faults import AGAIN, catalogue, code, translate
from bot.store.postgres.texts import plain

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

Level = Literal["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"]

_TRIES = 12
_PATIENCE = 5.0  # seconds that one may wait for a free connection
_READ_ONLY = "25006"


class Units:
    """Runs units; opens connections only once it is asked to."""

    def __init__(self, address: DatabaseAddress, *, size: int = 3) -> None:
        self._address, self._size = address, size
        self._engine: AsyncEngine | None = None
        self._open = False

    def start(self) -> None:
        """Accept units from now on."""
        self._open = True

    async def stop(self) -> None:
        """Close the connections."""
        self._open = False
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        """Run `fn` in a transaction; run it again when another one crossed it."""
        level: Level = "SERIALIZABLE" if alone else "READ COMMITTED"
        for attempt in itertools.count(1):
            try:
                return await self._once(fn, level)
            except Exception as exc:
                again = code(exc) in AGAIN or catalogue(exc)
                if not again or attempt == _TRIES:
                    raise _seen(exc) from exc.__cause__
            await asyncio.sleep(random.uniform(0, min(0.01 * 2**attempt, 0.5)))
        raise AssertionError  # the loop above has no end of its own

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction that can't write."""
        try:
            return await self._once(fn, "REPEATABLE READ", readonly=True)
        except Exception as exc:
            if code(exc) == _READ_ONLY:
                raise StoreError("a unit of work that reads can't write") from exc
            raise _seen(exc) from exc.__cause__

    async def _once(self, fn: Callable[[Connection], T], level: Level, *, readonly: bool = False) -> T:
        if not self._open:
            raise StoreUnavailable("the store is not open")
        async with self._connections().connect() as connection:
            await connection.execution_options(isolation_level=level, postgresql_readonly=readonly)
            return await connection.run_sync(_run, fn)

    def _connections(self) -> AsyncEngine:
        if self._engine is None:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - a bot without units needs none

            engine = create_async_engine(
                "postgresql+asyncpg://",
                async_creator=self._address.connect,
                pool_size=self._size,
                max_overflow=0,
                pool_timeout=_PATIENCE,
                pool_pre_ping=True,
            )
            engine.sync_engine.dialect.do_commit = _nothing  # type: ignore[method-assign]  # we commit, not the unit
            event.listen(engine.sync_engine, "before_cursor_execute", _plainly, retval=True)
            self._engine = engine
        return self._engine


def _run(connection: Connection, fn: Callable[[Connection], T]) -> T:
    """Run a unit; what it commits by itself is durable only with everything else of it."""
    raw: Any = connection.connection.dbapi_connection
    try:
        with connection.begin():
            result = fn(connection)
            if isinstance(result, Result):
                raise StoreError("a unit of work must return rows, not a cursor: call .all() or .scalars().all() in it")
        raw.commit()
    except BaseException:
        raw.rollback()
        raise
    return result


def _seen(exc: Exception) -> Exception:
    """What the caller sees of an error."""
    error = translate(exc)
    return error if isinstance(error, Exception) else exc


def _plainly(
    connection: object, cursor: object, statement: str, parameters: Any, context: object, many: bool
) -> tuple[str, Any]:
    """The statement's values as PostgreSQL can hold them; SQLite takes any text, and so do the units' authors."""
    return statement, _plain(parameters)


def _plain(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case tuple():
            return tuple(_plain(item) for item in value)
        case list():
            return [_plain(item) for item in value]
        case _:
            return value


def _nothing(dbapi_connection: object) -> None:
    """Stands in for the dialect's COMMIT."""
