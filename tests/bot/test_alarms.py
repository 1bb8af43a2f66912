"""Deadlines that share one timer behave as those of asyncio do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from bot.alarms import Alarms


async def test_a_block_that_takes_too_long_is_cut_off() -> None:
    alarms, began = Alarms(), time.monotonic()
    with pytest.raises(TimeoutError), alarms.within(0.05):
        await asyncio.sleep(30)
    assert time.monotonic() - began >= 0.04
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]  # a test is a task


async def test_one_that_ends_in_time_hears_nothing_later() -> None:
    alarms = Alarms()
    with alarms.within(0.03):
        await asyncio.sleep(0)
    await asyncio.sleep(0.08)


async def test_zero_is_no_deadline() -> None:
    with Alarms().within(0):
        await asyncio.sleep(0.01)


async def test_each_rings_at_its_own_time_though_others_came_earlier_and_went() -> None:
    alarms, rung = Alarms(), list[str]()
    gone = alarms.set(0.01, lambda: rung.append("gone"))
    alarms.set(0.08, lambda: rung.append("late"))
    alarms.set(0.04, lambda: rung.append("early"))
    assert gone.off()
    assert not gone.off()
    await _until(lambda: len(rung) == 2)
    assert rung == ["early", "late"]


async def test_one_inside_the_other_ends_the_right_one() -> None:
    alarms = Alarms()
    with alarms.within(30):
        with pytest.raises(TimeoutError), alarms.within(0.02):
            await asyncio.sleep(30)
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError), alarms.within(0.02), alarms.within(30):
        await asyncio.sleep(30)


async def test_somebody_elses_cancellation_goes_on_as_such() -> None:
    alarms = Alarms()

    async def work() -> None:
        with alarms.within(30):
            await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_that_raises_takes_no_others_along() -> None:
    alarms, rung = Alarms(), list[str]()

    def broken() -> None:
        raise RuntimeError("on purpose")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    alarms.set(0.01, broken)
    alarms.set(0.05, lambda: rung.append("there"))
    await _until(lambda: bool(rung))


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - alarms tell nobody else
            await asyncio.sleep(0.01)
