"""Handlers without an end, and plugins that can't be right: told to the author, and nobody else is harmed."""

from __future__ import annotations

import time

import pytest

from bot import Cancelled, PluginError, Skill, Turn
from bot.dialog.run import MAX_EMISSIONS
from bot.testing import Bot
from tests.scenarios.shopping import Kitchen, broken, pizza


async def _parked(bot: Bot) -> str:
    letters = await bot.app.dead_letters()
    assert len(letters) == 1
    return letters[0].error


async def test_a_flood_of_replies_is_held_back_and_told_to_the_author() -> None:
    async def run(turn: Turn) -> None:
        for number in range(10_000):
            await turn.say(f"This is number {number}.")

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong on my side")
        assert len(u.seen) == 1
        assert f"more than {MAX_EMISSIONS} things" in await _parked(bot)
        await u.says("opening hours")
        u.sees("At ten.")


async def test_many_replies_are_all_said() -> None:
    async def run(turn: Turn) -> None:
        for number in range(MAX_EMISSIONS):
            await turn.say(f"This is number {number}.")

    async with Bot(broken(run)) as bot, bot.user() as u:
        await u.says("break now")
        assert u.seen == [f"This is number {number}." for number in range(MAX_EMISSIONS)]


async def test_a_question_that_is_asked_for_ever_comes_to_an_end() -> None:
    async def run(turn: Turn) -> None:
        while True:
            await turn.ask("Again?")

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        for _ in range(600):
            bot.clock.move(bot.clock.now() + 10)
            await u.says("yes please")
            if "Something went wrong" in u.seen[0]:
                break
        assert "turn.again" in await _parked(bot)
        await u.says("opening hours")
        u.sees("At ten.")


async def test_a_question_that_is_asked_again_after_cancel_comes_to_an_end() -> None:
    async def run(turn: Turn) -> None:
        while True:
            try:
                await turn.ask("Again?")
            except Cancelled:
                continue

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        started = time.perf_counter()
        await u.says("cancel")
        assert time.perf_counter() - started < 5
        u.sees("Something went wrong on my side")
        assert 'after "cancel"' in await _parked(bot)
        await u.says("opening hours")
        u.sees("At ten.")


async def test_a_handler_that_begins_again_for_ever_comes_to_an_end() -> None:
    skill = Skill("broken", "Begins again.")

    @skill.intent("break now")
    async def go(turn: Turn) -> object:
        return turn.again()

    async with Bot(skill, pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong on my side")
        assert "again" in await _parked(bot)
        await u.says("opening hours")
        u.sees("At ten.")


async def test_garbage_from_a_step_is_told_to_the_author() -> None:
    async def weigh() -> int:
        return object()  # type: ignore[return-value]  # that is the point

    async def run(turn: Turn) -> None:
        await turn.say(f"{await turn.step(weigh)}")

    async with Bot(broken(run), pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("break now")
        u.sees("Something went wrong on my side")
        assert "weigh" in await _parked(bot)
        await u.says("opening hours")
        u.sees("At ten.")


def _claiming(name: str, command: str) -> Skill:
    skill = Skill(name, "Wants a command.")

    @skill.command(command)
    async def go(turn: Turn) -> None:
        await turn.say(f"It is {name}.")

    return skill


async def test_two_skills_that_claim_one_command_are_refused() -> None:
    with pytest.raises(PluginError, match=r"second.go wants the command /buy, which first.go"):
        async with Bot(_claiming("first", "/buy"), _claiming("second", "/BUY")):
            pass


async def test_two_skills_of_one_name_are_refused() -> None:
    with pytest.raises(PluginError, match="the skill first already"):
        async with Bot(_claiming("first", "/buy"), _claiming("first", "/sell")):
            pass


def test_a_handler_that_is_not_async_is_refused() -> None:
    skill = Skill("plain", "Forgets async.")
    with pytest.raises(PluginError, match=r"test_bad_handlers.py: plain.go must be `async def`"):

        @skill.command("/go")  # type: ignore[type-var]  # that is the point
        def go(turn: Turn) -> None: ...
