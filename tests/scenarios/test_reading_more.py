"""A reply that is longer than a channel shows at once: the person says MORE, or goes on to something else."""

from __future__ import annotations

from msgspec.structs import replace

from bot import Skill, Turn
from bot.phrases import ENGLISH
from bot.testing import Bot, User

WORDS = [f"word{number:03d}" for number in range(60)]


def novelist() -> Skill:
    """Says long things."""
    skill = Skill("novelist", "Tells stories.")

    @skill.command("/story")
    async def story(turn: Turn) -> None:
        await turn.say(" ".join(WORDS))

    @skill.command("/short")
    async def short(turn: Turn) -> None:
        await turn.say("The end.")

    @skill.command("/pick")
    async def pick(turn: Turn) -> None:
        choice = await turn.ask(" ".join(WORDS), choices=["Tea", "Coffee"])
        await turn.say(f"Here is your {choice}.")

    return skill


def small(bot: Bot) -> None:
    """Texts of 200 characters, one at a time."""
    sms = bot.channels["sms"]
    sms.capabilities = replace(sms.capabilities, max_text=200, max_parts=1)


def last(user: User) -> str:
    """The one thing that they just read."""
    (text,) = user.seen
    return text


async def test_the_rest_comes_in_portions_for_who_asks_and_no_word_is_lost() -> None:
    async with Bot(novelist()) as bot, bot.user(channel="sms") as u:
        small(bot)
        await u.says("/story")
        heard = [last(u)]
        while ENGLISH.more in heard[-1]:
            await u.says("More!")
            heard.append(last(u))
        assert all(len(part) <= 200 for part in heard)
        assert len(heard) > 2
        assert " ".join(heard).replace(ENGLISH.more, "").split() == WORDS


async def test_the_rest_survives_a_restart() -> None:
    async with Bot(novelist()) as bot, bot.user(channel="sms") as u:
        small(bot)
        await u.says("/story")
        first = last(u)
        await bot.restart()
        small(bot)
        await u.says("MORE")
        read = f"{first} {last(u)}".replace(ENGLISH.more, "").split()
        assert len(read) > len(first.split())
        assert read == WORDS[: len(read)]


async def test_who_goes_on_is_not_given_the_rest_of_something_old() -> None:
    async with Bot(novelist()) as bot, bot.user(channel="sms") as u:
        small(bot)
        await u.says("/story")
        assert ENGLISH.more in last(u)
        await u.says("/short")
        u.sees("The end.")
        await u.says("more")
        assert "word" not in last(u)


async def test_a_long_question_is_read_to_its_end_and_then_answered() -> None:
    async with Bot(novelist()) as bot, bot.user(channel="sms") as u:
        small(bot)
        await u.says("/pick")
        while ENGLISH.more in last(u):
            await u.says("more")
        assert "2) Coffee" in u.transcript
        await u.says("2")
        u.sees("Here is your Coffee.")


async def test_a_short_reply_and_a_channel_without_limit_say_nothing_of_more() -> None:
    async with Bot(novelist()) as bot, bot.user(channel="sms") as u, bot.user(channel="chat") as eve:
        small(bot)
        await u.says("/short")
        assert last(u) == "The end."
        await eve.says("/story")
        assert last(eve).split() == WORDS
