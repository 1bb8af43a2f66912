"""A question for a phone number: shared where there is a button, typed elsewhere; never somebody else's card."""

from __future__ import annotations

import pytest

from bot import Phone, Reply, Skill, Turn
from bot.channel import Capabilities
from bot.dialog.likes import NotLike, like_of
from bot.rendering import fit
from bot.testing import Bot, survives

skill = Skill("caller", "Calls back.")


@skill.intent("please call me back")
async def call(turn: Turn) -> None:
    number = await turn.ask("Which number do we call?", like=Phone, choices=["Rather not"])
    known = turn.person.verified and turn.person.phone == number
    await turn.say(f"You said {number}{', and it is yours' if known else ''}.")


async def test_it_is_shared_with_the_button_over_a_restart() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="chat") as u:
            await u.says("please call me back")
            u.sees("Which number do we call?")
            await u.shares_phone("+436641234567")
            u.sees("You said +436641234567, and it is yours.")

    assert await survives(scenario, skill)


@pytest.mark.parametrize("channel", ["chat", "sms", "web"])
async def test_typed_it_is_a_number_that_nobody_vouches_for(channel: str) -> None:
    async with Bot(skill) as bot, bot.user(channel=channel) as u:
        await u.says("please call me back")
        await u.says("hm, my number is...")
        u.sees("Which number do we call?")
        await u.says("it's +43 664 123 45 67, after six")
        u.sees("You said +436641234567.")
        await u.says("please call me back")
        await u.says("Rather not")
        u.sees("You said Rather not.")


async def test_somebody_elses_card_is_no_answer() -> None:
    async with Bot(skill) as bot, bot.user(channel="chat") as u:
        await u.says("please call me back")
        await u.shares_phone("+4915112345", own=False)
        u.sees("somebody else's number")
        await u.shares_phone("+436641234567")
        u.sees("You said +436641234567")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+43 (664) 123-4567", "+436641234567"),
        ("0043 664 1234567", "+436641234567"),
        ("555 0123", "5550123"),
        ("5550123", "5550123"),
        ("call 0664 1234567 please", "06641234567"),
    ],
)
def test_numbers_as_people_type_them(typed: str, number: str) -> None:
    assert like_of(Phone).parse(typed, 0.0) == number


@pytest.mark.parametrize("typed", ["", "no", "12", "order 1234567 is late", "+43 664 1234567 or 0664 7654321"])
def test_what_is_no_number_is_asked_for_again(typed: str) -> None:
    with pytest.raises(NotLike):
        like_of(Phone).parse(typed, 0.0)


def test_the_button_goes_with_the_end_of_a_long_question_and_only_where_there_is_one() -> None:
    asked = Reply(text="word " * 100, share_phone=Phone(share="Teile meine Nummer").share)
    parts = fit(asked, Capabilities(max_text=100, shares_phone=True), len)
    assert [part.share_phone for part in parts] == [""] * (len(parts) - 1) + ["Teile meine Nummer"]
    assert all(not part.share_phone for part in fit(asked, Capabilities(max_text=100), len))
