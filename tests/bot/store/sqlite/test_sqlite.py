"""The SQLite store passes the suite for every store."""

from __future__ import annotations

from pathlib import Path

from bot.store.contract import Store
from bot.store.sqlite import SqliteStore
from bot.testing.store_contract import StoreContract


class TestSqlite(StoreContract):
    """On one file."""

    def make(self, folder: Path) -> Store:
        return SqliteStore(folder / "frontdesk.db")
