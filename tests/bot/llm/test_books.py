"""The books: nothing is spent twice, over a budget, or without being written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from bot.clock import SeededEntropy
from bot.errors import FrontdeskError
from bot.llm.spending.books import HOLD, Ledger, Reservation, Spent, UsageEntry
from bot.llm.spending.budgets import Account, Budget, BudgetSettings, level_of
from bot.ports import Payer, Usage
from bot.store.sqlite import SqliteStore
from bot.testing.clock import VirtualClock

ANA, BEN = Payer(person="ana", skill="shop"), Payer(person="ben", skill="shop")
DOLLAR = 1_000_000


def cent(payer: Payer, cost: int = 10_000, problem: str = "") -> UsageEntry:
    usage = Usage(prompt=1000, completion=100, cached=200)
    return UsageEntry(
        payer=payer, task="answer", provider="p", model="m", usage=usage, cost=cost, milliseconds=12.4, problem=problem
    )


@asynccontextmanager
async def books(folder: Path, settings: BudgetSettings | None = None) -> AsyncIterator[tuple[Ledger, VirtualClock]]:
    clock = VirtualClock()
    store = SqliteStore(folder / "books.db")
    await store.start()
    try:
        yield Ledger(store, clock, SeededEntropy(1), settings or BudgetSettings()), clock
    finally:
        await store.stop()


async def test_without_budgets_nothing_is_held_and_all_is_written_down(tmp_path: Path) -> None:
    async with books(tmp_path) as (ledger, _):
        assert await ledger.totals(("model",)) == []
        right = await ledger.reserve(ANA, DOLLAR)
        assert right == Reservation()
        await ledger.settle(right, cent(ANA))
        await ledger.settle(right, cent(BEN, 30_000))
        await ledger.settle(right, cent(BEN, 0, problem="busy"))
        [whole] = await ledger.totals(("model",))
        assert (whole.names, whole.calls, whole.failed, whole.cost) == (("m",), 3, 1, 40_000)
        assert (whole.prompt_tokens, whole.cached_tokens, whole.completion_tokens) == (3000, 600, 300)
        assert [(line.names, line.cost) for line in await ledger.totals(("person", "skill"))] == [
            (("ben", "shop"), 30_000),
            (("ana", "shop"), 10_000),
        ]


async def test_what_is_in_the_air_counts_and_nobody_goes_over(tmp_path: Path) -> None:
    budget = BudgetSettings(total=Budget(per_day=Decimal("0.10")))
    async with books(tmp_path, budget) as (ledger, _):

        async def call() -> int:
            try:
                right = await ledger.reserve(ANA, 30_000)
            except Spent as spent:
                assert spent.account == Account(scope="total", name="")
                return 0
            await asyncio.sleep(0)
            await ledger.settle(right, cent(ANA, 20_000))
            return 20_000

        costs = await asyncio.gather(*(call() for _ in range(50)))
        spent = sum(costs)
        assert 0 < spent <= 100_000
        assert await ledger.spent(ANA) == {Account(scope="total", name=""): spent}, "nothing is held any more"
        assert sum(line.cost for line in await ledger.totals(("person",))) == spent


async def test_the_ladder_is_gone_down_and_ends_as_declared(tmp_path: Path) -> None:
    budget = BudgetSettings(person=Budget(per_day=Decimal(1), cheaper_at=0.5, shorter_at=0.8, at_end="person"))
    async with books(tmp_path, budget) as (ledger, clock):
        seen = []
        for _ in range(10):
            right = await ledger.reserve(ANA, 100_000)
            seen.append(right.level)
            await ledger.settle(right, cent(ANA, 100_000))
        assert seen == ["free"] * 5 + ["cheaper"] * 3 + ["shorter"] * 2
        with pytest.raises(Spent) as spent:
            await ledger.reserve(ANA, 1)
        assert spent.value.at_end == "person"
        assert isinstance(spent.value, FrontdeskError)
        assert (await ledger.reserve(BEN, 1)).level == "free", "everybody has a budget of their own"
        clock.move(clock.now() + 86_400)
        assert (await ledger.reserve(ANA, 100_000)).level == "free", "a new day"


async def test_a_call_whose_process_died_is_paid_for_after_a_while(tmp_path: Path) -> None:
    budget = BudgetSettings(total=Budget(per_day=Decimal(1)))
    async with books(tmp_path, budget) as (ledger, clock):
        await ledger.reserve(ANA, 900_000)
        with pytest.raises(Spent):
            await ledger.reserve(ANA, 200_000)
        clock.move(clock.now() + HOLD + 1)
        with pytest.raises(Spent):
            await ledger.reserve(ANA, 200_000)
        right = await ledger.reserve(ANA, 100_000)
        assert await ledger.spent(ANA) == {Account(scope="total", name=""): 1_000_000}
        await ledger.settle(right, cent(ANA, 0, problem="busy"))
        assert await ledger.spent(ANA) == {Account(scope="total", name=""): 900_000}


async def test_what_costs_nothing_is_never_refused(tmp_path: Path) -> None:
    budget = BudgetSettings(total=Budget(per_day=Decimal(1)))
    async with books(tmp_path, budget) as (ledger, _):
        right = await ledger.reserve(ANA, 900_000)
        await ledger.settle(right, cent(ANA, 1_200_000))
        with pytest.raises(Spent):
            await ledger.reserve(ANA, 1)
        assert (await ledger.reserve(ANA, 0)).level == "shorter"


async def test_settling_twice_costs_once(tmp_path: Path) -> None:
    budget = BudgetSettings(total=Budget(per_day=Decimal(1)))
    async with books(tmp_path, budget) as (ledger, _):
        right = await ledger.reserve(ANA, 100_000)
        await ledger.settle(right, cent(ANA, 50_000))
        await ledger.settle(right, cent(ANA, 50_000))
        assert await ledger.spent(ANA) == {Account(scope="total", name=""): 50_000}


def test_named_budgets_come_before_the_general_one() -> None:
    settings = BudgetSettings(
        skill=Budget(per_day=Decimal(1)), skills={"shop": Budget(per_day=Decimal(5))}, tenant=Budget(per_day=Decimal(9))
    )
    held = {account: budget.limit for account, budget in settings.of(ANA)}
    assert held == {Account(scope="tenant", name=""): 9 * DOLLAR, Account(scope="skill", name="shop"): 5 * DOLLAR}
    assert level_of({}, {}) == "free"
