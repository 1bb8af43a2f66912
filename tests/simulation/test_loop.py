"""The loop itself: kills, pauses, time, chance. Also holds that asyncio's private parts are still where they were."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.simulation.loop import SimulatedLoop, Stuck


def test_time_jumps_and_nobody_waits() -> None:
    loop = SimulatedLoop(1)

    async def main() -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    assert loop.run(main()) == 86_400


def test_the_order_is_the_seeds() -> None:
    assert _order(1) == _order(1)
    assert len({tuple(_order(seed)) for seed in range(10)}) > 5
    assert sorted(_order(1)) == list(range(8))


def test_a_fair_loop_keeps_the_order_of_each_node() -> None:
    order = _order(1, fair=True)
    assert [number for number in order if number % 2] == [1, 3, 5, 7]
    assert [number for number in order if not number % 2] == [0, 2, 4, 6]


def _order(seed: int, *, fair: bool = False) -> list[int]:
    loop, order = SimulatedLoop(seed, fair=fair), list[int]()

    async def note(number: int) -> None:
        order.append(number)

    async def main() -> None:
        await asyncio.gather(*[loop.spawn("ab"[number % 2], note(number)) for number in range(8)])

    loop.run(main())
    return order


def test_nothing_of_a_killed_node_runs_again() -> None:
    loop, seen = SimulatedLoop(1), list[str]()

    async def victim() -> None:
        try:
            seen.append("began")
            await asyncio.sleep(5)
            seen.append("went on")
        finally:
            seen.append("finally")

    async def main() -> None:
        loop.spawn("a", victim())
        await asyncio.sleep(1)
        loop.kill("a")
        await asyncio.sleep(10)
        assert seen == ["began"]

    loop.run(main())


def test_a_paused_node_goes_on_where_it_was() -> None:
    loop, ticks = SimulatedLoop(1), list[float]()

    async def ticking() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(loop.time())

    async def main() -> None:
        loop.spawn("a", ticking())
        await asyncio.sleep(2.5)
        loop.pause("a")
        await asyncio.sleep(10)
        assert ticks == [1, 2]
        loop.resume("a")
        await asyncio.sleep(1.1)
        assert ticks == [1, 2, 12.5, 13.5]

    loop.run(main())


def test_what_a_node_has_sent_arrives_though_it_is_dead() -> None:
    loop, landed = SimulatedLoop(1), list[str]()

    async def sender() -> None:
        loop.outside(1.0, landed.append, "letter")
        await asyncio.sleep(5)

    async def main() -> None:
        loop.spawn("a", sender())
        await asyncio.sleep(0.5)
        loop.kill("a")
        await asyncio.sleep(1)

    loop.run(main())
    assert landed == ["letter"]


def test_threads_are_run_inline() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert SimulatedLoop(1).run(main()) == 7


def test_what_can_never_go_on_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck, match="nothing is due"):
        SimulatedLoop(1).run(main())


def test_what_never_ends_is_told() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - nobody is waited for
            await asyncio.sleep(0)

    with pytest.raises(Stuck, match="still busy"):
        SimulatedLoop(1, most=100).run(main())


def test_a_callback_that_raises_ends_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(ZeroDivisionError):
        SimulatedLoop(1).run(main())


def test_it_is_chance_of_its_own() -> None:
    state = random.getstate()
    _order(3)
    assert random.getstate() == state
