"""How things are said: to whom, for whose eyes, and while they are still being made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot import Mention, Skill, Turn
from bot.testing import Bot

ANA = Mention(user="U1", name="Ana *Novak*")


def speaking() -> Skill:
    skill = Skill("speak", "Speaks.")

    @skill.command("/call")
    async def call(turn: Turn) -> None:
        await turn.say("{who}: {words} [all](mention:0)", who=ANA, words=turn.text)
        answer = await turn.ask("{who}, yes?", like=bool, who=ANA)
        await turn.say("{answer}", answer=answer)

    @skill.command("/quote")
    async def quote(turn: Turn) -> None:
        await turn.say(turn.text.removeprefix("/quote "))

    @skill.command("/whisper")
    async def whisper(turn: Turn) -> None:
        await turn.say("for you", private=True)
        await turn.say("for all")

    @skill.command("/tell")
    async def tell(turn: Turn) -> None:
        async def words() -> AsyncIterator[str]:
            for _ in range(3):
                yield "Once upon a time. "

        await turn.stream(words())
        await turn.stream(words())

    return skill


@pytest.mark.parametrize(
    ("channel", "name"), [("team", "@Ana *Novak*"), ("chat", "Ana *Novak*"), ("sms", "Ana *Novak*")]
)
async def test_only_the_author_of_a_skill_calls_somebody(channel: str, name: str) -> None:
    async with Bot(speaking()) as bot, bot.user(channel=channel) as u:
        await u.says("/call [you](mention:0) <mention:0>")
        u.sees(f"{name}: /call [you](mention:0) <mention:0> all", f"{name}, yes?")
        await bot.restart()
        await u.says("help")
        u.sees(f"{name}, yes?")
        await u.says("/quote [you](mention:0) <mention:0>")
        u.sees("you mention:0")
        u.does_not_see("@you", "@mention")


async def test_what_is_said_privately_is_marked_so() -> None:
    async with Bot(speaking()) as bot, bot.user(channel="team") as u:
        await u.says("/whisper")
        assert [(d.reply.text, d.reply.private) for d in bot.platforms["team"].taken] == [
            ("for you", True),
            ("for all", False),
        ]


async def drafts_and_replies(*, dies_at: int, before: bool = False) -> tuple[int, list[str], list[str]]:
    bot = Bot(speaking())
    bot.die_at(dies_at, before=before)
    async with bot, bot.user() as u:
        await u.says("/tell")
        platform = bot.platforms["web"]
        keys = list(dict.fromkeys(key for key, _ in platform.drafts))
        return bot.store.writes, keys, [delivery.reply.draft for delivery in platform.taken]


async def test_a_streamed_reply_ends_its_own_draft_whenever_the_bot_dies() -> None:
    writes, drafts, replies = await drafts_and_replies(dies_at=0)
    assert len(set(drafts)) == 2
    assert replies == drafts
    for write in range(1, writes + 1):
        for before in (True, False):
            assert (await drafts_and_replies(dies_at=write, before=before))[1:] == (drafts, replies)
