"""Broadcasts as operators and people meet them: whom they reach, once, and how they are stopped."""

from __future__ import annotations

import msgspec
import pytest

from bot import Address, Consent, FrontdeskError, Sender, Skill, Text, Turn
from bot.outreach.campaign import Segment
from bot.outreach.proactive import SayCommand
from bot.outreach.segments import page
from bot.testing import Bot
from bot.testing.kit import User

HOUR = 3600.0
PLAIN = "name: news\ntext: News, {name}!\nfooter: ''"

skill = Skill("talk", "Talks.")


@skill.command("/hi")
async def hi(turn: Turn) -> None:
    await turn.say("hello")


@skill.command("/plan")
async def plan(turn: Turn) -> None:
    await turn.remember("plan", "gold")
    await turn.say("noted")


@skill.command("/agent")
async def agent(turn: Turn) -> None:
    await turn.hand_off()


@skill.pattern(r"^(red|blue)$")
async def colour(turn: Turn) -> None:
    await turn.say("You like {text}.", text=turn.text)


async def crowd(bot: Bot, many: int, channel: str = "web") -> list[User]:
    users = [bot.user(f"u{number:02}", channel=channel) for number in range(many)]
    for user in users:
        await user.says("/hi")
    return users


async def send(bot: Bot, text: str, *, seconds: int = 3) -> str:
    record = await bot.app.outreach.campaigns.send(text)
    await wait(bot, seconds)
    return record.id


async def wait(bot: Bot, seconds: float) -> None:
    """Let time pass in small steps, as it does for the loop that sends."""
    end = bot.clock.now() + seconds
    while bot.clock.now() < end:
        await bot.advance(0.01)  # and the half second that it takes to look at timers


async def totals(bot: Bot, id: str) -> dict[str, int]:
    return (await bot.app.outreach.campaigns.show(id)).totals


def got(users: list[User], text: str = "News") -> int:
    counts = [sum(text in seen for seen in user.all_seen) for user in users]
    assert max(counts, default=0) <= 1, "somebody got it twice"
    return sum(counts)


async def test_everybody_gets_it_once() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 12)
        sms = await crowd(bot, 3, "sms")
        id = await send(bot, PLAIN, seconds=6)
        assert got(users + sms) == 15
        users[3].sees("News, U03!")
        assert await totals(bot, id) == {"sent": 15}
        assert (await bot.app.outreach.campaigns.show(id)).record.status == "done"
        await bot.restart()
        await wait(bot, 3)
        assert got(users + sms) == 15


async def test_a_name_is_used_once() -> None:
    async with Bot(skill) as bot:
        await crowd(bot, 1)
        await send(bot, PLAIN)
        with pytest.raises(FrontdeskError, match="rename it"):
            await bot.app.outreach.campaigns.send(PLAIN)


async def test_the_preview_tells_how_many_and_who_is_left_out_and_sends_nothing() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 6)
        sms = await crowd(bot, 2, "sms")
        await users[0].says("/unsubscribe")
        await users[1].does(Consent(on=False, word="stop"))
        await users[2].says("/agent")
        await users[3].does(Text(text="/hi"), sender=Sender(id="somebody-else"))
        preview = await bot.app.outreach.campaigns.preview(
            "name: n\ntext: 'Hello {name}'\nchoices: [Yes, No]\nsegment: {channels: [web, sms]}"
        )
        assert preview.reached == {"web": 3, "sms": 2}
        assert preview.left_out == {"unsubscribed": 1, "opted out": 1, "several people write there": 1}
        assert preview.waits == 1
        text = str(preview)
        assert "n: 5 people" in text
        assert "1) Yes" in text
        assert "[ Yes ]" in text
        assert "/unsubscribe" in text
        assert got(users + sms, "Hello U") == 0
        with pytest.raises(FrontdeskError, match="did you mean sms"):
            await bot.app.outreach.campaigns.preview("name: n\ntext: t\nsegment: {channels: [smms]}")


CARD = """
name: tulips
text: "Hello {name}, look:"
card: {title: Red tulips, text: "Ten of them, **fresh**", url: "https://shop.example/tulips"}
"""


@pytest.mark.parametrize("channel", ["web", "sms"])
async def test_the_preview_shows_the_card(channel: str) -> None:
    async with Bot(skill) as bot:
        await crowd(bot, 1, channel)
        text = str(await bot.app.outreach.campaigns.preview(CARD))
        for words in ("look:", "Red tulips", "Ten of them, fresh", "https://shop.example/tulips"):
            assert words in text


async def test_a_segment_by_what_skills_remembered() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 4)
        await users[2].says("/plan")
        id = await send(bot, "name: n\ntext: 'News on {plan}'\nsegment: {facts: {plan: gold}}")
        assert got(users) == 1
        users[2].sees("News on gold")
        assert await totals(bot, id) == {"sent": 1}


