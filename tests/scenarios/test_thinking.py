"""Who waits for a slow answer sees that the bot is at it; who gets a quick one sees no flicker."""

from __future__ import annotations

import asyncio

from bot import Address, Consent, Skill, Turn
from bot.testing import Bot
from bot.turns.thinking import AFTER


def slow(seconds: float) -> Skill:
    """Takes its time before it answers."""
    skill = Skill("slow", "Takes its time.")

    @skill.command("/look")
    async def look(turn: Turn) -> None:
        async def looks() -> str:
            await asyncio.sleep(seconds)
            return "found"

        await turn.say(await turn.step(looks))

    return skill


async def seen_of(seconds: float, *, opted_out: bool = False) -> list[bool]:
    """What a person is shown of typing, until the answer is there."""
    shown: list[bool] = []
    async with Bot(slow(seconds)) as bot, bot.user() as user:
        channel = bot.channels["web"]
        real = channel.typing

        async def typing(address: Address, *, on: bool) -> None:
            shown.append(on)
            await real(address, on=on)

        channel.typing = typing  # type: ignore[method-assign]
        if opted_out:
            await user.does(Consent(on=False, word="stop"))
        await user.says("/look")
        user.does_not_see("found") if opted_out else user.sees("found")
    return shown


async def test_a_slow_answer_is_announced() -> None:
    assert await seen_of(AFTER + 0.3) == [True, False]


async def test_a_quick_answer_is_not() -> None:
    assert await seen_of(0.0) == []


async def test_who_opted_out_is_shown_nothing() -> None:
    assert await seen_of(AFTER + 0.3, opted_out=True) == []
