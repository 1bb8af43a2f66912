"""What a turn can do besides asking: steps, slow steps, reminders, memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot import Skill, Turn
from bot.testing import Bot, survives
from tests.scenarios.shopping import Kitchen, pizza


async def test_a_step_that_fails_is_tried_again() -> None:
    kitchen = Kitchen()
    kitchen.failures = 1
    async with Bot(pizza(kitchen)) as bot, bot.user() as u:
        await u.says("heat the oven")
        u.sees("One moment.", "Oven: warm")


async def test_a_step_that_fails_for_good_is_the_handlers_business() -> None:
    kitchen = Kitchen()
    kitchen.failures = 9
    async with Bot(pizza(kitchen)) as bot, bot.user() as u:
        await u.says("heat the oven")
        u.sees("One moment.", "Oven: OSError: the oven is cold")


async def test_words_that_are_ready_are_sent_before_something_slow() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("wash the dishes")
            u.sees("On it.", "done")

    async with Bot(pizza(Kitchen())) as bot:
        await scenario(bot)
        first, second = bot.platforms["web"].taken
        assert first.seq < second.seq
    assert await survives(scenario, pizza(Kitchen()))


async def test_a_reminder_comes_when_it_is_due_even_after_a_restart() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("remind me of the cake")
            u.sees("I will.")
            await bot.advance(1800)
            u.does_not_see("The cake!")
            await bot.advance(1900)
            u.sees("The cake!")
            await u.says("what about the cake")
            u.sees("Cake: soon")

    assert await survives(scenario, pizza(Kitchen()))


async def test_one_person_does_not_see_what_another_told() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user("ann") as ann, bot.user("bob") as bob:
        await ann.says("remind me of the cake")
        await bob.says("what about the cake")
        bob.sees("Cake: never")


async def test_explain_tells_the_story_of_a_turn() -> None:
    async with Bot(pizza(Kitchen())) as bot, bot.user() as u:
        await u.says("heat the oven")
        text = await bot.explain(f"{u.conversation}.1")
        assert "handler   pizza.oven" in text
        assert "like 'heat the oven'" in text
        assert "Kitchen.flaky" in text
        assert "receipt m1" in text
        await u.says("something else entirely")
        assert "nothing fits" in await bot.explain(f"{u.conversation}.2")


async def test_a_streamed_text_is_shown_as_it_comes_and_ends_whole() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("tell me a story")
            u.sees("Once upon a time.", "The end.")

    async with Bot(_stories()) as bot:
        await scenario(bot)
        drafts = [text for _, text in bot.platforms["web"].drafts]
        assert drafts == ["Once", "Once upon", "Once upon a time."]
    assert await survives(scenario, _stories()) > 5


def _stories() -> Skill:
    skill = Skill("stories", "Tells stories.")

    async def words() -> AsyncIterator[str]:
        for word in ("Once", " upon", " a time."):
            yield word

    @skill.intent("tell me a story")
    async def story(turn: Turn) -> None:
        text = await turn.stream(words())
        assert text == "Once upon a time."
        await turn.say("The end.")

    return skill
