"""The books of models on PostgreSQL, kept by several processes at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from bot.clock import SeededEntropy, SystemClock
from bot.llm.spending.books import Ledger, Spent, UsageEntry
from bot.llm.spending.budgets import Account, Budget, BudgetSettings
from bot.ports import Payer
from tests.bot.store.postgres.support import stores
from tests.servers import PostgresServer

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
