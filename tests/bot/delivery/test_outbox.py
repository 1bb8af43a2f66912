"""The outbox when platforms, its own store or a channel's code misbehave: order holds, and nothing is forgotten."""

from __future__ import annotations

import asyncio

from bot import Message, NotSent, RateLimited, Sender, Skill, Text, Turn, UnknownOutcome
from bot.channel import Delivery, Receipt
from bot.errors import StoreUnavailable
from bot.store.contract import Begun, OutRow
from bot.testing import Bot, User


def talker() -> Skill:
    skill = Skill("talker", "Talks.")

    @skill.intent("talk to me")
    async def talk(turn: Turn) -> None:
        for word in ("one", "two", "three"):
            await turn.say(word)

    @skill.intent("once only")
    async def once(turn: Turn) -> None:
        await turn.say("precious", once=True)

    return skill


ALL = ["one", "two", "three"]


async def test_a_row_that_is_put_off_holds_back_the_next_over_a_restart() -> None:
    async with Bot(talker()) as bot, bot.user() as u:
        bot.platforms["web"].fail(RateLimited(50.0))
        saying = asyncio.create_task(bot.channels["web"].gateway.receive(_again(u, bot)))  # type: ignore[union-attr]
        async with asyncio.timeout(5):
            while not any(row.not_before for row in await bot.store.store.unsent()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await saying
        await bot.kill()
        await bot.start()
        await asyncio.sleep(0.05)
        assert u.all_seen == [], "neither the first too early, nor the second before it"
        await bot.advance(60)
        assert u.all_seen == ALL


async def test_an_outcome_that_nobody_knows_is_not_repeated_without_end() -> None:
    async with Bot(talker()) as bot, bot.user(channel="blind") as u:
        for _ in range(50):
            bot.platforms["blind"].fail(UnknownOutcome("500"), taken=True)
        await u.says("talk to me")
        await bot.advance(3600)
        for word in ALL:
            assert 1 <= u.all_seen.count(word) <= 4, u.all_seen


async def test_what_must_not_be_said_twice_is_not() -> None:
    async with Bot(talker()) as bot, bot.user(channel="blind") as u:
        bot.platforms["blind"].fail(UnknownOutcome("500"), taken=True)
        await u.says("once only")
        await bot.advance(600)
        assert u.all_seen == ["precious"]


async def test_a_channel_whose_looking_up_is_broken_holds_up_only_its_own_order() -> None:
    async with Bot(talker()) as bot, bot.user() as u:
        channel = bot.channels["web"]
        real, left = channel.find_sent, [3]

        async def find_sent(delivery: Delivery) -> Receipt | None:
            if left[0]:
                left[0] -= 1
                raise KeyError("result")
            return await real(delivery)

        channel.find_sent = find_sent  # type: ignore[method-assign]  # an adapter with a mistake
        bot.platforms["web"].fail(UnknownOutcome("reset"))
        await u.says("talk to me")
        await bot.advance(60)
        assert u.all_seen == ALL


async def test_rows_that_come_while_the_store_refuses_are_not_forgotten() -> None:
    async with Bot(talker()) as bot, bot.user() as u:
        store = bot.store.store
        real, left = store.mark_sent, [3]

        async def mark_sent(row: OutRow, platform_id: str, now: float) -> None:
            if left[0]:
                left[0] -= 1
                if left[0] == 1:  # another turn commits just now
                    await bot.channels["web"].gateway.receive(_again(u, bot))  # type: ignore[union-attr]
                raise StoreUnavailable("busy")
            await real(row, platform_id, now)

        store.mark_sent = mark_sent  # type: ignore[method-assign]
        await u.says("talk to me")
        await bot.advance(60)
        assert u.all_seen == ALL + ALL


def _again(user: User, bot: Bot) -> Message:
    return Message(
        event_id="again",
        address=user.address,
        sender=Sender(id=user.name),
        content=Text(text="talk to me"),
        at=bot.clock.now(),
    )


async def test_a_row_that_is_finished_is_never_sent_again() -> None:
    async with Bot(talker()) as bot, bot.user() as u:
        store, rows = bot.store.store, []
        real = store.mark_sending

        async def mark_sending(row: OutRow, wait: float, now: float) -> Begun:
            rows.append(row)
            return await real(row, wait, now)

        store.mark_sending = mark_sending  # type: ignore[method-assign]
        await u.says("talk to me")
        bot.app.outbox.accept(list(rows), 0.0)
        await bot.settle()
        assert u.all_seen == ALL


async def test_a_platform_that_is_away_for_a_minute_gets_everything_in_order() -> None:
    async with Bot(talker()) as bot, bot.user() as u:
        for _ in range(7):
            bot.platforms["web"].fail(NotSent("refused"))
        await u.says("talk to me")
        assert u.all_seen == ALL
