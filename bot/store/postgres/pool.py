"""Connections for the hot path. Knows how to wait, try again and give up; knows no statements."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from bot.errors import StoreUnavailable
from bot.store.postgres.address import DatabaseAddress
from bot.store.postgres.faults import AGAIN, code, translate
from bot.store.rows import Row

T = TypeVar("T")

_PATIENCE = 5.0  # seconds that one may wait for a free connection
_TRIES = 6


class Pool:
    """Up to `size` connections; one that breaks is replaced by itself when it is needed next."""

    def __init__(self, address: DatabaseAddress, size: int) -> None:
        self._address, self._size = address, size
        self._pool: Any = None

    async def start(self) -> None:
        """Open the first connection."""
        self._pool = await self._address.pool(self._size)

    async def stop(self) -> None:
        """Wait for what is under way, then close."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), 15.0)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pool.terminate()

    async def rows(self, query: str, *values: object) -> list[Row]:
        """All rows of a statement."""
        rows: list[Row] = await self.run(lambda connection: connection.fetch(query, *values))
        return rows

    async def row(self, query: str, *values: object) -> Row | None:
        """The first row of a statement."""
        row: Row | None = await self.run(lambda connection: connection.fetchrow(query, *values))
        return row

    async def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        return await self.run(lambda connection: connection.fetchval(query, *values))

    async def transaction(self, fn: Callable[[Any], Awaitable[T]]) -> T:
        """Run `fn` with a connection inside a transaction; it may run again."""

        async def run(connection: Any) -> T:
            async with connection.transaction():
                return await fn(connection)

        return await self.run(run)

    async def run(self, fn: Callable[[Any], Awaitable[T]]) -> T:
        """Run `fn` with a connection; again, when the server took all of it back because of a conflict."""
        for attempt in itertools.count(1):
            try:
                return await self._once(fn)
            except Exception as exc:
                if code(exc) not in AGAIN or attempt == _TRIES:
                    error = translate(exc)
                    if error is exc:
                        raise
                    raise error from exc
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError  # the loop above has no end of its own

    async def _once(self, fn: Callable[[Any], Awaitable[T]]) -> T:
        pool = self._pool
        if pool is None:
            raise StoreUnavailable("the store is not open")
        try:
            connection = await pool.acquire(timeout=_PATIENCE)
        except TimeoutError:
            raise StoreUnavailable(f"no connection to the database within {_PATIENCE:g} s") from None
        try:
            return await fn(connection)
        except TimeoutError:
            # The server ends a statement earlier by itself; so it is the network that is silent, for all of them.
            connection.terminate()
            await pool.expire_connections()
            raise
        except asyncpg.ReadOnlySQLTransactionError:
            # The primary has become a standby: whoever connects anew may find the new one.
            await pool.expire_connections()
            raise
        finally:
            await pool.release(connection, timeout=_PATIENCE)
