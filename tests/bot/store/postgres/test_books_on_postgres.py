"""The books of models on PostgreSQL, kept by several processes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import Connection

from bot.clock import SeededEntropy, SystemClock
from bot.llm.spending.books import HOLD, Ledger, Reservation, Spent, UsageEntry
from bot.llm.spending.budgets import Account, Budget, BudgetSettings
from bot.ports import Payer
from bot.store.database import Database
from bot.testing.clock import VirtualClock
from tests.bot.store.postgres.support import stores
from tests.servers import PostgresServer

T = TypeVar("T")

ANA = Payer(person="ana", skill="shop")


async def test_processes_share_a_budget_to_the_last_cent(postgres: PostgresServer) -> None:
    budgets = BudgetSettings(
        total=Budget(per_day=Decimal("0.20")), person=Budget(per_day=Decimal("0.15"), at_end="person")
    )
    async with stores(postgres, 3) as opened:
        ledgers = [Ledger(store, SystemClock(), SeededEntropy(at), budgets) for at, store in enumerate(opened)]

        async def call(ledger: Ledger) -> int:
            try:
                right = await ledger.reserve(ANA, 20_000)
            except Spent:
                return 0
            await ledger.settle(right, UsageEntry(payer=ANA, task="answer", provider="p", model="m", cost=15_000))
            return 15_000

        costs = await asyncio.gather(*(call(ledger) for ledger in ledgers for _ in range(20)))
        spent = sum(costs)
        assert 0 < spent <= 150_000
        for ledger in ledgers:
            used = await ledger.spent(ANA)
            assert used == {Account(scope="total", name=""): spent, Account(scope="person", name="ana"): spent}
            assert [line.cost for line in await ledger.totals(("day",))] == [spent]


class Counting(Database):
    """A store that counts the units that are written, and how often they were begun."""

    def __init__(self, store: Database) -> None:
        self._store = store
        self.units = self.begun = 0

    async def write(self, fn: Callable[[Connection], T], *, alone: bool = True) -> T:
        def counted(connection: Connection) -> T:
            self.begun += 1
            return fn(connection)

        self.units += 1
        return await self._store.write(counted, alone=alone)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return await self._store.read(fn)


async def test_many_calls_at_once_are_all_settled_and_hold_nothing_afterwards(postgres: PostgresServer) -> None:
    budgets = BudgetSettings(total=Budget(per_day=Decimal(10)), person=Budget(per_day=Decimal(1)))
    async with stores(postgres, 3) as opened:
        counting = [Counting(store) for store in opened]
        ledgers = [Ledger(store, SystemClock(), SeededEntropy(at), budgets) for at, store in enumerate(counting)]
        await asyncio.gather(*(ledger.reserve(ANA, 0) for ledger in ledgers))  # the tables are there
        units, begun = (sum(getattr(one, name) for one in counting) for name in ("units", "begun"))

        async def call(number: int) -> None:
            ledger, payer = ledgers[number % 3], Payer(person=f"p{number}")
            right = await ledger.reserve(payer, 20_000)
            await ledger.settle(right, UsageEntry(payer=payer, task="answer", provider="p", model="m", cost=15_000))

        await asyncio.gather(*(call(number) for number in range(60)))
        assert sum(one.begun for one in counting) - begun == sum(one.units for one in counting) - units == 120, (
            "they wait in line, and nobody begins again until the tries are used up"
        )
        assert await ledgers[0].spent(ANA) == {
            Account(scope="total", name=""): 60 * 15_000,
            Account(scope="person", name="ana"): 0,
        }
        assert [(line.calls, line.cost) for line in await ledgers[0].totals(("model",))] == [(60, 60 * 15_000)]


async def test_calls_whose_processes_died_are_counted_once_whoever_finds_them(postgres: PostgresServer) -> None:
    budgets = BudgetSettings(total=Budget(per_day=Decimal(10)), person=Budget(per_day=Decimal(1)))
    async with stores(postgres, 3) as opened:
        clock = VirtualClock()
        ledgers = [Ledger(store, clock, SeededEntropy(at), budgets) for at, store in enumerate(opened)]
        payers = [Payer(person=f"p{number}") for number in range(9)]
        await asyncio.gather(*(ledgers[0].reserve(payer, 20_000) for payer in payers))
        clock.move(clock.now() + HOLD + 1)
        await asyncio.gather(*(ledgers[at % 3].reserve(payer, 1_000) for at, payer in enumerate(reversed(payers))))
        total = Account(scope="total", name="")
        assert [(await ledger.spent(ANA))[total] for ledger in ledgers] == [9 * 21_000] * 3


async def test_a_name_that_is_too_long_is_cut_and_the_line_is_written(postgres: PostgresServer) -> None:
    async with stores(postgres, 1) as (store,):
        ledger = Ledger(store, SystemClock(), SeededEntropy(1), BudgetSettings())
        entry = UsageEntry(payer=ANA, task="t" * 150, prompt="p" * 300, provider="p", model="m" * 300, cost=5)
        await ledger.settle(Reservation(), entry)
        assert [(line.names, line.cost) for line in await ledger.totals(("task",))] == [(("t" * 100,), 5)]