async def test_who_leaves_between_the_snapshot_and_the_sending_gets_nothing() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 8)
        id = await send(bot, PLAIN + "\nrate: 1", seconds=2)
        before = got(users)
        assert 0 < before < 4
        late = [user for user in users if got([user]) == 0][-2:]
        await late[0].says("/unsubscribe")
        await late[1].does(Consent(on=False, word="stop"))
        await wait(bot, 14)
        assert got(users) == 6
        assert got(late) == 0
        assert await totals(bot, id) == {"sent": 6, "left out: unsubscribed": 1, "left out: opted out": 1}


async def test_pause_resume_and_cancel_in_flight() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 12)
        id = await send(bot, PLAIN + "\nrate: 2", seconds=1)
        campaigns = bot.app.outreach.campaigns
        await campaigns.pause(id)
        paused = got(users)
        assert 0 < paused < 6
        await wait(bot, 5)
        await bot.restart()
        await wait(bot, 5)
        assert got(users) <= paused + 1
        await campaigns_of(bot).resume(id)
        await wait(bot, 2)
        assert got(users) > paused + 1
        await campaigns_of(bot).cancel(id)
        stopped = got(users)
        await wait(bot, 10)
        assert stopped <= got(users) <= stopped + 1 < 12
        counts = await totals(bot, id)
        assert counts["sent"] + counts["left out: cancelled"] == 12
        with pytest.raises(FrontdeskError, match="is cancelled"):
            await campaigns_of(bot).resume(id)
        with pytest.raises(FrontdeskError, match="no broadcast"):
            await campaigns_of(bot).pause("nobody")


def campaigns_of(bot: Bot):  # type: ignore[no-untyped-def]
    return bot.app.outreach.campaigns


async def test_it_goes_at_its_pace() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 30)
        await send(bot, PLAIN + "\nrate: 4", seconds=4)
        assert 10 <= got(users) <= 20
        await wait(bot, 6)
        assert got(users) == 30


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("write", [1, 2, 3, 4, 5, 7, 9, 12])
async def test_it_goes_on_where_it_was_wherever_it_dies(write: int, before: bool) -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 4)
        await bot.app.outreach.campaigns.send(PLAIN + "\nrate: 100")
        bot.store._dies_at, bot.store._before = bot.store.writes + write, before
        await wait(bot, 25)
        assert got(users) == 4
        assert bot.deaths == 1


@pytest.mark.parametrize("channel", ["web", "sms"])
async def test_its_choices_are_answered_as_after_turn_say(channel: str) -> None:
    async with Bot(skill) as bot:
        (user,) = await crowd(bot, 1, channel)
        await send(bot, "name: n\ntext: Which one?\nchoices: [red, {label: The other, value: blue}]")
        await bot.restart()
        if channel == "sms":
            user.sees("1) red", "2) The other")
            await user.says("2")
        else:
            await user.presses("The other")
        user.sees("You like")


async def test_who_talks_to_an_agent_gets_it_afterwards() -> None:
    async with Bot(skill) as bot:
        (user,) = await crowd(bot, 1)
        await user.says("/agent")
        await bot.desk.takes()
        id = await send(bot, PLAIN)
        assert await totals(bot, id) == {"waiting: a human agent": 1}
        await bot.desk.gives_back()
        for _ in range(8):
            await bot.advance(60)
            await wait(bot, 2)
        assert got([user]) == 1


async def test_quiet_hours_in_two_zones() -> None:
    async with Bot(skill) as bot:
        east, west = bot.user("east"), bot.user("west")
        for user, zone in ((west, "America/New_York"), (east, "Asia/Tokyo")):  # it is 3:00 and 17:00
            await user.does(Text(text="/hi"), sender=Sender(id=user.name, timezone=zone))
        id = await send(bot, PLAIN + "\ndefaults: {name: you}")
        assert (got([east]), got([west])) == (1, 0)
        assert await totals(bot, id) == {"sent": 1, "waiting: quiet hours": 1}
        await bot.advance(4.9 * HOUR)
        await wait(bot, 3)
        assert got([west]) == 0
        await bot.advance(0.2 * HOUR)
        await wait(bot, 3)
        assert (got([east]), got([west])) == (1, 1)


async def test_whoever_is_left_at_its_end_gets_nothing() -> None:
    async with Bot(skill, options={"outreach.timezone": "America/New_York"}) as bot:
        (user,) = await crowd(bot, 1)
        id = await send(bot, PLAIN + "\nexpires: 2h")
        await bot.advance(3 * HOUR)
        await wait(bot, 6)
        await bot.advance(4 * HOUR)
        await wait(bot, 3)
        assert got([user]) == 0
        assert await totals(bot, id) == {"left out: expired": 1}


