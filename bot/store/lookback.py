"""Looking back at what was said, sent and asked: rare, so by units of work. Works on any store."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from bot.messages import Message
from bot.store.codec import decode_message
from bot.store.database import Database

_EARLIER = text("""
SELECT n, payload FROM inbox WHERE conversation = :conversation AND seq < :before AND channel <> ''
ORDER BY seq DESC LIMIT :limit""")

LATEST = 500
"""Replies of a conversation that are looked at for one of ours: older ones are nobody's matter any more."""

_OURS = text(
    "SELECT 1 FROM (SELECT platform_id FROM outbox WHERE conversation = :conversation ORDER BY seq DESC LIMIT :limit) "
    "latest WHERE platform_id = :platform_id LIMIT 1"
)

_RECEIPT = text("SELECT platform_id FROM outbox WHERE conversation = :conversation AND seq = :seq")

_STATE = text("SELECT state FROM states WHERE conversation = :conversation")


async def earlier(database: Database, conversation: str, before: int, limit: int) -> list[tuple[int, Message]]:
    """What people wrote in front of number `before`, newest first, each with the number of its turn."""

    def unit(connection: Connection) -> list[tuple[int, Message]]:
        values = {"conversation": conversation, "before": before, "limit": limit}
        found = []
        for n, payload in connection.execute(_EARLIER, values):
            try:
                found.append((int(n), decode_message(payload)))
            except msgspec.MsgspecError:
                break  # nobody can say what stood there
        return found

    return await database.read(unit)


async def receipt(database: Database, row: str) -> str:
    """What the platform calls the message that a row of the outbox became; "" where nobody knows."""
    conversation, _, seq = row.rpartition(".")

    def unit(connection: Connection) -> str:
        values = {"conversation": conversation, "seq": int(seq) if seq.isdecimal() else 0}
        return str(connection.execute(_RECEIPT, values).scalar() or "")

    return await database.read(unit)


async def state_of(database: Database, conversation: str) -> bytes:
    """What is remembered of a conversation's dialogs, as JSON; empty when there is nothing."""

    def unit(connection: Connection) -> bytes:
        return bytes(connection.execute(_STATE, {"conversation": conversation}).scalar() or b"")

    return await database.read(unit)


async def is_ours(database: Database, conversation: str, platform_id: str) -> bool:
    """Whether the platform's message of this id is one of the last that were sent in a conversation."""

    def unit(connection: Connection) -> bool:
        values = {"conversation": conversation, "limit": LATEST, "platform_id": platform_id}
        return connection.execute(_OURS, values).first() is not None

    return await database.read(unit)
