"""What the operator is told of costs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot.errors import FrontdeskError
from bot.llm.spending.report import CostsCommand, costs
from tests.bot.llm.test_books import ANA, BEN, books, cent


def asked(*by: str, first: str = "", last: str = "9999") -> str:
    return msgspec.json.encode(CostsCommand(by=by, first=first, last=last)).decode()


async def test_costs_are_told_by_whatever_is_asked_for_and_add_up(tmp_path: Path) -> None:
    async with books(tmp_path) as (ledger, clock):
        assert await costs(ledger, asked("day")) == "No model was asked."
        right = await ledger.reserve(ANA, 0)
        await ledger.settle(right, cent(ANA, 1_250_000))
        await ledger.settle(right, cent(BEN, 50_000, problem="busy"))
        told = (await costs(ledger, asked("person", "model"))).splitlines()
        assert [line.split() for line in told[1:]] == [
            ["ana", "m", "1", "0", "1,000", "200", "100", "1.250000"],
            ["ben", "m", "1", "1", "1,000", "200", "100", "0.050000"],
            ["all", "-", "2", "1", "2,000", "400", "200", "1.300000"],
        ]
        assert len({len(line) for line in told}) == 1, "the columns stand below each other"
        clock.move(clock.now() + 3 * 86_400)
        await ledger.settle(right, cent(BEN))
        days = await ledger.totals(("day",))
        assert len(days) == 2
        newest = max(total.names[0] for total in days)
        assert "0.010000" in await costs(ledger, asked("day", first=newest))
        assert "1.300000" not in await costs(ledger, asked("day", first=newest))


@pytest.mark.parametrize("by", [("colour",), ()])
async def test_there_are_only_so_many_columns(by: tuple[str, ...], tmp_path: Path) -> None:
    async with books(tmp_path) as (ledger, _):
        with pytest.raises(FrontdeskError, match="day, tenant, person"):
            await costs(ledger, asked(*by))