async def test_a_person_with_several_threads_gets_it_in_the_newest() -> None:
    async with Bot(skill) as bot:
        ann = Sender(id="ann", name="Ann")
        threads = [bot.user(f"t{number}") for number in range(3)]
        for number in (0, 2, 1):
            await threads[number].does(Text(text="/hi"), sender=ann)
            await bot.advance(10)
        await send(bot, PLAIN)
        assert [got([thread]) for thread in threads] == [0, 1, 0]


async def test_a_broadcast_never_goes_where_others_read_along() -> None:
    async with Bot(skill) as bot:
        ann = Sender(id="ann", name="Ann")
        alone, room = bot.user("ann", channel="team"), bot.user("ann", channel="team", room="#general")
        bob = bot.user("bob", channel="team", room="#general")
        await alone.does(Text(text="/hi"), sender=ann)
        await bot.advance(10)
        await room.does(Text(text="/hi"), sender=ann)
        await bot.user("bob", channel="team", room="#other").does(Text(text="/hi"), sender=Sender(id=bob.name))
        preview = await bot.app.outreach.campaigns.preview(PLAIN)
        assert (preview.reached, preview.left_out) == ({"team": 1}, {"others read along there": 1})
        await send(bot, PLAIN)
        assert [got([alone]), got([room]), got([bob])] == [1, 0, 0]


async def test_a_wish_counts_wherever_it_is_surely_the_same_person() -> None:
    def ann(verified: bool, phone: str = "+431234567") -> Sender:
        return Sender(id="ann", name="Ann", phone=phone, verified=verified)

    async with Bot(skill) as bot:
        wishes = [
            (bot.user("ann", channel="sms"), ann(True)),
            (bot.user("ann", channel="team"), ann(True)),
            (bot.user("ann", channel="chat"), ann(False)),  # so they say
            (bot.user("ann", channel="web"), ann(True, "+437654321")),
        ]
        for user, sender in wishes:
            await user.does(Text(text="/hi"), sender=sender)
        await wishes[0][0].does(Text(text="/unsubscribe"), sender=ann(True))
        preview = await bot.app.outreach.campaigns.preview(PLAIN)
        assert (preview.reached, preview.left_out) == ({"chat": 1, "web": 1}, {"unsubscribed": 2})
        await wishes[1][0].does(Text(text="/subscribe"), sender=ann(True))
        preview = await bot.app.outreach.campaigns.preview(PLAIN)
        assert preview.left_out == {}


def nowhere(address: Address) -> bool:
    """Nobody reads along."""
    return False


async def test_recipients_are_read_in_pages() -> None:
    async with Bot(skill) as bot:
        users = await crowd(bot, 5)
        seen: list[str] = []
        after, pages = "", 0
        while True:
            start = after
            found = await bot.app.store.read(lambda c: page(c, Segment(), start, 0.0, nowhere, limit=2))  # noqa: B023
            seen += [one.conversation for one in found.people]
            pages += 1
            after = found.last
            if not after:
                break
        assert sorted(seen) == sorted(user.conversation for user in users)
        assert pages == 4


async def test_the_command_line_has_a_word_for_each() -> None:
    async with Bot(skill) as bot:
        (user,) = await crowd(bot, 1)
        ask = bot.app.outreach.commands(bot.app.channels)
        wanted = msgspec.json.encode(SayCommand(to=user.conversation, text="*psst*")).decode()
        assert "will be said" in await ask["say"](wanted)
        await bot.settle()
        user.sees("psst")
        assert await ask["broadcast-list"]("") == "No broadcast was sent yet."
        assert "news: 1 person" in await ask["broadcast-preview"](PLAIN)
        id = (await ask["broadcast-send"](PLAIN)).split()[0]
        assert "paused" in await ask["broadcast-pause"](id)
        assert f"{id}  paused" in await ask["broadcast-list"]("")
        assert "running" in await ask["broadcast-resume"](id)
        assert "cancelled" in await ask["broadcast-cancel"](id)
        assert "news: cancelled" in await ask["broadcast-show"](id)


async def test_who_chooses_to_hear_no_more_hears_no_more() -> None:
    asks = "name: {}\ntext: News.\nchoices: [More, {{label: 'No, thanks', value: /unsubscribe}}]"
    async with Bot(skill) as bot:
        users, sms = await crowd(bot, 1), await crowd(bot, 1, "sms")
        await send(bot, asks.format("first"))
        await wait(bot, 3)
        await users[0].presses("No, thanks")
        users[0].sees("no more broadcasts")
        await sms[0].says("2")
        sms[0].sees("no more broadcasts")
        preview = await bot.app.outreach.campaigns.preview(asks.format("second"))
        assert preview.left_out == {"unsubscribed": 2}
