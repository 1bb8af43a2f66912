"""Jobs of skills: at their times, in one process at a time, a missed one once, and what they say once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot import Outreach, PluginError, Skill, Turn, step_key
from bot.errors import PortMissing
from bot.testing import Bot

HOUR = 3600.0

Run = Callable[[], Coroutine[Any, Any, None]]


class Stars(ABC):
    """A port that nobody provides."""

    @abstractmethod
    async def count(self) -> int: ...


def hourly(run: Run) -> Skill:
    skill = Skill("clock", "Tells the time.")

    @skill.command("/hi")
    async def hi(turn: Turn) -> None:
        await turn.say("hello")

    @skill.every(hours=1)
    async def tick() -> None:
        await run()

    return skill


@asynccontextmanager
async def running(run: Run) -> AsyncIterator[Bot]:
    async with Bot(hourly(run)) as bot:
        await pass_time(bot, 1.0)
        yield bot


async def pass_time(bot: Bot, seconds: float) -> None:
    """In one leap; then the little while in which a process finds that its lease ran out, and takes it again."""
    await bot.advance(seconds)
    for _ in range(8):
        await bot.advance(1.0)


async def test_it_does_not_run_where_jobs_are_off() -> None:
    runs: list[str] = []

    async def run() -> None:
        runs.append("ran")

    async with Bot(hourly(run), options={"outreach.jobs": "false"}) as bot, bot.user() as user:
        await pass_time(bot, 3 * HOUR)
        await user.says("/hi")
        user.sees("hello")
    assert runs == []


async def test_it_runs_at_its_times_and_not_before() -> None:
    keys: list[str] = []

    async def run() -> None:
        keys.append(step_key.get())

    async with running(run) as bot:  # at eight o'clock, so the next time is nine
        start = bot.clock.now() // HOUR * HOUR
        await pass_time(bot, 1000.0)
        assert keys == []
        await pass_time(bot, 2600.0)
        assert keys == [f"clock.tick@{start + HOUR:.0f}"]
        await pass_time(bot, HOUR)
        assert keys == [f"clock.tick@{start + HOUR:.0f}", f"clock.tick@{start + 2 * HOUR:.0f}"]


async def test_times_that_were_missed_are_made_up_for_once() -> None:
    runs: list[float] = []

    async def run() -> None:
        runs.append(bot.clock.now())

    async with running(run) as bot:
        await bot.kill()
        bot.clock.move(bot.clock.now() + 5.5 * HOUR)
        await bot.start()
        await pass_time(bot, 1.0)
        assert len(runs) == 1
        await bot.restart()
        await pass_time(bot, 1.0)
        assert len(runs) == 1


async def test_one_that_is_cut_off_runs_again_and_says_nothing_twice() -> None:
    skill = Skill("news", "Brings the news.")
    keys: list[str] = []
    deaths = [True, False]

    @skill.command("/hi")
    async def hi(turn: Turn) -> None:
        await turn.say("hello")

    @skill.every(hours=1)
    async def tell(outreach: Outreach) -> None:
        await outreach.say(user.conversation, "It is a new hour.")
        keys.append(step_key.get())
        if deaths.pop(0):
            await asyncio.get_running_loop().create_future()  # cut off here

    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/hi")
        await pass_time(bot, 1.0)
        bot.clock.move(bot.clock.now() + HOUR)
        still = 0
        while not keys:
            await bot._breathe()
            # Not while a write is on its way: on a busy machine leases would run out, and tries with them.
            still = still + 1 if bot.store.idle else 0
            waking = bot.clock.next_waking
            if still > 10 and waking is not None and waking < bot.clock.now() + 5:
                bot.clock.move(waking)
                still = 0
        await bot.kill()
        await bot.start()
        await pass_time(bot, 1.0)
        assert len(keys) == 2
        assert keys[0] == keys[1]
        assert user.all_seen.count("It is a new hour.") == 1


async def test_one_that_fails_is_tried_three_times_and_then_at_its_next_time() -> None:
    runs: list[float] = []

    async def run() -> None:
        runs.append(bot.clock.now())
        raise ValueError("no ink")

    async with running(run) as bot:
        await pass_time(bot, HOUR)
        await pass_time(bot, 10.0)
        await pass_time(bot, 100.0)
        await pass_time(bot, 600.0)
        assert len(runs) == 3
        await pass_time(bot, HOUR)
        assert len(runs) > 3


def test_mistakes_are_told_at_start() -> None:
    skill = Skill("clock", "Tells the time.")

    with pytest.raises(PluginError, match="no day"):

        @skill.every("someday 09:00")
        async def one() -> None: ...

    with pytest.raises(PluginError, match="async def"):

        @skill.every("day 09:00")
        def two() -> None: ...  # type: ignore[misc]

    @skill.every("day 09:00")
    async def three() -> None: ...

    with pytest.raises(PluginError, match="two jobs called three"):
        skill.every("day 10:00")(three)


async def test_a_missing_port_is_told_at_start() -> None:
    skill = Skill("sky", "Looks up.")

    @skill.every("day 21:00")
    async def look(stars: Stars) -> None: ...

    with pytest.raises(PortMissing, match="asks for Stars"):
        await Bot(skill).start()


async def test_a_skill_may_have_nothing_but_jobs() -> None:
    skill = Skill("sky", "")

    @skill.every("day 21:00", timezone="Europe/Vienna")
    async def look() -> None: ...

    async with Bot(skill) as bot:
        assert list(bot.app.outreach.jobs._wanted) == ["sky.look"]
