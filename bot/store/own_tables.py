"""Tables that a part of the core has for itself, beside the store's own. Made when they are first needed.

Most bots begin without a broadcast, a tool call or a question to a model, and the store's schema needs to know none of
them. Several processes may make them at once.
"""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, inspect

from bot.store.database import Database


class OwnTables:
    """Some tables in the bot's database."""

    def __init__(self, database: Database, metadata: MetaData) -> None:
        self.database, self._metadata, self._there = database, metadata, False

    async def there(self) -> bool:
        """Whether they are there."""
        self._there = self._there or await self.database.read(self._all_there)
        return self._there

    async def make(self) -> Database:
        """See that they are there; the database that they are in."""
        if not await self.there():
            await self.database.write(self._create)
            self._there = True
        return self.database

    def _all_there(self, connection: Connection) -> bool:
        found = inspect(connection)
        return all(found.has_table(name) for name in self._metadata.tables)

    def _create(self, connection: Connection) -> None:
        self._metadata.create_all(connection, checkfirst=True)
