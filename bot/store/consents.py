"""The ledger of who wanted to hear nothing from us, since when, and by which word. Works on any store.

It is written with the turn (or the send) that says so; here it is only read.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from bot.messages import Address, Value
from bot.people import Silence
from bot.store.database import Database

_SILENT = text("""
SELECT l.conversation, l.channel, l.account, l.chat, l.thread, l.silence, c.at, c.word
FROM lanes l JOIN consents c ON c.conversation = l.conversation
WHERE l.silence <> '' AND c.n = (SELECT max(n) FROM consents WHERE conversation = l.conversation)
ORDER BY c.at DESC, l.conversation LIMIT :limit""")

_STORY = text("SELECT at, silence, word FROM consents WHERE conversation = :conversation ORDER BY n")


class Consented(Value, frozen=True):
    """One entry: from `at` on nothing is sent, because of `silence`; or we may write again, where that is empty."""

    conversation: str
    at: float
    silence: Silence
    word: str
    address: Address | None = None


async def silent(database: Database, limit: int = 1000) -> list[Consented]:
    """Conversations to which nothing is sent now, the newest first."""

    def unit(connection: Connection) -> list[Consented]:
        found = []
        for conversation, channel, account, chat, thread, why, at, word in connection.execute(
            _SILENT, {"limit": limit}
        ):
            address = Address(channel=channel, account=account, chat=chat, thread=thread)
            found.append(Consented(conversation=conversation, at=at, silence=why, word=word, address=address))
        return found

    return await database.read(unit)


async def consents(database: Database, conversation: str) -> list[Consented]:
    """All that was said about it in one conversation, oldest first."""

    def unit(connection: Connection) -> list[Consented]:
        rows = connection.execute(_STORY, {"conversation": conversation})
        return [Consented(conversation=conversation, at=at, silence=why, word=word) for at, why, word in rows]

    return await database.read(unit)
