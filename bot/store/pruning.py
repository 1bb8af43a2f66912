"""Deletes what is old and no longer needed: words, traces, events, letters, notes. Works on any store.

In steps, each a small transaction of its own, so that nobody's message waits for them. Nothing of a conversation is
touched in which a message waits, a reply is not sent yet, or somebody other than the bot has the word; and nothing that
is younger than a dialog that waits in it. Conversations themselves stay, and their numbers go on where they were: who
asks for what came after a line gets just that. So do people, what is remembered of them, and the ledger of consents.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from bot.messages import Value
from bot.store.database import Database

PAGE = 50
"""Conversations that are looked at together."""

ROWS = 100
"""Rows of one table that are deleted at once."""

Since = Callable[[bytes], float]
"""From a conversation's state, since when a dialog waits in it; infinity if none does."""

Deleted = Counter[str]

_NEXT = text("SELECT conversation FROM lanes WHERE conversation > :after ORDER BY conversation LIMIT :limit")

_LANE = "SELECT owner, turn_seq, head FROM lanes WHERE conversation = :conversation"

_UNSENT = text("SELECT 1 FROM outbox WHERE conversation = :conversation AND status IN ('pending', 'sending') LIMIT 1")

_STATE = text("SELECT state FROM states WHERE conversation = :conversation")

_FIRST = text("SELECT min(n) FROM inbox WHERE conversation = :conversation AND at >= :at")

_OF_CONVERSATION = {
    "traces": "n FROM traces WHERE conversation = :conversation AND n < :n",
    "inbox": "seq FROM inbox WHERE conversation = :conversation AND at < :at",
    "outbox": "seq FROM outbox WHERE conversation = :conversation AND at < :at"
    " AND status NOT IN ('pending', 'sending')",
}

_FOUND = {name: text(f"SELECT {what} LIMIT 1") for name, what in _OF_CONVERSATION.items()}

_DELETE = {
    name: text(
        f"DELETE FROM {name} WHERE conversation = :conversation AND {what.partition(' ')[0]} IN "  # noqa: S608
        f"(SELECT {what} ORDER BY 1 LIMIT :rows)"
    )
    for name, what in _OF_CONVERSATION.items()
}

_LETTERS = text("""
DELETE FROM dead_letters WHERE conversation = :conversation
  AND seq NOT IN (SELECT seq FROM inbox WHERE conversation = :conversation)""")

_BY_AGE = {
    "effects": text("""
DELETE FROM effects WHERE (conversation, event_id) IN
  (SELECT conversation, event_id FROM effects WHERE at < :at ORDER BY at LIMIT :rows)"""),
    "unreadable": text("""
DELETE FROM unreadable WHERE id IN (SELECT id FROM unreadable WHERE at < :at ORDER BY at LIMIT :rows)"""),
    "notes": text("""
DELETE FROM notes WHERE key IN
  (SELECT key FROM notes WHERE until > 0 AND until < :at ORDER BY until LIMIT :rows)"""),
    "cases": text("""
DELETE FROM cases WHERE id IN (
  SELECT c.id FROM cases c WHERE c.state IN ('closed', 'failed') AND c.closed_at > 0 AND c.closed_at < :at
    AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.conversation = c.conversation AND l.case_id = c.id
                    AND l.owner <> 'bot') LIMIT :rows)"""),
}


class Cutoffs(Value, frozen=True):
    """What is older than these moments may go; 0 keeps it for ever. `now` is for notes with a time to live."""

    now: float
    transcripts: float = 0.0
    traces: float = 0.0
    events: float = 0.0
    letters: float = 0.0


async def database_time(database: Database, now: float) -> float:
    """The time by which rows are dated: the caller's `now` where the database has no clock of its own."""

    def unit(connection: Connection) -> float:
        if connection.dialect.name != "postgresql":
            return now
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    return await database.read(unit)


async def prune(database: Database, cutoffs: Cutoffs, since: Since) -> AsyncIterator[Deleted]:
    """Delete step by step; after each one, what it deleted, by table. Whoever stops listening stops it."""
    by_age = {
        "effects": cutoffs.events,
        "unreadable": cutoffs.letters,
        "notes": cutoffs.now,
        "cases": cutoffs.transcripts,
    }
    for name, at in by_age.items():
        deleted = ROWS if at else 0
        while deleted == ROWS:
            deleted = await _delete_by_age(database, name, at)
            yield Counter({name: deleted})
    after: str | None = "" if cutoffs.transcripts or cutoffs.traces else None
    while after is not None:
        page, after = await _look(database, cutoffs, since, after)
        yield Counter()
        for conversation in page:
            while (gone := await _prune_one(database, conversation, cutoffs, since)).total():
                yield gone


async def _delete_by_age(database: Database, name: str, at: float) -> int:
    def unit(connection: Connection) -> int:
        return connection.execute(_BY_AGE[name], {"at": at, "rows": ROWS}).rowcount

    return await database.write(unit)


async def _look(database: Database, cutoffs: Cutoffs, since: Since, after: str) -> tuple[list[str], str | None]:
    """The next conversations of which something can go, and the last that was looked at; None at the end."""

    def unit(connection: Connection) -> tuple[list[str], str | None]:
        page = list(connection.execute(_NEXT, {"after": after, "limit": PAGE}).scalars())
        return [each for each in page if _can_go(connection, each, cutoffs, since)], page[-1] if page else None

    return await database.read(unit)


def _can_go(connection: Connection, conversation: str, cutoffs: Cutoffs, since: Since) -> bool:
    bounds = _bounds(connection, conversation, cutoffs, since, lock="")
    return bounds is not None and any(connection.execute(found, bounds).first() for found in _FOUND.values())


async def _prune_one(database: Database, conversation: str, cutoffs: Cutoffs, since: Since) -> Deleted:
    """One step in one conversation, behind the lock that whoever writes into it takes first."""

    def unit(connection: Connection) -> Deleted:
        lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""
        bounds = _bounds(connection, conversation, cutoffs, since, lock=lock)
        if bounds is None:
            return Counter()
        values = {**bounds, "rows": ROWS}
        gone = Counter({name: connection.execute(delete, values).rowcount for name, delete in _DELETE.items()})
        if gone["inbox"]:
            gone["dead_letters"] = connection.execute(_LETTERS, bounds).rowcount
        return gone

    return await database.write(unit)


def _bounds(
    connection: Connection, conversation: str, cutoffs: Cutoffs, since: Since, *, lock: str
) -> Mapping[str, Any] | None:
    """Up to where a conversation may go: rows before `at`, traces before `n`; None if it has to stay as it is."""
    place = {"conversation": conversation}
    lane = connection.execute(text(_LANE + lock), place).first()
    if lane is None or lane.owner != "bot" or lane.turn_seq or connection.execute(_UNSENT, place).first():
        return None
    state = connection.execute(_STATE, place).scalar()
    needed = since(bytes(state)) if state else math.inf
    traces = min(cutoffs.traces or cutoffs.transcripts, needed)
    first = connection.execute(_FIRST, {**place, "at": traces}).scalar()
    return {**place, "at": min(cutoffs.transcripts, needed), "n": lane.head + 1 if first is None else first}
