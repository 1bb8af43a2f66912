"""The console's own tables and statements work on PostgreSQL as they do on SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.clock import SystemEntropy
from bot.desk import Desk
from bot.store.postgres import PostgresStore
from bot.testing.desk_contract import DeskContract
from bot.testing.desk_kit import Office
from handoff.console import ConsoleDesk, ConsoleSettings
from handoff.console.records import create
from tests.bot.store.postgres.support import TEMPLATE, stores
from tests.contracts.test_console_desk import ConsoleOffice
from tests.handoff.console.support import Breakable, HandClock
from tests.servers import PostgresServer


class StillClock(HandClock):
    """Stands still, both of its hands."""

    def steady(self) -> float:
        return self.time


class PostgresOffice(ConsoleOffice):
    """Ana, in a browser, with the other database."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self._database_url = url

    async def build(self) -> Desk:
        self._store = PostgresStore(self._database_url)  # type: ignore[assignment]  # only its units are used
        await self._store.start()
        self._database = Breakable(self._store)
        self._desk = ConsoleDesk(ConsoleSettings(), self._database, StillClock(), SystemEntropy())
        return self._desk


class TestConsoleOnPostgres(DeskContract):
    """The built-in desk."""

    title = "console"

    @pytest.fixture(autouse=True)
    def _server(self, postgres: PostgresServer) -> None:
        self._postgres = postgres

    def make(self, folder: Path) -> Office:
        return PostgresOffice(folder, self._postgres.new_database(TEMPLATE))


async def test_several_processes_may_make_the_tables_at_once(postgres: PostgresServer) -> None:
    for _ in range(3):
        async with stores(postgres, 4) as opened:
            await asyncio.gather(*(store.write(create) for store in opened))
            await opened[0].write(create)
