"""What dying at boundaries has found, each in its smallest form."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.errors import StoreUnavailable
from bot.skill import Skill
from bot.store.contract import Change, Claim, Committed
from bot.testing.kit import Bot
from bot.turn import Turn


def asking() -> Skill:
    """A question, and an echo of its answer."""
    skill = Skill("asks", "Asks.")

    @skill.pattern("^order$")
    async def order(turn: Turn) -> None:
        await turn.say(f"You get {await turn.ask('What shall it be?')}.")

    return skill


async def test_a_turn_that_is_claimed_again_while_its_commit_hangs_forgets_what_it_had_done() -> None:
    """Its second attempt once found the handler at its end in memory, said nothing, and committed that."""
    for hanging in (1, 2):
        async with Bot(asking()) as bot, bot.user() as ann:
            commits, commit = 0, bot.store.commit

            async def hangs(change: Change) -> Committed:
                nonlocal commits
                commits += 1
                if commits == hanging:  # noqa: B023 - called within this round
                    await asyncio.get_running_loop().create_future()
                return await commit(change)  # noqa: B023

            async def fails(claims: Sequence[Claim], lease: float, now: float) -> list[bool]:
                raise StoreUnavailable("no lease is renewed")

            setattr(bot.store, "commit", hangs)  # noqa: B010 - on this very object
            setattr(bot.store, "renew", fails)  # noqa: B010
            await ann.says("order")
            ann.sees("What shall it be?")
            await ann.says("a lamp")
            ann.sees("You get a lamp.")
            assert commits == 3
