"""Questions that no other skill knows, with a model and without one."""

from __future__ import annotations

from pathlib import Path

from bot import NoAnswer, Skill, Turn
from bot.testing import Bot, FakeLlm, survives

PROMPTS = Path(__file__).resolve().parents[3] / "config" / "prompts"
PLUGINS = ("skills.answers.skill", "adapters.knowledge")


async def test_what_the_pages_surely_say_is_said() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as u:
        await u.says("How long does delivery take?")
        u.sees("3 to 5 business days", "[ Talk to a person ]")
        assert "answers.answer" in await bot.explain(f"{u.conversation}.1")


async def test_what_they_do_not_say_is_not_made_up() -> None:
    async with Bot(*PLUGINS) as bot, bot.user() as u:
        await u.says("Who won the match last night?")
        u.sees("I can't help with that myself", "Answers questions about delivery")
        await u.says("And who plays tomorrow?")
        u.sees("Shall I get you a person?")
        assert "nobody could answer it" in await bot.explain(f"{u.conversation}.1")


async def test_a_model_gets_the_pages_and_says_it_in_its_words() -> None:
    llm = FakeLlm("It takes three to five days.")
    async with Bot(*PLUGINS, llm=llm, prompts=PROMPTS) as bot, bot.user() as u:
        await u.says("How long does delivery take?")
        u.sees("It takes three to five days.")
        [asked] = llm.asked
        assert asked.prompt == "answer/general@1"
        assert "3 to 5 business days" in asked.lines[-1].text
        assert "delivery.md" in asked.lines[-1].text


async def test_without_pages_or_a_model_the_bot_says_what_it_can() -> None:
    async with Bot("skills.answers.skill") as bot, bot.user() as u:
        await u.says("How long does delivery take?")
        u.sees("I can't help with that myself")


async def test_a_model_that_fails_leaves_an_honest_sentence() -> None:
    llm = FakeLlm(NoAnswer("away", sentence="I can't think right now, sorry."))
    async with Bot(*PLUGINS, llm=llm, prompts=PROMPTS) as bot, bot.user() as u:
        await u.says("How long does delivery take?")
        u.sees("I can't think right now, sorry.")


async def test_other_skills_come_first_and_so_does_an_open_question() -> None:
    shop = Skill("shop", "Sells.")

    @shop.intent("how long does delivery take", "when does my delivery come")
    async def delivery(turn: Turn) -> None:
        town = await turn.ask("Where to?")
        await turn.say("To {town}: two days.", town=town)

    async with Bot(*PLUGINS, shop) as bot, bot.user() as u:
        await u.says("how long does delivery take")
        u.sees("Where to?")
        await u.says("do you ship abroad?")
        u.sees("two days")


async def test_it_is_the_same_wherever_the_process_dies() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user() as u:
            await u.says("Do you ship abroad?")
            u.sees("50 states")
            await u.says("Who won the match last night?")
            u.sees("I can't help with that myself")

    assert await survives(scenario, *PLUGINS) > 3
