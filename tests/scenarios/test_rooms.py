"""Somebody talks to the bot where others read along: nothing personal is said there."""

from __future__ import annotations

import pytest

from bot import Skill, Turn
from bot.messages import Sender, Text
from bot.testing import Bot

VOUCHED = Sender(id="sam", phone="+12125550100", verified=True)
codes = Skill("codes", "Tells codes.")


@codes.command("/code")
async def code(turn: Turn) -> None:
    await turn.say("Shared: {shared}.", shared=turn.shared)
    await turn.say("Your code is 1234.", private=True)


@pytest.mark.parametrize("channel", ["web", "chat", "team", "sms"])
async def test_no_order_is_told_and_nobody_is_asked_who_they_are(channel: str) -> None:
    async with Bot("adapters.orders", "skills.orders") as bot, bot.user(channel=channel, room="#general") as user:
        for line in ("where is my order", "show me my orders", "cancel order 1000159", "sam.rivers@example.com"):
            await user.does(Text(text=line), sender=VOUCHED)
            user.does_not_see("#W", "Sam", "e-mail", "code")
        await user.does(Text(text="where is my order"), sender=VOUCHED)
        user.sees("private chat")


async def test_a_private_reply_is_said_aloud_nowhere() -> None:
    async with Bot(codes) as bot:
        for channel in ("web", "chat", "sms"):
            room, alone = bot.user(channel=channel, room="#general"), bot.user(channel=channel)
            await room.says("/code")
            room.sees("Shared: True.", "Please write to me in a private chat")
            room.does_not_see("1234")
            await alone.says("/code")
            alone.sees("Shared: False.", "Your code is 1234.")


async def test_where_a_channel_can_whisper_it_does() -> None:
    async with Bot(codes) as bot, bot.user(channel="team", room="#general") as user:
        await user.says("/code")
        user.sees("Your code is 1234.")
        (said,) = [each for each in bot.platforms["team"].taken if "1234" in each.reply.text]
        assert said.reply.private
