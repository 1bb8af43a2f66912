"""The tables of broadcasts and jobs, and how those of the store look that they are joined with.

Texts have no bounds: PostgreSQL would keep to them. Times are seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Connection, Float, Index, Integer, MetaData, String, Table, Text, inspect

from bot.store.database import Database

metadata = MetaData()

# `cursor` is the last conversation that was looked at while the recipients were being fixed; `complete` that all were.
broadcasts = Table(
    "outreach_broadcasts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("spec", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("complete", Boolean, nullable=False, default=False),
    Column("cursor", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

# One row per person, of all who are in the segment; `state` is waiting, handed (to the lane) or dropped, and `why`.
# `rank` and `seen_at` say which of a person's conversations it is; not before `at` they are written to.
recipients = Table(
    "outreach_recipients",
    metadata,
    Column("broadcast", String(40), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("at", Float, nullable=False, default=0.0),
    Index("outreach_recipients_next", "broadcast", "state", "at", "conversation"),
)

# `done` is the due time of the last run that ended, `began` of the last one that began, in so many attempts.
jobs = Table(
    "outreach_jobs",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("began", Float, nullable=False, default=0.0),
    Column("done", Float, nullable=False, default=0.0),
    Column("attempts", Integer, nullable=False, default=0),
)


class Tables:
    """Makes the tables when they are first needed: most bots begin without a broadcast or a job."""

    def __init__(self, database: Database) -> None:
        self._database, self._there = database, False

    async def there(self) -> bool:
        """Whether they are there."""
        self._there = self._there or await self._database.read(_all_there)
        return self._there

    async def make(self) -> None:
        """See that they are there."""
        if not await self.there():
            await self._database.write(_create)
            self._there = True


def _all_there(connection: Connection) -> bool:
    there = inspect(connection)
    return all(there.has_table(name) for name in metadata.tables)


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=True)
