"""Somebody wants to hear nothing from us, and later does; the platform says so; an agent talks to nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from bot import Skill, Turn
from bot.errors import Rejected
from bot.messages import Consent, Message, Sender
from bot.store.consents import consents
from bot.store.sqlite import SqliteStore
from bot.testing import Bot, survives

STOP = Consent(on=False, word="STOP")
START = Consent(on=True, word="START")
BLOCKED = Consent(on=False, why="blocked")


def parrot() -> Skill:
    """Says one thing, and asks another."""
    skill = Skill("parrot", "Talks.")

    @skill.command("/hi")
    async def hi(turn: Turn) -> None:
        await turn.say("Hi!")

    @skill.command("/name")
    async def name(turn: Turn) -> None:
        await turn.say(f"Good day, {await turn.ask('What is your name?')}.")

    @skill.command("/later")
    async def later(turn: Turn) -> None:
        await turn.schedule(turn.now() + 60, "It is time.")
        await turn.say("I will.")

    @skill.command("/story")
    async def story(turn: Turn) -> None:
        async def chunks() -> AsyncIterator[str]:
            yield "Once upon a time"

        await turn.stream(chunks())

    @skill.command("/person")
    async def person(turn: Turn) -> None:
        await turn.hand_off("support", "asked")

    return skill


async def test_who_opts_out_hears_nothing_until_they_opt_in() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        await u.says("/later")
        await u.does(STOP)
        u.sees_nothing()
        await u.says("/hi")
        u.sees_nothing()
        await bot.advance(120)
        u.sees_nothing()
        await bot.restart()
        await u.says("/hi")
        u.sees_nothing()
        await u.does(START)
        u.sees_nothing()
        await u.says("/hi")
        u.sees("Hi!")
        story = await consents(bot.store, u.conversation)
        assert [(each.silence, each.word) for each in story] == [("opted_out", "STOP"), ("", "START")]


async def test_others_are_answered_meanwhile() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u, bot.user("eve", channel="sms") as eve:
        await u.does(STOP)
        await eve.says("/hi")
        eve.sees("Hi!")


async def test_a_question_stays_open_for_who_comes_back() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        await u.says("/name")
        await u.does(STOP)
        await u.does(START)
        await u.says("Bo")
        u.sees("Good day, Bo.")


async def test_the_house_confirms_where_the_platform_does_not() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        sms = bot.channels["sms"]
        sms.capabilities = replace(sms.capabilities, confirms_consent=True)
        await u.does(STOP)
        u.sees("You will get no more messages from us.")
        await u.does(STOP)
        u.sees_nothing()
        await u.does(START)
        u.sees("you will get messages from us again")
        await u.does(START)
        u.sees_nothing()


async def test_who_blocked_the_bot_and_writes_is_answered() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="chat") as u:
        await u.does(BLOCKED)
        await u.says("/hi")
        u.sees("Hi!")
        await u.does(BLOCKED)
        await u.does(Consent(on=True, why="blocked"))
        assert [each.silence for each in await consents(bot.store, u.conversation)] == ["blocked", "", "blocked", ""]


async def test_unblocking_is_no_opting_in() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="chat") as u:
        await u.does(STOP)
        await u.does(BLOCKED)
        await u.does(Consent(on=True, why="blocked"))
        await u.says("/hi")
        u.sees_nothing()


@pytest.mark.parametrize("why", ["opted_out", "blocked"])
async def test_a_platform_that_refuses_for_good_is_believed(why: str) -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        silence = "opted_out" if why == "opted_out" else "blocked"
        bot.platforms["sms"].fail(Rejected("21610", silence=silence), taken=False)
        await u.says("/later")
        u.sees_nothing()
        await bot.advance(120)
        u.sees_nothing()
        (entry,) = await consents(bot.store, u.conversation)
        assert (entry.silence, entry.word) == (why, "21610")
        await u.says("/hi")
        assert bool(u.seen) == (why == "blocked")


async def test_an_agent_is_told_that_nobody_listens() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        await u.says("/person")
        await bot.desk.takes()
        await u.does(STOP)
        assert bot.desk.ticket.notes == ["They have opted out: nothing is delivered to them from now on."]
        await bot.desk.says("Are you there?")
        u.sees_nothing()
        assert bot.desk.ticket.notes[1:] == ["This was not delivered: they want to hear nothing from us"]
        await u.does(START)
        assert "want to hear from us again" in bot.desk.ticket.notes[-1]
        await bot.desk.says("Welcome back")
        u.sees("Welcome back")


async def test_a_flood_does_not_swallow_a_stop() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        for _ in range(40):
            await u.says("/hi")
        await u.does(STOP)
        found = await bot.store.conversation(u.conversation)
        assert found is not None
        assert found.silence == "opted_out"
        assert "opted out" in await bot.explain(f"{u.conversation}.41")


async def test_it_holds_whenever_the_process_dies() -> None:
    async def scenario(bot: Bot) -> None:
        async with bot.user(channel="sms") as u:
            for content in (None, STOP, None, START, None):
                await (u.does(content) if content else u.says("/hi"))
        assert [each.silence for each in await consents(bot.store, u.conversation)] == ["opted_out", ""]
        assert u.all_seen == ["Hi!", "Hi!"]

    assert await survives(scenario, parrot()) > 10


async def test_a_stop_is_honoured_also_where_its_turn_is_given_up() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="sms") as u:
        await u.says("/hi")
        await bot.kill()
        store = SqliteStore(bot.home / "frontdesk.db")
        await store.start()
        said = Message(event_id="stop", address=u.address, sender=Sender(id=u.name), content=STOP, at=bot.clock.now())
        await store.put(said, bot.clock.now())
        await store.write(lambda raw: raw.execute(text("UPDATE lanes SET attempts = 6")).rowcount)
        await store.stop()
        await bot.start()
        await bot.settle()
        assert "GAVE UP" in await bot.explain(f"{u.conversation}.2")
        assert [each.word for each in await consents(bot.store, u.conversation)] == ["STOP"]
        await u.says("/hi")
        u.sees_nothing()


async def test_who_opted_out_sees_no_reply_in_the_making_either() -> None:
    async with Bot(parrot()) as bot, bot.user(channel="team") as u:
        await u.does(STOP)
        await u.says("/story")
        u.sees_nothing()
        assert not bot.platforms["team"].drafts
        await u.does(START)
        await u.says("/story")
        assert bot.platforms["team"].drafts
