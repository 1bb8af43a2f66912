"""Things said from outside a turn, as people see them: once, in the right place, and not while they'd disturb."""

from __future__ import annotations

import asyncio

import pytest

from bot import Choice, Command, FrontdeskError, Outreach, Sender, Skill, Text, Turn
from bot.errors import RateLimited
from bot.testing import Bot
from bot.testing.kit import User

HOUR = 3600.0
skill = Skill("talk", "Talks.")
pills = Skill("pills", "Reminds.")


@skill.command("/hi")
async def hi(turn: Turn) -> None:
    await turn.say("hello")


@skill.command("/agent")
async def agent(turn: Turn) -> None:
    await turn.hand_off()


@skill.command("/colour")
async def colour(turn: Turn) -> None:
    answer = await turn.ask("Which colour?", choices=["Red", "Blue"])
    await turn.say("It is {answer}.", answer=answer)


@skill.pattern(r"^(taken|later)$")
async def answered(turn: Turn) -> None:
    await turn.say("You said {text}, by {choice}.", text=turn.text, choice=turn.choice)


@pills.command("/remind")
async def remind(turn: Turn, outreach: Outreach) -> None:
    await turn.step(outreach.say, turn.conversation.id, "Your pills!")
    await turn.ask("Anything else?")


ANN = Sender(id="ann", name="Ann")


async def test_a_person_is_never_written_to_where_others_read_along() -> None:
    async with Bot(skill) as bot:
        alone, room = bot.user("ann", channel="team"), bot.user("ann", channel="team", room="#general")
        await alone.does(Command(name="hi"), sender=ANN)
        await bot.advance(10)
        await room.does(Command(name="hi"), sender=ANN)
        conversation = await bot.store.conversation(room.conversation)
        assert conversation is not None
        await bot.app.outreach.saying.say(conversation.person, "Your parcel is here.")
        await bot.settle()
        assert (alone.all_seen, room.all_seen) == (["hello", "Your parcel is here."], ["hello"])
        await bot.app.outreach.saying.say(room.conversation, "For all of you.")
        await bot.settle()
        assert room.all_seen == ["hello", "For all of you."]


async def test_who_wrote_only_in_a_room_gets_nothing() -> None:
    async with Bot(skill) as bot:
        room = bot.user("ann", channel="team", room="#general")
        await room.does(Command(name="hi"), sender=ANN)
        conversation = await bot.store.conversation(room.conversation)
        assert conversation is not None
        with pytest.raises(FrontdeskError, match="where others read along"):
            await bot.app.outreach.saying.say(conversation.person, "Your parcel is here.")


async def say(bot: Bot, user: User, text: str, **rest: object) -> str:
    key = await bot.app.outreach.saying.say(user.conversation, text, **rest)  # type: ignore[arg-type]
    await bot.settle()
    return key


async def test_it_is_said_once_per_key() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/hi")
        for _ in range(3):
            await say(bot, user, "Your parcel is here.", key="parcel-1")
        await bot.restart()
        await say(bot, user, "Your parcel is here.", key="parcel-1")
        assert user.seen == ["hello", "Your parcel is here."]


async def test_without_a_key_each_call_says_it() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/hi")
        await say(bot, user, "ping")
        await say(bot, user, "ping")
        assert user.seen == ["hello", "ping", "ping"]


async def test_it_is_said_to_a_person_where_they_last_wrote() -> None:
    async with Bot(skill) as bot:
        old, new = bot.user("ann"), bot.user("ann-again")
        ann = Sender(id="ann", name="Ann")
        await old.does(Text(text="/hi"), sender=ann)
        await bot.advance(60)
        await new.does(Text(text="/hi"), sender=ann)
        found = await bot.app.store.conversation(new.conversation)
        assert found is not None
        await bot.app.outreach.saying.say(found.person, "news")
        await bot.settle()
        old.does_not_see("news")
        new.sees("news")


async def test_nobody_is_told_about() -> None:
    async with Bot(skill) as bot:
        with pytest.raises(FrontdeskError, match="no conversation c1"):
            await bot.app.outreach.saying.say("c1", "hello?")


@pytest.mark.parametrize("channel", ["web", "sms"])
async def test_choices_are_answered_as_after_turn_say(channel: str) -> None:
    async with Bot(skill) as bot:
        user = bot.user(channel=channel)
        await user.says("/hi")
        await say(bot, user, "Pills?", choices=["Taken", Choice(label="Not yet", value="later")])
        await bot.restart()
        if channel == "sms":
            user.sees("Pills?", "1) Taken", "2) Not yet")
            await user.says("2")
        else:
            user.sees("Pills?", "[ Taken ]", "[ Not yet ]")
            await user.presses("Not yet")
        user.sees("You said Not yet, by later.")


async def test_one_with_choices_waits_for_an_open_question() -> None:
    async with Bot(skill) as bot:
        user = bot.user(channel="sms")
        await user.says("/colour")
        await say(bot, user, "Pills?", choices=["Taken", "Later"])
        await say(bot, user, "A plain word may come between.")
        assert len(user.seen) == 2
        await user.says("2")
        user.sees("It is Blue.")
        user.does_not_see("Pills?")
        await bot.advance(90)
        user.sees("Pills?")
        await user.says("1")
        user.sees("You said Taken")


