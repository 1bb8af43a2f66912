"""Looks into the database from outside: what still waits, and whether anything is missing. Changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from benchmarks.history import End

_UNDONE = """SELECT
    (SELECT count(*) FROM lanes WHERE turn_seq > 0),
    (SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending'))"""

_COUNTS = """SELECT
    (SELECT count(*) FROM inbox), (SELECT count(*) FROM lanes WHERE turn_seq > 0), (SELECT count(*) FROM dead_letters),
    (SELECT count(*) FROM lanes l WHERE l.head <> l.tail OR l.tail <>
       (SELECT count(DISTINCT i.n) FROM inbox i WHERE i.conversation = l.conversation AND i.n BETWEEN 1 AND l.tail)
       OR l.tail <> (SELECT count(*) FROM inbox i WHERE i.conversation = l.conversation))"""

_OUTBOX = "SELECT status, count(*) FROM outbox GROUP BY status"


class Look(ABC):
    """A way to look into a store's database."""

    @abstractmethod
    async def undone(self) -> tuple[int, int]:
        """Turns that wait, and replies that are not sent yet."""

    @abstractmethod
    async def end(self) -> End:
        """Everything that can be said at the end."""


class LookAtPostgres(Look):
    """Over connections of its own, past any proxy."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def undone(self) -> tuple[int, int]:
        """Turns that wait, and replies that are not sent yet."""
        (row,) = await self._rows(_UNDONE)
        return row[0], row[1]

    async def end(self) -> End:
        """Everything that can be said at the end."""
        (row,) = await self._rows(_COUNTS)
        outbox = dict(await self._rows(_OUTBOX))
        return End(messages=row[0], waiting=row[1], parked=row[2], gaps=row[3], outbox=outbox)

    async def _rows(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self._url, timeout=5.0)
        try:
            rows: list[Any] = await connection.fetch(query)
            return rows
        finally:
            await connection.close()


class LookAtSqlite(Look):
    """Read-only, beside the bot."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def undone(self) -> tuple[int, int]:
        """Turns that wait, and replies that are not sent yet."""
        (row,) = await asyncio.to_thread(self._rows, _UNDONE)
        return row[0], row[1]

    async def end(self) -> End:
        """Everything that can be said at the end."""
        (row,) = await asyncio.to_thread(self._rows, _COUNTS)
        outbox = dict(await asyncio.to_thread(self._rows, _OUTBOX))
        ((integrity,),) = await asyncio.to_thread(self._rows, "PRAGMA integrity_check")
        return End(messages=row[0], waiting=row[1], parked=row[2], gaps=row[3], outbox=outbox, integrity=str(integrity))

    def _rows(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5.0)) as raw:
            return raw.execute(query).fetchall()
