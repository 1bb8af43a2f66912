"""Places are given out in turns among tenants, and none is lost."""

from __future__ import annotations

import asyncio

from bot.dialog.queues import FairQueue


async def waiting(queue: FairQueue, *tenants: str) -> tuple[list[str], list[asyncio.Task[None]]]:
    """So many wait, in this order; what they get is written down."""
    served: list[str] = []

    async def want(tenant: str) -> None:
        await queue.take(tenant)
        served.append(tenant)

    tasks = []
    for tenant in tenants:
        tasks.append(asyncio.create_task(want(tenant)))
        await asyncio.sleep(0)
    return served, tasks


async def test_tenants_take_turns_however_many_wait() -> None:
    queue = FairQueue(1)
    await queue.take("big")
    served, tasks = await waiting(queue, "big", "big", "big", "big", "small", "tiny", "small")
    for _ in tasks:
        assert queue.full
        queue.give_back()
        await asyncio.sleep(0)
    assert served == ["big", "small", "tiny", "big", "small", "big", "big"]
    queue.give_back()
    assert not queue.full


async def test_whoever_gives_up_waiting_costs_no_place() -> None:
    queue = FairQueue(1)
    await queue.take("a")
    served, tasks = await waiting(queue, "a", "b", "c")
    tasks[0].cancel()
    await asyncio.sleep(0)
    queue.give_back()
    tasks[1].cancel()  # it has just been given the place, and has not run yet
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert served == ["c"]
    queue.give_back()
    assert not queue.full


async def test_nobody_waits_while_there_are_places() -> None:
    queue = FairQueue(3)
    served, _ = await waiting(queue, "a", "a", "b")
    assert served == ["a", "a", "b"]
    assert queue.full
