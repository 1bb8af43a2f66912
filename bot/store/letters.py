"""Dead letters that were never turns: what a platform surely sent and no channel could read. Works on any store.

They are kept as they came. Nothing of a payload is logged.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from bot.channel import Unreadable
from bot.store.contract import DeadLetter
from bot.store.database import Database
from bot.store.parking import KEEP, LETTER, as_letter
from bot.store.rows import Row, as_dead_letter

_KEEP = text(KEEP.format(*(f":{name}" for name in LETTER)))

_SELECT = "SELECT event_id, channel, account, payload, problem, at FROM unreadable "

_LIST = text(_SELECT + "ORDER BY at DESC, id LIMIT :limit")

_ONE = text(_SELECT + "WHERE id = :id")

_STRIKE = text("DELETE FROM unreadable WHERE id = :id")

_TURN = text("""
SELECT d.conversation, d.n, d.at, d.error, i.payload
FROM dead_letters d JOIN inbox i ON i.conversation = d.conversation AND i.seq = d.seq
WHERE d.conversation = :conversation AND d.n = :n""")

_STRIKE_TURN = text("DELETE FROM dead_letters WHERE conversation = :conversation AND n = :n")


async def keep_unreadable(database: Database, unreadable: Unreadable) -> None:
    """Keep it, once per event. Raises StoreUnavailable."""
    values = dict(zip(LETTER, as_letter(unreadable), strict=True))

    def unit(connection: Connection) -> None:
        connection.execute(_KEEP, values)

    await database.write(unit)


async def list_unreadable(database: Database, limit: int = 100) -> list[Unreadable]:
    """The newest first."""

    def unit(connection: Connection) -> list[Unreadable]:
        return [_unreadable(tuple(row)) for row in connection.execute(_LIST, {"limit": limit})]

    return await database.read(unit)


async def find_unreadable(database: Database, id: str) -> Unreadable | None:
    """The one with this name."""

    def unit(connection: Connection) -> Unreadable | None:
        row = connection.execute(_ONE, {"id": id}).first()
        return None if row is None else _unreadable(tuple(row))

    return await database.read(unit)


async def strike_unreadable(database: Database, id: str) -> None:
    """It was read after all."""

    def unit(connection: Connection) -> None:
        connection.execute(_STRIKE, {"id": id})

    await database.write(unit)


async def find_turn(database: Database, conversation: str, n: int) -> DeadLetter | None:
    """A turn that was given up."""

    def unit(connection: Connection) -> DeadLetter | None:
        row = connection.execute(_TURN, {"conversation": conversation, "n": n}).first()
        return None if row is None else as_dead_letter(tuple(row))

    return await database.read(unit)


async def strike_turn(database: Database, conversation: str, n: int) -> None:
    """A turn that was given up went back into its lane; its message stays in the inbox."""

    def unit(connection: Connection) -> None:
        connection.execute(_STRIKE_TURN, {"conversation": conversation, "n": n})

    await database.write(unit)


def _unreadable(row: Row) -> Unreadable:
    event_id, channel, account, payload, problem, at = row
    return Unreadable(event_id=event_id, channel=channel, account=account, payload=payload, problem=problem, at=at)
