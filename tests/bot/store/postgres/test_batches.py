"""Batches: everybody is answered, with their own answer, whenever they come."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from bot.errors import StoreUnavailable
from bot.store.postgres.batches import Batches


async def test_everybody_is_answered_whenever_they_come() -> None:
    sizes: list[int] = []
    dice = random.Random(1)

    async def run(values: Sequence[int]) -> list[int]:
        sizes.append(len(values))
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        return [-value for value in values]

    batches = Batches[int, int](run, most=5, at_once=2)

    async def client(number: int) -> None:
        for step in range(200):
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)
            assert await batches.call(number * 1000 + step) == -(number * 1000 + step)

    async with asyncio.timeout(20):
        await asyncio.gather(*(client(number) for number in range(8)))
        await asyncio.gather(client(9))
        await batches.stop()
    assert max(sizes) == 5
    assert sum(sizes) == 9 * 200


async def test_who_comes_alone_goes_at_once_and_no_more_are_under_way_than_may_be() -> None:
    going, most = 0, 0

    async def run(values: Sequence[int]) -> list[int]:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await asyncio.sleep(0.001)
        going -= 1
        return list(values)

    batches = Batches[int, int](run, most=3, at_once=2)
    assert await batches.call(1) == 1
    assert await asyncio.gather(*(batches.call(number) for number in range(30))) == list(range(30))
    assert most == 2


async def test_only_the_guilty_one_fails() -> None:
    async def run(values: Sequence[int]) -> list[int]:
        await asyncio.sleep(0)
        if 13 in values:
            raise ValueError("13")
        return list(values)

    batches = Batches[int, int](run, at_once=1)
    done = await asyncio.gather(*(batches.call(number) for number in range(20)), return_exceptions=True)
    assert [number for number, each in enumerate(done) if isinstance(each, ValueError)] == [13]


async def test_when_the_database_is_gone_nobody_is_asked_again() -> None:
    runs: list[int] = []

    async def run(values: Sequence[int]) -> list[int]:
        runs.append(len(values))
        await asyncio.sleep(0)
        raise StoreUnavailable("gone")

    batches = Batches[int, int](run, at_once=1)
    done = await asyncio.gather(*(batches.call(number) for number in range(9)), return_exceptions=True)
    assert all(isinstance(each, StoreUnavailable) for each in done)
    assert runs == [9]


async def test_who_gives_up_harms_nobody() -> None:
    async def run(values: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.01)
        return list(values)

    batches = Batches[int, int](run, at_once=1)
    waiting = [asyncio.ensure_future(batches.call(number)) for number in range(6)]
    await asyncio.sleep(0.001)
    waiting[0].cancel()
    waiting[4].cancel()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [each for each in done if isinstance(each, int)] == [1, 2, 3, 5]
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