async def test_a_human_agent_is_not_interrupted() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/agent")
        await say(bot, user, "news", key="news")
        await bot.desk.takes()
        await bot.advance(HOUR)
        await bot.desk.says("How can I help?")
        await say(bot, user, "more news", key="more")
        user.does_not_see("news")
        await bot.restart()
        await bot.desk.gives_back()
        user.does_not_see("news")
        await bot.advance(HOUR)
        user.sees("news")
        user.sees("more news")
        assert "\n".join(user.seen).count("news") == 2


async def test_what_can_not_be_said_in_time_is_dropped() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/agent")
        await bot.desk.takes()
        await say(bot, user, "The shop is open now!", expires=HOUR)
        await bot.advance(2 * HOUR)
        await bot.desk.gives_back()
        await bot.advance(2 * HOUR)
        user.does_not_see("The shop is open now!")


async def test_it_comes_at_its_time_over_a_restart() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/hi")
        await say(bot, user, "It is ten.", at=bot.clock.now() + 2 * HOUR)
        await bot.restart()
        await bot.advance(HOUR)
        user.does_not_see("It is ten.")
        await bot.advance(HOUR)
        user.sees("It is ten.")


async def test_quiet_hours_are_those_of_the_recipient() -> None:
    async with Bot(skill, options={"outreach.timezone": "Europe/Vienna"}) as bot:  # it is 08:00 UTC, a Friday
        here, west, east = bot.user("here"), bot.user("west"), bot.user("east")
        await here.says("/hi")
        for user, zone in ((west, "America/New_York"), (east, "Asia/Tokyo")):
            await user.does(Text(text="/hi"), sender=Sender(id=user.name, timezone=zone))
        for user in (here, west, east):
            await say(bot, user, "news")
        here.sees("news")
        east.sees("news")
        west.does_not_see("news")  # there it is three in the morning
        await say(bot, west, "fire!", quiet=False)
        west.sees("fire!")
        await bot.restart()
        await bot.advance(4.9 * HOUR)
        west.does_not_see("news")
        await bot.advance(0.2 * HOUR)
        west.sees("news")


async def test_an_answer_is_never_delayed() -> None:
    async with Bot(skill, options={"outreach.quiet_hours": "00:00-23:59"}) as bot:
        user = bot.user()
        await user.says("/hi")
        user.sees("hello")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("write", range(1, 8))
async def test_a_step_says_it_once_wherever_it_dies(write: int, before: bool) -> None:
    async with Bot(skill, pills) as bot:
        bot.die_at(write, before=before)
        await bot.kill()
        await bot.start()
        user = bot.user()
        await user.says("/remind")
        await bot.settle()
        await asyncio.sleep(0)
        assert sorted(user.all_seen) == ["Anything else?", "Your pills!"]


async def test_lone_surrogates_harm_nobody() -> None:
    async with Bot(skill) as bot:
        user = bot.user()
        await user.says("/hi")
        await say(bot, user, "odd \ud800 text", key="odd \udfff key")
        user.sees("odd \ufffd text")


NIGHT = {"outreach.quiet_hours": "08:01-09:00"}  # the clock says 08:00


async def test_what_waits_in_the_outbox_over_the_border_is_said_in_the_morning() -> None:
    async with Bot(skill, options=NIGHT) as bot, bot.user(channel="team") as user:
        await user.says("/hi")
        for _ in range(3):
            bot.platforms["team"].fail(RateLimited(25.0))
        key = await say(bot, user, "news " * 1000, choices=["Taken", "Later"])
        await bot.advance(600)
        user.does_not_see("news")
        assert [row.status for row in await bot.store.unsent()] == []
        await user.says("/hi")
        assert user.seen == ["hello"], "an answer waits for the morning"
        await bot.restart()
        await bot.advance(0.5 * HOUR)
        user.does_not_see("news")
        await bot.advance(0.5 * HOUR)
        assert "\n".join(user.seen).count("news") == 1000
        await user.presses("Taken")
        user.sees("You said Taken")
        assert await bot.store.next_due() is None, key


async def test_what_is_urgent_goes_over_the_border() -> None:
    async with Bot(skill, options=NIGHT) as bot, bot.user() as user:
        await user.says("/hi")
        for _ in range(3):
            bot.platforms["web"].fail(RateLimited(25.0))
        await say(bot, user, "fire!", quiet=False)
        await bot.advance(600)
        user.sees("fire!")


async def test_a_morning_that_is_too_late_is_not_waited_for() -> None:
    async with Bot(skill, options=NIGHT) as bot, bot.user() as user:
        await user.says("/hi")
        for _ in range(3):
            bot.platforms["web"].fail(RateLimited(25.0))
        await say(bot, user, "The shop closes at half past eight.", expires=0.5 * HOUR)
        await bot.advance(2 * HOUR)
        user.does_not_see("The shop")
