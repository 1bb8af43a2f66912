"""Somebody sends a file, and a skill reads it."""

from __future__ import annotations

from bot import Skill, Turn
from bot.errors import Rejected
from bot.messages import Media, Text
from bot.testing import Bot


def counting() -> Skill:
    skill = Skill("count", "Counts the lines of a file.")

    @skill.pattern("count")
    async def count(turn: Turn) -> None:
        async def lines() -> int:
            try:
                return (await turn.read(turn.message.media[0], largest=5000)).count(b"\n")
            except Rejected:
                return -1

        found = await turn.step(lines)
        again = await turn.ask("{found} lines. Again?", like=bool, found=found)
        await turn.say("{found} lines, {again}", found=found, again=again)

    return skill


async def test_a_skill_reads_a_file_that_came_in() -> None:
    async with Bot(counting()) as bot, bot.user(channel="sms") as u:
        await u.sends(b"one\ntwo\n" * 200, name="list of things.txt", text="count this")
        u.sees("400 lines. Again?")
        bot.platforms["sms"].files.clear()
        await bot.restart()
        await u.says("yes")
        u.sees("400 lines, True")


async def test_a_file_that_is_too_large_or_of_elsewhere_is_refused() -> None:
    async with Bot(counting()) as bot, bot.user(channel="sms") as u, bot.user(channel="chat") as other:
        await u.sends(b"\n" * 5001, text="count this")
        u.sees("-1 lines")
        await other.sends(b"secret\n", name="hers")
        theirs = [m.url for m in (Media(url="https://127.0.0.1/secret"), Media(url="file:///etc/passwd"))]
        gateway = bot.channels["chat"].gateway
        assert gateway is not None
        theirs.append(gateway.file_url("chat", "main", "0-hers"))
        await u.says("yes")
        for url in theirs:
            await u.does(Text(text="count this", media=(Media(url=url),)))
            u.sees("-1 lines")
            await u.says("yes")
