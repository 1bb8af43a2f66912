"""The PostgreSQL store passes the suite for every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.contract import Store
from bot.store.postgres import PostgresStore
from bot.testing.store_contract import StoreContract
from tests.bot.store.postgres.support import TEMPLATE
from tests.servers import PostgresServer


class TestPostgres(StoreContract):
    """On a database of its own for each test; the suite moves the time by hand."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres: PostgresServer) -> None:
        self._postgres = postgres
        self._databases: dict[Path, str] = {}

    def make(self, folder: Path) -> Store:
        if folder not in self._databases:
            self._databases[folder] = self._postgres.new_database(TEMPLATE)
        return PostgresStore(self._databases[folder], pool=5, own_clock=False)
