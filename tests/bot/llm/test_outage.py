"""A provider goes down under 100 turns a second: what the others notice, to the millisecond, in virtual time.

`benchmarks/models.py` does the same over sockets, where a busy machine has its say too.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import pytest

from bot.errors import ModelBusy, NoAnswer
from tests.bot.llm.scripted import House, Step, TestBooks, ask, says, still

RATE = 100
WELL, ILL, AGAIN = 3.0, 12.0, 14.0
TEXT = """
providers:
  one:
    openai_setting: {base_url: "http://one.example/v1"}
    generation_params: {model: big, max_tokens: 100}
    models: {big: {price: {input: 1.0, output: 4.0}}}
  two:
    openai_setting: {base_url: "http://two.example/v1"}
    generation_params: {model: small, max_tokens: 100}
    models: {small: {price: {input: 1.0, output: 4.0}}}
routes: {ill: [one, two], well: [two, one]}
"""


@dataclass
class Turn:
    """One of the thousands."""

    task: str
    at: float
    seconds: float
    by: str


@pytest.mark.parametrize("how", ["hangs", "fails"])
async def test_an_outage_is_the_business_of_nobody_else(how: str) -> None:
    house = House(text=TEXT)
    house.plan("big", says("answer", after=0.2))
    house.plan("small", says("answer", after=0.2))
    began = house.clock.now()
    turns: list[Turn] = []
    states: list[tuple[float, bool]] = []

    async def turn(task: str) -> None:
        at = house.clock.now()
        answer = await house.router.complete(ask(task))
        turns.append(Turn(task, at - began, house.clock.now() - at, answer.provider))

    running = []
    for number in range(int((WELL + ILL + AGAIN) * RATE)):
        now = number / RATE
        while (waking := house.clock.next_waking) is not None and waking <= began + now:
            house.clock.move(waking)
            await still(25)
        house.clock.move(began + now)
        bad: list[Step] = [1000.0] if how == "hangs" else [0.05, ModelBusy("500")]
        house.one.scripts["big"] = [bad if WELL <= now < WELL + ILL else says("answer", after=0.2)]
        running.append(asyncio.ensure_future(turn(("ill", "well")[number % 2])))
        await still(25)
        states.append((now, "one/big" in await house.router.trouble()))
    await house.run(asyncio.gather(*running))

    assert p99(turns, "well", WELL, WELL + ILL) <= 1.2 * p99(turns, "well", 0, WELL)
    opened = next(at for at, resting in states if resting) - WELL
    assert opened < 10
    assert p99(turns, "ill", WELL + opened + 0.1, WELL + ILL) < 1, "who comes later does not wait"
    closed = next(at for at, resting in states if at > WELL + ILL and not resting) - WELL - ILL
    assert closed < 12
    assert {one.by for one in turns if one.task == "ill" and one.at > WELL + ILL + closed + 0.1} == {"one"}
    assert len(turns) == len(running), "everybody was answered"
    assert house.books.open == {}


async def test_a_budget_is_not_passed_by_many_at_once() -> None:
    house = House(TestBooks(budget=20_000), text=TEXT)
    house.plan("big", says("answer", after=0.2))
    results = await house.run(
        asyncio.gather(*(house.router.complete(ask("ill")) for _ in range(300)), return_exceptions=True)
    )
    denied = [result for result in results if isinstance(result, NoAnswer) and result.spent]
    assert 0 < len(denied) < 300
    assert house.books.spent <= 20_000


def p99(turns: list[Turn], task: str, begin: float, end: float) -> float:
    times = sorted(one.seconds for one in turns if one.task == task and begin <= one.at < end)
    return times[math.ceil(len(times) * 0.99) - 1]
