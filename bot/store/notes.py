"""Small notes that survive, for all processes: a text under a key. Works on any store; knows nobody who writes them.

A note may have a time to live: it is there at least so long, and struck out some time later (see pruning.py).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from bot.store.codec import clean_text
from bot.store.database import Database

_GET = text("SELECT value FROM notes WHERE key = :key")

_SET = text(
    "INSERT INTO notes (key, value, until) VALUES (:key, :value, :until) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until"
)

_ONCE = text("INSERT INTO notes (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING")

_STRIKE = text("DELETE FROM notes WHERE key = :key")


async def read_note(database: Database, key: str) -> str | None:
    """What is written under a key."""

    def unit(connection: Connection) -> str | None:
        return connection.execute(_GET, {"key": clean_text(key)}).scalar()

    return await database.read(unit)


async def write_note(database: Database, key: str, value: str | None, until: float = 0.0) -> None:
    """Write it down, for ever or until then; None strikes it out. Raises StoreUnavailable."""

    def unit(connection: Connection) -> None:
        if value is None:
            connection.execute(_STRIKE, {"key": clean_text(key)})
        else:
            connection.execute(_SET, {"key": clean_text(key), "value": clean_text(value), "until": until})

    await database.write(unit)


async def agree_on(database: Database, key: str, value: str) -> str:
    """What is written under a key; `value`, from now on and for everybody, if nothing was."""
    known = await read_note(database, key)
    if known is not None:
        return known

    def unit(connection: Connection) -> str:
        connection.execute(_ONCE, {"key": key, "value": value})
        return str(connection.execute(_GET, {"key": key}).scalar_one())

    return await database.write(unit)
