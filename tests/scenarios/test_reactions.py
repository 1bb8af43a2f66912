"""Somebody reacts with an emoji, and a skill may want to know; and what platforms send by themselves: /start, /help."""

from __future__ import annotations

from bot import Skill, Turn
from bot.messages import Command, Reacted
from bot.testing import Bot

UP = Reacted(target="m1", emoji="👍\ufe0f")


def judge() -> Skill:
    """Takes thanks, and asks things."""
    skill = Skill("judge", "Judges.")

    @skill.reaction("👍", "❤️")
    async def thanks(turn: Turn) -> None:
        assert isinstance(turn.message.content, Reacted)
        await turn.say(f"Thank you for {turn.message.content.target}.")

    @skill.reaction("👀")
    async def seen(turn: Turn) -> None:
        await turn.remember("seen", True)

    @skill.command("/choose")
    async def choose(turn: Turn) -> None:
        await turn.say("Well?", choices=["Tea", "Milk"])

    @skill.intent("tea")
    async def tea(turn: Turn) -> None:
        await turn.say(f"Tea it is{turn.choice and ', as chosen'}.")

    @skill.command("/name")
    async def name(turn: Turn) -> None:
        await turn.say(f"Good day, {await turn.ask('What is your name?')}.")

    return skill


async def test_a_reaction_reaches_who_wants_to_know() -> None:
    async with Bot(judge()) as bot, bot.user() as u:
        await u.does(UP)
        u.sees("Thank you for m1.")
        await u.does(Reacted(target="m2", emoji="❤"))
        u.sees("Thank you for m2.")
        await u.does(Reacted(target="m1", emoji="👍", added=False))
        u.sees_nothing()
        await u.does(Reacted(target="m1", emoji="🦆"))
        u.sees_nothing()
        assert "nothing to answer" in await bot.explain(f"{u.conversation}.4")


async def test_a_silent_reaction_leaves_the_choices_on_the_table() -> None:
    async with Bot(judge()) as bot, bot.user(channel="sms") as u:
        await u.says("/choose")
        await u.does(Reacted(target="m1", emoji="👀"))
        u.sees_nothing()
        await u.says("1")
        u.sees("Tea it is, as chosen.")


async def test_a_question_waits_while_a_reaction_is_answered() -> None:
    async with Bot(judge()) as bot, bot.user() as u:
        await u.says("/name")
        await u.does(UP)
        u.sees("Thank you", "Back to my question", "What is your name?")
        await u.says("Bo")
        u.sees("Good day, Bo.")


async def test_start_greets_whatever_came_along() -> None:
    async with Bot(judge()) as bot, bot.user() as u:
        await u.does(Command(name="start", text="from_the_shop"))
        u.sees("Hello!", "Judges.")
        await u.says("/name")
        await u.does(Command(name="start"))
        u.sees("Hello!", "What is your name?")
        await u.says("Bo")
        u.sees("Good day, Bo.")


async def test_help_is_the_word_whatever_came_along() -> None:
    async with Bot(judge()) as bot, bot.user() as u:
        await u.does(Command(name="help"))
        u.sees("Here is what I can do", "Judges.")
        await u.does(Command(name="help", text="me please"))
        u.sees("Here is what I can do", "Judges.")


async def test_a_skill_may_have_start_and_help_itself() -> None:
    skill = Skill("door", "Opens.")

    @skill.command("/start", "/help")
    async def start(turn: Turn) -> None:
        await turn.say(f"Welcome: {turn.text}")

    async with Bot(skill) as bot, bot.user() as u:
        await u.says("/start ticket")
        u.sees("Welcome: /start ticket")
        await u.says("/help")
        u.sees("Welcome: /help")
