"""Once a day, in one process: what is too old goes; a process that dies in the middle leaves the rest to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import Skill, Turn
from bot.errors import SettingsError
from bot.operations.retention import DAY, FIRST, OFTEN, Retention
from bot.processes.bus import LocalBus
from bot.processes.process import Process
from bot.processes.sole import Sole
from bot.settings import KeepSettings, Settings
from bot.store.notes import read_note, write_note
from bot.store.sqlite import SqliteStore
from bot.testing import Bot, VirtualClock
from bot.testing.store_kit import NOW, message, reply, result, said, take

KEEP = KeepSettings(transcripts=30, traces=10)


@asynccontextmanager
async def a_store(folder: Path) -> AsyncIterator[tuple[SqliteStore, VirtualClock]]:
    """With one old conversation in it."""
    store, clock = SqliteStore(folder / "x.db"), VirtualClock(NOW)
    await store.start()
    await store.put(message("e1", "old"), NOW)
    for row in (await store.commit(result(await take(store), reply("a")))).rows:
        await store.mark_sending(row, 15.0, NOW)
        await store.mark_sent(row, "p", NOW)
    yield store, clock
    await store.stop()


def process(store: SqliteStore, clock: VirtualClock, name: str) -> Retention:
    return Retention(store, clock, Process(LocalBus(), Sole(store, clock, name, 9.0)), KEEP)


async def passes(clock: VirtualClock, seconds: float, step: float) -> None:
    end = clock.now() + seconds
    while clock.now() < end:
        clock.move(clock.now() + step)
        await asyncio.sleep(0.005)


async def test_of_two_processes_one_does_it_once_a_day(tmp_path: Path) -> None:
    async with a_store(tmp_path) as (store, clock):
        clock.move(NOW + 31 * DAY)
        both = [process(store, clock, name) for name in "ab"]
        with capture_logs() as logs:
            for each in both:
                each.start()
            await passes(clock, FIRST - 10, 100.0)
            assert await said(store) != [], "not at once"
            await passes(clock, 60.0, 0.5)
            for _ in range(4):
                await passes(clock, OFTEN, 100.0)
                await passes(clock, 30.0, 0.5)
        for each in both:
            each.stop()
        assert await said(store) == []
        pruned = [entry for entry in logs if entry["event"] == "pruned"]
        assert [entry["rows"] for entry in pruned] == [{"inbox": 1, "outbox": 1}]


async def test_it_goes_on_where_a_dead_process_stopped(tmp_path: Path) -> None:
    async with a_store(tmp_path) as (store, clock):
        clock.move(NOW + 31 * DAY)
        await write_note(store, "short", "x", until=NOW)
        first = asyncio.create_task(process(store, clock, "a").run())
        for _ in range(100):
            await passes(clock, 0.05, 0.05)
            if await read_note(store, "short") is None:
                break
        first.cancel()
        assert await said(store) != []
        second = asyncio.create_task(process(store, clock, "b").run())
        await passes(clock, 5.0, 0.1)
        await second
        assert await said(store) == []


async def test_a_question_that_waits_for_a_year_is_still_answered(tmp_path: Path) -> None:
    skill = Skill("coffee", "Makes coffee.")

    @skill.intent("make me a coffee")
    async def make(turn: Turn) -> None:
        size = await turn.ask("Which size?", choices=["Small", "Large"])
        await turn.say("One {size} coffee.", size=size)

    async with Bot(skill, options={"keep.transcripts": "7", "keep.traces": "1"}) as bot, bot.user() as user:
        await user.says("make me a coffee")
        user.sees("Which size?")
        for days in (100, 200, 300):
            bot.clock.move(bot.clock.now() + days * DAY)
            running = asyncio.create_task(bot.app._retention.run())
            await passes(bot.clock, 5.0, 0.1)
            await running
        assert len(await bot.app.store.history(user.conversation)) == 2, "what it waits with stays"
        await bot.restart()
        await user.says("large")
        user.sees("One Large coffee.")


def test_ids_of_events_are_kept_for_at_least_a_week() -> None:
    with pytest.raises(SettingsError, match=r"keep\.transcripts"):
        settings = Settings.load(options={"keep.transcripts": "1"}, environ={})
        settings.own(KeepSettings, "keep")
        settings.check()
